//go:build docker

// These tests start containers: go test -tags docker ./internal/guest/docker
package docker

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"goldsmith/lab/internal/guest"
)

const image = "goldsmith-lab-test:guest"

var labels = map[string]string{guest.LabelSuite: "1", guest.LabelLab: "docker-test", guest.LabelVCenter: "vc"}

// newEngine returns an engine whose blank machines run testdata/init.
func newEngine(t *testing.T) *Engine {
	t.Helper()
	ctx := context.Background()
	bin := filepath.Join(t.TempDir(), "init")
	build := exec.Command("go", "build", "-o", bin, "./testdata/init")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(bin)
	must(t, err)
	var tree bytes.Buffer
	w := tar.NewWriter(&tree)
	must(t, w.WriteHeader(&tar.Header{Name: "lab/init", Mode: 0o755, Size: int64(len(data))}))
	_, err = w.Write(data)
	must(t, err)
	must(t, w.Close())
	e, err := New(ctx, Options{Image: image, Network: "bridge"})
	must(t, err)
	res, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: &tree, SourceName: "-"}, image, client.ImageImportOptions{})
	must(t, err)
	_, err = io.Copy(io.Discard, res)
	must(t, err)
	t.Cleanup(func() {
		must(t, e.Sweep(ctx, labels))
		must(t, e.RemoveImage(ctx, image))
	})
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (e *Engine) run(t *testing.T, name, from string, env map[string]string) string {
	t.Helper()
	id, err := e.Create(t.Context(), guest.Spec{Name: "goldsmith-lab-test-" + name, Hostname: name, Image: from, Env: env, Labels: labels})
	must(t, err)
	return id
}

// console starts a machine and returns what it prints, line by line.
func (e *Engine) start(t *testing.T, id string) *bufio.Reader {
	t.Helper()
	since := time.Now()
	must(t, e.Start(t.Context(), id))
	out, err := e.Console(t.Context(), id, since)
	must(t, err)
	t.Cleanup(func() { _ = out.Close() })
	return bufio.NewReader(out)
}

func expect(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	line, err := r.ReadString('\n')
	if !strings.Contains(line, want) {
		t.Fatalf("the guest said %q (%v), want %q", line, err, want)
	}
}

// A guest lives as its VM does: reboots, halts, is committed, and its clone has its disk but not its environment.
func TestLife(t *testing.T) {
	e := newEngine(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exits, err := e.Exits(ctx, labels)
	must(t, err)
	id := e.run(t, "one", "", map[string]string{"LAB_VM": "one", "VMX_GUESTINFO_X": "secret"})
	expect(t, e.start(t, id), `"vm":"one","guestinfo":"secret"`)
	if x := <-exits; x.ID != id || x.Code != guest.ExitReboot {
		t.Errorf("%+v", x)
	}
	out := e.start(t, id)
	expect(t, out, "booting") // only of this start
	expect(t, out, "marked")
	s, err := e.Inspect(ctx, id)
	if err != nil || !s.Running || !s.Address.IsValid() || !s.Gateway.IsValid() {
		t.Errorf("%+v %v", s, err)
	}
	must(t, e.Shutdown(ctx, id))
	if x := <-exits; x.Code != guest.ExitPowerOff {
		t.Errorf("%+v", x)
	}
	must(t, e.Kill(ctx, id)) // off already
	must(t, e.Commit(ctx, id, "goldsmith-lab-test:committed", labels))
	clone := e.run(t, "two", "goldsmith-lab-test:committed", map[string]string{"LAB_VM": "two"})
	out = e.start(t, clone)
	expect(t, out, `"vm":"two","guestinfo":""`)
	expect(t, out, "marked")
	must(t, e.Kill(ctx, clone))
	if x := <-exits; x.ID != clone || x.Code != 137 {
		t.Errorf("%+v", x)
	}
	must(t, e.Sweep(ctx, labels))
	if _, err := e.Inspect(ctx, clone); !errors.Is(err, guest.ErrGone) {
		t.Errorf("after the sweep: %v", err)
	}
	must(t, e.Remove(ctx, clone))
	must(t, e.RemoveImage(ctx, "goldsmith-lab-test:committed"))
}
