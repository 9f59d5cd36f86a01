package control

import "testing"

// Both patterns must fit; an object is known by any of its names; nothing, or a lone star, fits everything.
func TestMatches(t *testing.T) {
	call := &Call{Method: "PowerOnVM_Task", Subjects: []string{"", "base-1", "vm-30", "[lab-ds] iso/x.iso"}}
	for _, c := range []struct {
		method, object string
		want           bool
	}{
		{"", "", true},
		{"*", "*", true},
		{"PowerOnVM_Task", "", true},
		{"Power*", "base-?", true},
		{"Power*", "vm-30", true},
		{"PowerOffVM_Task", "base-1", false},
		{"PowerOnVM_Task", "base-2", false},
		{"poweronvm_task", "", false},
		{"PowerOn", "", false},
		{"", "* iso/*.iso", true},
		{"", "*.iso", false}, // a star ends at a slash
		{"", "[", false},
	} {
		if got := call.Matches(c.method, c.object); got != c.want {
			t.Errorf("%q, %q: %v", c.method, c.object, got)
		}
	}
	nameless := &Call{Method: "Login"}
	if nameless.Matches("", "x*") || !nameless.Matches("Login", "*") {
		t.Error("a call about nothing")
	}
}

// Logs show the first name that a call's object has.
func TestObject(t *testing.T) {
	for _, c := range []struct {
		subjects []string
		want     string
	}{{nil, ""}, {[]string{"", ""}, ""}, {[]string{"", "b", "c"}, "b"}} {
		if got := (&Call{Subjects: c.subjects}).Object(); got != c.want {
			t.Errorf("%q: %q", c.subjects, got)
		}
	}
}

// A pattern that could never fit is refused, whichever of the two it is.
func TestCheckPatterns(t *testing.T) {
	for _, c := range []struct {
		method, object string
		ok             bool
	}{{"Power*", "base-?", true}, {"Login", "", true}, {"", "x", false}, {"[", "x", false}, {"Login", "a[", false}} {
		if err := CheckPatterns(c.method, c.object); (err == nil) != c.ok {
			t.Errorf("%q, %q: %v", c.method, c.object, err)
		}
	}
}
