package control

import "sync"

// DenyList says which privileges the user lacks.
type DenyList struct {
	Privileges []string `json:"privileges"` // globs
	Entities   []string `json:"entities"`   // globs of names or morefs; empty = everywhere
	Enforce    bool     `json:"enforce"`    // also refuse the calls, not only answer that they would be
}

// Deny holds the list in force.
type Deny struct {
	mu   sync.Mutex
	list DenyList
}

// Set replaces the list.
func (d *Deny) Set(l DenyList) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = l
}

// Get returns the list.
func (d *Deny) Get() DenyList {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.list
}

// Granted tells whether the user has a privilege on something known by these names.
func (d *Deny) Granted(privilege string, names ...string) bool {
	l := d.Get()
	lacking := false
	for _, p := range l.Privileges {
		lacking = lacking || glob(p, privilege)
	}
	if !lacking || len(l.Entities) == 0 {
		return !lacking
	}
	for _, e := range l.Entities {
		if glob(e, names...) {
			return false
		}
	}
	return true
}

// Refused returns the first privilege that an enforced list denies.
func (d *Deny) Refused(privileges []string, names ...string) (string, bool) {
	if !d.Get().Enforce {
		return "", false
	}
	for _, p := range privileges {
		if !d.Granted(p, names...) {
			return p, true
		}
	}
	return "", false
}
