// Package pb holds the messages of Sparkplug B as code generated from
// sparkplug.proto. The generator is a module of its own in generate/, so that
// what it needs to read a .proto file is no dependency of the gateway.
package pb

//go:generate go -C generate run . ../sparkplug.proto
