package share

import (
	"os"
	"path/filepath"
	"testing"
)

// The copy keeps modes and links, and nothing of what was there before.
func TestCopy(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for p, mode := range map[string]os.FileMode{"init": 0o755, "a/b": 0o640} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(from, p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, p), []byte(p), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("init", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Copy(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if fi, err := os.Stat(filepath.Join(to, "init")); err != nil || fi.Mode().Perm() != 0o755 {
		t.Errorf("init: %v", err)
	}
	if l, err := os.Readlink(filepath.Join(to, "link")); l != "init" {
		t.Errorf("link: %q %v", l, err)
	}
	if data, err := os.ReadFile(filepath.Join(to, "a", "b")); string(data) != "a/b" {
		t.Errorf("a/b: %q %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(to, "old")); err == nil {
		t.Error("what was there before survived")
	}
	if err := Copy(filepath.Join(from, "nothing"), to); err != nil {
		t.Errorf("without a source: %v", err)
	}
}
