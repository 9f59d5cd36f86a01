package machine

import (
	"testing"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/guest/fake"
)

// A VM that is destroyed while a clone's task is about to power it on gets no guest: nobody would ever remove it.
func TestADestroyedVMIsNotPoweredOn(t *testing.T) {
	engine := fake.New()
	room := &Room{Engine: engine}
	vm := &simulator.VirtualMachine{}
	vm.Self = types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-1"}
	m := room.Of(vm)
	room.Forget(vm.Self)
	if fault, ok := room.powerOn(nil, vm, m, boot{}).(*types.ManagedObjectNotFound); !ok || fault.Obj != vm.Self {
		t.Errorf("power on: %v", fault)
	}
	if len(engine.Calls) != 0 {
		t.Errorf("the engine was asked: %v", engine.Calls)
	}
}
