package mirror

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

func newMirror(t *testing.T) (*Mirror, *httptest.Server) {
	t.Helper()
	m, err := New(fstest.MapFS{
		"dists/trixie/main/binary-amd64/Packages":                  {Data: []byte("Package: a\n")},
		"dists/trixie/main/debian-installer/binary-amd64/Packages": {Data: []byte("Package: u\n")},
		"dists/trixie/Release":                                     {Data: []byte("stale")},
		"pool/main/a/a_1_all.deb":                                  {Data: []byte("!<arch>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return m, s
}

func get(t *testing.T, s *httptest.Server, p string) (int, []byte) {
	t.Helper()
	res, err := http.Get(s.URL + p)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, _ := io.ReadAll(res.Body)
	return res.StatusCode, data
}

// The indexes' digests stand in a Release that the exported key signed, inline and apart.
func TestSigned(t *testing.T) {
	m, s := newMirror(t)
	binary, armored, err := m.Key()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openpgp.ReadKeyRing(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(armored)); err != nil {
		t.Error(err)
	}
	_, release := get(t, s, "/debian/dists/trixie/Release")
	for _, want := range []string{
		"Suite: trixie\n", "Components: main\n", "Architectures: amd64\n",
		" 11 main/binary-amd64/Packages\n", " 11 main/debian-installer/binary-amd64/Packages\n",
	} {
		if !strings.Contains(string(release), want) {
			t.Errorf("Release lacks %q:\n%s", want, release)
		}
	}
	_, inline := get(t, s, "/debian/dists/trixie/InRelease")
	block, _ := clearsign.Decode(inline)
	if block == nil {
		t.Fatal("InRelease is not clear-signed")
	}
	if _, err := block.VerifySignature(keys, nil); err != nil {
		t.Errorf("InRelease: %v", err)
	}
	if strings.TrimSpace(string(block.Plaintext)) != strings.TrimSpace(string(release)) {
		t.Error("InRelease holds another text than Release")
	}
	_, detached := get(t, s, "/debian/dists/trixie/Release.gpg")
	if _, err := openpgp.CheckArmoredDetachedSignature(keys, bytes.NewReader(release), bytes.NewReader(detached), nil); err != nil {
		t.Errorf("Release.gpg: %v", err)
	}
}

// Packages are served as they lie there, and nothing outside.
func TestServe(t *testing.T) {
	_, s := newMirror(t)
	for p, want := range map[string]int{
		"/debian/pool/main/a/a_1_all.deb": 200, "/debian/dists/trixie/main/binary-amd64/Packages": 200,
		"/debian/nothing": 404, "/pool/main/a/a_1_all.deb": 404,
	} {
		if got, _ := get(t, s, p); got != want {
			t.Errorf("%s: %d, want %d", p, got, want)
		}
	}
}
