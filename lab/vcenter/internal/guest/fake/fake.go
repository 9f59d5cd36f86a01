// Package fake is a guest engine in memory: a test decides what a guest prints and when it ends.
package fake

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"sync"
	"time"

	"goldsmith/lab/internal/guest"
)

// Machine is one pretended machine.
type Machine struct {
	ID      string
	Spec    guest.Spec
	Running bool
	Code    int
	Starts  int
	Marks   []string // what was written to its disk; travels with Commit
	out     *io.PipeWriter
	in      *io.PipeReader
}

// Image is what Commit made.
type Image struct {
	Labels map[string]string
	Marks  []string
}

// Engine is guest.Engine in memory.
type Engine struct {
	mu       sync.Mutex
	machines map[string]*Machine
	images   map[string]Image
	watchers map[chan guest.Exit]map[string]string
	number   int
	Calls    []string
	Boot     func(*Engine, string) // runs in a goroutine after every start, with the id
	Fail     map[string]error      // by verb: create, start, commit ...
}

// New returns an engine without machines.
func New() *Engine {
	return &Engine{machines: map[string]*Machine{}, images: map[string]Image{}, watchers: map[chan guest.Exit]map[string]string{}, Fail: map[string]error{}}
}

func (e *Engine) enter(verb, id string) error {
	e.Calls = append(e.Calls, verb+" "+id)
	return e.Fail[verb]
}

// Create implements guest.Engine.
func (e *Engine) Create(_ context.Context, s guest.Spec) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.number++
	id := fmt.Sprintf("machine%d", e.number)
	if err := e.enter("create", id); err != nil {
		return "", err
	}
	m := &Machine{ID: id, Spec: s}
	if s.Image != "" {
		img, ok := e.images[s.Image]
		if !ok {
			return "", fmt.Errorf("no image %s: %w", s.Image, guest.ErrGone)
		}
		m.Marks = append(m.Marks, img.Marks...)
	}
	e.machines[id] = m
	return id, nil
}

func (e *Engine) get(verb, id string) (*Machine, error) {
	if err := e.enter(verb, id); err != nil {
		return nil, err
	}
	if m := e.machines[id]; m != nil {
		return m, nil
	}
	return nil, guest.ErrGone
}

// Start implements guest.Engine.
func (e *Engine) Start(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, err := e.get("start", id)
	if err != nil {
		return err
	}
	m.Running, m.Code = true, 0
	m.Starts++
	m.in, m.out = io.Pipe()
	if e.Boot != nil {
		go e.Boot(e, id)
	}
	return nil
}

// end stops a machine; the caller holds the lock.
func (e *Engine) end(m *Machine, code int) {
	if !m.Running {
		return
	}
	m.Running, m.Code = false, code
	_ = m.out.Close()
	for ch, labels := range e.watchers {
		if match(m.Spec.Labels, labels) {
			go func() { ch <- guest.Exit{ID: m.ID, Code: code} }()
		}
	}
}

// End is the guest ending by itself.
func (e *Engine) End(id string, code int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.machines[id]; m != nil {
		e.end(m, code)
	}
}

// Kill implements guest.Engine.
func (e *Engine) Kill(_ context.Context, id string) error { return e.stop("kill", id, 137) }

// Shutdown implements guest.Engine.
func (e *Engine) Shutdown(_ context.Context, id string) error { return e.stop("shutdown", id, 130) }

func (e *Engine) stop(verb, id string, code int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, err := e.get(verb, id)
	if err == nil {
		e.end(m, code)
	}
	return err
}

// Commit implements guest.Engine.
func (e *Engine) Commit(_ context.Context, id, image string, labels map[string]string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, err := e.get("commit", id)
	if err == nil {
		e.images[image] = Image{Labels: maps.Clone(labels), Marks: append([]string{}, m.Marks...)}
	}
	return err
}

// Inspect implements guest.Engine.
func (e *Engine) Inspect(_ context.Context, id string) (guest.State, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, err := e.get("inspect", id)
	if err != nil {
		return guest.State{}, err
	}
	s := guest.State{Running: m.Running, ExitCode: m.Code, Started: fmt.Sprint(m.Starts)}
	if m.Running {
		var n byte
		_, _ = fmt.Sscanf(id, "machine%d", &n)
		s.Address, s.Gateway = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, n}), 24), netip.AddrFrom4([4]byte{192, 0, 2, 254})
	}
	return s, nil
}

// Remove implements guest.Engine.
func (e *Engine) Remove(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m, err := e.get("remove", id); err == nil {
		e.end(m, 137)
		delete(e.machines, id)
	}
	return nil
}

// RemoveImage implements guest.Engine.
func (e *Engine) RemoveImage(_ context.Context, image string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.images, image)
	return e.enter("rmi", image)
}

// Console implements guest.Engine.
func (e *Engine) Console(_ context.Context, id string, _ time.Time) (io.ReadCloser, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, err := e.get("console", id)
	if err != nil {
		return nil, err
	}
	return m.in, nil
}

// Print lets a running guest print; it returns when labd has read it.
func (e *Engine) Print(id, text string) {
	e.mu.Lock()
	m := e.machines[id]
	e.mu.Unlock()
	if m != nil && m.out != nil {
		_, _ = io.WriteString(m.out, text)
	}
}

// Exits implements guest.Engine.
func (e *Engine) Exits(ctx context.Context, labels map[string]string) (<-chan guest.Exit, error) {
	ch, out := make(chan guest.Exit, 16), make(chan guest.Exit)
	e.mu.Lock()
	e.watchers[ch] = labels
	e.mu.Unlock()
	go func() {
		defer close(out)
		for {
			select {
			case x := <-ch:
				out <- x
			case <-ctx.Done():
				e.mu.Lock()
				delete(e.watchers, ch)
				e.mu.Unlock()
				return
			}
		}
	}()
	return out, nil
}

// Sweep implements guest.Engine.
func (e *Engine) Sweep(_ context.Context, labels map[string]string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, m := range e.machines {
		if match(m.Spec.Labels, labels) {
			e.end(m, 137)
			delete(e.machines, id)
		}
	}
	for name, img := range e.images {
		if match(img.Labels, labels) {
			delete(e.images, name)
		}
	}
	return e.enter("sweep", "")
}

func match(have, want map[string]string) bool {
	for k, v := range want {
		if have[k] != v {
			return false
		}
	}
	return true
}
