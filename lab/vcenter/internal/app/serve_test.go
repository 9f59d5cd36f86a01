package app

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/guest/fake"
)

// freePort returns an address nobody listens on; the configuration must name the port before anybody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// started is a laboratory of two vCenters with fake guests.
type started struct {
	t     *testing.T
	cfg   config.Config
	token string
}

func start(t *testing.T) *started {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "mirror", "dists", "trixie", "main", "binary-amd64"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"lab":"t","admin":%q,"mirror":%q,"mirror_root":"%[3]s/mirror","state":"%[3]s/state","share":"%[3]s/share",
		"share_from":"%[3]s/none","datastores":"%[3]s/volumes","vcenters":[{"name":"lab","listen":"127.0.0.1:0"},{"name":"lab2","listen":"127.0.0.1:0"}]}`,
		freePort(t), freePort(t), dir)
	t.Setenv(config.Env, text)
	cfg, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := Run(ctx, cfg, fake.New(), out)
		_ = out.CloseWithError(io.EOF)
		done <- err
	}()
	line, _ := bufio.NewReader(in).ReadString('\n')
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if line != "ready\n" {
		t.Fatalf("said %q", line)
	}
	raw, err := os.ReadFile(cfg.Token)
	if err != nil {
		t.Fatal(err)
	}
	return &started{t, cfg, strings.TrimSpace(string(raw))}
}

func (s *started) do(method, path, token, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "http://"+s.cfg.Admin+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(data)
}

// A started laboratory is healthy, has its secrets in files of its own, and a key for its repository in the share.
func TestServe(t *testing.T) {
	s := start(t)
	if err := Health(t.Context()); err != nil {
		t.Error(err)
	}
	for _, f := range []string{"ca.pem", "ca.key", "token", "lab.password", "lab2.password"} {
		fi, err := os.Stat(filepath.Join(s.cfg.State, f))
		if err != nil || fi.Size() == 0 || (f != "ca.pem" && fi.Mode().Perm() != 0o600) {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := os.Stat(filepath.Join(s.cfg.Share, "mirror.gpg")); err != nil {
		t.Error(err)
	}
}

// The admin API knows every vCenter, for whoever has the token in the state's folder; their orders are their own.
func TestAdmin(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		method, path, token, body string
		status                    int
		want                      string
	}{
		{"GET", "/healthz", "", "", 200, "ok"},
		{"GET", "/vc/lab/events", "x", "", 401, "token"},
		{"GET", "/vc/nowhere/events", s.token, "", 404, "nowhere"},
		{"GET", "/vc/lab2/vms", s.token, "", 200, "[]"},
		{"POST", "/vc/lab/faults", s.token, `{"method":"PowerOnVM_Task","fault":"InvalidState"}`, 200, `"id":1`},
		{"GET", "/vc/lab/faults", s.token, "", 200, "InvalidState"},
		{"GET", "/vc/lab2/faults", s.token, "", 200, "[]"},
		{"POST", "/vc/lab/outage", s.token, "", 200, `"up":false`},
		{"GET", "/healthz", "", "", 200, "ok"},
		{"DELETE", "/vc/lab/outage", s.token, "", 200, `"up":true`},
	} {
		status, text := s.do(c.method, c.path, c.token, c.body)
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, status, text)
		}
	}
}
