package vcenter

import (
	"reflect"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/control"
)

// readers are the beginnings of methods that change nothing for others; every unknown method counts as changing.
var readers = []string{
	"Retrieve", "Fetch", "Query", "Find", "Wait", "Check", "Has", "Search", "List", "Get", "Login", "Logout", "SessionIsActive", "CurrentTime",
	"CreateFilter", "DestroyPropertyFilter", "CreatePropertyCollector", "DestroyPropertyCollector", "CreateContainerView", "CreateListView",
	"CreateInventoryView", "ModifyListView", "ResetListView", "DestroyView", "CancelWaitForUpdates", "CancelRetrieve", "ContinueRetrieve",
	"CreateCollectorFor", "DestroyCollector", "ReadNext", "ReadPrevious", "ResetCollector", "RewindCollector", "SetCollectorPageSize",
	"AcquireGenericServiceTicket", "AcquireCloneTicket", "CloneSession", "Validate", "Refresh", "Pbm", "Recommend", "Estimate",
}

// mutating tells whether a SOAP method changes the vCenter.
func mutating(method string) bool {
	for _, r := range readers {
		if strings.HasPrefix(method, r) {
			return false
		}
	}
	return true
}

// call describes a request by the names of what it is about.
func (v *VCenter) call(ctx *simulator.Context, m *simulator.Method) *control.Call {
	c := &control.Call{Method: m.Name, User: ctx.Session.UserName, Agent: ctx.Session.UserAgent}
	c.Subjects = append(named(m.Body), v.name(m.This), m.This.Value)
	if b := reflect.Indirect(reflect.ValueOf(m.Body)); b.Kind() == reflect.Struct {
		if f := b.FieldByName("Entity"); f.IsValid() { // SetField
			if e, ok := f.Interface().(types.ManagedObjectReference); ok {
				c.Subjects = append([]string{v.name(e), e.Value}, c.Subjects...)
			}
		}
	}
	return c
}

// named returns the names a request gives: of the object to make, or of the datastore files it is about.
func named(body any) (out []string) {
	switch b := body.(type) {
	case *types.CreateVM_Task:
		return []string{b.Config.Name}
	case *types.CloneVM_Task:
		return []string{b.Name}
	case *types.MoveDatastoreFile_Task:
		return []string{b.DestinationName, b.SourceName}
	case *types.CopyDatastoreFile_Task:
		return []string{b.DestinationName, b.SourceName}
	case *types.DeleteDatastoreFile_Task:
		return []string{b.Name}
	case *types.MakeDirectory:
		return []string{b.Name}
	case *types.SearchDatastore_Task:
		return []string{b.DatastorePath}
	case *types.CreateFolder:
		return []string{b.Name}
	case *types.AddCustomFieldDef:
		return []string{b.Name}
	}
	return nil
}

// name returns the name of an entity, or "".
func (v *VCenter) name(ref types.ManagedObjectReference) (name string) {
	e, ok := v.registry.Get(ref).(mo.Entity)
	if !ok {
		return ""
	}
	c := v.tasks.Context()
	c.WithLock(ref, func() { name = e.Entity().Name })
	return name
}
