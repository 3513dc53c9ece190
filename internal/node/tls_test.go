package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/client"
)

// certify writes a certificate for this machine and its key into a folder, and returns its authority.
func certify(t *testing.T, dir string, serial int64, ends time.Time) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: ends,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return pool
}

// TestTLS: the public address speaks TLS by certificates that are renewed without a restart, and the node says when they end.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := DefaultSettings()
	settings.Public, settings.TLSCert, settings.TLSKey = "127.0.0.1:0", "cert.pem", "key.pem"
	if err := Init(dir, InitOptions{Params: quickParams(), Settings: settings}); err != nil {
		t.Fatal(err)
	}
	pool := certify(t, dir, 1, time.Now().Add(24*time.Hour))
	n, stop := start(t, dir)
	ask := func(pool *x509.CertPool) error {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
		defer transport.CloseIdleConnections()
		c, err := client.New("https://"+n.PublicAddress(), client.WithHTTPClient(&http.Client{Transport: transport}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Status(t.Context())
		return err
	}
	if err := ask(pool); err != nil {
		t.Fatal(err)
	}
	if troubles := n.troubles(); len(troubles) != 1 || !strings.Contains(troubles[0], "the TLS certificate ends at") {
		t.Errorf("%q", troubles)
	}
	renewed := certify(t, dir, 2, time.Now().Add(90*24*time.Hour))
	if err := ask(renewed); err != nil {
		t.Errorf("the renewed certificate: %v", err)
	}
	if err := ask(pool); err == nil {
		t.Error("the node still shows the old certificate")
	}
	if troubles := n.troubles(); len(troubles) != 0 {
		t.Errorf("%q", troubles)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask(renewed); err != nil {
		t.Errorf("a torn renewal: %v", err)
	}
	plain, err := http.Get("http://" + n.PublicAddress() + "/v1/status") //nolint:noctx // a test
	if err == nil {
		plain.Body.Close()
		if plain.StatusCode == http.StatusOK {
			t.Error("the public address speaks plain HTTP")
		}
	}
	stop()
	if _, err := Open(Config{Dir: dir, API: "127.0.0.1:0"}, n.logger); err == nil || !strings.Contains(err.Error(), "read the TLS certificate") {
		t.Errorf("a node starts with a torn key: %v", err)
	}
}

// TestPublicSettings: TLS has one certificate, or the settings name the fault.
func TestPublicSettings(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*Settings){
		"no address for it":      func(s *Settings) { s.Public = "" },
		"remove the other":       func(s *Settings) { s.ACMEHosts = []string{"node.example"} },
		"needs a certificate":    func(s *Settings) { s.TLSCert, s.TLSKey = "", "" },
		"set both":               func(s *Settings) { s.TLSKey = "" },
		"such as 0.0.0.0:443":    func(s *Settings) { s.Public = "node.example" },
		"not the name of a host": func(s *Settings) { s.TLSCert, s.TLSKey, s.ACMEHosts = "", "", []string{"https://x"} },
		"requests: -1":           func(s *Settings) { s.Requests = -1 },
		"":                       func(*Settings) {},
	} {
		settings := DefaultSettings()
		settings.Public, settings.TLSCert, settings.TLSKey = "127.0.0.1:0", "cert.pem", "key.pem"
		change(&settings)
		if err := settings.Check(); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	for address, plain := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "0.0.0.0:1": false, ":1": false, "10.0.0.7:1": false, "node.example:1": false} {
		if err := checkPlain(address, false); (err == nil) != plain {
			t.Errorf("%s: %v", address, err)
		}
		if err := checkPlain(address, true); err != nil {
			t.Errorf("%s, wanted: %v", address, err)
		}
	}
}
