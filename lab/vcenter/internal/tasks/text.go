package tasks

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// names of stock tasks that are not their method's name. pyVim.task.WaitForTask fails on a running task
// whose info.name is no method name.
var irregular = map[string]string{
	"poweron": "PowerOnVM_Task", "poweroff": "PowerOffVM_Task", "reset": "ResetVM_Task", "suspend": "SuspendVM_Task",
	"createsnapshotex": "CreateSnapshot_Task", "revertsnapshot": "RevertToCurrentSnapshot_Task",
}

// methods are those that start a task, by their name in small letters and without the ending.
var methods = func() map[string]string {
	out := map[string]string{}
	for _, n := range strings.Fields(`CloneVM_Task CreateVM_Task ReconfigVM_Task Destroy_Task CustomizeVM_Task RelocateVM_Task
		Rename_Task RemoveSnapshot_Task RevertToSnapshot_Task RemoveAllSnapshots_Task MoveIntoFolder_Task CreateScreenshot_Task
		DeleteDatastoreFile_Task MoveDatastoreFile_Task CopyDatastoreFile_Task SearchDatastore_Task SearchDatastoreSubFolders_Task
		DeleteVirtualDisk_Task CreateVirtualDisk_Task MoveVirtualDisk_Task CopyVirtualDisk_Task RegisterVM_Task UpgradeVM_Task
		PromoteDisks_Task ExtendVirtualDisk_Task EnterMaintenanceMode_Task ExitMaintenanceMode_Task`) {
		out[strings.ToLower(strings.TrimSuffix(n, "_Task"))] = n
	}
	return out
}()

// MethodName returns the SOAP method of a stock task's id, or "".
func MethodName(id string) string {
	id = strings.ToLower(strings.TrimSuffix(id, "_Task"))
	if n := irregular[id]; n != "" {
		return n
	}
	return methods[id]
}

func faultName(f types.BaseMethodFault) string {
	if f == nil {
		return "delay"
	}
	return reflect.TypeOf(f).Elem().Name()
}

// Text is what a vCenter says about a fault; the simulator says nothing, or the name of a Go type.
func Text(f types.BaseMethodFault) string {
	if m := f.GetMethodFault(); m != nil && len(m.FaultMessage) > 0 && m.FaultMessage[0].Message != "" {
		return m.FaultMessage[0].Message
	}
	switch x := f.(type) {
	case *types.InvalidDeviceSpec:
		return fmt.Sprintf("Invalid configuration for device '%d'.", x.DeviceIndex)
	case *types.FileNotFound:
		return fmt.Sprintf("File %s was not found", file(x.File))
	case *types.FileAlreadyExists:
		return fmt.Sprintf("Cannot complete the operation because the file or folder %s already exists", file(x.File))
	case *types.CannotDeleteFile:
		return "Cannot delete file " + file(x.File)
	case *types.DuplicateName:
		return fmt.Sprintf("The name '%s' already exists.", x.Name)
	case *types.NotAuthenticated:
		return "The session is not authenticated."
	case *types.NoPermission:
		return "Permission to perform this operation was denied."
	case *types.InvalidLogin:
		return "Cannot complete login due to an incorrect user name or password."
	case *types.InvalidPowerState:
		return fmt.Sprintf("The attempted operation cannot be performed in the current state (%s).", state(x.ExistingState))
	case *types.InvalidState:
		return "The operation is not allowed in the current state."
	case *types.TaskInProgress:
		return "The operation is not allowed in the current state: another task is already in progress."
	case *types.ToolsUnavailable:
		return "Cannot complete operation because VMware Tools is not running in this virtual machine."
	case *types.ManagedObjectNotFound:
		return fmt.Sprintf("The object '%s:%s' has already been deleted or has not been completely created", x.Obj.Type, x.Obj.Value)
	case *types.InvalidArgument:
		return "A specified parameter was not correct: " + x.InvalidProperty
	case *types.InvalidDatastore:
		return fmt.Sprintf("Invalid datastore '%s'.", x.Name)
	case *types.NotSupported:
		return "The operation is not supported on the object."
	case *types.SystemErrorFault:
		return "A general system error occurred: " + x.Reason
	}
	return faultName(f)
}

func state(s types.VirtualMachinePowerState) string {
	return map[types.VirtualMachinePowerState]string{
		types.VirtualMachinePowerStatePoweredOn: "Powered on", types.VirtualMachinePowerStatePoweredOff: "Powered off",
		types.VirtualMachinePowerStateSuspended: "Suspended",
	}[s]
}

// file turns a path below /vmfs/volumes into a datastore path: the simulator's file faults name files of its own machine.
func file(p string) string {
	rest, ok := strings.CutPrefix(p, "/vmfs/volumes/")
	if !ok {
		return p
	}
	ds, name, _ := strings.Cut(rest, "/")
	return fmt.Sprintf("[%s] %s", ds, name)
}
