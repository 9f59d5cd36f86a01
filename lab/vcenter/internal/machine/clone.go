package machine

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// CloneVMTask freezes the source's disk and gives it to the clone: a clone really sees what its source wrote.
func (w *VM) CloneVMTask(ctx *simulator.Context, req *types.CloneVM_Task) soap.HasFault {
	src, r := w.VirtualMachine, w.room
	job := &cloning{room: r, src: src, from: r.Of(src), req: *req, want: *req, note: src.Config.Annotation, disks: r.read(src).disks}
	job.req.Spec.PowerOn = false // the stock code would power it on behind our back
	job.config()
	ref := r.Tasks.Start(ctx, &src.ManagedEntity, "CloneVM_Task", job.run)
	return &methods.CloneVM_TaskBody{Res: &types.CloneVM_TaskResponse{Returnval: ref}}
}

// cloning is one clone being made.
type cloning struct {
	room      *Room
	src       *simulator.VirtualMachine
	from      *Machine
	req, want types.CloneVM_Task // what the stock code is asked, and what the client asked
	note      string
	disks     []disk // of the source, beyond the first
}

// config adds what a clone inherits and the stock code forgets. The caller holds the source's lock.
func (j *cloning) config() {
	spec := types.VirtualMachineConfigSpec{}
	if s := j.req.Spec.Config; s != nil {
		spec = *s
	}
	if spec.Annotation != "" {
		j.note = spec.Annotation
	}
	spec.ExtraConfig = inherited(append([]types.BaseOptionValue{}, spec.ExtraConfig...), j.src.Config.ExtraConfig)
	j.req.Spec.Config = &spec
}

func (j *cloning) run(c *simulator.Context) (any, types.BaseMethodFault) {
	image, err := j.room.snapshot(j.from)
	if err != nil {
		return nil, broken(err)
	}
	result, fault := j.room.Tasks.Stock(c, j.src, func(c *simulator.Context) types.ManagedObjectReference {
		return j.src.CloneVMTask(c, &j.req).(*methods.CloneVM_TaskBody).Res.Returnval
	})
	if fault != nil {
		return nil, fault
	}
	vm, ok := c.Map.Get(result.(types.ManagedObjectReference)).(*simulator.VirtualMachine)
	if !ok {
		return nil, &types.SystemErrorFault{Reason: "the clone is gone"}
	}
	var values []types.BaseCustomFieldValue
	c.WithLock(j.src, func() { values = append(values, j.src.CustomValue...) })
	var m *Machine
	var b boot
	c.WithLock(vm, func() { m, b = j.finish(c, vm, image, values) })
	if err := copyDisks(j.disks, b.disks); err != nil {
		return nil, broken(err)
	}
	if j.want.Spec.PowerOn && !j.want.Spec.Template {
		if fault := j.room.powerOn(c, vm, m, b); fault != nil {
			return nil, fault
		}
	}
	return result, nil
}

// finish sets what the stock clone lacks. The caller holds the clone's lock.
func (j *cloning) finish(c *simulator.Context, vm *simulator.VirtualMachine, image string, values []types.BaseCustomFieldValue) (*Machine, boot) {
	m := j.room.Of(vm)
	m.mu.Lock()
	m.image, m.source = image, j.src.Self.Value
	m.mu.Unlock()
	vm.CustomValue, vm.Value = append(vm.CustomValue, values...), append(vm.Value, values...)
	c.Update(vm, []types.PropertyChange{
		{Name: "config.annotation", Val: j.note}, {Name: "summary.config.annotation", Val: j.note},
	})
	if j.req.Spec.Location.DiskMoveType == string(types.VirtualMachineRelocateDiskMoveOptionsCreateNewChildDiskBacking) {
		linkDisks(vm, j.src)
	}
	return m, j.room.read(vm)
}
