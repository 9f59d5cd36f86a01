package vcenter_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/guest"
)

const (
	ide  = 200   // the key of the first IDE controller, which every VM has
	sata = 15000 // and of a SATA controller, which drives adds
)

// cd is a CD drive; without a file it is empty.
func cd(key, controller, unit int32, file string) *types.VirtualCdrom {
	d := &types.VirtualCdrom{VirtualDevice: types.VirtualDevice{
		Key: key, ControllerKey: controller, UnitNumber: &unit,
		Connectable: &types.VirtualDeviceConnectInfo{StartConnected: file != "", AllowGuestControl: true},
		Backing:     &types.VirtualCdromRemotePassthroughBackingInfo{},
	}}
	if file != "" {
		d.Backing = &types.VirtualCdromIsoBackingInfo{
			VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: "[lab-ds] " + file},
		}
	}
	return d
}

// drives gives a VM these devices, and a SATA controller for them.
func drives(devices ...types.BaseVirtualDevice) func(*types.VirtualMachineConfigSpec) {
	controller := &types.VirtualAHCIController{VirtualSATAController: types.VirtualSATAController{
		VirtualController: types.VirtualController{VirtualDevice: types.VirtualDevice{Key: sata}},
	}}
	return func(s *types.VirtualMachineConfigSpec) {
		for _, d := range append([]types.BaseVirtualDevice{controller}, devices...) {
			s.DeviceChange = append(s.DeviceChange, &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: d})
		}
	}
}

// off cuts a VM's power.
func (l *lab) off(vm *object.VirtualMachine) {
	l.t.Helper()
	tk, err := vm.PowerOff(l.t.Context())
	must(l.t, wait(l.t, tk, err))
}

// cds are the media that a VM's guest was last started with, by their names.
func (l *lab) cds(vm string) []string {
	var out []string
	for _, p := range strings.Fields(l.machine(vm).Spec.Env["LAB_CDS"]) {
		out = append(out, filepath.Base(p))
	}
	return out
}

// Every CD drive's medium reaches the guest, in the order of controller and unit, whatever the order in the device list.
func TestEveryDriveReachesTheGuest(t *testing.T) {
	unplugged := cd(-5, sata, 3, "never.iso")
	unplugged.Connectable.StartConnected = false
	for _, c := range []struct {
		name   string
		drives []types.BaseVirtualDevice
		want   []string
	}{
		{"no drive", nil, nil},
		{"an empty drive", []types.BaseVirtualDevice{cd(-1, ide, 0, "")}, nil},
		{"one", []types.BaseVirtualDevice{cd(-1, ide, 0, "boot.iso")}, []string{"boot.iso"}},
		{"two of a controller", []types.BaseVirtualDevice{cd(-2, sata, 1, "seed.iso"), cd(-1, sata, 0, "boot.iso")}, []string{"boot.iso", "seed.iso"}},
		{"two controllers", []types.BaseVirtualDevice{cd(-2, sata, 0, "seed.iso"), cd(-1, ide, 1, "boot.iso")}, []string{"boot.iso", "seed.iso"}},
		{"not connected", []types.BaseVirtualDevice{unplugged, cd(-1, sata, 4, "seed.iso")}, []string{"seed.iso"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.upload("boot.iso", "boots")
			l.upload("seed.iso", "answers")
			must(t, l.powerOn(l.create("vm", "", drives(c.drives...))))
			if got := l.cds("vm"); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A medium that is missing in the second drive stops a VM as one in the first does, and names the file.
func TestMissingMediumInTheSecondDrive(t *testing.T) {
	second := func() []types.BaseVirtualDevice {
		return []types.BaseVirtualDevice{cd(-1, ide, 0, "boot.iso"), cd(-2, ide, 1, "gone.iso")}
	}
	l := newLab(t)
	l.upload("boot.iso", "boots")
	vm := l.create("vm", "", drives(second()...))
	if err := l.powerOn(vm); err == nil || err.Error() != "File [lab-ds] gone.iso was not found" || l.state(vm) != off {
		t.Errorf("power on: %v", err)
	}
	l = newLab(t, func(v *config.VCenter) { v.ISOCheck = config.ISOAtReconfigure })
	l.upload("boot.iso", "boots")
	vm = l.create("vm", "")
	var spec types.VirtualMachineConfigSpec
	drives(second()...)(&spec)
	tk, err := vm.Reconfigure(t.Context(), spec)
	if err := wait(t, tk, err); err == nil || err.Error() != "Invalid configuration for device '2'." {
		t.Errorf("reconfigure: %v", err)
	}
}

// Packer's remove_cdrom ejects every medium and takes every drive out: the disk boots as it was, and sees none of them.
func TestDrivesAreEmptiedAndRemoved(t *testing.T) {
	for name, remove := range map[string]func(*lab, *object.VirtualMachine, object.VirtualDeviceList) error{
		"ejected": func(l *lab, vm *object.VirtualMachine, found object.VirtualDeviceList) error {
			for _, d := range found {
				x := d.(*types.VirtualCdrom)
				x.Backing, x.Connectable = &types.VirtualCdromRemotePassthroughBackingInfo{}, &types.VirtualDeviceConnectInfo{}
				if err := vm.EditDevice(l.t.Context(), x); err != nil {
					return err
				}
			}
			return nil
		},
		"removed": func(l *lab, vm *object.VirtualMachine, found object.VirtualDeviceList) error {
			return vm.RemoveDevice(l.t.Context(), true, found...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.upload("boot.iso", "boots")
			l.upload("seed.iso", "answers")
			vm := l.create("vm", "", drives(cd(-1, sata, 0, "boot.iso"), cd(-2, sata, 1, "seed.iso")))
			must(t, l.powerOn(vm))
			if got := l.cds("vm"); len(got) != 2 {
				t.Fatalf("at first: %q", got)
			}
			l.engine.Mark(l.machine("vm").ID, "installed")
			l.off(vm)
			devices, err := vm.Device(t.Context())
			must(t, err)
			must(t, remove(l, vm, devices.SelectByType((*types.VirtualCdrom)(nil))))
			must(t, l.powerOn(vm))
			if got := l.cds("vm"); len(got) != 0 {
				t.Errorf("after that: %q", got)
			}
			if m := l.machine("vm"); !slices.Equal(m.Marks, []string{"installed"}) {
				t.Errorf("the disk holds %q", m.Marks)
			}
			l.off(vm)
			tk, err := vm.Destroy(t.Context())
			must(t, wait(t, tk, err))
			if m, i := l.engine.Count(); m != 0 || i != 0 {
				t.Errorf("%d machines and %d images are left", m, i)
			}
		})
	}
}

// A clone whose hardware changed takes every image with it that was made for it, also those of a source that is gone.
func TestAChangedCloneLeavesNoImage(t *testing.T) {
	l := newLab(t)
	l.upload("boot.iso", "boots")
	src := l.create("src", "boot.iso")
	must(t, l.powerOn(src))
	l.off(src)
	tk, err := src.Clone(t.Context(), l.folder(), "clone", l.cloneSpec())
	info, err := tk.WaitForResult(t.Context(), nil)
	must(t, err)
	clone := object.NewVirtualMachine(l.client.Client, info.Result.(types.ManagedObjectReference))
	tk, err = src.Destroy(t.Context())
	must(t, wait(t, tk, err))
	for _, value := range []string{"1", "2", "3"} {
		tk, err := clone.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{ExtraConfig: guestinfo("guestinfo.a", value)})
		must(t, wait(t, tk, err))
		must(t, l.powerOn(clone))
		l.off(clone)
	}
	tk, err = clone.Destroy(t.Context())
	must(t, wait(t, tk, err))
	if m, i := l.engine.Count(); m != 0 || i != 0 {
		t.Errorf("%d machines and %d images are left", m, i)
	}
}

// A guest is started again as it is while nothing of its VM changed.
func TestNothingChanged(t *testing.T) {
	l := newLab(t)
	l.upload("boot.iso", "boots")
	vm := l.create("vm", "boot.iso")
	must(t, l.powerOn(vm))
	l.off(vm)
	must(t, l.powerOn(vm))
	if m := l.machine("vm"); m.Starts != 2 || m.Spec.Image != "" {
		t.Errorf("%d starts of a guest from %q", m.Starts, m.Spec.Image)
	}
}

func guestinfo(pairs ...string) []types.BaseOptionValue {
	var out []types.BaseOptionValue
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &types.OptionValue{Key: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// told is what of a VM's guestinfo its configuration has, and what its guest was last started with.
func (l *lab) told(vm *object.VirtualMachine, name string) (configured, seen []string) {
	for _, o := range l.props(vm).Config.ExtraConfig {
		if kv := o.GetOptionValue(); strings.HasPrefix(kv.Key, "guestinfo.") {
			configured = append(configured, kv.Key)
		}
	}
	slices.Sort(configured)
	for k := range l.machine(name).Spec.Env {
		if strings.HasPrefix(k, "VMX_") {
			seen = append(seen, k)
		}
	}
	slices.Sort(seen)
	return configured, seen
}

// Guestinfo reaches a guest whose disk is blank; emptied, it is gone: from the VM, its next start and its clones.
func TestGuestinfo(t *testing.T) {
	l := newLab(t)
	vm := l.create("vm", "", func(s *types.VirtualMachineConfigSpec) {
		s.ExtraConfig = guestinfo("guestinfo.userdata", "c2VjcmV0", "guestinfo.userdata.encoding", "base64", "guestinfo.kept", "1", "other", "x")
	})
	must(t, l.powerOn(vm))
	env := l.machine("vm").Spec.Env
	for k, want := range map[string]string{
		"VMX_GUESTINFO": "true", "VMX_GUESTINFO_USERDATA": "c2VjcmV0", "VMX_GUESTINFO_USERDATA_ENCODING": "base64",
		"LAB_GUESTINFO": "guestinfo.kept guestinfo.userdata guestinfo.userdata.encoding",
	} {
		if env[k] != want {
			t.Errorf("%s is %q, want %q", k, env[k], want)
		}
	}
	empty := types.VirtualMachineConfigSpec{ExtraConfig: guestinfo("guestinfo.userdata", "", "guestinfo.userdata.encoding", "")}
	for range 2 { // emptying what is empty changes nothing
		tk, err := vm.Reconfigure(t.Context(), empty)
		must(t, wait(t, tk, err))
		if got, _ := l.told(vm, "vm"); !slices.Equal(got, []string{"guestinfo.kept"}) {
			t.Errorf("emptied: %q", got)
		}
	}
	l.off(vm)
	must(t, l.powerOn(vm))
	want := []string{"VMX_GUESTINFO", "VMX_GUESTINFO_KEPT"}
	if _, got := l.told(vm, "vm"); !slices.Equal(got, want) {
		t.Errorf("the next start sees %q", got)
	}
	l.off(vm)
	for name, config := range map[string]*types.VirtualMachineConfigSpec{
		"as it is": nil, "emptied again": &empty,
		"emptied here": {ExtraConfig: guestinfo("guestinfo.kept", "")},
	} {
		spec := l.cloneSpec()
		spec.Config, spec.PowerOn = config, true
		tk, err := vm.Clone(t.Context(), l.folder(), name, spec)
		info, err := tk.WaitForResult(t.Context(), nil)
		must(t, err)
		configured, seen := l.told(object.NewVirtualMachine(l.client.Client, info.Result.(types.ManagedObjectReference)), name)
		if kept := name != "emptied here"; (len(configured) == 1) != kept || slices.Equal(seen, want) != kept {
			t.Errorf("a clone %s has %q and sees %q", name, configured, seen)
		}
	}
	if l.machine("vm").Spec.Labels[guest.LabelVM] != "vm" {
		t.Error("the guest that was made again has no label")
	}
}
