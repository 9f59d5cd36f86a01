package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// filled is a log with the entries "1" to n.
func filled(n int) *Log[string] {
	l := &Log[string]{}
	for range n {
		l.Add(func(seq int64) string { return fmt.Sprint(seq) })
	}
	return l
}

// A reader gets what came after the number it has seen; a number that this log never gave is one of an earlier
// laboratory, whose reader has seen nothing of this one.
func TestSince(t *testing.T) {
	for _, c := range []struct {
		entries int
		since   int64
		want    []string
	}{
		{0, 0, []string{}},
		{3, 0, []string{"1", "2", "3"}},
		{3, 2, []string{"3"}},
		{3, 3, []string{}},
		{3, 4, []string{"1", "2", "3"}},
		{3, -1, []string{"1", "2", "3"}},
	} {
		got := filled(c.entries).Since(c.since)
		if got == nil || !slices.Equal(got, c.want) {
			t.Errorf("%d entries since %d: %#v, want %q", c.entries, c.since, got, c.want)
		}
	}
}

// What a reader was given stays as it is when the log grows.
func TestSinceIsACopy(t *testing.T) {
	l := filled(2)
	got := l.Since(0)
	got[0] = "changed"
	if again := l.Since(0); again[0] != "1" {
		t.Errorf("the log says %q", again)
	}
}

// A waiting reader gets the next entry as soon as there is one, and every one of many waiting readers does.
func TestWait(t *testing.T) {
	l := filled(1)
	if got := l.Wait(t.Context(), 0); !slices.Equal(got, []string{"1"}) {
		t.Errorf("there was one already: %q", got)
	}
	const readers = 5
	var all sync.WaitGroup
	got := make([][]string, readers)
	for i := range readers {
		all.Go(func() { got[i] = l.Wait(t.Context(), 1) })
	}
	filledBy := func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.more != nil }
	for !filledBy() { // somebody waits
		time.Sleep(time.Millisecond)
	}
	l.Add(func(int64) string { return "next" })
	all.Wait()
	for i, g := range got {
		if !slices.Equal(g, []string{"next"}) {
			t.Errorf("reader %d: %q", i, g)
		}
	}
}

// A reader that gives up gets an empty list, and the next entry wakes nobody who is gone.
func TestWaitEnds(t *testing.T) {
	l := filled(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := l.Wait(ctx, 1); got == nil || len(got) != 0 {
		t.Errorf("%#v", got)
	}
	l.Add(func(int64) string { return "next" })
	if got := l.Since(1); !slices.Equal(got, []string{"next"}) {
		t.Errorf("%q", got)
	}
}

// Writers that write at the same time get numbers of their own, without a gap, in the order of the log.
func TestNumbers(t *testing.T) {
	const writers, each = 8, 50
	l := &Log[int64]{}
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				l.Add(func(seq int64) int64 { return seq })
			}
		})
	}
	all.Wait()
	for i, seq := range l.Since(0) {
		if seq != int64(i+1) {
			t.Fatalf("entry %d has the number %d", i, seq)
		}
	}
	if n := len(l.Since(0)); n != writers*each {
		t.Errorf("%d entries", n)
	}
}

// An event carries its vCenter, and whoever prints is told of the same one; changes are a log of their own.
func TestJournal(t *testing.T) {
	var printed []Event
	j := &Journal{VC: "lab", Print: func(e Event) { printed = append(printed, e) }}
	j.Event("power", "vm", "poweredOn")
	j.Mutation("PowerOnVM_Task", "vm", "user", "agent")
	events, changes := j.Events.Since(0), j.Mutations.Since(0)
	if len(events) != 1 || len(printed) != 1 || printed[0] != events[0] {
		t.Fatalf("events %+v, printed %+v", events, printed)
	}
	e, m := events[0], changes[0]
	if e.Seq != 1 || e.VC != "lab" || e.Kind != "power" || e.Object != "vm" || e.Detail != "poweredOn" || e.Time.IsZero() || e.Time.Location() != time.UTC {
		t.Errorf("%+v", e)
	}
	want := Mutation{Seq: 1, Time: m.Time, Method: "PowerOnVM_Task", Object: "vm", User: "user", UserAgent: "agent"}
	if len(changes) != 1 || m != want || m.Time.IsZero() {
		t.Errorf("%+v", changes)
	}
	(&Journal{}).Event("power", "vm", nil) // nobody prints
}
