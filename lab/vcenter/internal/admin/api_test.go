package admin_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"goldsmith/lab/internal/admin"
	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/guest/fake"
	"goldsmith/lab/internal/tlsca"
	"goldsmith/lab/internal/vcenter"
)

const token = "s3cret"

// api is the admin API of two vCenters, lab and other.
type api struct {
	*admin.API
	t   *testing.T
	url string
}

func newAPI(t *testing.T) *api {
	t.Helper()
	dir := t.TempDir()
	settings, err := tlsca.Load(dir, []string{"127.0.0.1"})
	must(t, err)
	a := &api{API: &admin.API{Token: token, VCenters: map[string]*vcenter.VCenter{}, Ready: func() error { return nil }}, t: t}
	for _, name := range []string{"lab", "other"} {
		cfg := config.VCenter{Name: name, Listen: "127.0.0.1:0", User: "user", Datastore: name + "-ds"}
		v, err := vcenter.New(cfg, vcenter.Options{
			Lab: "test", Datastores: filepath.Join(dir, "volumes"), Password: "x", Engine: fake.New(), TLS: settings,
		})
		must(t, err)
		must(t, v.Listen())
		t.Cleanup(func() { must(t, v.Close(context.Background())) })
		a.VCenters[name] = v
	}
	s := httptest.NewServer(a.Handler())
	t.Cleanup(s.Close)
	a.url = s.URL
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send returns the answer to a request: its status, its kind, and its text.
func (a *api) send(method, path, bearer, body string) (status int, kind, text string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	must(a.t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	must(a.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	must(a.t, err)
	return res.StatusCode, res.Header.Get("Content-Type"), string(data)
}

// done sends a request that must succeed, and decodes its answer into *into*.
func (a *api) done(method, path, body string, into any) {
	a.t.Helper()
	status, kind, text := a.send(method, path, token, body)
	if status != http.StatusOK || kind != "application/json" {
		a.t.Fatalf("%s %s: %d %s %s", method, path, status, kind, text)
	}
	must(a.t, json.Unmarshal([]byte(text), into))
}
