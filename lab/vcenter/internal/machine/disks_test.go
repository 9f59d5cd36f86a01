package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// blocks is what a file takes on its disk, in units of 512 bytes.
func blocks(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks
}

// A disk that nobody wrote to takes no space, whatever its size; making it again changes nothing.
func TestAttachMakesSparseFiles(t *testing.T) {
	d := disk{filepath.Join(t.TempDir(), "disk-1.img"), 8 << 30}
	for range 2 {
		if err := attach([]disk{d}); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(d.file); err != nil || info.Size() != d.size {
			t.Fatalf("size %v, %v", info.Size(), err)
		}
		if n := blocks(t, d.file); n > 16 {
			t.Fatalf("a blank disk takes %d blocks", n)
		}
		if err := os.WriteFile(d.file, nil, 0o600); err != nil { // as after a shrink: it grows to its size again
			t.Fatal(err)
		}
	}
}

// A clone's disk holds what its source's holds, byte by byte, and is as sparse.
func TestCopyDisksKeepsContentAndHoles(t *testing.T) {
	dir := t.TempDir()
	from, to := disk{filepath.Join(dir, "a.img"), 1 << 30}, disk{filepath.Join(dir, "b.img"), 1 << 30}
	if err := attach([]disk{from}); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(from.file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64][]byte{0: []byte("begin"), 300 << 20: bytes.Repeat([]byte("middle"), 5000), 1<<30 - 3: []byte("end")}
	for at, data := range want {
		if _, err := f.WriteAt(data, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := copyDisks([]disk{from}, []disk{to, {filepath.Join(dir, "own.img"), 1}}); err != nil {
		t.Fatal(err)
	}
	g, err := os.Open(to.file)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for at, data := range want {
		got := make([]byte, len(data))
		if _, err := g.ReadAt(got, at); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("at %d: %q, %v", at, got[:5], err)
		}
	}
	if a, b := blocks(t, from.file), blocks(t, to.file); b > a+16 {
		t.Fatalf("the copy takes %d blocks, the source %d", b, a)
	}
	if _, err := os.Stat(filepath.Join(dir, "own.img")); !os.IsNotExist(err) {
		t.Fatalf("the clone's own disk was touched: %v", err)
	}
}

// A source that was never switched on has no files yet: its clone begins blank.
func TestCopyDisksOfANeverUsedSource(t *testing.T) {
	dir := t.TempDir()
	if err := copyDisks([]disk{{filepath.Join(dir, "none"), 1}}, []disk{{filepath.Join(dir, "new"), 1}}); err != nil {
		t.Fatal(err)
	}
}
