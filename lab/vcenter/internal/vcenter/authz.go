package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// authorization answers what the user may do by the list of denied privileges.
type authorization struct {
	*simulator.AuthorizationManager
	v *VCenter
}

func (a *authorization) granted(ref types.ManagedObjectReference, privilege string) bool {
	return a.v.Deny.Granted(privilege, a.v.name(ref), ref.Value)
}

func (a *authorization) check(entities []types.ManagedObjectReference, ids []string) (out []types.EntityPrivilege) {
	for _, e := range entities {
		p := types.EntityPrivilege{Entity: e}
		for _, id := range ids {
			p.PrivAvailability = append(p.PrivAvailability, types.PrivilegeAvailability{PrivId: id, IsGranted: a.granted(e, id)})
		}
		out = append(out, p)
	}
	return out
}

// HasPrivilegeOnEntities answers for a session.
func (a *authorization) HasPrivilegeOnEntities(r *types.HasPrivilegeOnEntities) soap.HasFault {
	return &methods.HasPrivilegeOnEntitiesBody{Res: &types.HasPrivilegeOnEntitiesResponse{Returnval: a.check(r.Entity, r.PrivId)}}
}

// HasPrivilegeOnEntityResponse is the library's type without omitempty, which drops every false from the list.
type HasPrivilegeOnEntityResponse struct {
	Returnval []bool `xml:"returnval"`
}

type hasPrivilegeOnEntityBody struct {
	Res *HasPrivilegeOnEntityResponse `xml:"HasPrivilegeOnEntityResponse,omitempty"`
}

// Fault implements soap.HasFault.
func (*hasPrivilegeOnEntityBody) Fault() *soap.Fault { return nil }

// HasPrivilegeOnEntity answers for a session and one object.
func (a *authorization) HasPrivilegeOnEntity(r *types.HasPrivilegeOnEntity) soap.HasFault {
	out := make([]bool, 0, len(r.PrivId))
	for _, id := range r.PrivId {
		out = append(out, a.granted(r.Entity, id))
	}
	return &hasPrivilegeOnEntityBody{Res: &HasPrivilegeOnEntityResponse{Returnval: out}}
}

// HasUserPrivilegeOnEntities answers for a user.
func (a *authorization) HasUserPrivilegeOnEntities(r *types.HasUserPrivilegeOnEntities) soap.HasFault {
	return &methods.HasUserPrivilegeOnEntitiesBody{Res: &types.HasUserPrivilegeOnEntitiesResponse{Returnval: a.check(r.Entities, r.PrivId)}}
}

// FetchUserPrivilegeOnEntities lists what a user may do.
func (a *authorization) FetchUserPrivilegeOnEntities(r *types.FetchUserPrivilegeOnEntities) soap.HasFault {
	res := a.AuthorizationManager.FetchUserPrivilegeOnEntities(r)
	b, ok := res.(*methods.FetchUserPrivilegeOnEntitiesBody)
	if !ok || b.Res == nil {
		return res
	}
	for i := range b.Res.Returnval {
		e := &b.Res.Returnval[i]
		var keep []string
		for _, p := range e.Privileges {
			if a.granted(e.Entity, p) {
				keep = append(keep, p)
			}
		}
		e.Privileges = keep
	}
	return b
}
