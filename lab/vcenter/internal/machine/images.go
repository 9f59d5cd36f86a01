package machine

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/guest"
)

// snapshot returns an image with what the guest wrote so far. A stopped guest is committed only once.
func (r *Room) snapshot(m *Machine) (string, error) {
	m.commit.Lock()
	defer m.commit.Unlock()
	m.mu.Lock()
	id, name, image, ref := m.container, m.name, m.image, m.ref.Value
	m.mu.Unlock()
	if id == "" { // never started: a clone begins where this one would
		return image, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := r.Engine.Inspect(ctx, id)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	done := m.committed[s.Started]
	m.mu.Unlock()
	if done != "" && !s.Running {
		return done, nil
	}
	image = strings.ToLower(fmt.Sprintf("%s-%s-img:%s-%d", r.Lab, r.VC, ref, r.images.Add(1)))
	err = r.timed("commit", name, func(ctx context.Context) error { return r.Engine.Commit(ctx, id, image, r.Labels()) })
	if err != nil {
		return "", err
	}
	key := s.Started
	if s.Running { // remembered only so that it is removed in the end
		key = image
	}
	m.mu.Lock()
	m.committed[key] = image
	m.mu.Unlock()
	return image, nil
}

// fit returns the container of a guest that is off, with this environment. A container's is fixed: the first time, and
// when the VM's hardware or guestinfo changed since, a new one is made, which has the disk of the old.
func (r *Room) fit(m *Machine, env map[string]string) (string, error) {
	m.mu.Lock()
	old, fits := m.container, maps.Equal(m.env, env)
	m.mu.Unlock()
	if old != "" && fits {
		return old, nil
	}
	image, err := r.snapshot(m)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	name := m.name
	spec := guest.Spec{
		Name: r.Lab + "-" + r.VC + "-" + m.ref.Value, Hostname: hostname(name), Image: image, Env: env, Labels: r.Labels(),
	}
	spec.Labels[guest.LabelVM], spec.Labels[guest.LabelRef] = name, m.ref.Value
	m.mu.Unlock()
	if old != "" {
		if err := r.timed("remove", name, func(ctx context.Context) error { return r.Engine.Remove(ctx, old) }); err != nil {
			return "", err
		}
	}
	var id string
	err = r.timed("create", name, func(ctx context.Context) (err error) {
		id, err = r.Engine.Create(ctx, spec)
		return err
	})
	// Whatever came of it, the old container is gone, and the disk is in the image.
	m.mu.Lock()
	if m.image != "" && m.image != image { // remembered so that it is removed in the end
		m.committed[m.image] = m.image
	}
	m.container, m.image, m.env = id, image, env
	m.mu.Unlock()
	return id, err
}

// Forget removes a destroyed VM's guest and the images that no other one needs.
func (r *Room) Forget(ref types.ManagedObjectReference) {
	m := r.byRef(ref.Value, false)
	if m == nil {
		return
	}
	m.op.Lock()
	defer m.op.Unlock()
	m.stopping.Store(true)
	m.mu.Lock()
	gone, id, name := m.gone, m.container, m.name
	m.gone = true
	mine := []string{m.image}
	for _, i := range m.committed {
		mine = append(mine, i)
	}
	m.mu.Unlock()
	if gone {
		return
	}
	if id != "" {
		_ = r.timed("remove", name, func(ctx context.Context) error { return r.Engine.Remove(ctx, id) })
	}
	r.mu.Lock()
	delete(r.all, ref.Value)
	r.mu.Unlock()
	needed := map[string]bool{"": true}
	for _, o := range r.machines() {
		o.mu.Lock()
		needed[o.image] = true
		for _, i := range o.committed {
			needed[i] = true
		}
		o.mu.Unlock()
	}
	for _, i := range mine {
		if !needed[i] {
			_ = r.timed("remove image", name, func(ctx context.Context) error { return r.Engine.RemoveImage(ctx, i) })
			needed[i] = true
		}
	}
}
