package tasks

import (
	"testing"

	"github.com/vmware/govmomi/vim25/types"
)

// pyVmomi waits for tasks whose names are methods: the simulator's ids become the names of those.
func TestMethodName(t *testing.T) {
	for id, want := range map[string]string{
		"powerOn": "PowerOnVM_Task", "powerOff": "PowerOffVM_Task", "reset": "ResetVM_Task", "createSnapshotEx": "CreateSnapshot_Task",
		"cloneVm": "CloneVM_Task", "destroy": "Destroy_Task", "reconfigVm": "ReconfigVM_Task", "createVm": "CreateVM_Task",
		"deleteDatastoreFile": "DeleteDatastoreFile_Task", "deleteDatastoreFile_Task": "DeleteDatastoreFile_Task",
		"moveIntoFolder": "MoveIntoFolder_Task", "somethingElse": "", "": "",
	} {
		if got := MethodName(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

// Clients show people the text of a fault, so each that they may meet has a vCenter's; an ordered one has the order's.
func TestText(t *testing.T) {
	ordered := &types.InvalidState{}
	ordered.FaultMessage = []types.LocalizableMessage{{Message: "as ordered"}}
	silent := &types.InvalidState{}
	silent.FaultMessage = []types.LocalizableMessage{{}}
	for _, c := range []struct {
		fault types.BaseMethodFault
		want  string
	}{
		{ordered, "as ordered"},
		{silent, "The operation is not allowed in the current state."},
		{&types.FileNotFound{FileFault: types.FileFault{File: "[ds] iso/x.iso"}}, "File [ds] iso/x.iso was not found"},
		{&types.FileNotFound{FileFault: types.FileFault{File: "/vmfs/volumes/ds/iso/x.iso"}}, "File [ds] iso/x.iso was not found"},
		{&types.CannotDeleteFile{FileFault: types.FileFault{File: "/vmfs/volumes/ds/a"}}, "Cannot delete file [ds] a"},
		{&types.FileAlreadyExists{FileFault: types.FileFault{File: "[ds] a"}}, "Cannot complete the operation because the file or folder [ds] a already exists"},
		{&types.InvalidDeviceSpec{DeviceIndex: 2}, "Invalid configuration for device '2'."},
		{&types.DuplicateName{Name: "a"}, "The name 'a' already exists."},
		{&types.InvalidPowerState{ExistingState: types.VirtualMachinePowerStatePoweredOn}, "The attempted operation cannot be performed in the current state (Powered on)."},
		{&types.ManagedObjectNotFound{Obj: types.ManagedObjectReference{Type: "Task", Value: "t-1"}}, "The object 'Task:t-1' has already been deleted or has not been completely created"},
		{&types.SystemErrorFault{Reason: "boom"}, "A general system error occurred: boom"},
		{&types.InvalidArgument{InvalidProperty: "spec.x"}, "A specified parameter was not correct: spec.x"},
		{&types.NoDiskSpace{}, "NoDiskSpace"},
	} {
		if got := Text(c.fault); got != c.want {
			t.Errorf("%T: %q, want %q", c.fault, got, c.want)
		}
	}
}
