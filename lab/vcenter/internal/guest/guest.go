// Package guest says what a machine under a VM can do; docker runs it, fake pretends to.
package guest

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"
)

// How a guest ends by itself: init in a pid namespace dies of the signal that reboot(2) stands for.
const (
	ExitReboot   = 129 // SIGHUP
	ExitPowerOff = 130 // SIGINT
)

// Labels that everything of the laboratory carries.
const (
	LabelSuite   = "goldsmith"
	LabelLab     = "goldsmith.lab"
	LabelVCenter = "goldsmith.lab.vcenter"
	LabelVM      = "goldsmith.lab.vm"
	LabelRef     = "goldsmith.lab.ref"
)

// ErrGone is returned for a machine that the engine does not know any more.
var ErrGone = errors.New("the guest does not exist any more")

// Spec describes a machine to create.
type Spec struct {
	Name     string            // unique name at the engine
	Hostname string            //
	Image    string            // what its disk holds; "" = a blank disk
	Env      map[string]string // the whole environment; nothing is inherited from Image
	Labels   map[string]string
}

// State is a machine as the engine sees it now.
type State struct {
	Running  bool
	ExitCode int
	Started  string       // changes with every start
	Address  netip.Prefix // invalid when not running
	Gateway  netip.Addr
}

// Exit says that a machine ended.
type Exit struct {
	ID   string
	Code int
}

// Engine runs machines. Every method may take seconds; none needs a lock of the simulator.
type Engine interface {
	// Create makes a machine that is off and returns its id.
	Create(ctx context.Context, spec Spec) (string, error)
	// Start powers on.
	Start(ctx context.Context, id string) error
	// Kill cuts the power; no error when it is off already.
	Kill(ctx context.Context, id string) error
	// Shutdown asks the guest to halt and returns when it did (or was killed after a minute).
	Shutdown(ctx context.Context, id string) error
	// Commit freezes the machine's disk as an image of that name.
	Commit(ctx context.Context, id, image string, labels map[string]string) error
	// Inspect returns the state of now, or ErrGone.
	Inspect(ctx context.Context, id string) (State, error)
	// Remove deletes the machine, running or not; no error when it is gone.
	Remove(ctx context.Context, id string) error
	// RemoveImage deletes an image made by Commit; no error when it is gone.
	RemoveImage(ctx context.Context, image string) error
	// Console follows what the guest prints from a moment on, until it ends.
	Console(ctx context.Context, id string, since time.Time) (io.ReadCloser, error)
	// Exits reports machines with these labels that end, until ctx does; the channel closes when the stream breaks.
	Exits(ctx context.Context, labels map[string]string) (<-chan Exit, error)
	// Sweep removes all machines and images with these labels.
	Sweep(ctx context.Context, labels map[string]string) error
}
