//go:build !unix

package trainer

import "os"

// killSelf does not return.
func killSelf() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		os.Exit(3)
	}
	select {}
}
