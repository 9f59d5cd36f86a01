// Package admin is the HTTP API by which tests look into the laboratory and order trouble.
package admin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"goldsmith/lab/internal/control"
	"goldsmith/lab/internal/vcenter"
)

// longest is how long a waiting request is held, so that no proxy cuts it first.
const longest = 60 * time.Second

// API serves the vCenters by name.
type API struct {
	Token    string
	VCenters map[string]*vcenter.VCenter
	Ready    func() error // nil = everything works
}

// failure is an answer that is no success.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

type handler func(v *vcenter.VCenter, r *http.Request) (any, error)

// Handler returns the API. All answers are JSON, except a console's text.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health)
	for pattern, h := range map[string]handler{
		"GET /vc/{vc}/events":            events,
		"GET /vc/{vc}/mutations":         mutations,
		"GET /vc/{vc}/vms":               func(v *vcenter.VCenter, _ *http.Request) (any, error) { return v.Machines.List(), nil },
		"GET /vc/{vc}/vm/{name}/console": consoleText,
		"POST /vc/{vc}/faults":           addFault,
		"GET /vc/{vc}/faults":            func(v *vcenter.VCenter, _ *http.Request) (any, error) { return v.Faults.All(), nil },
		"DELETE /vc/{vc}/faults":         func(v *vcenter.VCenter, _ *http.Request) (any, error) { v.Faults.Clear(); return v.Faults.All(), nil },
		"PUT /vc/{vc}/deny":              setDeny,
		"GET /vc/{vc}/deny":              func(v *vcenter.VCenter, _ *http.Request) (any, error) { return v.Deny.Get(), nil },
		"PUT /vc/{vc}/barriers/{id}":     putBarrier,
		"GET /vc/{vc}/barriers/{id}":     getBarrier,
		"DELETE /vc/{vc}/barriers/{id}":  deleteBarrier,
		"POST /vc/{vc}/outage":           outage,
		"DELETE /vc/{vc}/outage":         restore,
		"POST /vc/{vc}/expire-sessions":  expire,
	} {
		mux.Handle(pattern, a.guarded(h))
	}
	return mux
}

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	if err := a.Ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

// guarded checks the token, finds the vCenter and writes what the handler returns.
func (a *API) guarded(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(a.Token)) != 1 {
			reply(w, http.StatusUnauthorized, map[string]string{"error": "the bearer token is missing or wrong"})
			return
		}
		v := a.VCenters[r.PathValue("vc")]
		if v == nil {
			reply(w, http.StatusNotFound, map[string]string{"error": fmt.Sprintf("no vCenter %q", r.PathValue("vc"))})
			return
		}
		x, err := h(v, r)
		if err != nil {
			status := http.StatusBadRequest
			if f, ok := err.(*failure); ok {
				status = f.status
			}
			reply(w, status, map[string]string{"error": err.Error()})
			return
		}
		if text, ok := x.(string); ok {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, text)
			return
		}
		reply(w, http.StatusOK, x)
	})
}

func reply(w http.ResponseWriter, status int, x any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(x)
}

// decode reads a JSON body and refuses unknown keys; an empty body leaves x as it is.
func decode(r *http.Request, x any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(x); err != nil && err != io.EOF {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

// page reads ?since=N&wait=1.
func page(r *http.Request) (since int64, wait bool, err error) {
	if s := r.URL.Query().Get("since"); s != "" {
		if since, err = strconv.ParseInt(s, 10, 64); err != nil {
			return 0, false, fmt.Errorf("since: %w", err)
		}
	}
	return since, r.URL.Query().Get("wait") != "", nil
}

func events(v *vcenter.VCenter, r *http.Request) (any, error) {
	since, wait, err := page(r)
	if err != nil || !wait {
		return v.Journal.Events.Since(since), err
	}
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	return v.Journal.Events.Wait(ctx, since), nil
}

func mutations(v *vcenter.VCenter, r *http.Request) (any, error) {
	since, wait, err := page(r)
	if err != nil || !wait {
		return v.Journal.Mutations.Since(since), err
	}
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	return v.Journal.Mutations.Wait(ctx, since), nil
}

func consoleText(v *vcenter.VCenter, r *http.Request) (any, error) {
	m := v.Machines.ByName(r.PathValue("name"))
	if m == nil {
		return nil, &failure{http.StatusNotFound, fmt.Sprintf("no VM %q", r.PathValue("name"))}
	}
	return m.Console.Text(), nil
}

func addFault(v *vcenter.VCenter, r *http.Request) (any, error) {
	var rule control.Rule
	if err := decode(r, &rule); err != nil {
		return nil, err
	}
	return v.Faults.Add(rule)
}

func setDeny(v *vcenter.VCenter, r *http.Request) (any, error) {
	var l control.DenyList
	if err := decode(r, &l); err != nil {
		return nil, err
	}
	v.Deny.Set(l)
	return l, nil
}

func putBarrier(v *vcenter.VCenter, r *http.Request) (any, error) {
	var b struct {
		Method string `json:"method"`
		Object string `json:"object"`
	}
	if err := decode(r, &b); err != nil {
		return nil, err
	}
	if err := control.CheckPatterns(b.Method, b.Object); err != nil {
		return nil, err
	}
	return v.Barriers.Put(r.PathValue("id"), b.Method, b.Object), nil
}

func getBarrier(v *vcenter.VCenter, r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	b, ok := v.Barriers.Get(ctx, r.PathValue("id"), r.URL.Query().Get("wait") != "")
	if !ok {
		return nil, &failure{http.StatusNotFound, fmt.Sprintf("no barrier %q", r.PathValue("id"))}
	}
	return b, nil
}

func deleteBarrier(v *vcenter.VCenter, r *http.Request) (any, error) {
	if !v.Barriers.Release(r.PathValue("id"), r.URL.Query().Get("refuse") != "") {
		return nil, &failure{http.StatusNotFound, fmt.Sprintf("no barrier %q", r.PathValue("id"))}
	}
	return map[string]bool{"released": true}, nil
}

func outage(v *vcenter.VCenter, r *http.Request) (any, error) {
	var b struct {
		Seconds float64 `json:"seconds"` // 0 = until DELETE
	}
	if err := decode(r, &b); err != nil {
		return nil, err
	}
	if b.Seconds < 0 {
		return nil, fmt.Errorf("seconds is negative")
	}
	v.Outage(time.Duration(b.Seconds * float64(time.Second)))
	return up(v), nil
}

func up(v *vcenter.VCenter) map[string]bool { return map[string]bool{"up": v.Up()} }

func expire(v *vcenter.VCenter, _ *http.Request) (any, error) {
	return map[string]int{"expired": v.ExpireSessions()}, nil
}

func restore(v *vcenter.VCenter, _ *http.Request) (any, error) {
	if err := v.Restore(); err != nil {
		return nil, &failure{http.StatusInternalServerError, err.Error()}
	}
	return up(v), nil
}
