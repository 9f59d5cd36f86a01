package vcenter_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/guest"
	"goldsmith/lab/internal/guest/fake"
	"goldsmith/lab/internal/tlsca"
	"goldsmith/lab/internal/vcenter"
)

const (
	user     = "administrator@vsphere.local"
	password = "sëcret <&> pass"
	agent    = "goldsmith-test/1"
)

// lab is one vCenter with fake guests and a logged-in client.
type lab struct {
	*vcenter.VCenter
	t      *testing.T
	engine *fake.Engine
	dir    string
	roots  *x509.CertPool
	client *govmomi.Client
	find   *find.Finder
}

// hello is a guest that says at once that its tools run.
func hello(e *fake.Engine, id string) {
	e.Print(id, "Welcome\n@lab {\"event\":\"tools-running\"}\n")
}

func newLab(t *testing.T, change ...func(*config.VCenter)) *lab {
	t.Helper()
	l := &lab{t: t, engine: fake.New(), dir: t.TempDir(), roots: x509.NewCertPool()}
	l.engine.Boot = hello
	settings, err := tlsca.Load(l.dir, []string{"127.0.0.1"})
	must(t, err)
	pem, err := os.ReadFile(filepath.Join(l.dir, "ca.pem"))
	must(t, err)
	l.roots.AppendCertsFromPEM(pem)
	cfg := config.VCenter{Name: "lab", Listen: "127.0.0.1:0", User: user, Datastore: "lab-ds", ISOCheck: config.ISOAtPowerOn}
	for _, c := range change {
		c(&cfg)
	}
	l.VCenter, err = vcenter.New(cfg, vcenter.Options{
		Lab: "test", Datastores: filepath.Join(l.dir, "volumes"), Password: password, Engine: l.engine, TLS: settings,
	})
	must(t, err)
	must(t, l.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	t.Cleanup(func() {
		must(t, l.Close(context.Background()))
		cancel()
		<-done
	})
	l.client = l.login(t, user, password)
	l.find = find.NewFinder(l.client.Client)
	dc, err := l.find.Datacenter(t.Context(), "DC0")
	must(t, err)
	l.find.SetDatacenter(dc)
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect returns a client that verifies the laboratory's certificate, not logged in.
func (l *lab) connect(t *testing.T) *vim25.Client {
	t.Helper()
	s := soap.NewClient(&url.URL{Scheme: "https", Host: l.Address(), Path: "/sdk"}, false)
	s.DefaultTransport().TLSClientConfig = &tls.Config{RootCAs: l.roots}
	s.UserAgent = agent
	c, err := vim25.NewClient(context.Background(), s)
	must(t, err)
	return c
}

func (l *lab) login(t *testing.T, name, pass string) *govmomi.Client {
	t.Helper()
	c, err := l.tryLogin(t, name, pass)
	must(t, err)
	return c
}

func (l *lab) tryLogin(t *testing.T, name, pass string) (*govmomi.Client, error) {
	t.Helper()
	c := l.connect(t)
	g := &govmomi.Client{Client: c, SessionManager: session.NewManager(c)}
	return g, g.SessionManager.Login(context.Background(), url.UserPassword(name, pass))
}

// upload writes a file into the datastore's folder, without HTTP.
func (l *lab) upload(name, content string) {
	l.t.Helper()
	p := filepath.Join(l.dir, "volumes", "lab-ds", name)
	must(l.t, os.MkdirAll(filepath.Dir(p), 0o755))
	must(l.t, os.WriteFile(p, []byte(content), 0o644))
}

// spec is a VM with a disk, a network card and, if iso is given, a CD-ROM.
func (l *lab) spec(name, iso string) types.VirtualMachineConfigSpec {
	l.t.Helper()
	var d object.VirtualDeviceList
	ide, err := d.CreateIDEController()
	must(l.t, err)
	d = append(d, ide)
	net, err := l.find.Network(l.t.Context(), "VM Network")
	must(l.t, err)
	backing, err := net.EthernetCardBackingInfo(l.t.Context())
	must(l.t, err)
	nic, err := d.CreateEthernetCard("vmxnet3", backing)
	must(l.t, err)
	d = append(d, nic)
	if iso != "" {
		cd, err := d.CreateCdrom(ide.(*types.VirtualIDEController))
		must(l.t, err)
		d = append(d, d.InsertIso(cd, "[lab-ds] "+iso))
	}
	changes, err := d.ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	must(l.t, err)
	return types.VirtualMachineConfigSpec{
		Name: name, GuestId: "debian12_64Guest", NumCPUs: 1, MemoryMB: 64, DeviceChange: changes, Firmware: "efi",
		Files: &types.VirtualMachineFileInfo{VmPathName: "[lab-ds]"},
	}
}

func (l *lab) folder() *object.Folder {
	l.t.Helper()
	f, err := l.find.Folder(l.t.Context(), vcenter.Folder)
	must(l.t, err)
	return f
}

func (l *lab) pool() *object.ResourcePool {
	l.t.Helper()
	p, err := l.find.ResourcePool(l.t.Context(), "DC0_C0/Resources")
	must(l.t, err)
	return p
}

// create makes a VM in the laboratory's folder.
func (l *lab) create(name, iso string, change ...func(*types.VirtualMachineConfigSpec)) *object.VirtualMachine {
	l.t.Helper()
	s := l.spec(name, iso)
	for _, c := range change {
		c(&s)
	}
	tk, err := l.folder().CreateVM(l.t.Context(), s, l.pool(), nil)
	must(l.t, err)
	info, err := tk.WaitForResult(l.t.Context())
	must(l.t, err)
	return object.NewVirtualMachine(l.client.Client, info.Result.(types.ManagedObjectReference))
}

// wait waits for a task and returns its error.
func wait(t *testing.T, tk *object.Task, err error) error {
	t.Helper()
	if err != nil {
		return err
	}
	return tk.Wait(t.Context())
}

func (l *lab) powerOn(vm *object.VirtualMachine) error {
	tk, err := vm.PowerOn(l.t.Context())
	return wait(l.t, tk, err)
}

func (l *lab) props(vm *object.VirtualMachine) mo.VirtualMachine {
	l.t.Helper()
	var o mo.VirtualMachine
	must(l.t, vm.Properties(l.t.Context(), vm.Reference(), []string{"name", "config", "guest", "runtime", "summary", "customValue"}, &o))
	return o
}

// until polls a property of the vCenter that a guest's event changes.
func (l *lab) until(what string, ok func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			l.t.Fatalf("never happened: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (l *lab) state(vm *object.VirtualMachine) types.VirtualMachinePowerState {
	o := l.props(vm)
	if o.Runtime.PowerState != o.Summary.Runtime.PowerState {
		return "differs"
	}
	return o.Runtime.PowerState
}

func (l *lab) machine(name string) *fake.Machine { return l.engine.ByVM(guest.LabelVM, name) }
