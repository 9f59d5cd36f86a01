// Command init is the smallest guest: it reboots once, then waits until it is told to halt.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	fmt.Printf("@lab {\"event\":\"booting\",\"vm\":%q,\"guestinfo\":%q}\n", os.Getenv("LAB_VM"), os.Getenv("VMX_GUESTINFO_X"))
	if _, err := os.Stat("/marker"); err != nil {
		_ = os.WriteFile("/marker", []byte("written"), 0o600)
		os.Exit(129)
	}
	halt := make(chan os.Signal, 1)
	signal.Notify(halt, syscall.Signal(37)) // SIGRTMIN+3
	fmt.Println("marked")
	<-halt
	os.Exit(130)
}
