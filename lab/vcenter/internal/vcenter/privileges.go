package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// privileges are the API ids that the methods need, as in VMware's reference; a dot in front of none.
var privileges = map[string][]string{
	"CreateVM_Task":                  {"VirtualMachine.Inventory.Create", "Resource.AssignVMToPool", "Datastore.AllocateSpace", "VirtualMachine.Config.AddNewDisk", "Network.Assign"},
	"CloneVM_Task":                   {"VirtualMachine.Provisioning.DeployTemplate", "VirtualMachine.Inventory.CreateFromExisting", "Datastore.AllocateSpace", "Resource.AssignVMToPool"},
	"RegisterVM_Task":                {"VirtualMachine.Inventory.Register"},
	"UnregisterVM":                   {"VirtualMachine.Inventory.Unregister"},
	"PowerOnVM_Task":                 {"VirtualMachine.Interact.PowerOn"},
	"PowerOffVM_Task":                {"VirtualMachine.Interact.PowerOff"},
	"ShutdownGuest":                  {"VirtualMachine.Interact.PowerOff"},
	"ResetVM_Task":                   {"VirtualMachine.Interact.Reset"},
	"RebootGuest":                    {"VirtualMachine.Interact.Reset"},
	"PutUsbScanCodes":                {"VirtualMachine.Interact.PutUsbScanCodes"},
	"CreateScreenshot_Task":          {"VirtualMachine.Interact.CreateScreenshot"},
	"MarkAsTemplate":                 {"VirtualMachine.Provisioning.MarkAsTemplate"},
	"MarkAsVirtualMachine":           {"VirtualMachine.Provisioning.MarkAsVM"},
	"CustomizeVM_Task":               {"VirtualMachine.Provisioning.Customize"},
	"RelocateVM_Task":                {"Resource.ColdMigrate"},
	"CreateSnapshot_Task":            {"VirtualMachine.State.CreateSnapshot"},
	"CreateSnapshotEx_Task":          {"VirtualMachine.State.CreateSnapshot"},
	"RemoveSnapshot_Task":            {"VirtualMachine.State.RemoveSnapshot"},
	"RemoveAllSnapshots_Task":        {"VirtualMachine.State.RemoveSnapshot"},
	"RevertToSnapshot_Task":          {"VirtualMachine.State.RevertToSnapshot"},
	"RevertToCurrentSnapshot_Task":   {"VirtualMachine.State.RevertToSnapshot"},
	"CreateFolder":                   {"Folder.Create"},
	"SetField":                       {"Global.SetCustomField"},
	"SetCustomValue":                 {"Global.SetCustomField"},
	"AddCustomFieldDef":              {"Global.ManageCustomFields"},
	"RemoveCustomFieldDef":           {"Global.ManageCustomFields"},
	"RenameCustomFieldDef":           {"Global.ManageCustomFields"},
	"DeleteDatastoreFile_Task":       {"Datastore.FileManagement"},
	"MoveDatastoreFile_Task":         {"Datastore.FileManagement"},
	"CopyDatastoreFile_Task":         {"Datastore.FileManagement"},
	"MakeDirectory":                  {"Datastore.FileManagement"},
	"CreateVirtualDisk_Task":         {"Datastore.FileManagement"},
	"DeleteVirtualDisk_Task":         {"Datastore.FileManagement"},
	"SearchDatastore_Task":           {"Datastore.Browse"},
	"SearchDatastoreSubFolders_Task": {"Datastore.Browse"},
	"CreateContainerView":            {"System.View"},
	"HasPrivilegeOnEntities":         {"System.Read"},
	"FetchUserPrivilegeOnEntities":   {"System.Read"},
	"AcquireGenericServiceTicket":    {"System.View"},
	"CreateTask":                     {"Task.Create"},
	"PromoteDisks_Task":              {"VirtualMachine.Provisioning.PromoteDisks"},
	"UpgradeVM_Task":                 {"VirtualMachine.Config.UpgradeVirtualHardware"},
	"StartGuestProcess":              {"VirtualMachine.GuestOperations.Execute"},
	"InitiateFileTransferToGuest":    {"VirtualMachine.GuestOperations.Modify"},
	"InitiateFileTransferFromGuest":  {"VirtualMachine.GuestOperations.Query"},
}

// byType are the methods whose privilege depends on what they are called on.
var byType = map[string]map[string]string{
	"Destroy_Task":        {"VirtualMachine": "VirtualMachine.Inventory.Delete", "Folder": "Folder.Delete", "": "Folder.Delete"},
	"Rename_Task":         {"VirtualMachine": "VirtualMachine.Config.Rename", "Folder": "Folder.Rename", "": "Folder.Rename"},
	"MoveIntoFolder_Task": {"": "VirtualMachine.Inventory.Move"},
}

// required returns the privileges that a request needs.
func required(m *simulator.Method) []string {
	if p := privileges[m.Name]; p != nil {
		return p
	}
	if t := byType[m.Name]; t != nil {
		if p := t[m.This.Type]; p != "" {
			return []string{p}
		}
		return []string{t[""]}
	}
	if b, ok := m.Body.(*types.ReconfigVM_Task); ok {
		return reconfigure(&b.Spec)
	}
	return nil
}

// reconfigure returns the privileges that a reconfiguration needs: one for each kind of change in it.
func reconfigure(s *types.VirtualMachineConfigSpec) (out []string) {
	add := func(needed bool, p string) {
		if needed {
			out = append(out, "VirtualMachine."+p)
		}
	}
	add(s.Name != "", "Config.Rename")
	add(s.Annotation != "", "Config.Annotation")
	add(s.NumCPUs != 0, "Config.CPUCount")
	add(s.MemoryMB != 0, "Config.Memory")
	add(len(s.ExtraConfig) > 0, "Config.AdvancedConfig")
	add(s.CpuAllocation != nil || s.MemoryAllocation != nil, "Config.Resource")
	add(s.BootOptions != nil || s.Firmware != "" || s.GuestId != "" || s.Tools != nil, "Config.Settings")
	for _, c := range s.DeviceChange {
		d := c.GetVirtualDeviceConfigSpec()
		_, disk := d.Device.(*types.VirtualDisk)
		_, cd := d.Device.(*types.VirtualCdrom)
		_, floppy := d.Device.(*types.VirtualFloppy)
		change := d.Operation == types.VirtualDeviceConfigSpecOperationEdit
		add(disk && d.Operation == types.VirtualDeviceConfigSpecOperationAdd, "Config.AddNewDisk")
		add(!disk && !change, "Config.AddRemoveDevice")
		add(cd && change, "Interact.SetCDMedia")
		add(floppy && change, "Interact.SetFloppyMedia")
		add(change && !cd && !floppy, "Config.EditDevice")
	}
	return out
}
