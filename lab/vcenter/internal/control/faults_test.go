package control

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// Which of the calls in a row a rule hits, by its place in the row.
func TestNthAndCount(t *testing.T) {
	for _, c := range []struct {
		name string
		rule Rule
		want []int
	}{
		{"all", Rule{}, []int{1, 2, 3, 4, 5}},
		{"from the third", Rule{Nth: 3}, []int{3, 4, 5}},
		{"the first alone", Rule{Count: 1}, []int{1}},
		{"two from the second", Rule{Nth: 2, Count: 2}, []int{2, 3}},
		{"never so many", Rule{Nth: 6}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f Faults
			c.rule.Method, c.rule.Fault = "M", "InvalidState"
			if _, err := f.Add(c.rule); err != nil {
				t.Fatal(err)
			}
			var hits []int
			for i := 1; i <= 5; i++ {
				f.Match(ModeTask, &Call{Method: "Other"})
				if v, hit := f.Match(ModeTask, &Call{Method: "M"}); hit {
					hits = append(hits, i)
					if _, ok := v.Fault.(*types.InvalidState); !ok {
						t.Errorf("call %d: %T", i, v.Fault)
					}
				}
			}
			if !slices.Equal(hits, c.want) {
				t.Errorf("hit %v, want %v", hits, c.want)
			}
			if r := f.All()[0]; r.Seen != 5 || r.Hits != len(c.want) {
				t.Errorf("counted %d seen, %d hit", r.Seen, r.Hits)
			}
		})
	}
}

// A die that falls under the probability hits; without a probability every call does.
func TestProbability(t *testing.T) {
	for _, c := range []struct {
		probability, die float64
		want             bool
	}{{0, 0.99, true}, {1, 0.99, true}, {0.5, 0.4, true}, {0.5, 0.6, false}} {
		f := Faults{dice: func() float64 { return c.die }}
		if _, err := f.Add(Rule{Method: "M", Probability: c.probability}); err != nil {
			t.Fatal(err)
		}
		if _, hit := f.Match(ModeTask, &Call{Method: "M"}); hit != c.want {
			t.Errorf("probability %v, die %v: %v", c.probability, c.die, hit)
		}
	}
}

// The first rule that hits decides; the others count the call all the same, or "the second call" would be another one.
func TestManyRules(t *testing.T) {
	var f Faults
	for _, r := range []Rule{
		{Method: "M", Object: "b", Fault: "NotFound"},
		{Method: "M", Count: 1, Fault: "InvalidState"},
		{Method: "M", Nth: 2, Fault: "NotSupported", DelayMS: 7},
		{Method: "M", Nth: 2, Fault: "Timedout"},
		{Method: "M", Mode: ModeSOAP, Fault: "NoPermission"},
	} {
		if _, err := f.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	call := &Call{Method: "M", Subjects: []string{"a"}}
	v, _ := f.Match(ModeTask, call)
	if _, ok := v.Fault.(*types.InvalidState); !ok {
		t.Errorf("first: %T", v.Fault)
	}
	v, _ = f.Match(ModeTask, call)
	if _, ok := v.Fault.(*types.NotSupported); !ok || v.Delay != 7*time.Millisecond {
		t.Errorf("second: %T after %s", v.Fault, v.Delay)
	}
	v, _ = f.Match(ModeSOAP, call)
	if _, ok := v.Fault.(*types.NoPermission); !ok {
		t.Errorf("of the call itself: %T", v.Fault)
	}
	var seen []int
	for _, r := range f.All() {
		seen = append(seen, r.Seen)
	}
	if !slices.Equal(seen, []int{0, 2, 2, 2, 1}) {
		t.Errorf("seen: %v", seen)
	}
	f.Clear()
	if _, hit := f.Match(ModeTask, call); hit || f.All() == nil || len(f.All()) != 0 {
		t.Error("a rule survived")
	}
}

// A fault has the fields and the text that were ordered, and is made afresh for each call.
func TestWhatAFaultCarries(t *testing.T) {
	var f Faults
	_, err := f.Add(Rule{Method: "M", Fault: "NoPermission", Fields: json.RawMessage(`{"PrivilegeId":"X.Y"}`), Message: "no <way>"})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := f.Match(ModeTask, &Call{Method: "M"})
	two, _ := f.Match(ModeTask, &Call{Method: "M"})
	p := one.Fault.(*types.NoPermission)
	if p.PrivilegeId != "X.Y" || len(p.FaultMessage) != 1 || p.FaultMessage[0].Message != "no <way>" {
		t.Errorf("%+v", p)
	}
	if p == two.Fault.(*types.NoPermission) {
		t.Error("two calls share a fault")
	}
}

// A rule without a fault is a delay.
func TestDelay(t *testing.T) {
	var f Faults
	if _, err := f.Add(Rule{Method: "M", DelayMS: 250}); err != nil {
		t.Fatal(err)
	}
	if v, hit := f.Match(ModeTask, &Call{Method: "M"}); !hit || v.Fault != nil || v.Delay != 250*time.Millisecond {
		t.Errorf("%+v %v", v, hit)
	}
}

// A rule that can never work is refused with the reason, and is not in force.
func TestAddRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		rule       Rule
	}{
		{"no method", "method is missing", Rule{Fault: "InvalidState"}},
		{"a bad pattern", "method", Rule{Method: "["}},
		{"another bad pattern", "object", Rule{Method: "M", Object: "a["}},
		{"mode", `mode is "x"`, Rule{Method: "M", Mode: "x"}},
		{"unknown fault", "NoSuchFault", Rule{Method: "M", Fault: "NoSuchFault"}},
		{"a type that is not a fault", "VirtualMachineConfigSpec", Rule{Method: "M", Fault: "VirtualMachineConfigSpec"}},
		{"fields", "fields", Rule{Method: "M", Fault: "NoPermission", Fields: json.RawMessage(`[]`)}},
	} {
		var f Faults
		if _, err := f.Add(c.rule); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(f.All()) != 0 {
			t.Errorf("%s: in force all the same", c.name)
		}
	}
}

// Rules have numbers of their own, also after others were cleared, and start with counters of zero.
func TestAdd(t *testing.T) {
	var f Faults
	first, _ := f.Add(Rule{Method: "M", ID: 9, Seen: 3, Hits: 2})
	f.Clear()
	second, _ := f.Add(Rule{Method: "M"})
	if first.ID != 1 || first.Seen != 0 || first.Hits != 0 || first.Mode != ModeTask || first.Probability != 1 || second.ID != 2 {
		t.Errorf("%+v %+v", first, second)
	}
}
