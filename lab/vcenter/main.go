// Command labd is the laboratory: simulated vCenters whose VMs are containers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"goldsmith/lab/internal/app"
)

const usage = `labd serve    run the laboratory that LABD_CONFIG describes
labd health   ask the running laboratory whether it works
labd pause    wait for a signal; holds the laboratory's network
labd version  print the versions of what is inside
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labd:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	switch args[0] {
	case "serve":
		return app.Serve(ctx, os.Stdout)
	case "health":
		return app.Health(ctx)
	case "pause":
		<-ctx.Done()
		return nil
	case "version":
		return version()
	}
	fmt.Fprint(os.Stderr, usage)
	os.Exit(2)
	return nil
}

func version() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("the program was built without module information")
	}
	fmt.Println(info.GoVersion)
	for _, d := range info.Deps {
		fmt.Println(d.Path, d.Version)
	}
	return nil
}
