package node

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/component"
)

// resolve answers each question for an IPv4 address with this machine, and each other one with nothing, until the test ends.
func resolve(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			answerName(conn)
		}
	}()
	return listener.Addr().String()
}

// answerName answers one question (RFC 1035), which has its length before it.
func answerName(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, 512)
	n, err := conn.Read(buffer)
	if err != nil || n < 2+12+6 {
		return
	}
	question := buffer[2:n]
	end := 12 + bytes.IndexByte(question[12:], 0) + 5 // of the name, its type and its class
	answer := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end]...)
	if question[end-3] == 1 { // A
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	_, _ = conn.Write(append([]byte{0, byte(len(answer))}, answer...))
}

// pebble runs an ACME service, which reaches a node at a port for its challenges. It returns the address of its directory, the file of the
// authority that it is trusted by, and where its own authority is asked for.
func pebble(t *testing.T, nodePort string) (directory, trust, roots string) {
	t.Helper()
	component.Find(t, "go")
	found, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../tools/acme.mod", "-n", "pebble").Output()
	if err != nil {
		t.Skipf("the ACME service can't be built here: %v", err)
	}
	dir := t.TempDir()
	certify(t, dir, 7, time.Now().Add(time.Hour))
	places := places(t, 2)
	config := map[string]any{"pebble": map[string]any{
		"listenAddress": places[0].Listen, "managementListenAddress": places[1].Listen,
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"httpPort": 1, "tlsPort": json.Number(nodePort), "retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles": map[string]any{"default": map[string]any{"description": "a test", "validityPeriod": 7776000}},
	}}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	service := exec.Command(strings.TrimSpace(string(found)), "-config", file, "-dnsserver", resolve(t), "-strict")
	service.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	var log bytes.Buffer
	service.Stdout, service.Stderr = &log, &log
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait() // reports the kill
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "https://" + places[0].Listen + "/dir", filepath.Join(dir, "cert.pem"), "https://" + places[1].Listen + "/roots/0"
}

// fetchPEM asks a server that is trusted by a file for a certificate.
func fetchPEM(t *testing.T, address, trust string) *x509.CertPool {
	t.Helper()
	authority, pool := x509.NewCertPool(), x509.NewCertPool()
	text, err := os.ReadFile(trust)
	if err != nil || !authority.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	asked := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority}}}
	defer asked.CloseIdleConnections()
	for range 300 {
		response, err := asked.Get(address) //nolint:noctx // a test
		if err != nil {
			time.Sleep(100 * time.Millisecond) // it starts
			continue
		}
		root, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil || !pool.AppendCertsFromPEM(root) {
			t.Fatal(err)
		}
		return pool
	}
	t.Fatal("the ACME service does not start")
	return nil
}

// TestACME: a node gets its certificate from an ACME service by itself, at the first client that names its host, keeps it, and gives no other
// host one.
func TestACME(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a service: make test runs it, without the race detector")
	}
	settings := DefaultSettings()
	settings.Public, settings.ACMEHosts, settings.ACMEEmail = places(t, 1)[0].Listen, []string{"node.example"}, "you@node.example"
	_, port, err := net.SplitHostPort(settings.Public)
	if err != nil {
		t.Fatal(err)
	}
	directory, trust, roots := pebble(t, port)
	settings.ACMEDirectory = directory
	dir := t.TempDir()
	if err := Init(dir, InitOptions{Params: quickParams(), Settings: settings}); err != nil {
		t.Fatal(err)
	}
	authority := fetchPEM(t, roots, trust)
	c := startChild(t, dir, "SSL_CERT_FILE="+trust)
	defer c.kill()
	address := c.address(t)
	hello := func(name string) (*x509.Certificate, error) {
		dialer := &tls.Dialer{Config: &tls.Config{ServerName: name, RootCAs: authority}}
		conn, err := dialer.DialContext(t.Context(), "tcp", settings.Public)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		secure, ok := conn.(*tls.Conn)
		if !ok {
			return nil, fmt.Errorf("a %T", conn)
		}
		return secure.ConnectionState().PeerCertificates[0], nil
	}
	node, err := client.New("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	first, err := hello("node.example")
	if err != nil {
		status, _ := node.Status(t.Context())
		t.Fatalf("%v %q\n%s", err, status.Troubles, c.log)
	}
	if again, err := hello("node.example"); err != nil || again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Errorf("another certificate at once: %v", err)
	}
	if _, err := hello("other.example"); err == nil {
		t.Error("another host gets a certificate")
	}
	if status, err := node.Status(t.Context()); err != nil || !status.CertEnds.Std().Equal(first.NotAfter) {
		t.Errorf("the certificate ends at %s, the node says %s, %v", first.NotAfter, status.CertEnds, err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, acmeFolder, "node.example*"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("the certificate is not kept: %v", err)
	}
	for _, file := range kept {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	c.stop(t)
}
