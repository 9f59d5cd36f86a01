// Package tasks runs vSphere tasks: our own without the entity's lock, and stock ones with faults put in.
package tasks

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/control"
	"goldsmith/lab/internal/journal"
)

// Runner starts tasks and looks at those the simulator starts.
type Runner struct {
	Service *simulator.Service
	Journal *journal.Journal
	Faults  *control.Faults

	number   atomic.Int64
	mu       sync.Mutex
	expected []expectation
}

// expectation is a call that is about to start a stock task. Registry.Put tells its hooks nothing about
// the request, and stock tasks start others, so only what a client asked for may count as a call.
type expectation struct {
	ref  types.ManagedObjectReference
	call *control.Call
	at   time.Time
}

type callKey struct{}

// WithCall remembers the call in its context.
func WithCall(ctx *simulator.Context, c *control.Call) {
	ctx.Context = context.WithValue(ctx.Context, callKey{}, c)
}

// CallOf returns the call that WithCall remembered.
func CallOf(ctx *simulator.Context) *control.Call {
	c, _ := ctx.Value(callKey{}).(*control.Call)
	return c
}

// Fresh copies a request's context for work that outlives it. The simulator keys its locks by the pointer,
// so a context must never be shared with a goroutine.
func Fresh(ctx *simulator.Context) *simulator.Context {
	c := *ctx
	c.Context = context.WithoutCancel(ctx.Context)
	return &c
}

// Context returns a context for work that no request asked for.
func (r *Runner) Context() *simulator.Context {
	c := *r.Service.Context
	c.Context = context.Background()
	return &c
}

// Work is what a task does: it returns the task's result or its fault.
type Work func(*simulator.Context) (any, types.BaseMethodFault)

// Start runs work as the task that a method returns, WITHOUT holding the entity's lock: docker's calls are
// slow, and a stock task would block every property read of that VM meanwhile.
func (r *Runner) Start(ctx *simulator.Context, entity *mo.ManagedEntity, method string, work Work) types.ManagedObjectReference {
	ref, now := entity.Self, time.Now()
	id := strings.TrimSuffix(strings.TrimSuffix(method, "_Task"), "VM")
	t := &simulator.Task{}
	t.Self = types.ManagedObjectReference{Type: "Task", Value: fmt.Sprintf("task-lab-%d", r.number.Add(1))}
	t.Info = types.TaskInfo{
		Key: t.Self.Value, Task: t.Self, Name: method, DescriptionId: ref.Type + "." + strings.ToLower(id[:1]) + id[1:],
		Entity: &ref, EntityName: entity.Name, State: types.TaskInfoStateRunning, QueueTime: now, StartTime: &now,
		Reason: &types.TaskReasonUser{UserName: userOf(ctx)},
	}
	call := CallOf(ctx)
	if call == nil {
		call = &control.Call{Method: method, Subjects: []string{entity.Name, ref.Value}}
	}
	verdict, hit := r.judge(call)
	r.Service.Context.Map.Put(t)
	c := Fresh(ctx)
	go func() {
		if hit {
			time.Sleep(verdict.Delay)
		}
		if hit && verdict.Fault != nil {
			r.finish(c, t, nil, verdict.Fault)
			return
		}
		result, fault := work(c)
		r.finish(c, t, result, fault)
	}()
	return t.Self
}

func userOf(ctx *simulator.Context) string {
	if ctx.Session == nil {
		return "lab"
	}
	return ctx.Session.UserName
}

// judge notes the task and asks the rules about it.
func (r *Runner) judge(call *control.Call) (control.Verdict, bool) {
	r.Journal.Event("task", call.Object(), call.Method)
	v, hit := r.Faults.Match(control.ModeTask, call)
	if hit {
		r.Journal.Event("fault", call.Object(), fmt.Sprintf("%s: %s after %s", call.Method, faultName(v.Fault), v.Delay))
	}
	return v, hit
}

func (r *Runner) finish(c *simulator.Context, t *simulator.Task, result any, fault types.BaseMethodFault) {
	changes := []types.PropertyChange{{Name: "info.completeTime", Val: time.Now()}}
	if fault != nil {
		r.Journal.Event("task-failed", t.Info.EntityName, t.Info.Name+": "+Text(fault))
		changes = append(changes,
			types.PropertyChange{Name: "info.error", Val: types.LocalizedMethodFault{Fault: fault, LocalizedMessage: Text(fault)}},
			types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateError})
	} else {
		changes = append(changes,
			types.PropertyChange{Name: "info.result", Val: result},
			types.PropertyChange{Name: "info.state", Val: types.TaskInfoStateSuccess})
	}
	c.Map.AtomicUpdate(c, t, changes)
}

// Stock starts a stock task under the entity's lock, waits for its end and returns its outcome.
func (r *Runner) Stock(c *simulator.Context, entity mo.Reference, start func(*simulator.Context) types.ManagedObjectReference) (any, types.BaseMethodFault) {
	var ref types.ManagedObjectReference
	c.WithLock(entity, func() { ref = start(c) })
	t, ok := c.Map.Get(ref).(*simulator.Task)
	if !ok {
		return nil, &types.SystemErrorFault{Reason: "the task " + ref.Value + " is gone"}
	}
	t.Wait()
	if t.Info.Error != nil {
		return nil, t.Info.Error.Fault
	}
	return t.Info.Result, nil
}

// Expect announces that a client's call is about to start a stock task on an object.
func (r *Runner) Expect(ref types.ManagedObjectReference, call *control.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for len(r.expected) > 0 && now.Sub(r.expected[0].at) > time.Minute { // calls that never came to a task
		r.expected = r.expected[1:]
	}
	r.expected = append(r.expected, expectation{ref, call, now})
}

// Put looks at a task the simulator is about to run: names it as pyVmomi expects, and puts in what the rules order.
func (r *Runner) Put(t *simulator.Task) {
	if t.Info.Entity == nil || strings.HasPrefix(t.Self.Value, "task-lab-") {
		return
	}
	id := t.Info.DescriptionId[strings.LastIndexByte(t.Info.DescriptionId, '.')+1:]
	if n := MethodName(id); n != "" {
		t.Info.Name = n
	}
	call := r.take(*t.Info.Entity, t.Info.Name)
	r.settle(t)
	if call == nil {
		return
	}
	verdict, hit := r.judge(call)
	if !hit {
		return
	}
	run := t.Execute
	t.Execute = func(t *simulator.Task) (types.AnyType, types.BaseMethodFault) {
		time.Sleep(verdict.Delay)
		if verdict.Fault != nil {
			return nil, verdict.Fault
		}
		return run(t)
	}
}

// settle makes a task of the file manager and the like one of the datacenter: pyVmomi refuses an entity that is none.
func (r *Runner) settle(t *simulator.Task) {
	m := r.Service.Context.Map
	if _, ok := m.Get(*t.Info.Entity).(mo.Entity); ok {
		return
	}
	if dc, ok := m.Any("Datacenter").(*simulator.Datacenter); ok {
		ref := dc.Self
		t.Info.Entity, t.Info.EntityName = &ref, dc.Name
	}
}

// take finds and removes the call that a stock task belongs to.
func (r *Runner) take(ref types.ManagedObjectReference, method string) *control.Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, x := range r.expected {
		// RemoveSnapshot and the like are called on the snapshot, but are tasks of the VM.
		if x.call.Method == method && (x.ref == ref || x.ref.Type == "VirtualMachineSnapshot") {
			r.expected = append(r.expected[:i:i], r.expected[i+1:]...)
			return x.call
		}
	}
	return nil
}
