//go:build !unix

package main

// watchTerminal does nothing here: a new size shows with the next frame.
func watchTerminal(func(paused bool)) (end func()) { return func() {} }
