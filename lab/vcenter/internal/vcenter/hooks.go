package vcenter

import (
	"strings"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/control"
	"goldsmith/lab/internal/machine"
	"goldsmith/lab/internal/tasks"
)

// handle is Registry.Handler: it runs before any lock is taken, and may edit a request, hold it, refuse it, or put
// a wrapper in front of the object for this request.
func (v *VCenter) handle(ctx *simulator.Context, m *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if ctx.Session == nil || ctx.Session.UserName == "" { // not logged in, or the simulator talking to itself
		return nil, nil
	}
	call := v.call(ctx, m)
	tasks.WithCall(ctx, call)
	if mutating(m.Name) {
		v.Journal.Mutation(m.Name, call.Object(), call.User, call.Agent)
	}
	if f := v.intercept(ctx, m, call); f != nil {
		return nil, f
	}
	v.edit(m)
	if strings.HasSuffix(m.Name, "_Task") && !(m.This.Type == "VirtualMachine" && machine.Own(m.Name)) {
		v.tasks.Expect(m.This, call)
	}
	if w := v.wrapper(m); w != nil {
		// Service.call prefers the session's registry to what Handler returns, so the wrapper goes in there. ctx.Session is
		// this request's own copy: the stored session keeps its registry, so no wrapper outlives a destroyed object.
		overlay := simulator.NewRegistry()
		overlay.Put(w)
		ctx.Session.Registry = overlay
	}
	return nil, nil
}

// intercept lets barriers, privileges, faults and our own refusals act on a call, in this order.
func (v *VCenter) intercept(ctx *simulator.Context, m *simulator.Method, call *control.Call) types.BaseMethodFault {
	if !v.Barriers.Pass(ctx, call) {
		return &types.RequestCanceled{}
	}
	if p, refused := v.Deny.Refused(required(m), call.Subjects...); refused {
		v.Journal.Event("denied", call.Object(), m.Name+": "+p)
		this := m.This
		return &types.NoPermission{Object: &this, PrivilegeId: p}
	}
	if verdict, hit := v.Faults.Match(control.ModeSOAP, call); hit {
		v.Journal.Event("fault", call.Object(), m.Name)
		time.Sleep(verdict.Delay)
		if verdict.Fault != nil {
			return verdict.Fault
		}
	}
	switch m.Name {
	case "PowerOnMultiVM_Task", "SuspendVM_Task", "StandbyGuest", "CreateVApp", "ImportVApp", "PowerOnVApp_Task", "ExportVm":
		f := &types.NotSupported{}
		control.Say(f, m.Name+" is not supported in the laboratory")
		return f
	}
	return nil
}

// edit changes what must not reach the stock code as it is.
func (v *VCenter) edit(m *simulator.Method) {
	switch b := m.Body.(type) {
	case *types.CreateVM_Task:
		b.Config.ExtraConfig = machine.SafeExtra(b.Config.ExtraConfig)
	case *types.CloneVM_Task:
		if b.Spec.Config != nil {
			b.Spec.Config.ExtraConfig = machine.SafeExtra(b.Spec.Config.ExtraConfig)
		}
	case *types.ReconfigVM_Task:
		b.Spec.ExtraConfig = machine.SafeExtra(b.Spec.ExtraConfig)
		if vm, ok := v.registry.Get(m.This).(*simulator.VirtualMachine); ok && vm.Config.Template {
			b.Spec.BootOptions = nil // vsphere-iso clears the boot order after it made a template; vCenter lets it
		}
	}
}

func (v *VCenter) wrapper(m *simulator.Method) mo.Reference {
	switch o := v.registry.Get(m.This).(type) {
	case *simulator.VirtualMachine:
		return v.Machines.Wrap(o)
	case *simulator.AuthorizationManager:
		return &authorization{o, v}
	case *simulator.Folder:
		if m.Name == "Destroy_Task" || m.Name == "CreateVM_Task" {
			return &folder{o, v}
		}
	}
	return nil
}

// registryHook sees objects come, change and go.
type registryHook struct{ v *VCenter }

// Reference implements simulator.RegisterObject.
func (registryHook) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "LabRegistryHook", Value: "lab"}
}

// PutObject implements simulator.RegisterObject; tasks come by here before they run.
func (h registryHook) PutObject(_ *simulator.Context, obj mo.Reference) {
	switch o := obj.(type) {
	case *simulator.VirtualMachine: // pyVmomi cannot decode the empty enums the simulator leaves
		for _, r := range []*types.VirtualMachineRuntimeInfo{&o.Runtime, &o.Summary.Runtime} {
			r.FaultToleranceState = types.VirtualMachineFaultToleranceStateNotConfigured
			r.RecordReplayState = types.VirtualMachineRecordReplayStateInactive
		}
	case *simulator.Task:
		h.v.tasks.Put(o)
	}
}

// UpdateObject implements simulator.RegisterObject; it notes power changes.
func (h registryHook) UpdateObject(_ *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	vm, ok := obj.(*mo.VirtualMachine)
	if !ok {
		return
	}
	for _, c := range changes {
		if c.Name == "runtime.powerState" {
			h.v.Journal.Event("power", vm.Name, c.Val)
		}
	}
}

// RemoveObject implements simulator.RegisterObject; it also sees UnregisterVM.
func (h registryHook) RemoveObject(_ *simulator.Context, ref types.ManagedObjectReference) {
	if ref.Type == "VirtualMachine" {
		go h.v.Machines.Forget(ref) // the caller holds locks
	}
}
