package node

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"lockstep/types"
)

// acmeFolder keeps the certificates of an ACME service and the key of the account, readable by the owner alone.
const acmeFolder = "acme"

// expiryWarning is how long before its end a certificate is a trouble of the node. Renewals happen earlier.
const expiryWarning = 14 * 24 * time.Hour

// certificates give each TLS connection its certificate.
type certificates struct {
	config *tls.Config
	ends   atomic.Int64 // of the certificate that was given last, in Unix seconds; 0: none yet
	hosts  []string     // for which an ACME service gives certificates

	mu     sync.Mutex
	failed error // why there is no certificate for one of the hosts, since the last success
}

// newCertificates returns the certificates of the settings: from two files, or of an ACME service (RFC 8555) by the challenge TLS-ALPN-01
// (RFC 8737). Only HTTP/1.1 is spoken, whose connections and streams the API bounds.
func newCertificates(dir string, s *Settings) (*certificates, error) {
	c := &certificates{config: &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}}
	if c.hosts = s.ACMEHosts; len(c.hosts) > 0 {
		manager := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(dir, acmeFolder)), Email: s.ACMEEmail,
			HostPolicy: autocert.HostWhitelist(s.ACMEHosts...), Client: &acme.Client{DirectoryURL: s.ACMEDirectory},
		}
		c.config.NextProtos = append(c.config.NextProtos, acme.ALPNProto)
		c.config.GetCertificate = c.noting(manager.GetCertificate)
		return c, nil
	}
	files := &certificateFiles{cert: inFolder(dir, s.TLSCert), key: inFolder(dir, s.TLSKey)}
	c.config.GetCertificate = c.noting(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return files.current() })
	_, err := c.config.GetCertificate(nil)
	return c, err
}

// noting notes when the certificates that it gives end.
func (c *certificates) noting(give func(*tls.ClientHelloInfo) (*tls.Certificate, error)) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := give(hello)
		challenge := hello != nil && slices.Contains(hello.SupportedProtos, acme.ALPNProto)
		if err == nil && certificate.Leaf != nil && !challenge {
			c.ends.Store(certificate.Leaf.NotAfter.Unix())
		}
		if hello != nil && !challenge && slices.Contains(c.hosts, strings.ToLower(hello.ServerName)) { // others may ask for any name
			c.mu.Lock()
			c.failed = err
			c.mu.Unlock()
		}
		return certificate, err
	}
}

// failure returns why there is no certificate, or nil.
func (c *certificates) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// end returns when the certificate ends, 0 when there is none yet.
func (c *certificates) end() types.Time {
	if c == nil || c.ends.Load() == 0 {
		return 0
	}
	return types.TimeOf(time.Unix(c.ends.Load(), 0))
}

// trouble says when the certificate ends, if that is soon; else it is empty.
func (c *certificates) trouble(now time.Time) string {
	if c == nil {
		return ""
	}
	if err := c.failure(); err != nil {
		return fmt.Sprintf("the ACME service gives no certificate: %v; it must reach this node at port 443 by the name", err)
	}
	switch end := c.end(); {
	case end == 0:
	case types.TimeOf(now) >= end:
		return fmt.Sprintf("the TLS certificate ended at %s: renew it", end)
	case end.Since(types.TimeOf(now)).Std() < expiryWarning:
		return fmt.Sprintf("the TLS certificate ends at %s: renew it", end)
	}
	return ""
}

// certificateFiles reads a certificate and its key from files, and again when they change, so that a renewal needs no restart.
type certificateFiles struct {
	cert, key string

	mu     sync.Mutex
	read   [2]time.Time // when the files had been changed
	loaded *tls.Certificate
}

// current returns the certificate. When the files can't be read, perhaps because only one of them is renewed yet, the one before goes on.
func (f *certificateFiles) current() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := [2]time.Time{changedAt(f.cert), changedAt(f.key)}
	if f.loaded != nil && changed == f.read {
		return f.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	switch {
	case err == nil:
		f.read, f.loaded = changed, &pair
	case f.loaded == nil:
		return nil, fmt.Errorf("read the TLS certificate %s and its key %s: %w", f.cert, f.key, err)
	}
	return f.loaded, nil
}

// changedAt returns when a file was changed, or zero when it can't be seen.
func changedAt(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// inFolder returns a path of the settings. A relative path is in the node's folder.
func inFolder(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
