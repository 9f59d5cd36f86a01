package vcenter

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vmware/govmomi/object"

	"goldsmith/lab/internal/control"
)

// orderedFault answers with what the fault rules order for the files' HTTP door; false means: go on.
// A fault there is a broken transfer (mode task: half of the body is stored, then the connection ends) or a refusal (mode soap).
func (v *VCenter) orderedFault(w http.ResponseWriter, r *http.Request, call *control.Call) bool {
	for _, mode := range []string{control.ModeSOAP, control.ModeTask} {
		verdict, hit := v.Faults.Match(mode, call)
		if !hit {
			continue
		}
		v.Journal.Event("fault", call.Object(), r.Method)
		time.Sleep(verdict.Delay)
		if verdict.Fault == nil {
			continue
		}
		if mode == control.ModeSOAP {
			http.Error(w, "fault ordered by the laboratory", http.StatusInternalServerError)
			return true
		}
		v.half(r)
		panic(http.ErrAbortHandler) // net/http resets the connection
	}
	return false
}

// half stores the first half of an upload.
func (v *VCenter) half(r *http.Request) {
	p := v.path(filepath.Clean("/" + r.URL.Path[len("/folder/"):]))
	if r.Method != http.MethodPut || os.MkdirAll(filepath.Dir(p), 0o755) != nil {
		return
	}
	if f, err := os.Create(p); err == nil {
		_, _ = io.CopyN(f, r.Body, max(r.ContentLength/2, 1))
		_ = f.Close()
	}
}

func (v *VCenter) path(rel string) string { return filepath.Join(v.root, filepath.Clean("/"+rel)) }

// deleteFile removes a file; the stock door answers a DELETE as if it were a GET.
func (v *VCenter) deleteFile(w http.ResponseWriter, p object.DatastorePath) {
	name := v.path(p.Path)
	if _, err := os.Stat(name); p.Datastore != v.Config.Datastore || name == v.root || err != nil {
		http.Error(w, p.String()+" was not found", http.StatusNotFound)
		return
	}
	if err := os.RemoveAll(name); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
