package machine

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/config"
)

// boot is what a power on needs to know of the VM, read while its lock is held.
type boot struct {
	dir, floppy, firmware string
	cds                   []string // the medium of each CD drive, in the order of the drives
	missing               string   // datastore path of an ISO that is not there
	guestinfo             map[string]string
	disks                 []disk // beyond the first
}

// read collects what a power on needs. The caller holds the VM's lock.
func (r *Room) read(vm *simulator.VirtualMachine) boot {
	b := boot{firmware: cmp.Or(vm.Config.Firmware, "bios"), guestinfo: guestinfo(vm.Config.ExtraConfig)}
	if o := vm.Config.BootOptions; o != nil && o.EfiSecureBootEnabled != nil && *o.EfiSecureBootEnabled {
		b.firmware = "efi-secure"
	}
	if p, ok := r.resolve(vm.Config.Files.VmPathName); ok {
		b.dir = filepath.Dir(p)
	}
	b.disks = furtherDisks(vm, b.dir)
	for _, d := range drives(vm) {
		switch x := d.Backing.(type) {
		case *types.VirtualCdromIsoBackingInfo:
			if r.missing(x.FileName) {
				b.missing = cmp.Or(b.missing, x.FileName)
			}
			if p, ok := r.resolve(x.FileName); ok {
				b.cds = append(b.cds, p)
			}
		case *types.VirtualFloppyImageBackingInfo:
			if p, ok := r.resolve(x.FileName); ok {
				b.floppy = cmp.Or(b.floppy, p)
			}
		}
	}
	return b
}

// drives are the devices that are connected when the VM starts, in the order in which firmware finds them.
func drives(vm *simulator.VirtualMachine) []*types.VirtualDevice {
	var out []*types.VirtualDevice
	for _, d := range vm.Config.Hardware.Device {
		if dev := d.GetVirtualDevice(); dev.Connectable == nil || dev.Connectable.StartConnected {
			out = append(out, dev)
		}
	}
	unit := func(d *types.VirtualDevice) int32 {
		if d.UnitNumber == nil {
			return 0
		}
		return *d.UnitNumber
	}
	slices.SortStableFunc(out, func(a, b *types.VirtualDevice) int {
		return cmp.Or(cmp.Compare(a.ControllerKey, b.ControllerKey), cmp.Compare(unit(a), unit(b)))
	})
	return out
}

// guestinfo are the settings that a guest can read.
func guestinfo(extra []types.BaseOptionValue) map[string]string {
	out := map[string]string{}
	for _, o := range extra {
		if kv := o.GetOptionValue(); strings.HasPrefix(kv.Key, "guestinfo.") {
			if s, ok := kv.Value.(string); ok && s != "" {
				out[kv.Key] = s
			}
		}
	}
	return out
}

// missing tells whether a datastore path names no file. "[] …" is a host's own tools ISO.
func (r *Room) missing(ds string) bool {
	if r.ISOCheck == config.ISONever || ds == "" || strings.HasPrefix(ds, "[]") {
		return false
	}
	p, ok := r.resolve(ds)
	if !ok {
		return true
	}
	fi, err := os.Stat(p)
	return err != nil || fi.IsDir()
}

// env is the guest's environment: where its media are, and guestinfo as cloud-init's VMware datasource reads it.
func (b boot) env(name string) map[string]string {
	env := map[string]string{
		"LAB_VM": name, "LAB_CDS": strings.Join(b.cds, "\n"), "LAB_FLOPPY": b.floppy, "LAB_VMDIR": b.dir, "LAB_FIRMWARE": b.firmware,
		"LAB_GUESTINFO": strings.Join(slices.Sorted(maps.Keys(b.guestinfo)), " "),
	}
	files := make([]string, len(b.disks))
	for i, d := range b.disks {
		files[i] = d.file
	}
	env["LAB_DISKS"] = strings.Join(files, "\n")
	for k, v := range b.guestinfo {
		env["VMX_"+strings.ToUpper(strings.ReplaceAll(k, ".", "_"))] = v
		env["VMX_GUESTINFO"] = "true"
	}
	return env
}

// badDevice returns the index of the first device change that mounts an ISO that is not there, or -1.
func (r *Room) badDevice(changes []types.BaseVirtualDeviceConfigSpec) int32 {
	if r.ISOCheck != config.ISOAtReconfigure {
		return -1
	}
	for i, c := range changes {
		s := c.GetVirtualDeviceConfigSpec()
		cd, ok := s.Device.(*types.VirtualCdrom)
		if !ok || s.Operation == types.VirtualDeviceConfigSpecOperationRemove {
			continue
		}
		if iso, ok := cd.Backing.(*types.VirtualCdromIsoBackingInfo); ok && r.missing(iso.FileName) {
			return int32(i)
		}
	}
	return -1
}

// linkDisks gives a linked clone's disks the parent backing that the simulator leaves out.
func linkDisks(vm, src *simulator.VirtualMachine) {
	kind := (*types.VirtualDisk)(nil)
	from := object.VirtualDeviceList(src.Config.Hardware.Device).SelectByType(kind)
	for i, d := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType(kind) {
		if i >= len(from) {
			break
		}
		b, ok1 := d.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		p, ok2 := from[i].GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if ok1 && ok2 {
			parent := *p
			b.Parent = &parent
		}
	}
}

// SafeExtra drops the keys by which the stock simulator would run any docker command on the host, or set any property.
func SafeExtra(in []types.BaseOptionValue) []types.BaseOptionValue {
	var out []types.BaseOptionValue
	for _, o := range in {
		k := strings.ToUpper(o.GetOptionValue().Key)
		if !strings.HasPrefix(k, "RUN.") && !strings.HasPrefix(k, "SET.") {
			out = append(out, o)
		}
	}
	return out
}

// inherited adds the source's guestinfo to a clone's, as vSphere does: guestinfo that is not emptied travels.
func inherited(own, source []types.BaseOptionValue) []types.BaseOptionValue {
	have := map[string]bool{}
	for _, o := range own {
		have[o.GetOptionValue().Key] = true
	}
	for _, o := range source {
		kv := *o.GetOptionValue()
		if strings.HasPrefix(kv.Key, "guestinfo.") && !have[kv.Key] {
			own = append(own, &kv)
		}
	}
	return own
}

// effective leaves out the settings that empty what is not set: the stock simulator would set them to nothing.
func effective(wanted, present []types.BaseOptionValue) []types.BaseOptionValue {
	return slices.DeleteFunc(wanted, func(o types.BaseOptionValue) bool {
		kv := o.GetOptionValue()
		return kv.Value == "" && !slices.ContainsFunc(present, func(p types.BaseOptionValue) bool {
			return p.GetOptionValue().Key == kv.Key
		})
	})
}
