package node

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStrictSettings: a setting without effect is an error.
func TestStrictSettings(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"hosts": ["node.example"], "origins": ["https://market.example"]}`: "",
		`{"hosts": null}`:                          "",
		`{"Hosts": ["node.example"]}`:              "unknown name",
		`{"memory_mb": 512, "memory_mb": 256}`:     "comes twice",
		`{"host": []}`:                             "unknown field",
		`{"hosts": ["http://node.example"]}`:       "hosts: \"http://node.example\" is not the name of a host",
		`{"origins": ["*"]}`:                       "origins: \"*\" is not the origin of a site",
		`{"origins": ["https://market.example/"]}`: "is not the origin",
		`null`:  "not a JSON object",
		`{} {}`: "behind",
		``:      "EOF",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, settingsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadSettings(dir)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", text, err, says)
		}
		if err != nil && !strings.HasSuffix(err.Error(), "; correct the file, or restore it") {
			t.Errorf("%s: the error names no remedy: %v", text, err)
		}
	}
}

// TestStreamShareOfConnections: streams, which have no end, leave connections free at any limit of open files and any settings.
func TestStreamShareOfConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ connections, streams, files, wantConnections, wantStreams int }{
		{DefaultConnections, DefaultStreams, 20_000, 1024, 512},
		{DefaultConnections, DefaultStreams, 1024, 256, 128},
		{DefaultConnections, 2000, 20_000, 1024, 512},
		{DefaultConnections, 100, 1024, 256, 100},
		{4, 4, 1024, 4, 2},
	} {
		settings := Settings{Connections: c.connections, Streams: c.streams}
		if got := settings.limits(c.files); got.Connections != c.wantConnections || got.Streams != c.wantStreams {
			t.Errorf("%+v: got %d and %d", c, got.Connections, got.Streams)
		}
	}
}

// TestHostsAndOriginsOfANode: the settings and the command line both add hosts and origins.
func TestHostsAndOriginsOfANode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := DefaultSettings()
	settings.Hosts, settings.Origins = []string{"node.example"}, []string{"https://market.example"}
	if err := Init(dir, InitOptions{Params: quickParams(), Settings: settings}); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadSettings(dir); err != nil || !slices.Equal(again.Hosts, settings.Hosts) || !slices.Equal(again.Origins, settings.Origins) {
		t.Fatalf("%+v, %v", again, err)
	}
	n, _ := startWith(t, Config{
		Dir: dir, API: "127.0.0.1:0", Version: "test", Hosts: []string{"other.example"}, Origins: []string{"https://other.example"},
	})
	for host, origin := range map[string]string{"node.example": "https://market.example", "other.example": "https://other.example"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.APIAddress()+"/v1/params", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		request.Header.Set("Origin", origin)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s, %s: %d %s", host, origin, response.StatusCode, text)
		}
	}
}
