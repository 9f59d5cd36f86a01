package vcenter

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/soap"

	"goldsmith/lab/internal/control"
)

// front stands between the clients and the simulator's HTTP handlers.
func (v *VCenter) front(stock http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/folder/"):
			v.datastore(w, r, stock)
		case strings.HasPrefix(r.URL.Path, "/sdk"):
			stock.ServeHTTP(&speaking{ResponseWriter: w}, r)
		default:
			if restMutation(r) {
				user, _, _ := r.BasicAuth()
				v.Journal.Mutation("REST "+r.Method, r.URL.Path, user, r.UserAgent())
			}
			stock.ServeHTTP(w, r)
		}
	})
}

// speaking gives faults the text that a vCenter would send.
type speaking struct{ http.ResponseWriter }

// Write gets a whole answer: the simulator encodes it into a buffer first.
func (s *speaking) Write(p []byte) (int, error) {
	out := p
	if bytes.Contains(p, []byte("<faultstring>")) || bytes.Contains(p, []byte(typed)) {
		out = speak(p)
	}
	if _, err := s.ResponseWriter.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// restMutation tells whether a REST call changes something. Sessions do not count, and POST is also used to ask.
func restMutation(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || strings.HasSuffix(r.URL.Path, "/session") {
		return false
	}
	action := r.URL.Query().Get("~action") + r.URL.Query().Get("action")
	for _, p := range []string{"list", "find", "get", "filter"} {
		if strings.HasPrefix(action, p) {
			return false
		}
	}
	return strings.HasPrefix(r.URL.Path, "/rest/") || strings.HasPrefix(r.URL.Path, "/api/")
}

// datastore is the files' HTTP door. The stock one asks nobody who they are.
func (v *VCenter) datastore(w http.ResponseWriter, r *http.Request, stock http.Handler) {
	user, ok := v.who(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "not authenticated", http.StatusUnauthorized)
		return
	}
	p := object.DatastorePath{Datastore: r.URL.Query().Get("dsName"), Path: strings.TrimPrefix(r.URL.Path, "/folder/")}
	call := &control.Call{Method: r.Method, Subjects: []string{p.String(), p.Path, p.Datastore}, User: user, Agent: r.UserAgent()}
	privilege, write := "Datastore.Browse", r.Method != http.MethodGet && r.Method != http.MethodHead
	if write {
		privilege = "Datastore.FileManagement"
		v.Journal.Mutation(r.Method, call.Object(), user, r.UserAgent())
	}
	if !v.Barriers.Pass(r.Context(), call) {
		http.Error(w, "canceled", http.StatusServiceUnavailable)
		return
	}
	if p, refused := v.Deny.Refused([]string{privilege}, call.Subjects...); refused {
		v.Journal.Event("denied", call.Object(), r.Method+": "+p)
		http.Error(w, "no permission: "+p, http.StatusForbidden)
		return
	}
	if v.orderedFault(w, r, call) {
		return
	}
	if r.Method == http.MethodDelete {
		v.deleteFile(w, p)
		return
	}
	stock.ServeHTTP(w, r)
}

// who returns the user of a request, by the SOAP session's cookie or by name and password.
func (v *VCenter) who(r *http.Request) (string, bool) {
	if user, password, ok := r.BasicAuth(); ok && user == v.Config.User && password == v.password {
		return user, true
	}
	cookie, err := r.Cookie(soap.SessionCookieName)
	if err != nil {
		return "", false
	}
	for _, s := range v.sessions() {
		if s.Key == strings.Trim(cookie.Value, `"`) {
			return s.UserName, true
		}
	}
	return "", false
}
