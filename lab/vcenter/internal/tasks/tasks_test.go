package tasks

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/control"
	"goldsmith/lab/internal/journal"
)

// site is a simulated vCenter with one VM.
type site struct {
	*Runner
	t  *testing.T
	vm *simulator.VirtualMachine
}

func newSite(t *testing.T) *site {
	t.Helper()
	m := simulator.VPX()
	m.Host, m.ClusterHost, m.Machine, m.Autostart = 0, 1, 1, false
	if err := m.Create(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Remove)
	return &site{
		Runner: &Runner{Service: m.Service, Journal: &journal.Journal{VC: "lab"}, Faults: &control.Faults{}},
		t:      t,
		vm:     m.Service.Context.Map.Any("VirtualMachine").(*simulator.VirtualMachine),
	}
}

// ended waits for a task and returns its end.
func (s *site) ended(ref types.ManagedObjectReference) types.TaskInfo {
	s.t.Helper()
	c := s.Context()
	task := c.Map.Get(ref).(*simulator.Task)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var info types.TaskInfo
		c.WithLock(task, func() { info = task.Info })
		if info.State == types.TaskInfoStateSuccess || info.State == types.TaskInfoStateError {
			return info
		}
	}
	s.t.Fatalf("%s never ended", ref)
	return types.TaskInfo{}
}

// told are the kinds of the events so far.
func (s *site) told() (kinds []string) {
	for _, e := range s.Journal.Events.Since(0) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *site) order(r control.Rule) {
	s.t.Helper()
	if _, err := s.Faults.Add(r); err != nil {
		s.t.Fatal(err)
	}
}

// A task of our own ends as its work does, with a vCenter's names and texts.
func TestStart(t *testing.T) {
	for _, c := range []struct {
		name   string
		result any
		fault  types.BaseMethodFault
		state  types.TaskInfoState
		text   string
		told   []string
	}{
		{"success", "done", nil, types.TaskInfoStateSuccess, "", []string{"task"}},
		{"fault", nil, &types.NotSupported{}, types.TaskInfoStateError, "The operation is not supported on the object.", []string{"task", "task-failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			ref := s.Start(s.Context(), &s.vm.ManagedEntity, "CloneVM_Task", func(*simulator.Context) (any, types.BaseMethodFault) {
				return c.result, c.fault
			})
			info := s.ended(ref)
			if info.State != c.state || info.Result != c.result || info.CompleteTime == nil {
				t.Errorf("%+v", info)
			}
			if info.Name != "CloneVM_Task" || info.DescriptionId != "VirtualMachine.clone" || info.Entity.Value != s.vm.Self.Value || info.EntityName != s.vm.Name {
				t.Errorf("%+v", info)
			}
			if (info.Error != nil) != (c.fault != nil) || info.Error != nil && (info.Error.LocalizedMessage != c.text || info.Error.Fault != c.fault) {
				t.Errorf("error: %+v", info.Error)
			}
			if got := s.told(); !slices.Equal(got, c.told) {
				t.Errorf("events: %q", got)
			}
		})
	}
}

// While a task of our own works, others can lock its VM: the work may take minutes.
func TestStartHoldsNoLock(t *testing.T) {
	s := newSite(t)
	working, finish := make(chan struct{}), make(chan struct{})
	c := s.Context()
	var ref types.ManagedObjectReference
	c.WithLock(s.vm, func() { // as the simulator calls a method
		ref = s.Start(c, &s.vm.ManagedEntity, "PowerOnVM_Task", func(*simulator.Context) (any, types.BaseMethodFault) {
			close(working)
			<-finish
			return nil, nil
		})
	})
	<-working
	free := make(chan struct{})
	go func() { s.Context().WithLock(s.vm, func() {}); close(free) }()
	select {
	case <-free:
	case <-time.After(10 * time.Second):
		t.Error("the VM is locked")
	}
	close(finish)
	s.ended(ref)
}

// An ordered fault stands in place of the work; an ordered delay comes before it; another method is not concerned.
func TestOrdersForOwnTasks(t *testing.T) {
	for _, c := range []struct {
		name   string
		rule   control.Rule
		worked bool
	}{
		{"fault", control.Rule{Method: "Destroy_Task", Fault: "InvalidState", Message: "no"}, false},
		{"delay", control.Rule{Method: "Destroy_Task", DelayMS: 1}, true},
		{"another method", control.Rule{Method: "CloneVM_Task", Fault: "InvalidState"}, true},
		{"another object", control.Rule{Method: "*", Object: "other", Fault: "InvalidState"}, true},
		{"by its name", control.Rule{Method: "*", Object: "DC0_*", Fault: "InvalidState"}, false},
		{"of calls, not of tasks", control.Rule{Method: "*", Mode: control.ModeSOAP, Fault: "InvalidState"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.order(c.rule)
			worked := false
			info := s.ended(s.Start(s.Context(), &s.vm.ManagedEntity, "Destroy_Task", func(*simulator.Context) (any, types.BaseMethodFault) {
				worked = true
				return nil, nil
			}))
			if worked != c.worked || (info.State == types.TaskInfoStateError) == c.worked {
				t.Errorf("worked %v, ended as %s", worked, info.State)
			}
		})
	}
}

// An order names what the client asked for: a new name, not only the object that the method is called on.
func TestStartKnowsItsCall(t *testing.T) {
	s := newSite(t)
	s.order(control.Rule{Method: "CloneVM_Task", Object: "new-name", Fault: "InvalidState"})
	c := s.Context()
	WithCall(c, &control.Call{Method: "CloneVM_Task", Subjects: []string{"new-name", s.vm.Name}})
	info := s.ended(s.Start(c, &s.vm.ManagedEntity, "CloneVM_Task", func(*simulator.Context) (any, types.BaseMethodFault) { return nil, nil }))
	if info.State != types.TaskInfoStateError {
		t.Errorf("the order was not seen: %+v", info)
	}
	if CallOf(s.Context()) != nil {
		t.Error("a call of nobody")
	}
}

// rename runs a stock task.
func (s *site) rename(to string) (any, types.BaseMethodFault) {
	return s.Stock(s.Context(), s.vm, func(c *simulator.Context) types.ManagedObjectReference { return rename(c, s.vm, to) })
}

// A stock task runs to its end, and its outcome is returned.
func TestStock(t *testing.T) {
	s := newSite(t)
	if _, fault := s.rename("new"); fault != nil || s.vm.Name != "new" {
		t.Errorf("%v, the name is %q", fault, s.vm.Name)
	}
	_, fault := s.Stock(s.Context(), s.vm, func(c *simulator.Context) types.ManagedObjectReference {
		return powerOff(c, s.vm)
	})
	if _, ok := fault.(*types.InvalidPowerState); !ok {
		t.Errorf("a VM that is off was switched off: %v", fault)
	}
	_, fault = s.Stock(s.Context(), s.vm, func(*simulator.Context) types.ManagedObjectReference {
		return types.ManagedObjectReference{Type: "Task", Value: "none"}
	})
	if _, ok := fault.(*types.SystemErrorFault); !ok {
		t.Errorf("a task that is not there: %v", fault)
	}
}

// Orders hit a stock task that a client asked for, once, and none that the simulator starts by itself.
func TestPut(t *testing.T) {
	ref := func(s *site) types.ManagedObjectReference { return s.vm.Self }
	snapshot := func(*site) types.ManagedObjectReference {
		return types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: "snapshot-1"}
	}
	for _, c := range []struct {
		name   string
		expect func(*site) types.ManagedObjectReference // nil: nobody asked
		method string
		hits   []bool
	}{
		{"asked for", ref, "Rename_Task", []bool{true, false}},
		{"asked for on its snapshot", snapshot, "Rename_Task", []bool{true, false}},
		{"nobody asked", nil, "", []bool{false}},
		{"another method was asked for", ref, "Destroy_Task", []bool{false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.Service.Context.Map.AddHandler(putter{s.Runner})
			s.order(control.Rule{Method: "*", Fault: "InvalidState"})
			if c.expect != nil {
				s.Expect(c.expect(s), &control.Call{Method: c.method, Subjects: []string{s.vm.Name}})
			}
			for i, want := range c.hits {
				if _, fault := s.rename(fmt.Sprint("name", i)); (fault != nil) != want {
					t.Errorf("task %d: %v", i+1, fault)
				}
			}
		})
	}
}

// A call that never came to a task is forgotten, so that no later task is taken for it.
func TestExpectForgets(t *testing.T) {
	s := newSite(t)
	call := &control.Call{Method: "Rename_Task"}
	s.expected = []expectation{{s.vm.Self, call, time.Now().Add(-2 * time.Minute)}}
	other := &control.Call{Method: "Destroy_Task"}
	s.Expect(s.vm.Self, other)
	if got := s.take(s.vm.Self, "Rename_Task"); got != nil {
		t.Errorf("%+v", got)
	}
	if got := s.take(s.vm.Self, "Destroy_Task"); got != other {
		t.Errorf("%+v", got)
	}
}

// A stock task has a method's name and an entity, or pyVmomi stumbles over it.
func TestPutSettles(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		entity        types.ManagedObjectReference
		id            string
		name, entity2 string
	}{
		{s.vm.Self, "VirtualMachine.powerOn", "PowerOnVM_Task", s.vm.Self.Value},
		{s.Service.Context.Map.FileManager().Self, "FileManager.moveDatastoreFile", "MoveDatastoreFile_Task", s.datacenter()},
		{s.vm.Self, "VirtualMachine.unheardOf", "before", s.vm.Self.Value},
	} {
		task := &simulator.Task{}
		task.Info = types.TaskInfo{Entity: &c.entity, DescriptionId: c.id, Name: "before"}
		s.Put(task)
		if task.Info.Name != c.name || task.Info.Entity.Value != c.entity2 {
			t.Errorf("%s: %s of %s", c.id, task.Info.Name, task.Info.Entity)
		}
	}
	none := &simulator.Task{}
	s.Put(none)
	if none.Info.Entity != nil {
		t.Errorf("%+v", none.Info)
	}
}

func (s *site) datacenter() string {
	return s.Service.Context.Map.Any("Datacenter").(*simulator.Datacenter).Self.Value
}

// Work that outlives its request is not cancelled with it, and has a context of its own: the simulator's locks belong
// to the pointer.
func TestFresh(t *testing.T) {
	s := newSite(t)
	c := s.Context()
	parent, cancel := context.WithCancel(context.Background())
	c.Context = parent
	WithCall(c, &control.Call{Method: "M"})
	fresh := Fresh(c)
	cancel()
	if fresh == c || fresh.Err() != nil || CallOf(fresh) == nil {
		t.Errorf("the same %v, ended %v, call %v", fresh == c, fresh.Err(), CallOf(fresh))
	}
	if s.Context() == s.Context() {
		t.Error("two pieces of work share a context")
	}
}
