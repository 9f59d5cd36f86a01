package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"goldsmith/lab/internal/console"
	"goldsmith/lab/internal/control"
)

// calls are all that the API knows, each as one that works.
var calls = []struct{ method, path, body string }{
	{"GET", "/vc/lab/events", ""},
	{"GET", "/vc/lab/mutations", ""},
	{"GET", "/vc/lab/vms", ""},
	{"POST", "/vc/lab/faults", `{"method":"M"}`},
	{"GET", "/vc/lab/faults", ""},
	{"DELETE", "/vc/lab/faults", ""},
	{"PUT", "/vc/lab/deny", `{}`},
	{"GET", "/vc/lab/deny", ""},
	{"PUT", "/vc/lab/barriers/b", `{"method":"M"}`},
	{"GET", "/vc/lab/barriers/b", ""},
	{"DELETE", "/vc/lab/barriers/b", ""},
	{"POST", "/vc/lab/outage", ""},
	{"DELETE", "/vc/lab/outage", ""},
	{"POST", "/vc/lab/expire-sessions", ""},
}

// Nothing is told or done without the token, and nothing of a vCenter that is not there; each answer is JSON.
func TestWhoMayAsk(t *testing.T) {
	a := newAPI(t)
	for _, c := range calls {
		for _, x := range []struct {
			bearer, vcenter string
			status          int
			text            string
		}{
			{"", "lab", http.StatusUnauthorized, "bearer token"},
			{token + "x", "lab", http.StatusUnauthorized, "bearer token"},
			{token[1:], "lab", http.StatusUnauthorized, "bearer token"},
			{token, "none", http.StatusNotFound, `no vCenter \"none\"`},
			{token, "lab", http.StatusOK, ""},
		} {
			path := strings.Replace(c.path, "/vc/lab/", "/vc/"+x.vcenter+"/", 1)
			status, kind, text := a.send(c.method, path, x.bearer, c.body)
			if status != x.status || kind != "application/json" || !json.Valid([]byte(text)) || !strings.Contains(text, x.text) {
				t.Errorf("%s %s as %q: %d %s %s", c.method, path, x.bearer, status, kind, text)
			}
		}
	}
	if n := len(a.VCenters["other"].Journal.Events.Since(0)); n != 0 {
		t.Errorf("the other vCenter has %d events", n)
	}
}

// An order that is wrong is refused with the reason, and nothing is ordered.
func TestWrongOrders(t *testing.T) {
	a := newAPI(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/vc/lab/events?since=x", "", 400, "since"},
		{"GET", "/vc/lab/mutations?since=1.5", "", 400, "since"},
		{"GET", "/vc/lab/vm/none/console", "", 404, `no VM \"none\"`},
		{"POST", "/vc/lab/faults", `{"methd":"M"}`, 400, "methd"},
		{"POST", "/vc/lab/faults", `{"method":"M"`, 400, "body"},
		{"POST", "/vc/lab/faults", `{"method":"M","fault":"NoSuch"}`, 400, "NoSuch"},
		{"POST", "/vc/lab/faults", "", 400, "method is missing"},
		{"POST", "/vc/lab/faults", `{"method":"` + strings.Repeat("x", 1<<20) + `"}`, 400, "body"},
		{"PUT", "/vc/lab/deny", `["x"]`, 400, "body"},
		{"PUT", "/vc/lab/barriers/b", "", 400, "method is missing"},
		{"PUT", "/vc/lab/barriers/b", `{"method":"M","object":"["}`, 400, "object"},
		{"GET", "/vc/lab/barriers/none", "", 404, `no barrier \"none\"`},
		{"DELETE", "/vc/lab/barriers/none", "", 404, `no barrier \"none\"`},
		{"POST", "/vc/lab/outage", `{"seconds":-1}`, 400, "negative"},
		{"POST", "/vc/lab/outage", `{"seconds":"1"}`, 400, "body"},
		{"PATCH", "/vc/lab/faults", "", 405, ""},
		{"GET", "/vc/lab/nothing", "", 404, ""},
	} {
		status, _, text := a.send(c.method, c.path, token, c.body)
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s %.40s: %d %s", c.method, c.path, c.body, status, text)
		}
	}
	v := a.VCenters["lab"]
	if len(v.Faults.All()) != 0 || !v.Up() || len(v.Deny.Get().Privileges) != 0 {
		t.Errorf("ordered all the same: %+v, up %v, %+v", v.Faults.All(), v.Up(), v.Deny.Get())
	}
	if _, ok := v.Barriers.Get(t.Context(), "b", false); ok {
		t.Error("a barrier was raised")
	}
}

// Faults are added with a number, listed with their counters, and forgotten together, on one vCenter.
func TestFaults(t *testing.T) {
	a := newAPI(t)
	var one control.Rule
	a.done("POST", "/vc/lab/faults", `{"method":"M","object":"vm*","nth":2,"count":1,"delay_ms":5,"fault":"InvalidState","message":"no","mode":"soap"}`, &one)
	v := a.VCenters["lab"]
	call := &control.Call{Method: "M", Subjects: []string{"vm1"}}
	if _, hit := v.Faults.Match(control.ModeSOAP, call); hit {
		t.Error("the first call was hit")
	}
	if verdict, hit := v.Faults.Match(control.ModeSOAP, call); !hit || verdict.Fault == nil {
		t.Error("the second call was not hit")
	}
	var all []control.Rule
	a.done("GET", "/vc/lab/faults", "", &all)
	if len(all) != 1 || all[0].ID != one.ID || all[0].Seen != 2 || all[0].Hits != 1 || all[0].Message != "no" {
		t.Errorf("%+v", all)
	}
	a.done("GET", "/vc/other/faults", "", &all)
	if len(all) != 0 {
		t.Errorf("of the other: %+v", all)
	}
	a.done("DELETE", "/vc/lab/faults", "", &all)
	if len(all) != 0 || len(v.Faults.All()) != 0 {
		t.Errorf("after forgetting: %+v", all)
	}
}

// A list of missing privileges replaces the one before; an empty one gives all back.
func TestDeny(t *testing.T) {
	a := newAPI(t)
	v := a.VCenters["lab"]
	var got control.DenyList
	a.done("PUT", "/vc/lab/deny", `{"privileges":["Global.*"],"entities":["vm"],"enforce":true}`, &got)
	if !got.Enforce || v.Deny.Granted("Global.X", "vm") || !v.Deny.Granted("Global.X", "else") {
		t.Errorf("%+v", got)
	}
	a.done("PUT", "/vc/lab/deny", "", &got)
	a.done("GET", "/vc/lab/deny", "", &got)
	if !v.Deny.Granted("Global.X", "vm") {
		t.Errorf("still: %+v", got)
	}
}

// Whoever asks with wait is answered when a call stands at the barrier; it runs when it is let go, or never.
func TestBarriers(t *testing.T) {
	for query, ran := range map[string]bool{"": true, "?refuse=1": false} {
		a := newAPI(t)
		var b control.Barrier
		a.done("PUT", "/vc/lab/barriers/b", `{"method":"Clone*","object":"vm"}`, &b)
		if b.ID != "b" || b.Waiting == nil || len(b.Waiting) != 0 {
			t.Errorf("raised: %+v", b)
		}
		passed := make(chan bool)
		go func() {
			time.Sleep(20 * time.Millisecond) // whoever waits is there before
			call := &control.Call{Method: "CloneVM_Task", Subjects: []string{"vm"}, User: "u", Agent: "g"}
			passed <- a.VCenters["lab"].Barriers.Pass(context.Background(), call)
		}()
		a.done("GET", "/vc/lab/barriers/b?wait=1", "", &b)
		if len(b.Waiting) != 1 || b.Waiting[0] != (control.Waiting{Method: "CloneVM_Task", Object: "vm", User: "u", Agent: "g"}) {
			t.Errorf("waiting: %+v", b)
		}
		a.done("DELETE", "/vc/lab/barriers/b"+query, "", &map[string]bool{})
		if got := <-passed; got != ran {
			t.Errorf("%q: ran %v", query, got)
		}
	}
}

// The diary is read from a number on, at once or as soon as there is more.
func TestEvents(t *testing.T) {
	a := newAPI(t)
	j := a.VCenters["lab"].Journal
	type entry struct {
		Seq                  int64
		Kind, Object, Method string
		Agent                string `json:"user_agent"`
	}
	var got []entry
	a.done("GET", "/vc/lab/events?since=0", "", &got)
	if got == nil || len(got) != 0 {
		t.Fatalf("at first: %+v", got)
	}
	j.Event("power", "vm", "on")
	j.Mutation("PowerOnVM_Task", "vm", "u", "packer")
	a.done("GET", "/vc/lab/mutations?since=0&wait=1", "", &got)
	if len(got) != 1 || got[0] != (entry{Seq: 1, Object: "vm", Method: "PowerOnVM_Task", Agent: "packer"}) {
		t.Errorf("changes: %+v", got)
	}
	answered := make(chan []entry)
	go func() {
		var later []entry
		a.done("GET", "/vc/lab/events?since=1&wait=1", "", &later)
		answered <- later
	}()
	j.Event("guest", "vm", nil)
	if later := <-answered; len(later) != 1 || later[0].Seq != 2 || later[0].Kind != "guest" {
		t.Errorf("later: %+v", later)
	}
}

// VMs are listed, and a console is plain text under the VM's name or reference.
func TestConsole(t *testing.T) {
	a := newAPI(t)
	v := a.VCenters["lab"]
	vm := &simulator.VirtualMachine{}
	vm.Name, vm.Config, vm.Guest = "a b/c", &types.VirtualMachineConfigInfo{}, &types.GuestInfo{}
	v.Machines.Tasks.Context().Map.Put(vm)
	must(t, v.Machines.ByName(vm.Name).Console.Follow(strings.NewReader("Welcome\n"), func(console.Event) {}))
	for _, name := range []string{"a%20b%2Fc", vm.Self.Value} {
		status, kind, text := a.send("GET", "/vc/lab/vm/"+name+"/console", token, "")
		if status != 200 || kind != "text/plain; charset=utf-8" || text != "Welcome\n" {
			t.Errorf("%s: %d %s %q", name, status, kind, text)
		}
	}
	var all []struct{ Name, Ref string }
	a.done("GET", "/vc/lab/vms", "", &all)
	if len(all) != 1 || all[0].Name != vm.Name || all[0].Ref != vm.Self.Value {
		t.Errorf("%+v", all)
	}
}

// A vCenter that is lost on order is back on order, and its laboratory is healthy all the while; one that is not ready
// says so.
func TestOutageAndHealth(t *testing.T) {
	a := newAPI(t)
	var told map[string]bool
	healthy := func(want int, text string) {
		t.Helper()
		if status, _, got := a.send("GET", "/healthz", "", ""); status != want || !strings.Contains(got, text) {
			t.Errorf("health: %d %s", status, got)
		}
	}
	a.done("POST", "/vc/lab/outage", "", &told)
	if told["up"] || a.VCenters["lab"].Up() || !a.VCenters["other"].Up() {
		t.Errorf("lost: %v", told)
	}
	healthy(200, "ok")
	a.done("DELETE", "/vc/lab/outage", "", &told)
	if !told["up"] || !a.VCenters["lab"].Up() {
		t.Errorf("back: %v", told)
	}
	a.Ready = func() error { return errors.New("not yet") }
	healthy(503, "not yet")
}
