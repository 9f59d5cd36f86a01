package vcenter_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/control"
)

// A rule hits the calls it names and no others, with the fault and the words it orders.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		rule control.Rule
		want []string // of three power ons of VM "a"; "" = success
	}{
		{"task", control.Rule{Method: "PowerOnVM_Task", Fault: "InsufficientResourcesFault", Message: "no host"}, []string{"no host", "no host", "no host"}},
		{"nth and count", control.Rule{Method: "PowerOnVM_Task", Nth: 2, Count: 1, Fault: "SystemErrorFault", Fields: json.RawMessage(`{"Reason":"boom"}`)}, []string{"", "boom", ""}},
		{"soap", control.Rule{Method: "PowerOn*", Mode: "soap", Count: 1, Fault: "NoPermission", Fields: json.RawMessage(`{"PrivilegeId":"X.Y"}`)}, []string{"Permission to perform", "", ""}},
		{"soap with words", control.Rule{Method: "*", Object: "a", Mode: "soap", Count: 1, Fault: "HostCommunication", Message: "a < b & c"}, []string{"a < b & c", "", ""}},
		{"another object", control.Rule{Method: "PowerOnVM_Task", Object: "b*", Fault: "InvalidState"}, []string{"", "", ""}},
		{"delay only", control.Rule{Method: "PowerOnVM_Task", DelayMS: 1}, []string{"", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			vm := l.create("a", "")
			_, err := l.Faults.Add(c.rule)
			must(t, err)
			for i, want := range c.want {
				err := l.powerOn(vm)
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("call %d: %v, want %q", i+1, err, want)
				}
				if err == nil {
					tk, err := vm.PowerOff(t.Context())
					must(t, wait(t, tk, err))
				}
			}
		})
	}
}

// Stock tasks fail on order as well, counted once although they start tasks themselves, and speak as a vCenter does.
func TestFaultsOfStockTasks(t *testing.T) {
	l := newLab(t)
	_, err := l.Faults.Add(control.Rule{Method: "CreateVM_Task", Object: "a", Count: 1, Fault: "NoDiskSpace", Message: "disk full"})
	must(t, err)
	tk, err := l.folder().CreateVM(t.Context(), l.spec("a", ""), l.pool(), nil)
	if err := wait(t, tk, err); err == nil || err.Error() != "disk full" || !fault.Is(err, &types.NoDiskSpace{}) {
		t.Errorf("first: %v", err)
	}
	vm := l.create("a", "")
	tk, err = vm.Clone(t.Context(), l.folder(), "b", l.cloneSpec())
	must(t, wait(t, tk, err))
	if r := l.Faults.All()[0]; r.Seen != 2 || r.Hits != 1 {
		t.Errorf("the rule saw %d calls and hit %d", r.Seen, r.Hits)
	}
	tk, err = l.folder().CreateVM(t.Context(), l.spec("a", ""), l.pool(), nil)
	if err := wait(t, tk, err); err == nil || err.Error() != "The name 'a' already exists." {
		t.Errorf("duplicate: %v", err)
	}
}

// A rule that can never work is refused when it is given.
func TestFaultRuleIsChecked(t *testing.T) {
	for name, r := range map[string]control.Rule{
		"no method":     {Fault: "InvalidState"},
		"unknown fault": {Method: "*", Fault: "NoSuchFault"},
		"not a fault":   {Method: "*", Fault: "VirtualMachine"},
		"mode":          {Method: "*", Mode: "x"},
		"fields":        {Method: "*", Fault: "NoPermission", Fields: json.RawMessage(`[]`)},
	} {
		var f control.Faults
		if _, err := f.Add(r); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// A denied privilege is answered as missing, and the call is refused with its name if that is enforced.
func TestDeniedPrivileges(t *testing.T) {
	l := newLab(t)
	vm := l.create("vm", "")
	fields, err := object.GetCustomFieldsManager(l.client.Client)
	must(t, err)
	def, err := fields.Add(t.Context(), "goldsmith.key", "VirtualMachine", nil, nil)
	must(t, err)
	authz := object.NewAuthorizationManager(l.client.Client)
	granted := func(p string) bool {
		out, err := authz.HasPrivilegeOnEntity(t.Context(), vm.Reference(), l.sessionKey(), []string{p})
		must(t, err)
		return out[0]
	}
	l.Deny.Set(control.DenyList{Privileges: []string{"Global.*"}})
	if granted("Global.SetCustomField") || !granted("VirtualMachine.Interact.PowerOn") {
		t.Error("HasPrivilegeOnEntities does not follow the list")
	}
	must(t, fields.Set(t.Context(), vm.Reference(), def.Key, "1"))
	l.Deny.Set(control.DenyList{Privileges: []string{"Global.*"}, Enforce: true})
	err = fields.Set(t.Context(), vm.Reference(), def.Key, "2")
	var np *types.NoPermission
	if _, ok := fault.As(err, &np); !ok || np.PrivilegeId != "Global.SetCustomField" || !strings.Contains(err.Error(), "Permission to perform this operation was denied.") {
		t.Errorf("SetField: %v %+v", err, np)
	}
	if _, err = fields.Add(t.Context(), "x", "VirtualMachine", nil, nil); !fault.Is(err, &types.NoPermission{}) {
		t.Errorf("AddCustomFieldDef: %v", err)
	}
	l.Deny.Set(control.DenyList{Privileges: []string{"*"}, Entities: []string{"other"}, Enforce: true})
	must(t, fields.Set(t.Context(), vm.Reference(), def.Key, "3"))
	l.Deny.Set(control.DenyList{})
	if v := l.props(vm).CustomValue; len(v) != 1 || v[0].(*types.CustomFieldStringValue).Value != "3" {
		t.Errorf("custom values: %+v", v)
	}
}

func (l *lab) sessionKey() string {
	s, err := l.client.SessionManager.UserSession(l.t.Context())
	must(l.t, err)
	return s.Key
}

// A call that stands at a barrier has not run; let go it runs, refused it never does.
func TestBarriers(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		l := newLab(t)
		l.Barriers.Put("b", "CreateVM_Task", "vm*")
		done := make(chan error)
		go func() {
			tk, err := l.folder().CreateVM(context.Background(), l.spec("vm1", ""), l.pool(), nil)
			if err == nil {
				err = tk.Wait(context.Background())
			}
			done <- err
		}()
		b, ok := l.Barriers.Get(t.Context(), "b", true)
		if !ok || len(b.Waiting) != 1 || b.Waiting[0].Object != "vm1" || b.Waiting[0].Agent != agent {
			t.Fatalf("barrier: %+v", b)
		}
		if n := len(l.Machines.List()); n != 0 {
			t.Errorf("%d VMs before the call was let go", n)
		}
		l.Barriers.Release("b", refuse)
		if err := <-done; (err != nil) != refuse {
			t.Errorf("refuse %v: %v", refuse, err)
		}
		if n := len(l.Machines.List()); (n == 0) != refuse {
			t.Errorf("refuse %v: %d VMs", refuse, n)
		}
	}
}

// The log of changes holds what changes something, with object, user and agent, and nothing else.
func TestMutations(t *testing.T) {
	l := newLab(t)
	if m := l.Journal.Mutations.Since(0); len(m) != 0 {
		t.Fatalf("reading is a change: %+v", m)
	}
	vm := l.create("vm", "")
	l.props(vm)
	must(t, l.powerOn(vm))
	var got []string
	for _, m := range l.Journal.Mutations.Since(0) {
		got = append(got, m.Method+" "+m.Object)
		if m.User != user || m.UserAgent != agent {
			t.Errorf("%+v", m)
		}
	}
	if want := "CreateVM_Task vm, PowerOnVM_Task vm"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What would run docker on the host, or go around the guests, is refused or dropped.
func TestNoWayAround(t *testing.T) {
	l := newLab(t)
	vm := l.create("vm", "", func(s *types.VirtualMachineConfigSpec) {
		s.ExtraConfig = []types.BaseOptionValue{
			&types.OptionValue{Key: "RUN.container", Value: "busybox"}, &types.OptionValue{Key: "SET.guest.ipAddress", Value: "1.2.3.4"},
			&types.OptionValue{Key: "guestinfo.a.b", Value: "kept"},
		}
	})
	for _, o := range l.props(vm).Config.ExtraConfig {
		if k := o.GetOptionValue().Key; strings.HasPrefix(k, "RUN.") || strings.HasPrefix(k, "SET.") {
			t.Errorf("%s survived", k)
		}
	}
	must(t, l.powerOn(vm))
	if got := l.machine("vm").Spec.Env["VMX_GUESTINFO_A_B"]; got != "kept" {
		t.Errorf("guestinfo: %q", got)
	}
	_, err := vm.Suspend(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not supported in the laboratory") {
		t.Errorf("suspend: %v", err)
	}
	_, err = methods.PowerOnMultiVM_Task(t.Context(), l.client.Client, &types.PowerOnMultiVM_Task{
		This: l.client.ServiceContent.RootFolder, Vm: []types.ManagedObjectReference{vm.Reference()},
	})
	if err == nil {
		t.Error("PowerOnMultiVM_Task was let through")
	}
}

// A lost vCenter refuses connections and comes back by itself or on order.
func TestOutage(t *testing.T) {
	l := newLab(t)
	ask := func() error { _, err := methods.GetCurrentTime(context.Background(), l.client.Client); return err }
	must(t, ask())
	l.Outage(0)
	if err := ask(); err == nil {
		t.Error("a lost vCenter answers")
	}
	must(t, l.Restore())
	must(t, ask())
	l.Outage(time.Millisecond)
	l.until("the outage ends", func() bool { return ask() == nil })
}
