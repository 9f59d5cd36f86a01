package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// folder keeps the names in it unique and destroys what is in it, as a vCenter does: the stock one takes two VMs of one
// name, and forgets its VMs but leaves their guests running.
type folder struct {
	*simulator.Folder
	v *VCenter
}

// CreateVMTask makes a VM whose name is new in the folder.
func (w *folder) CreateVMTask(ctx *simulator.Context, req *types.CreateVM_Task) soap.HasFault {
	other := w.v.registry.FindByName(req.Config.Name, w.ChildEntity)
	if other == nil {
		return w.Folder.CreateVMTask(ctx, req)
	}
	ref := w.v.tasks.Start(ctx, &w.ManagedEntity, "CreateVM_Task", func(*simulator.Context) (any, types.BaseMethodFault) {
		return nil, &types.DuplicateName{Name: req.Config.Name, Object: other.Reference()}
	})
	return &methods.CreateVM_TaskBody{Res: &types.CreateVM_TaskResponse{Returnval: ref}}
}

// DestroyTask deletes the folder with everything below.
func (w *folder) DestroyTask(ctx *simulator.Context, req *types.Destroy_Task) soap.HasFault {
	f, v := w.Folder, w.v
	ref := v.tasks.Start(ctx, &f.ManagedEntity, "Destroy_Task", func(c *simulator.Context) (any, types.BaseMethodFault) {
		return nil, v.destroyFolder(c, f)
	})
	return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: ref}}
}

func (v *VCenter) destroyFolder(c *simulator.Context, f *simulator.Folder) types.BaseMethodFault {
	var children []types.ManagedObjectReference
	c.WithLock(f, func() { children = append(children, f.ChildEntity...) })
	for _, ref := range children {
		var fault types.BaseMethodFault
		switch o := v.registry.Get(ref).(type) {
		case *simulator.VirtualMachine:
			fault = v.Machines.Destroy(c, o)
		case *simulator.Folder:
			fault = v.destroyFolder(c, o)
		}
		if fault != nil {
			return fault
		}
	}
	_, fault := v.tasks.Stock(c, f, func(c *simulator.Context) types.ManagedObjectReference {
		return f.DestroyTask(c, &types.Destroy_Task{This: f.Self}).(*methods.Destroy_TaskBody).Res.Returnval
	})
	return fault
}
