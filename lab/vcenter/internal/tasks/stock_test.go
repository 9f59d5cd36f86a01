package tasks

import (
	"github.com/vmware/govmomi/simulator"
	answers "github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// putter shows a runner every task that the simulator is about to run, as the vCenter's own hook does.
type putter struct{ r *Runner }

func (putter) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "Test", Value: "putter"}
}

func (p putter) PutObject(_ *simulator.Context, o mo.Reference) {
	if t, ok := o.(*simulator.Task); ok {
		p.r.Put(t)
	}
}
func (putter) UpdateObject(*simulator.Context, mo.Reference, []types.PropertyChange) {}
func (putter) RemoveObject(*simulator.Context, types.ManagedObjectReference)         {}

func rename(c *simulator.Context, vm *simulator.VirtualMachine, to string) types.ManagedObjectReference {
	return vm.RenameTask(c, &types.Rename_Task{This: vm.Self, NewName: to}).(*answers.Rename_TaskBody).Res.Returnval
}

func powerOff(c *simulator.Context, vm *simulator.VirtualMachine) types.ManagedObjectReference {
	return vm.PowerOffVMTask(c, &types.PowerOffVM_Task{This: vm.Self}).(*answers.PowerOffVM_TaskBody).Res.Returnval
}
