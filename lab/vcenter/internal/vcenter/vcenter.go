// Package vcenter is one simulated vCenter: govmomi's simulator with guests, privileges, faults and a log of changes.
package vcenter

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"

	// These register the REST and the storage-policy endpoints.
	_ "github.com/vmware/govmomi/pbm/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"

	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/control"
	"goldsmith/lab/internal/guest"
	"goldsmith/lab/internal/journal"
	"goldsmith/lab/internal/machine"
	"goldsmith/lab/internal/tasks"
)

// Folder is the VM folder that every vCenter of the laboratory has.
const Folder = "goldsmith"

// VCenter is one vCenter with everything a test can order of it.
type VCenter struct {
	Config   config.VCenter
	Journal  *journal.Journal
	Faults   control.Faults
	Barriers control.Barriers
	Deny     control.Deny
	Machines *machine.Room

	model    *simulator.Model
	registry *simulator.Registry
	tasks    *tasks.Runner
	root     string // folder of the datastore
	password string
	server
}

// Options are what the laboratory gives each of its vCenters.
type Options struct {
	Lab        string
	Datastores string // folder above the datastores' folders
	Password   string
	Engine     guest.Engine
	TLS        *tls.Config
	Print      func(journal.Event) // may be nil
}

// New makes a vCenter; it does not listen yet. What an earlier run left in the datastore's VM folders is removed.
func New(cfg config.VCenter, o Options) (*VCenter, error) {
	v := &VCenter{
		Config: cfg, password: o.Password, root: filepath.Join(o.Datastores, cfg.Datastore),
		Journal: &journal.Journal{VC: cfg.Name, Print: o.Print},
	}
	if err := v.wipe(); err != nil {
		return nil, err
	}
	m := simulator.VPX()
	m.Host, m.ClusterHost, m.Machine, m.Datastore = 0, 1, 0, 0
	if err := m.Create(); err != nil {
		return nil, fmt.Errorf("vCenter %s: %w", cfg.Name, err)
	}
	v.model, v.registry = m, m.Service.Context.Map
	v.tasks = &tasks.Runner{Service: m.Service, Journal: v.Journal, Faults: &v.Faults}
	v.Machines = &machine.Room{
		Lab: o.Lab, VC: cfg.Name, Datastores: o.Datastores, ISOCheck: cfg.ISOCheck, Engine: o.Engine, Tasks: v.tasks, Journal: v.Journal,
	}
	v.identify()
	if err := v.furnish(); err != nil {
		return nil, fmt.Errorf("vCenter %s: %w", cfg.Name, err)
	}
	v.registry.Handler = v.handle
	v.registry.AddHandler(registryHook{v})
	v.server = server{tls: o.TLS, address: cfg.Listen, handler: v.front(v.endpoints())}
	return v, nil
}

// wipe removes VM folders that a killed run left: the next VM of that name would land in "<name> (0)".
func (v *VCenter) wipe() error {
	if err := os.MkdirAll(v.root, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(v.root, "*", "*.vmx"))
	for _, f := range old {
		err = errors.Join(err, os.RemoveAll(filepath.Dir(f)))
	}
	return err
}

// identify gives the vCenter an instance UUID that is its own and the same after every start.
func (v *VCenter) identify() {
	si := v.registry.Get(vim25.ServiceInstance).(*simulator.ServiceInstance)
	h := sha256.Sum256([]byte("goldsmith lab/" + v.Machines.Lab + "/" + v.Config.Name))
	id, _ := uuid.FromBytes(h[:16])
	si.Content.About.InstanceUuid = id.String()
	si.Content.About.Name = "VMware vCenter Server (simulated: " + v.Config.Name + ")"
}

// furnish adds the datastore and the VM folder.
func (v *VCenter) furnish() error {
	ctx := v.model.Service.Context
	for _, e := range v.registry.All("HostSystem") {
		dss := v.registry.Get(*e.(*simulator.HostSystem).ConfigManager.DatastoreSystem).(*simulator.HostDatastoreSystem)
		req := &types.CreateLocalDatastore{This: dss.Self, Name: v.Config.Datastore, Path: v.root}
		if f := dss.CreateLocalDatastore(ctx, req).Fault(); f != nil {
			return fmt.Errorf("datastore %s: %s", v.Config.Datastore, f.String)
		}
	}
	dc := v.registry.Any("Datacenter").(*simulator.Datacenter)
	root := v.registry.Get(dc.VmFolder).(*simulator.Folder)
	if f := root.CreateFolder(ctx, &types.CreateFolder{This: root.Self, Name: Folder}).Fault(); f != nil {
		return fmt.Errorf("folder %s: %s", Folder, f.String)
	}
	return nil
}

// endpoints returns the simulator's own HTTP handlers. Its server is closed at once: ours can be lost and come back.
func (v *VCenter) endpoints() http.Handler {
	s := v.model.Service
	s.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(v.Config.User, v.password)}
	s.ServeMux = http.NewServeMux()
	s.RegisterEndpoints = true
	s.NewServer().Close()
	return s.ServeMux
}

// Run follows the guests until ctx ends.
func (v *VCenter) Run(ctx context.Context) { v.Machines.Watch(ctx) }

// Close stops listening, removes all guests and the model's files.
func (v *VCenter) Close(ctx context.Context) error {
	v.Barriers.ReleaseAll()
	v.server.close()
	err := v.Machines.Sweep(ctx)
	v.model.Remove()
	return errors.Join(err, v.wipe())
}

// ExpireSessions ends all sessions, as vCenter does after an idle time; the next call is not authenticated.
func (v *VCenter) ExpireSessions() int {
	var ids []string
	for _, s := range v.sessions() {
		ids = append(ids, s.Key)
	}
	ctx := v.tasks.Context()
	ctx.Session = &simulator.Session{Registry: simulator.NewRegistry(), Map: v.registry}
	v.registry.SessionManager().TerminateSession(ctx, &types.TerminateSession{SessionId: ids})
	return len(ids)
}

// sessions returns all sessions. The simulator shows them only in a session's view of its manager.
func (v *VCenter) sessions() []types.UserSession {
	view := &simulator.Session{Registry: simulator.NewRegistry(), Map: v.registry}
	m, ok := view.Get(v.registry.SessionManager().Self).(*simulator.SessionManager)
	if !ok {
		return nil
	}
	return m.SessionList
}
