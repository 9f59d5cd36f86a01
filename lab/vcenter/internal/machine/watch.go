package machine

import (
	"context"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/console"
	"goldsmith/lab/internal/guest"
)

// follow reads a guest's console until it ends and acts on its events.
func (r *Room) follow(m *Machine, id string, number int, since time.Time) {
	out, err := r.Engine.Console(context.Background(), id, since)
	if err != nil {
		r.Journal.Event("engine", m.label(), "console: "+err.Error())
		return
	}
	defer out.Close()
	_ = m.Console.Follow(out, func(e console.Event) {
		r.Journal.Event("guest", m.label(), e.Fields)
		if e.Name == console.ToolsRunning {
			name, _ := e.Fields["hostname"].(string)
			r.toolsRunning(m, id, number, name)
		}
	})
}

func (m *Machine) label() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.name
}

// stale tells whether a start is not the present one any more.
func (m *Machine) stale(number int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gone || m.boot != number
}

func (r *Room) vm(m *Machine) *simulator.VirtualMachine {
	m.mu.Lock()
	ref := m.ref
	m.mu.Unlock()
	vm, _ := r.Tasks.Service.Context.Map.Get(ref).(*simulator.VirtualMachine)
	return vm
}

// toolsRunning copies the guest's address into its VM, as VMware Tools would report it.
func (r *Room) toolsRunning(m *Machine, id string, number int, host string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := r.Engine.Inspect(ctx, id)
	vm := r.vm(m)
	if err != nil || vm == nil || !s.Address.IsValid() {
		return
	}
	c := r.Tasks.Context()
	c.WithLock(vm, func() {
		if m.stale(number) {
			return
		}
		if host == "" {
			host = vm.Name
		}
		c.Update(vm, reported(vm, s, host))
	})
}

// reported are the properties that VMware Tools set.
func reported(vm *simulator.VirtualMachine, s guest.State, host string) []types.PropertyChange {
	ip := s.Address.Addr().String()
	var nics []types.GuestNicInfo
	for i, d := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualEthernetCard)(nil)) {
		card := d.(types.BaseVirtualEthernetCard).GetVirtualEthernetCard()
		// The card's own address, not the container's: an engine that is told a MAC keeps stale ARP entries.
		n := types.GuestNicInfo{Network: "VM Network", MacAddress: card.MacAddress, Connected: true, DeviceConfigId: card.Key}
		if i == 0 {
			n.IpAddress = []string{ip}
			n.IpConfig = &types.NetIpConfigInfo{IpAddress: []types.NetIpConfigInfoIpAddress{
				{IpAddress: ip, PrefixLength: int32(s.Address.Bits()), State: "preferred"},
			}}
		}
		nics = append(nics, n)
	}
	running := string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
	return []types.PropertyChange{
		{Name: "guest.net", Val: nics}, {Name: "guest.ipAddress", Val: ip}, {Name: "summary.guest.ipAddress", Val: ip},
		{Name: "guest.hostName", Val: host}, {Name: "summary.guest.hostName", Val: host},
		{Name: "guest.guestState", Val: string(types.VirtualMachineGuestStateRunning)},
		{Name: "guest.toolsStatus", Val: types.VirtualMachineToolsStatusToolsOk},
		{Name: "summary.guest.toolsStatus", Val: types.VirtualMachineToolsStatusToolsOk},
		{Name: "guest.toolsRunningStatus", Val: running}, {Name: "summary.guest.toolsRunningStatus", Val: running},
	}
}

// silent are the properties of a VM whose tools say nothing.
func silent() []types.PropertyChange {
	none := string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)
	return []types.PropertyChange{
		{Name: "guest.net", Val: []types.GuestNicInfo{}}, {Name: "guest.ipAddress", Val: ""}, {Name: "summary.guest.ipAddress", Val: ""},
		{Name: "guest.guestState", Val: string(types.VirtualMachineGuestStateNotRunning)},
		{Name: "guest.toolsStatus", Val: types.VirtualMachineToolsStatusToolsNotRunning},
		{Name: "summary.guest.toolsStatus", Val: types.VirtualMachineToolsStatusToolsNotRunning},
		{Name: "guest.toolsRunningStatus", Val: none}, {Name: "summary.guest.toolsRunningStatus", Val: none},
	}
}

// silence makes what the present start said stale and takes it out of the VM.
func (r *Room) silence(vm *simulator.VirtualMachine, m *Machine, more ...types.PropertyChange) {
	c := r.Tasks.Context()
	c.WithLock(vm, func() {
		m.mu.Lock()
		m.boot++
		m.mu.Unlock()
		c.Update(vm, append(more, silent()...))
	})
}

// poweredOff says that the guest ended.
func (r *Room) poweredOff(vm *simulator.VirtualMachine, m *Machine) {
	r.silence(vm, m,
		types.PropertyChange{Name: "runtime.powerState", Val: off},
		types.PropertyChange{Name: "summary.runtime.powerState", Val: off},
		types.PropertyChange{Name: "summary.runtime.bootTime", Val: nil})
}

// Watch acts on guests that end by themselves, until ctx ends.
func (r *Room) Watch(ctx context.Context) {
	for ctx.Err() == nil {
		exits, err := r.Engine.Exits(ctx, r.Labels())
		if err == nil {
			r.reconcile(ctx) // what happened while nobody listened
			for x := range exits {
				if m := r.byContainer(x.ID); m != nil {
					go r.ended(m, x.Code)
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // the engine is gone or restarts
		}
	}
}

func (r *Room) byContainer(id string) *Machine {
	for _, m := range r.machines() {
		m.mu.Lock()
		hit := m.container == id
		m.mu.Unlock()
		if hit {
			return m
		}
	}
	return nil
}

func (r *Room) reconcile(ctx context.Context) {
	for _, m := range r.machines() {
		m.mu.Lock()
		id := m.container
		m.mu.Unlock()
		if id == "" {
			continue
		}
		if s, err := r.Engine.Inspect(ctx, id); err == nil && !s.Running {
			r.ended(m, s.ExitCode)
		}
	}
}

// ended handles a guest that ended: a reboot starts it again, anything else is a power off.
func (r *Room) ended(m *Machine, code int) {
	if m.stopping.Load() {
		return
	}
	m.op.Lock()
	defer m.op.Unlock()
	vm := r.vm(m)
	m.mu.Lock()
	id, gone := m.container, m.gone
	m.mu.Unlock()
	if vm == nil || gone || m.stopping.Load() {
		return
	}
	c := r.Tasks.Context()
	if r.power(c, vm) != on {
		return
	}
	// The event may be late: believe only the present state.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s, err := r.Engine.Inspect(ctx, id); err == nil && s.Running {
		return
	}
	r.Journal.Event("guest-exit", m.label(), code)
	if code == guest.ExitReboot {
		var b boot
		c.WithLock(vm, func() { b = r.read(vm) })
		r.silence(vm, m)
		if r.start(m, b) == nil {
			return
		}
	}
	r.poweredOff(vm, m)
}
