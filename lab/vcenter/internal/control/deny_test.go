package control

import "testing"

// A privilege is missing where the list says so, and a call is refused only by a list that is enforced.
func TestDeny(t *testing.T) {
	const power, field = "VirtualMachine.Interact.PowerOn", "Global.SetCustomField"
	for _, c := range []struct {
		name    string
		list    DenyList
		on      []string
		granted bool // power
		refused string
	}{
		{"nothing is denied", DenyList{}, []string{"vm"}, true, ""},
		{"asked only", DenyList{Privileges: []string{power}}, []string{"vm"}, false, ""},
		{"enforced", DenyList{Privileges: []string{power}, Enforce: true}, []string{"vm"}, false, power},
		{"a glob", DenyList{Privileges: []string{"VirtualMachine.*"}, Enforce: true}, []string{"vm"}, false, power},
		{"everything, the first is named", DenyList{Privileges: []string{"*"}, Enforce: true}, []string{"vm"}, false, field},
		{"another privilege", DenyList{Privileges: []string{"Global.*"}, Enforce: true}, []string{"vm"}, true, field},
		{"elsewhere", DenyList{Privileges: []string{"*"}, Entities: []string{"other", "x*"}, Enforce: true}, []string{"vm"}, true, ""},
		{"here, by a glob", DenyList{Privileges: []string{power}, Entities: []string{"other", "v?"}, Enforce: true}, []string{"", "vm"}, false, power},
		{"on something nameless", DenyList{Privileges: []string{power}, Entities: []string{"vm"}, Enforce: true}, nil, true, ""},
		{"enforced without privileges", DenyList{Entities: []string{"vm"}, Enforce: true}, []string{"vm"}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Deny
			d.Set(c.list)
			if got := d.Granted(power, c.on...); got != c.granted {
				t.Errorf("granted: %v", got)
			}
			got, refused := d.Refused([]string{field, power}, c.on...)
			if got != c.refused || refused != (c.refused != "") {
				t.Errorf("refused: %q %v", got, refused)
			}
		})
	}
}

// A new list replaces the old one as a whole.
func TestDenyIsReplaced(t *testing.T) {
	var d Deny
	d.Set(DenyList{Privileges: []string{"a"}, Enforce: true})
	d.Set(DenyList{Privileges: []string{"b"}})
	if !d.Granted("a") || d.Granted("b") || d.Get().Enforce {
		t.Errorf("%+v", d.Get())
	}
}
