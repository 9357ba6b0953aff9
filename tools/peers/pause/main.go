// The first process of a namespace: it waits, buries whoever ended without a parent, and ends when it
// is told to. A pod's sandbox needs one, and so does a node of the tests.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	heard := make(chan os.Signal, 16)
	signal.Notify(heard, syscall.SIGCHLD, syscall.SIGINT, syscall.SIGTERM)
	for each := range heard {
		if each != syscall.SIGCHLD {
			return
		}
		bury()
	}
}

func bury() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
