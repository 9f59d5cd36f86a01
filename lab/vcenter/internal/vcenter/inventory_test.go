package vcenter_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/guest"
)

func (l *lab) cloneSpec() types.VirtualMachineCloneSpec {
	pool := l.pool().Reference()
	return types.VirtualMachineCloneSpec{Location: types.VirtualMachineRelocateSpec{Pool: &pool}}
}

// A clone sees what its source wrote, inherits its guestinfo, note and attributes, and has an environment of its own.
func TestClone(t *testing.T) {
	l := newLab(t)
	src := l.create("base", "", func(s *types.VirtualMachineConfigSpec) {
		s.Annotation = "the note"
		s.ExtraConfig = []types.BaseOptionValue{&types.OptionValue{Key: "guestinfo.userdata", Value: "c2VjcmV0"}}
	})
	must(t, l.powerOn(src))
	l.engine.Mark(l.machine("base").ID, "installed")
	tk, err := src.PowerOff(t.Context())
	must(t, wait(t, tk, err))
	must(t, src.MarkAsTemplate(t.Context()))
	for _, name := range []string{"one", "two"} {
		spec := l.cloneSpec()
		spec.PowerOn = name == "two"
		tk, err := src.Clone(t.Context(), l.folder(), name, spec)
		info, err := tk.WaitForResult(t.Context(), nil)
		must(t, err)
		vm := object.NewVirtualMachine(l.client.Client, info.Result.(types.ManagedObjectReference))
		if !spec.PowerOn {
			must(t, l.powerOn(vm))
		}
		m := l.machine(name)
		if !slices.Equal(m.Marks, []string{"installed"}) || m.Spec.Env["LAB_VM"] != name || m.Spec.Env["VMX_GUESTINFO_USERDATA"] != "c2VjcmV0" {
			t.Errorf("%s: %+v", name, m)
		}
		if o := l.props(vm); o.Config.Annotation != "the note" || o.Runtime.PowerState != on {
			t.Errorf("%s: %q %s", name, o.Config.Annotation, o.Runtime.PowerState)
		}
	}
	commits := slices.DeleteFunc(slices.Clone(l.engine.Calls), func(s string) bool { return !strings.HasPrefix(s, "commit") })
	if len(commits) != 1 {
		t.Errorf("a stopped template is committed once, not %d times", len(commits))
	}
}

// Destroyed VMs leave no guest, no image and no file, also when their folder goes.
func TestDestroy(t *testing.T) {
	l := newLab(t)
	base := l.create("base", "")
	must(t, l.powerOn(base))
	tk, err := base.Destroy(t.Context())
	if err := wait(t, tk, err); !fault.Is(err, &types.InvalidPowerState{}) {
		t.Errorf("destroying a running VM: %v", err)
	}
	tk, err = base.PowerOff(t.Context())
	must(t, wait(t, tk, err))
	tk, err = base.Clone(t.Context(), l.folder(), "clone", l.cloneSpec())
	must(t, wait(t, tk, err))
	tk, err = base.Destroy(t.Context())
	must(t, wait(t, tk, err))
	if m, i := l.engine.Count(); m != 0 || i != 1 {
		t.Errorf("%d machines, %d images: the clone still needs the image", m, i)
	}
	tk, err = l.folder().Destroy(t.Context())
	must(t, wait(t, tk, err))
	l.until("everything is gone", func() bool { m, i := l.engine.Count(); return m == 0 && i == 0 && len(l.Machines.List()) == 0 })
	if left, _ := filepath.Glob(filepath.Join(l.dir, "volumes", "lab-ds", "*")); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}
}

// A template takes custom attributes and the boot order that vsphere-iso clears at its end.
func TestTemplate(t *testing.T) {
	l := newLab(t)
	vm := l.create("vm", "")
	must(t, vm.MarkAsTemplate(t.Context()))
	tk, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{BootOptions: &types.VirtualMachineBootOptions{}})
	must(t, wait(t, tk, err))
	fields, err := object.GetCustomFieldsManager(l.client.Client)
	must(t, err)
	def, err := fields.Add(t.Context(), "goldsmith.key", "VirtualMachine", nil, nil)
	must(t, err)
	must(t, fields.Set(t.Context(), vm.Reference(), def.Key, "abc"))
	if v := l.props(vm).CustomValue; len(v) != 1 {
		t.Errorf("%+v", v)
	}
}

// Only the right user with the right password gets in, and an expired session does not.
func TestLogin(t *testing.T) {
	l := newLab(t)
	for _, c := range [][2]string{{user, "wrong"}, {"other", password}, {user, ""}} {
		_, err := l.tryLogin(t, c[0], c[1])
		if !fault.Is(err, &types.InvalidLogin{}) || !strings.Contains(err.Error(), "incorrect user name or password") {
			t.Errorf("%q: %v", c, err)
		}
	}
	if n := l.ExpireSessions(); n != 1 {
		t.Errorf("%d sessions expired", n)
	}
	_, err := methods.CreateFolder(t.Context(), l.client.Client, &types.CreateFolder{This: l.client.ServiceContent.RootFolder, Name: "x"})
	if !fault.Is(err, &types.NotAuthenticated{}) || !strings.Contains(err.Error(), "The session is not authenticated.") {
		t.Errorf("after the session expired: %v", err)
	}
}

// Files go in and out over HTTP for who is logged in, and every change is in the log.
func TestDatastoreHTTP(t *testing.T) {
	l := newLab(t)
	ds, err := l.find.Datastore(t.Context(), "lab-ds")
	must(t, err)
	must(t, ds.Upload(t.Context(), strings.NewReader("content"), "iso/a.iso.part", nil))
	u := ds.NewURL("iso/a.iso.part")
	c := l.connect(t)
	do := func(method string, change func(*http.Request)) int {
		req, err := http.NewRequestWithContext(t.Context(), method, u.String(), nil)
		must(t, err)
		if change != nil {
			change(req)
		}
		res, err := (&http.Client{Transport: c.DefaultTransport()}).Do(req)
		must(t, err)
		_ = res.Body.Close()
		return res.StatusCode
	}
	basic := func(pass string) func(*http.Request) { return func(r *http.Request) { r.SetBasicAuth(user, pass) } }
	for name, got := range map[string][2]int{
		"nobody":         {do("PUT", nil), 401},
		"wrong password": {do("GET", basic("x")), 401},
		"wrong cookie":   {do("DELETE", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: soap.SessionCookieName, Value: "x"}) }), 401},
		"password":       {do("GET", basic(password)), 200},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", name, got[0], got[1])
		}
	}
	m := object.NewFileManager(l.client.Client)
	dc, err := l.find.Datacenter(t.Context(), "DC0")
	must(t, err)
	tk, err := m.MoveDatastoreFile(t.Context(), "[lab-ds] iso/a.iso.part", dc, "[lab-ds] iso/a.iso", dc, false)
	must(t, wait(t, tk, err))
	var o mo.Task // pyVmomi refuses an entity that is none, as the file manager
	must(t, tk.Properties(t.Context(), tk.Reference(), []string{"info"}, &o))
	if o.Info.Entity.Type != "Datacenter" || o.Info.Name != "MoveDatastoreFile_Task" {
		t.Errorf("task %s of %s", o.Info.Name, o.Info.Entity)
	}
	if data, err := os.ReadFile(filepath.Join(l.dir, "volumes", "lab-ds", "iso", "a.iso")); string(data) != "content" {
		t.Errorf("%q %v", data, err)
	}
	u = ds.NewURL("iso/a.iso")
	if s := do("DELETE", basic(password)); s != 204 {
		t.Errorf("DELETE: %d", s)
	}
	if s := do("DELETE", basic(password)); s != 404 {
		t.Errorf("second DELETE: %d", s)
	}
	var got []string
	for _, x := range l.Journal.Mutations.Since(0) {
		got = append(got, x.Method+" "+x.Object)
	}
	want := "PUT [lab-ds] iso/a.iso.part, MoveDatastoreFile_Task [lab-ds] iso/a.iso, DELETE [lab-ds] iso/a.iso, DELETE [lab-ds] iso/a.iso"
	if strings.Join(got, ", ") != want {
		t.Errorf("mutations: %q", got)
	}
}

// The end of a vCenter, and the start after a kill, leave nothing of its VMs.
func TestSweep(t *testing.T) {
	l := newLab(t)
	must(t, l.powerOn(l.create("vm", "")))
	l.upload("iso/keep.iso", "x")
	must(t, l.Close(t.Context()))
	if m, i := l.engine.Count(); m != 0 || i != 0 {
		t.Errorf("%d machines, %d images", m, i)
	}
	left, _ := filepath.Glob(filepath.Join(l.dir, "volumes", "lab-ds", "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "iso" {
		t.Errorf("left: %v", left)
	}
	if l.machine("vm") != nil {
		t.Errorf("the guest with label %s is still there", guest.LabelVM)
	}
}
