//go:build !linux

package journal

// Sync makes the content durable.
func (f osFile) Sync() error { return f.File.Sync() }
