// Package machine puts a guest under every VM: power, clones, consoles, addresses.
package machine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/console"
	"goldsmith/lab/internal/guest"
	"goldsmith/lab/internal/journal"
	"goldsmith/lab/internal/tasks"
)

// patience is the longest an engine's call may take: committing a large guest is the slowest.
const patience = 5 * time.Minute

// Room holds the machines of one vCenter.
type Room struct {
	Lab, VC    string
	Datastores string // folder above the datastores' folders
	ISOCheck   string // config.ISO…
	Engine     guest.Engine
	Tasks      *tasks.Runner
	Journal    *journal.Journal

	mu     sync.Mutex
	all    map[string]*Machine // by moref value
	images atomic.Int64
	shots  atomic.Int64
}

// Machine is the guest's side of one VM. A new VM's disk is blank; a clone's holds what its source wrote.
type Machine struct {
	ref     types.ManagedObjectReference
	Console console.Buffer

	op       sync.Mutex  // one power operation at a time
	stopping atomic.Bool // an end of the guest is our own doing
	commit   sync.Mutex

	mu        sync.Mutex
	name      string
	container string            // "" before the first power on
	env       map[string]string // the container's
	image     string            // what the disk held at first; "" = blank
	source    string            // moref of the VM it was cloned from
	committed map[string]string
	boot      int // number of the start; what an earlier start says is stale
	gone      bool
}

// Info is what the admin API shows of a machine.
type Info struct {
	Ref       string `json:"ref"`
	Name      string `json:"name"`
	Container string `json:"container"`
	Image     string `json:"image"`
	Source    string `json:"source,omitempty"`
	Power     string `json:"power"`
	Template  bool   `json:"template"`
	Address   string `json:"address"`
	Tools     string `json:"tools"`
}

// Of returns the machine of a VM, a new one the first time. The caller holds the VM's lock.
func (r *Room) Of(vm *simulator.VirtualMachine) *Machine {
	m := r.byRef(vm.Self.Value, true)
	m.mu.Lock()
	m.ref, m.name = vm.Self, vm.Name
	m.mu.Unlock()
	return m
}

// forgotten tells whether the VM was destroyed.
func (m *Machine) forgotten() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gone
}

func (r *Room) byRef(ref string, create bool) *Machine {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.all[ref]
	if m == nil && create {
		m = &Machine{committed: map[string]string{}}
		if r.all == nil {
			r.all = map[string]*Machine{}
		}
		r.all[ref] = m
	}
	return m
}

func (r *Room) machines() []*Machine {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*Machine, 0, len(r.all))
	for _, m := range r.all {
		out = append(out, m)
	}
	return out
}

// ByName returns the machine of a VM's name or moref.
func (r *Room) ByName(name string) *Machine {
	c := r.Tasks.Context()
	for _, e := range c.Map.All("VirtualMachine") {
		vm, ok := e.(*simulator.VirtualMachine)
		if !ok {
			continue
		}
		var found *Machine
		c.WithLock(vm, func() {
			if vm.Name == name || vm.Self.Value == name {
				found = r.Of(vm)
			}
		})
		if found != nil {
			return found
		}
	}
	return nil
}

// List describes all VMs.
func (r *Room) List() []Info {
	c := r.Tasks.Context()
	out := []Info{}
	for _, e := range c.Map.All("VirtualMachine") {
		vm, ok := e.(*simulator.VirtualMachine)
		if !ok {
			continue
		}
		c.WithLock(vm, func() {
			m := r.Of(vm)
			m.mu.Lock()
			defer m.mu.Unlock()
			out = append(out, Info{
				Ref: vm.Self.Value, Name: vm.Name, Container: m.container, Image: m.image, Source: m.source, Power: string(vm.Runtime.PowerState),
				Template: vm.Config.Template, Address: vm.Guest.IpAddress, Tools: vm.Guest.ToolsRunningStatus,
			})
		})
	}
	return out
}

// Labels are those of everything of this vCenter.
func (r *Room) Labels() map[string]string {
	return map[string]string{guest.LabelSuite: "1", guest.LabelLab: r.Lab, guest.LabelVCenter: r.VC}
}

// timed runs one engine call with its time limit and notes how long it took.
func (r *Room) timed(verb, name string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	detail := fmt.Sprintf("%s %d ms", verb, time.Since(start).Milliseconds())
	if err != nil {
		detail += ": " + err.Error()
	}
	r.Journal.Event("engine", name, detail)
	return err
}

// resolve turns "[ds] path" into a path of this machine.
func (r *Room) resolve(ds string) (string, bool) {
	var p object.DatastorePath
	if !p.FromString(ds) || p.Datastore == "" {
		return "", false
	}
	return filepath.Join(r.Datastores, p.Datastore, filepath.Clean("/"+p.Path)), true
}

// start powers the guest on and follows its console. The caller holds m.op.
func (r *Room) start(m *Machine, b boot) error {
	if err := attach(b.disks); err != nil {
		return err
	}
	id, err := r.fit(m, b.env(m.label()))
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.boot++
	number, name := m.boot, m.name
	m.mu.Unlock()
	m.stopping.Store(false)
	since := time.Now()
	if err := r.timed("start", name, func(ctx context.Context) error { return r.Engine.Start(ctx, id) }); err != nil {
		return err
	}
	go r.follow(m, id, number, since)
	return nil
}

// halt ends the guest by force (kill) or by asking. The caller holds m.op.
func (r *Room) halt(m *Machine, kill bool) error {
	m.mu.Lock()
	id, name := m.container, m.name
	m.mu.Unlock()
	m.stopping.Store(true)
	if id == "" {
		return nil
	}
	verb, f := "shutdown", r.Engine.Shutdown
	if kill {
		verb, f = "kill", r.Engine.Kill
	}
	return r.timed(verb, name, func(ctx context.Context) error { return f(ctx, id) })
}

// Sweep removes every guest and image of this vCenter, also those of a run that was killed.
func (r *Room) Sweep(ctx context.Context) error {
	for _, m := range r.machines() {
		m.stopping.Store(true)
	}
	err := r.Engine.Sweep(ctx, r.Labels())
	if errors.Is(err, guest.ErrGone) {
		return nil
	}
	return err
}

// hostname makes a valid host name of a VM's name.
func hostname(name string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	if len(out) > 63 {
		out = out[:63]
	}
	return strings.Trim(out, "-")
}
