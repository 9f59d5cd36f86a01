package machine

import (
	"context"
	"fmt"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
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
