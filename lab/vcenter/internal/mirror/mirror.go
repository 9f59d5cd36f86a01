// Package mirror serves the laboratory's Debian package repository and signs its indexes with a throw-away key.
package mirror

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Prefix is where the repository is served.
const Prefix = "/debian/"

// Mirror is a repository: files of a folder, and signed Release files in memory.
type Mirror struct {
	root   fs.FS
	signer *openpgp.Entity
	config *packet.Config
	made   map[string][]byte // by path below the root
}

// New makes a key and signs every suite below dists/ of a folder.
func New(root fs.FS) (*Mirror, error) {
	past := time.Now().Add(-time.Hour) // apt refuses what is signed in the future, and a guest's clock may be behind
	m := &Mirror{root: root, made: map[string][]byte{}, config: &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return past },
	}}
	var err error
	if m.signer, err = openpgp.NewEntity("goldsmith lab mirror", "throw-away", "lab@example.com", m.config); err != nil {
		return nil, fmt.Errorf("mirror key: %w", err)
	}
	suites, err := fs.ReadDir(root, "dists")
	if err != nil {
		return nil, fmt.Errorf("mirror: %w", err)
	}
	for _, s := range suites {
		if s.IsDir() {
			if err := m.sign(s.Name(), past); err != nil {
				return nil, fmt.Errorf("mirror: suite %s: %w", s.Name(), err)
			}
		}
	}
	return m, nil
}

// Key returns the public key, binary and armored.
func (m *Mirror) Key() (binary, armored []byte, err error) {
	var b, a bytes.Buffer
	if err = m.signer.Serialize(&b); err != nil {
		return nil, nil, err
	}
	w, err := armor.Encode(&a, openpgp.PublicKeyType, nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err = w.Write(b.Bytes()); err != nil {
		return nil, nil, err
	}
	if err = w.Close(); err != nil {
		return nil, nil, err
	}
	return b.Bytes(), append(a.Bytes(), '\n'), nil
}

// sign makes a suite's Release, Release.gpg and InRelease from the index files that are there.
func (m *Mirror) sign(suite string, date time.Time) error {
	release, err := m.release(suite, date)
	if err != nil {
		return err
	}
	var inline, detached bytes.Buffer
	w, err := clearsign.Encode(&inline, m.signer.PrivateKey, m.config)
	if err != nil {
		return err
	}
	if _, err = w.Write(release); err != nil {
		return err
	}
	if err = w.Close(); err != nil {
		return err
	}
	inline.WriteByte('\n')
	if err = openpgp.ArmoredDetachSign(&detached, m.signer, bytes.NewReader(release), m.config); err != nil {
		return err
	}
	dir := path.Join("dists", suite)
	m.made[dir+"/Release"], m.made[dir+"/InRelease"], m.made[dir+"/Release.gpg"] = release, inline.Bytes(), detached.Bytes()
	return nil
}

func (m *Mirror) release(suite string, date time.Time) ([]byte, error) {
	dir := path.Join("dists", suite)
	var sums bytes.Buffer
	var components, architectures []string
	err := fs.WalkDir(m.root, dir, func(p string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(p, dir+"/")
		if err != nil || d.IsDir() || !strings.Contains(rel, "/") { // top files are the Release files themselves
			return err
		}
		f, err := m.root.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		n, err := io.Copy(h, f)
		fmt.Fprintf(&sums, " %x %d %s\n", h.Sum(nil), n, rel)
		parts := strings.Split(rel, "/")
		components = append(components, parts[0])
		for _, s := range parts {
			if a, ok := strings.CutPrefix(s, "binary-"); ok {
				architectures = append(architectures, a)
			}
		}
		return err
	})
	unique := func(s []string) string { slices.Sort(s); return strings.Join(slices.Compact(s), " ") }
	var out bytes.Buffer
	fmt.Fprintf(&out, "Origin: Debian\nLabel: Debian\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: %s\nComponents: %s\n"+
		"Description: packages of the goldsmith laboratory\nSHA256:\n%s",
		suite, suite, date.UTC().Format(time.RFC1123), unique(architectures), unique(components), sums.String())
	return out.Bytes(), err
}

// ServeHTTP implements http.Handler.
func (m *Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rel, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if data, ok := m.made[rel]; ok {
		http.ServeContent(w, r, path.Base(rel), time.Time{}, bytes.NewReader(data))
		return
	}
	http.StripPrefix(Prefix[:len(Prefix)-1], http.FileServerFS(m.root)).ServeHTTP(w, r)
}

// Export writes the public key as mirror.gpg (what apt's Signed-By reads) and mirror.asc.
func (m *Mirror) Export(dir string) error {
	binary, armored, err := m.Key()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path.Join(dir, "mirror.gpg"), binary, 0o644); err != nil {
		return err
	}
	return os.WriteFile(path.Join(dir, "mirror.asc"), armored, 0o644)
}
