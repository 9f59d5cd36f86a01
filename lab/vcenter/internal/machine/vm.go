package machine

import (
	"os"
	"path"
	"strconv"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/console"
	"goldsmith/lab/internal/tasks"
)

const (
	on  = types.VirtualMachinePowerStatePoweredOn
	off = types.VirtualMachinePowerStatePoweredOff
)

// VM stands in front of the stock VM for the methods that concern its guest.
type VM struct {
	*simulator.VirtualMachine // must come first: the property collector looks for it
	room                      *Room
}

// Wrap puts a VM's guest in front of it.
func (r *Room) Wrap(vm *simulator.VirtualMachine) *VM { return &VM{vm, r} }

// Own tells whether a method runs as our own task, which no stock task of the same name stands for.
func Own(method string) bool {
	switch method {
	case "PowerOnVM_Task", "PowerOffVM_Task", "ResetVM_Task", "CloneVM_Task", "Destroy_Task", "CreateScreenshot_Task":
		return true
	}
	return false
}

func broken(err error) types.BaseMethodFault {
	return &types.SystemErrorFault{Reason: err.Error()}
}

// PowerOnVMTask starts the guest.
func (w *VM) PowerOnVMTask(ctx *simulator.Context, req *types.PowerOnVM_Task) soap.HasFault {
	vm, r := w.VirtualMachine, w.room
	if vm.Config.Template {
		return vm.PowerOnVMTask(ctx, req)
	}
	m, b := r.Of(vm), r.read(vm)
	ref := r.Tasks.Start(ctx, &vm.ManagedEntity, "PowerOnVM_Task", func(c *simulator.Context) (any, types.BaseMethodFault) {
		return nil, r.powerOn(c, vm, m, b)
	})
	return &methods.PowerOnVM_TaskBody{Res: &types.PowerOnVM_TaskResponse{Returnval: ref}}
}

func (r *Room) powerOn(c *simulator.Context, vm *simulator.VirtualMachine, m *Machine, b boot) types.BaseMethodFault {
	if !m.op.TryLock() {
		return &types.TaskInProgress{Task: vm.Self}
	}
	defer m.op.Unlock()
	if m.forgotten() { // destroyed since this began: a guest that starts now would belong to nobody
		return &types.ManagedObjectNotFound{Obj: vm.Self}
	}
	if s := r.power(c, vm); s != off {
		return &types.InvalidPowerState{RequestedState: on, ExistingState: s}
	}
	if b.missing != "" {
		return &types.FileNotFound{FileFault: types.FileFault{File: b.missing}}
	}
	if err := r.start(m, b); err != nil {
		return broken(err)
	}
	_, fault := r.Tasks.Stock(c, vm, func(c *simulator.Context) types.ManagedObjectReference {
		return vm.PowerOnVMTask(c, &types.PowerOnVM_Task{This: vm.Self}).(*methods.PowerOnVM_TaskBody).Res.Returnval
	})
	return fault
}

func (r *Room) power(c *simulator.Context, vm *simulator.VirtualMachine) (s types.VirtualMachinePowerState) {
	c.WithLock(vm, func() { s = vm.Runtime.PowerState })
	return s
}

// PowerOffVMTask cuts the guest's power.
func (w *VM) PowerOffVMTask(ctx *simulator.Context, _ *types.PowerOffVM_Task) soap.HasFault {
	vm, r := w.VirtualMachine, w.room
	m := r.Of(vm)
	ref := r.Tasks.Start(ctx, &vm.ManagedEntity, "PowerOffVM_Task", func(c *simulator.Context) (any, types.BaseMethodFault) {
		m.op.Lock()
		defer m.op.Unlock()
		if s := r.power(c, vm); s != on {
			return nil, &types.InvalidPowerState{RequestedState: off, ExistingState: s}
		}
		if err := r.halt(m, true); err != nil {
			return nil, broken(err)
		}
		r.poweredOff(vm, m)
		return nil, nil
	})
	return &methods.PowerOffVM_TaskBody{Res: &types.PowerOffVM_TaskResponse{Returnval: ref}}
}

// ResetVMTask cuts the power and gives it again.
func (w *VM) ResetVMTask(ctx *simulator.Context, _ *types.ResetVM_Task) soap.HasFault {
	vm, r := w.VirtualMachine, w.room
	m, b := r.Of(vm), r.read(vm)
	ref := r.Tasks.Start(ctx, &vm.ManagedEntity, "ResetVM_Task", func(c *simulator.Context) (any, types.BaseMethodFault) {
		m.op.Lock()
		defer m.op.Unlock()
		if s := r.power(c, vm); s != on {
			return nil, &types.InvalidPowerState{RequestedState: on, ExistingState: s}
		}
		if err := r.again(vm, m, b, true); err != nil {
			return nil, broken(err)
		}
		return nil, nil
	})
	return &methods.ResetVM_TaskBody{Res: &types.ResetVM_TaskResponse{Returnval: ref}}
}

// again ends the guest and starts it; the VM stays powered on. The caller holds m.op.
func (r *Room) again(vm *simulator.VirtualMachine, m *Machine, b boot, kill bool) error {
	if err := r.halt(m, kill); err != nil {
		return err
	}
	r.silence(vm, m)
	if err := r.start(m, b); err != nil {
		r.poweredOff(vm, m)
		return err
	}
	return nil
}

// ShutdownGuest asks the guest to halt; it decides when.
func (w *VM) ShutdownGuest(_ *simulator.Context, _ *types.ShutdownGuest) soap.HasFault {
	if f := w.guestReady(); f != nil {
		return &methods.ShutdownGuestBody{Fault_: f}
	}
	vm, r, m := w.VirtualMachine, w.room, w.room.Of(w.VirtualMachine)
	go func() {
		m.op.Lock()
		defer m.op.Unlock()
		if r.halt(m, false) == nil {
			r.poweredOff(vm, m)
		}
	}()
	return &methods.ShutdownGuestBody{Res: &types.ShutdownGuestResponse{}}
}

// RebootGuest asks the guest to start again.
func (w *VM) RebootGuest(_ *simulator.Context, _ *types.RebootGuest) soap.HasFault {
	if f := w.guestReady(); f != nil {
		return &methods.RebootGuestBody{Fault_: f}
	}
	vm, r, m, b := w.VirtualMachine, w.room, w.room.Of(w.VirtualMachine), w.room.read(w.VirtualMachine)
	go func() {
		m.op.Lock()
		defer m.op.Unlock()
		_ = r.again(vm, m, b, false)
	}()
	return &methods.RebootGuestBody{Res: &types.RebootGuestResponse{}}
}

func (w *VM) guestReady() *soap.Fault {
	var f types.BaseMethodFault
	if s := w.Runtime.PowerState; s != on {
		f = &types.InvalidPowerState{RequestedState: on, ExistingState: s}
	} else if w.Guest.ToolsRunningStatus != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning) {
		f = &types.ToolsUnavailable{}
	} else {
		return nil
	}
	return simulator.Fault(tasks.Text(f), f)
}

// DestroyTask deletes the VM, its files and its guest.
func (w *VM) DestroyTask(ctx *simulator.Context, _ *types.Destroy_Task) soap.HasFault {
	vm, r := w.VirtualMachine, w.room
	r.Of(vm)
	ref := r.Tasks.Start(ctx, &vm.ManagedEntity, "Destroy_Task", func(c *simulator.Context) (any, types.BaseMethodFault) {
		return nil, r.Destroy(c, vm)
	})
	return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: ref}}
}

// Destroy deletes a VM, its files and its guest.
func (r *Room) Destroy(c *simulator.Context, vm *simulator.VirtualMachine) types.BaseMethodFault {
	_, fault := r.Tasks.Stock(c, vm, func(c *simulator.Context) types.ManagedObjectReference {
		return vm.DestroyTask(c, &types.Destroy_Task{This: vm.Self}).(*methods.Destroy_TaskBody).Res.Returnval
	})
	if fault == nil {
		r.Forget(vm.Self)
	}
	return fault
}

// ReconfigVMTask is the stock one after a look at the ISO.
func (w *VM) ReconfigVMTask(ctx *simulator.Context, req *types.ReconfigVM_Task) soap.HasFault {
	req.Spec.ExtraConfig = effective(req.Spec.ExtraConfig, w.Config.ExtraConfig)
	i := w.room.badDevice(req.Spec.DeviceChange)
	if i < 0 {
		return w.VirtualMachine.ReconfigVMTask(ctx, req)
	}
	ref := w.room.Tasks.Start(ctx, &w.ManagedEntity, "ReconfigVM_Task", func(*simulator.Context) (any, types.BaseMethodFault) {
		return nil, &types.InvalidDeviceSpec{DeviceIndex: i}
	})
	return &methods.ReconfigVM_TaskBody{Res: &types.ReconfigVM_TaskResponse{Returnval: ref}}
}

// PutUsbScanCodes notes the keys that were typed.
func (w *VM) PutUsbScanCodes(_ *simulator.Context, req *types.PutUsbScanCodes) soap.HasFault {
	if s := w.Runtime.PowerState; s != on {
		f := &types.InvalidPowerState{RequestedState: on, ExistingState: s}
		return &methods.PutUsbScanCodesBody{Fault_: simulator.Fault(tasks.Text(f), f)}
	}
	w.room.Journal.Event("keys", w.Name, req.Spec.KeyEvents)
	return &methods.PutUsbScanCodesBody{Res: &types.PutUsbScanCodesResponse{Returnval: int32(len(req.Spec.KeyEvents))}}
}

// CreateScreenshotTask draws the console's last lines into a PNG beside the VM's files.
func (w *VM) CreateScreenshotTask(ctx *simulator.Context, _ *types.CreateScreenshot_Task) soap.HasFault {
	vm, r := w.VirtualMachine, w.room
	m, state := r.Of(vm), vm.Runtime.PowerState
	name := path.Dir(vm.Config.Files.VmPathName) + "/" + vm.Name + "-" + strconv.FormatInt(r.shots.Add(1), 10) + ".png"
	ref := r.Tasks.Start(ctx, &vm.ManagedEntity, "CreateScreenshot_Task", func(*simulator.Context) (any, types.BaseMethodFault) {
		if state != on {
			return nil, &types.InvalidPowerState{RequestedState: on, ExistingState: state}
		}
		data, err := console.PNG(m.Console.Screen(console.Columns, console.Rows))
		if err != nil {
			return nil, broken(err)
		}
		p, ok := r.resolve(name)
		if !ok {
			return nil, &types.InvalidDatastorePath{DatastorePath: name}
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			return nil, broken(err)
		}
		return name, nil
	})
	return &methods.CreateScreenshot_TaskBody{Res: &types.CreateScreenshot_TaskResponse{Returnval: ref}}
}
