// Package journal remembers what happened in the laboratory, and who changed what on a vCenter.
package journal

import (
	"context"
	"sync"
	"time"
)

// Event is one line of the laboratory's diary.
type Event struct {
	Seq    int64     `json:"seq"`
	Time   time.Time `json:"time"`
	VC     string    `json:"vc"`
	Kind   string    `json:"kind"` // task, fault, denied, power, guest, docker, keys, console
	Object string    `json:"object,omitempty"`
	Detail any       `json:"detail,omitempty"`
}

// Mutation is one call that changes something on a vCenter, whether it succeeded or not.
type Mutation struct {
	Seq       int64     `json:"seq"`
	Time      time.Time `json:"time"`
	Method    string    `json:"method"` // SOAP method, or PUT/DELETE for the datastore's HTTP door
	Object    string    `json:"object"`
	User      string    `json:"user"`
	UserAgent string    `json:"user_agent"`
}

// Log is an append-only list that readers can wait on.
type Log[T any] struct {
	mu   sync.Mutex
	all  []T
	more chan struct{}
}

// Add appends what make returns for the next sequence number (the first is 1).
func (l *Log[T]) Add(make func(seq int64) T) T {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := make(int64(len(l.all) + 1))
	l.all = append(l.all, x)
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return x
}

// Since returns the entries after sequence number n; never nil.
func (l *Log[T]) Since(n int64) []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n > int64(len(l.all)) {
		n = 0
	}
	return append([]T{}, l.all[n:]...)
}

// Wait returns the entries after n as soon as there is one, or none when ctx ends.
func (l *Log[T]) Wait(ctx context.Context, n int64) []T {
	for {
		l.mu.Lock()
		if int64(len(l.all)) > n {
			l.mu.Unlock()
			return l.Since(n)
		}
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return []T{}
		case <-more:
		}
	}
}

// Journal is one vCenter's diary and its log of changes.
type Journal struct {
	VC        string
	Print     func(Event) // also told of every event; may be nil
	Events    Log[Event]
	Mutations Log[Mutation]
}

// Event writes one event.
func (j *Journal) Event(kind, object string, detail any) {
	e := j.Events.Add(func(seq int64) Event {
		return Event{Seq: seq, Time: time.Now().UTC(), VC: j.VC, Kind: kind, Object: object, Detail: detail}
	})
	if j.Print != nil {
		j.Print(e)
	}
}

// Mutation writes one change.
func (j *Journal) Mutation(method, object, user, agent string) {
	j.Mutations.Add(func(seq int64) Mutation {
		return Mutation{Seq: seq, Time: time.Now().UTC(), Method: method, Object: object, User: user, UserAgent: agent}
	})
}
