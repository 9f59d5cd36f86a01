package fake

// ByVM returns a copy of the machine of a VM (by the label), or nil.
func (e *Engine) ByVM(label, name string) *Machine {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.machines {
		if m.Spec.Labels[label] == name {
			c := *m
			return &c
		}
	}
	return nil
}

// Mark writes something to a machine's disk.
func (e *Engine) Mark(id, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.machines[id]; m != nil {
		m.Marks = append(m.Marks, what)
	}
}

// Count returns how many machines and images there are.
func (e *Engine) Count() (machines, images int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.machines), len(e.images)
}
