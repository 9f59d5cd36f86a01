package machine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// A VM's first disk is its container's file system. Each further one is a sparse file in the VM's folder, outside of the
// container's layer: a file in a layer would lose its holes when the layer is committed, and could not hold overlay2.
type disk struct {
	file string // path on this machine
	size int64  // in bytes
}

// Where lseek finds the next data or hole (lseek(2)).
const (
	seekData = 3
	seekHole = 4
)

// furtherDisks are the disks beyond the first, in the order of the device list. The caller holds the VM's lock.
func furtherDisks(vm *simulator.VirtualMachine, dir string) []disk {
	var out []disk
	number := 0
	for _, d := range vm.Config.Hardware.Device {
		x, ok := d.(*types.VirtualDisk)
		if !ok {
			continue
		}
		if number > 0 && dir != "" {
			size := max(x.CapacityInBytes, x.CapacityInKB*1024)
			out = append(out, disk{filepath.Join(dir, fmt.Sprintf("disk-%d.img", number)), size})
		}
		number++
	}
	return out
}

// attach makes the files of disks that were never used, and enlarges those of disks that were.
func attach(disks []disk) error {
	for _, d := range disks {
		f, err := os.OpenFile(d.file, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil && info.Size() < d.size {
			err = f.Truncate(d.size)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// copyDisks gives a clone what is on its source's disks; the clone's own further disks come after them and stay blank.
func copyDisks(from, to []disk) error {
	for i := range min(len(from), len(to)) {
		if err := copySparse(from[i].file, to[i].file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// copySparse copies a file without filling its holes.
func copySparse(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := out.Truncate(info.Size()); err != nil {
		return err
	}
	for end := int64(0); ; {
		start, err := in.Seek(end, seekData)
		if errors.Is(err, syscall.ENXIO) { // no data after this
			return nil
		}
		if err != nil {
			return err
		}
		if end, err = in.Seek(start, seekHole); err != nil {
			return err
		}
		if _, err = io.Copy(io.NewOffsetWriter(out, start), io.NewSectionReader(in, start, end-start)); err != nil {
			return err
		}
	}
}
