package control

import (
	"context"
	"testing"
	"time"
)

// at lets a call arrive, and returns how it ended as soon as it did; the call stands at the barrier *id* by then.
func at(t *testing.T, b *Barriers, id string, c *Call) <-chan bool {
	t.Helper()
	out := make(chan bool, 1)
	go func() { out <- b.Pass(context.Background(), c) }()
	if got, ok := b.Get(t.Context(), id, true); !ok || len(got.Waiting) == 0 {
		t.Fatalf("nobody stands at %s: %+v", id, got)
	}
	return out
}

// still fails when a call that must wait has ended.
func still(t *testing.T, passed <-chan bool) {
	t.Helper()
	select {
	case ok := <-passed:
		t.Fatalf("the call did not wait: %v", ok)
	case <-time.After(20 * time.Millisecond):
	}
}

// A call that no barrier is for passes at once; one that fits stands until it is let go, and shows who it is.
func TestPass(t *testing.T) {
	var b Barriers
	call := &Call{Method: "CloneVM_Task", Subjects: []string{"a"}, User: "u", Agent: "packer"}
	if !b.Pass(t.Context(), call) {
		t.Error("refused without a barrier")
	}
	for _, other := range [][2]string{{"CloneVM_Task", "b"}, {"Destroy_Task", "a"}} {
		b.Put(other[0]+other[1], other[0], other[1])
	}
	if !b.Pass(t.Context(), call) {
		t.Error("refused by a barrier for others")
	}
	b.Put("x", "Clone*", "a")
	passed := at(t, &b, "x", call)
	still(t, passed)
	got, _ := b.Get(t.Context(), "x", false)
	if want := (Waiting{Method: "CloneVM_Task", Object: "a", User: "u", Agent: "packer"}); len(got.Waiting) != 1 || got.Waiting[0] != want {
		t.Errorf("%+v", got)
	}
	if !b.Release("x", false) || !<-passed {
		t.Error("it was let go and did not run")
	}
	if b.Release("x", false) {
		t.Error("a barrier that is gone was released")
	}
}

// Everybody at a barrier is refused with it, or runs; who comes later is not concerned.
func TestRelease(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		var b Barriers
		call := &Call{Method: "M"}
		b.Put("x", "M", "")
		first, second := at(t, &b, "x", call), at(t, &b, "x", call)
		for { // the second was perhaps not there yet when the first was
			if got, _ := b.Get(t.Context(), "x", false); len(got.Waiting) == 2 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		b.Release("x", refuse)
		if ran := <-first; ran == refuse || <-second == refuse {
			t.Errorf("refuse %v: ran %v", refuse, ran)
		}
		if !b.Pass(t.Context(), call) {
			t.Error("a later call was refused")
		}
	}
}

// A call that two barriers are for has to pass both.
func TestTwoBarriers(t *testing.T) {
	var b Barriers
	b.Put("one", "M", "")
	passed := at(t, &b, "one", &Call{Method: "M"})
	b.Put("two", "*", "")
	b.Release("one", false)
	if got, ok := b.Get(t.Context(), "two", true); !ok || len(got.Waiting) != 1 {
		t.Fatalf("%+v", got)
	}
	still(t, passed)
	b.ReleaseAll()
	if !<-passed {
		t.Error("refused")
	}
	if _, ok := b.Get(t.Context(), "two", false); ok {
		t.Error("a barrier survived ReleaseAll")
	}
}

// Raising a barrier a second time lets those go who stand at the first, and nobody stands at the new one.
func TestPutAgain(t *testing.T) {
	var b Barriers
	b.Put("x", "M", "")
	passed := at(t, &b, "x", &Call{Method: "M", Subjects: []string{"a"}})
	if got := b.Put("x", "M", "b"); got.ID != "x" || got.Object != "b" || got.Waiting == nil || len(got.Waiting) != 0 {
		t.Errorf("%+v", got)
	}
	if !<-passed {
		t.Error("refused")
	}
}

// A call whose client went away does not run.
func TestPassEnds(t *testing.T) {
	var b Barriers
	b.Put("x", "M", "")
	ctx, cancel := context.WithCancel(t.Context())
	passed := make(chan bool)
	go func() { passed <- b.Pass(ctx, &Call{Method: "M"}) }()
	if _, ok := b.Get(t.Context(), "x", true); !ok {
		t.Fatal("no barrier")
	}
	cancel()
	if <-passed {
		t.Error("it ran")
	}
}

// Whoever waits for somebody to arrive is told when nobody can any more, or when their own time is over.
func TestGetEnds(t *testing.T) {
	var b Barriers
	if _, ok := b.Get(t.Context(), "x", true); ok {
		t.Error("a barrier that never was")
	}
	b.Put("x", "M", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, ok := b.Get(ctx, "x", true); !ok || got.Waiting == nil || len(got.Waiting) != 0 {
		t.Errorf("%+v", got)
	}
	done := make(chan Barrier)
	go func() { got, _ := b.Get(context.Background(), "x", true); done <- got }()
	time.Sleep(time.Millisecond)
	b.Release("x", false)
	if got := <-done; len(got.Waiting) != 0 {
		t.Errorf("%+v", got)
	}
}
