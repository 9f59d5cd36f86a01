package control

import (
	"context"
	"sync"
)

// Waiting is a call that stands at a barrier.
type Waiting struct {
	Method string `json:"method"`
	Object string `json:"object"`
	User   string `json:"user"`
	Agent  string `json:"user_agent"`
}

// Barrier is what the admin API shows of one.
type Barrier struct {
	ID      string    `json:"id"`
	Method  string    `json:"method"`
	Object  string    `json:"object"`
	Waiting []Waiting `json:"waiting"`
}

type barrier struct {
	Barrier
	open    chan struct{}
	refuse  bool
	arrived chan struct{} // closed when somebody stands at it
}

// Barriers stop matching calls before they run until they are let go.
type Barriers struct {
	mu  sync.Mutex
	all map[string]*barrier
}

// Put raises a barrier; one of the same id is let go first.
func (b *Barriers) Put(id, method, object string) Barrier {
	b.Release(id, false)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string]*barrier{}
	}
	n := &barrier{Barrier: Barrier{ID: id, Method: method, Object: object, Waiting: []Waiting{}}, open: make(chan struct{}), arrived: make(chan struct{})}
	b.all[id] = n
	return n.Barrier
}

// Get returns a barrier; with wait only when somebody stands at it, or ctx ends.
func (b *Barriers) Get(ctx context.Context, id string, wait bool) (Barrier, bool) {
	b.mu.Lock()
	n := b.all[id]
	b.mu.Unlock()
	if n == nil {
		return Barrier{}, false
	}
	if wait {
		select {
		case <-n.arrived:
		case <-n.open:
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := n.Barrier
	out.Waiting = append([]Waiting{}, n.Waiting...)
	return out, true
}

// Release removes a barrier. The calls at it run, or with refuse end in a fault without running.
func (b *Barriers) Release(id string, refuse bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.all[id]
	if n == nil {
		return false
	}
	n.refuse = refuse
	close(n.open)
	delete(b.all, id)
	return true
}

// ReleaseAll lets everything go.
func (b *Barriers) ReleaseAll() {
	b.mu.Lock()
	ids := make([]string, 0, len(b.all))
	for id := range b.all {
		ids = append(ids, id)
	}
	b.mu.Unlock()
	for _, id := range ids {
		b.Release(id, false)
	}
}

// Pass blocks while a barrier matches the call; false means that the call must not run.
func (b *Barriers) Pass(ctx context.Context, c *Call) bool {
	for {
		n := b.stand(c)
		if n == nil {
			return true
		}
		select {
		case <-n.open:
			if n.refuse {
				return false
			}
		case <-ctx.Done():
			return false
		}
	}
}

func (b *Barriers) stand(c *Call) *barrier {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.all {
		if !c.Matches(n.Method, n.Object) {
			continue
		}
		n.Waiting = append(n.Waiting, Waiting{Method: c.Method, Object: c.Object(), User: c.User, Agent: c.Agent})
		if len(n.Waiting) == 1 {
			close(n.arrived)
		}
		return n
	}
	return nil
}
