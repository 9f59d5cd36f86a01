package tlsca

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

// The server's certificate is good for all names by the authority in ca.pem, also after a restart, and has what strict clients ask for.
func TestChain(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		settings, err := Load(dir, []string{"127.0.0.1", "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(settings.Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		for _, name := range []string{"127.0.0.1", "localhost"} {
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		ca, err := x509.ParseCertificate(settings.Certificates[0].Certificate[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(ca.SubjectKeyId) == 0 || len(leaf.AuthorityKeyId) == 0 || ca.KeyUsage&x509.KeyUsageCertSign == 0 {
			t.Errorf("key identifiers %x %x, usage %b", ca.SubjectKeyId, leaf.AuthorityKeyId, ca.KeyUsage)
		}
	}
	if fi, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("ca.key: %v %v", fi.Mode(), err)
	}
}
