package vcenter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/guest"
	"goldsmith/lab/internal/guest/fake"
)

const (
	on  = types.VirtualMachinePowerStatePoweredOn
	off = types.VirtualMachinePowerStatePoweredOff
)

// A VM that is powered on is a guest that knows its media, and its address appears when its tools run, not before.
func TestAddressComesWithTheTools(t *testing.T) {
	l := newLab(t)
	l.engine.Boot = nil
	l.upload("iso/x.iso", "iso")
	vm := l.create("base_1", "iso/x.iso")
	must(t, l.powerOn(vm))
	m := l.machine("base_1")
	if m == nil || !m.Running || m.Spec.Hostname != "base-1" || m.Spec.Image != "" {
		t.Fatalf("guest: %+v", m)
	}
	root := filepath.Join(l.dir, "volumes", "lab-ds")
	for k, want := range map[string]string{
		"LAB_VM": "base_1", "LAB_CDS": root + "/iso/x.iso", "LAB_VMDIR": root + "/base_1", "LAB_FIRMWARE": "efi", "LAB_FLOPPY": "",
	} {
		if got, ok := m.Spec.Env[k]; !ok || got != want {
			t.Errorf("%s = %q, want %q", k, got, want)
		}
	}
	if o := l.props(vm); o.Guest.IpAddress != "" || o.Guest.ToolsRunningStatus != "guestToolsNotRunning" {
		t.Errorf("before the tools run: %q %q", o.Guest.IpAddress, o.Guest.ToolsRunningStatus)
	}
	hello(l.engine, m.ID)
	l.until("an address", func() bool { return l.props(vm).Guest.IpAddress != "" })
	o := l.props(vm)
	if len(o.Guest.Net) != 1 || o.Guest.Net[0].IpAddress[0] != o.Guest.IpAddress || o.Summary.Guest.IpAddress != o.Guest.IpAddress {
		t.Errorf("guest.net: %+v", o.Guest.Net)
	}
	if got := l.Machines.ByName("base_1").Console.Text(); got != "Welcome\n" {
		t.Errorf("console: %q", got)
	}
}

// How a guest ends decides what becomes of the VM.
func TestGuestEndsByItself(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   int
		want   types.VirtualMachinePowerState
		starts int
	}{
		{"power off", guest.ExitPowerOff, off, 1},
		{"reboot", guest.ExitReboot, on, 2},
		{"crash", 1, off, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			vm := l.create("vm", "")
			must(t, l.powerOn(vm))
			l.until("tools", func() bool { return l.props(vm).Guest.IpAddress != "" })
			l.engine.End(l.machine("vm").ID, c.code)
			l.until("the end is noticed", func() bool { return l.state(vm) == c.want && l.machine("vm").Starts == c.starts })
			l.until("the address fits", func() bool { return (l.props(vm).Guest.IpAddress != "") == (c.want == on) })
		})
	}
}

// Shutting down and rebooting through the tools, resetting and cutting the power do what they say.
func TestPowerOperations(t *testing.T) {
	l := newLab(t)
	vm := l.create("vm", "")
	ctx := t.Context()
	if err := vm.ShutdownGuest(ctx); err == nil || !strings.Contains(err.Error(), "Powered off") {
		t.Errorf("shutdown of a VM that is off: %v", err)
	}
	must(t, l.powerOn(vm))
	ready := func() bool { return l.props(vm).Guest.ToolsRunningStatus == "guestToolsRunning" }
	l.until("tools", ready)
	must(t, vm.RebootGuest(ctx))
	l.until("reboot", func() bool { return l.machine("vm").Starts == 2 && ready() })
	tk, err := vm.Reset(ctx)
	must(t, wait(t, tk, err))
	l.until("reset", func() bool { return l.machine("vm").Starts == 3 && ready() })
	must(t, vm.ShutdownGuest(ctx))
	l.until("off", func() bool { return l.state(vm) == off })
	must(t, l.powerOn(vm))
	tk, err = vm.PowerOff(ctx)
	must(t, wait(t, tk, err))
	if s := l.state(vm); s != off || l.machine("vm").Code != 137 {
		t.Errorf("after power off: %s %d", s, l.machine("vm").Code)
	}
	tk, err = vm.PowerOff(ctx)
	if err := wait(t, tk, err); !fault.Is(err, &types.InvalidPowerState{}) {
		t.Errorf("second power off: %v", err)
	}
}

// A guest without tools reports no address, and refuses what needs tools.
func TestWithoutTools(t *testing.T) {
	l := newLab(t)
	l.engine.Boot = func(e *fake.Engine, id string) {
		e.Print(id, "oops\n@lab {\"event\":\"install-failed\",\"reason\":\"x\"}\n")
	}
	vm := l.create("vm", "")
	must(t, l.powerOn(vm))
	l.until("the event", func() bool {
		for _, e := range l.Journal.Events.Since(0) {
			if f, ok := e.Detail.(map[string]any); ok && f["event"] == "install-failed" {
				return true
			}
		}
		return false
	})
	if err := vm.ShutdownGuest(t.Context()); !fault.Is(err, &types.ToolsUnavailable{}) {
		t.Errorf("ShutdownGuest: %v", err)
	}
	if o := l.props(vm); o.Guest.IpAddress != "" || o.Runtime.PowerState != on {
		t.Errorf("%q %s", o.Guest.IpAddress, o.Runtime.PowerState)
	}
}

// A missing ISO stops the power on, or already the reconfiguration, as ESXi and vCenter do.
func TestMissingISO(t *testing.T) {
	for _, c := range []struct{ check, want string }{
		{config.ISOAtPowerOn, "File [lab-ds] iso/gone.iso was not found"},
		{config.ISONever, ""},
	} {
		t.Run(c.check, func(t *testing.T) {
			l := newLab(t, func(v *config.VCenter) { v.ISOCheck = c.check })
			vm := l.create("vm", "iso/gone.iso")
			err := l.powerOn(vm)
			if c.want == "" {
				must(t, err)
			} else if err == nil || err.Error() != c.want || l.state(vm) != off {
				t.Errorf("power on: %v", err)
			}
		})
	}
	t.Run(config.ISOAtReconfigure, func(t *testing.T) {
		l := newLab(t, func(v *config.VCenter) { v.ISOCheck = config.ISOAtReconfigure })
		vm := l.create("vm", "")
		changes := l.spec("x", "iso/gone.iso").DeviceChange
		tk, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{DeviceChange: changes[len(changes)-1:]})
		err = wait(t, tk, err)
		if err == nil || err.Error() != "Invalid configuration for device '0'." {
			t.Errorf("reconfigure: %v", err)
		}
	})
}

// An engine that fails makes the power on fail with the engine's words.
func TestEngineFails(t *testing.T) {
	l := newLab(t)
	l.engine.Fail["create"] = os.ErrPermission
	vm := l.create("vm", "")
	if err := l.powerOn(vm); err == nil || !strings.Contains(err.Error(), os.ErrPermission.Error()) || l.state(vm) != off {
		t.Errorf("power on: %v", err)
	}
	delete(l.engine.Fail, "create")
	must(t, l.powerOn(vm)) // nothing of the failure is left
}

// Keys typed reach the diary, and a screenshot is a PNG beside the VM's files.
func TestKeysAndScreenshot(t *testing.T) {
	l := newLab(t)
	vm := l.create("vm", "")
	must(t, l.powerOn(vm))
	l.until("tools", func() bool { return l.props(vm).Guest.IpAddress != "" })
	n, err := vm.PutUsbScanCodes(t.Context(), types.UsbScanCodeSpec{KeyEvents: []types.UsbScanCodeSpecKeyEvent{{UsbHidCode: 1}, {UsbHidCode: 2}}})
	if err != nil || n != 2 {
		t.Errorf("keys: %d %v", n, err)
	}
	res, err := methods.CreateScreenshot_Task(t.Context(), l.client.Client, &types.CreateScreenshot_Task{This: vm.Reference()})
	must(t, err)
	info, err := object.NewTask(l.client.Client, res.Returnval).WaitForResult(t.Context())
	must(t, err)
	name, _ := strings.CutPrefix(info.Result.(string), "[lab-ds] ")
	data, err := os.ReadFile(filepath.Join(l.dir, "volumes", "lab-ds", name))
	if err != nil || !strings.HasPrefix(string(data), "\x89PNG") {
		t.Errorf("screenshot %q: %v", info.Result, err)
	}
}
