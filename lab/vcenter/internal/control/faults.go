package control

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// Modes of a fault: a task that ends in error, or the call itself refused.
const (
	ModeTask = "task"
	ModeSOAP = "soap"
)

// Rule orders a fault or a delay for certain calls.
type Rule struct {
	ID          int             `json:"id"`
	Method      string          `json:"method"` // SOAP method or PUT/GET/DELETE of the datastore's HTTP door; glob
	Object      string          `json:"object"` // glob
	Nth         int             `json:"nth"`    // first matching call that is hit (1 = the first)
	Count       int             `json:"count"`  // how many calls are hit; 0 = all further ones
	Probability float64         `json:"probability"`
	DelayMS     int             `json:"delay_ms"`
	Fault       string          `json:"fault"` // vim type name; "" = only the delay
	Fields      json.RawMessage `json:"fields,omitempty"`
	Message     string          `json:"message"`
	Mode        string          `json:"mode"`
	Seen        int             `json:"seen"`
	Hits        int             `json:"hits"`
}

// Verdict is what a rule orders for one call.
type Verdict struct {
	Delay time.Duration
	Fault types.BaseMethodFault // nil = only the delay
}

// Faults is the list of rules in force.
type Faults struct {
	mu    sync.Mutex
	rules []*Rule
	next  int
	dice  func() float64
}

// Add checks a rule and puts it in force.
func (f *Faults) Add(r Rule) (Rule, error) {
	if err := CheckPatterns(r.Method, r.Object); err != nil {
		return r, err
	}
	if r.Mode == "" {
		r.Mode = ModeTask
	}
	if r.Mode != ModeTask && r.Mode != ModeSOAP {
		return r, fmt.Errorf("mode is %q; allowed: task, soap", r.Mode)
	}
	if r.Probability == 0 {
		r.Probability = 1
	}
	if r.Fault != "" {
		if _, err := r.build(); err != nil {
			return r, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	r.ID, r.Seen, r.Hits = f.next, 0, 0
	f.rules = append(f.rules, &r)
	return r, nil
}

// All returns copies of the rules with their counters.
func (f *Faults) All() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []Rule{}
	for _, r := range f.rules {
		out = append(out, *r)
	}
	return out
}

// Clear removes all rules.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// Match counts the call at every rule of that mode and returns the verdict of the first one that hits.
func (f *Faults) Match(mode string, c *Call) (Verdict, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var first *Rule
	for _, r := range f.rules {
		if r.Mode != mode || !c.Matches(r.Method, r.Object) {
			continue
		}
		r.Seen++
		if first == nil && r.Seen >= r.Nth && (r.Count <= 0 || r.Hits < r.Count) && f.roll() <= r.Probability {
			first = r
		}
	}
	if first == nil {
		return Verdict{}, false
	}
	first.Hits++
	v := Verdict{Delay: time.Duration(first.DelayMS) * time.Millisecond}
	if first.Fault != "" {
		v.Fault, _ = first.build()
	}
	return v, true
}

func (f *Faults) roll() float64 {
	if f.dice != nil {
		return f.dice()
	}
	return rand.Float64()
}

// build makes the vim fault; the message travels in FaultMessage, as on a real vCenter.
func (r *Rule) build() (types.BaseMethodFault, error) {
	t, ok := types.TypeFunc()(r.Fault)
	if !ok {
		return nil, fmt.Errorf("%q is no vim type", r.Fault)
	}
	p := reflect.New(t).Interface()
	fault, ok := p.(types.BaseMethodFault)
	if !ok {
		return nil, fmt.Errorf("%q is no vim fault", r.Fault)
	}
	if len(r.Fields) > 0 {
		if err := json.Unmarshal(r.Fields, p); err != nil {
			return nil, fmt.Errorf("fields: %w", err)
		}
	}
	if r.Message != "" {
		Say(fault, r.Message)
	}
	return fault, nil
}

// Say gives a fault its text.
func Say(f types.BaseMethodFault, text string) {
	f.GetMethodFault().FaultMessage = []types.LocalizableMessage{{Key: "goldsmith.lab", Message: text}}
}
