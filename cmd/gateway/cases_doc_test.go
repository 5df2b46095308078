package main

import "testing"

// TestTestingDocIsTrue runs the examples of docs/testing-a-configuration.md.
func TestTestingDocIsTrue(t *testing.T) { playDoc(t, root+"/docs/testing-a-configuration.md") }
