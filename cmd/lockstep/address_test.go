package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTokenStaysHere: the token of the home folder's node goes to this machine alone; another node gets only the token of a file that the user names.
func TestTokenStaysHere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	named := filepath.Join(dir, "named")
	for file, text := range map[string]string{filepath.Join(dir, "api.token"): "home\n", named: "other\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for address, want := range map[string]string{
		"": "home", "127.0.0.1:8645": "home", "localhost:8645": "home", "http://localhost": "home", "https://127.0.0.2:1/": "home", "http://[::1]:8645": "home",
		"https://node.example": "", "http://192.0.2.1:8645": "", "http://127.0.0.1.example:8645": "", "https://localhost@node.example": "", "node.example:8645": "", "://": "",
	} {
		a := &app{globals: new(globals)}
		a.NodeURL = address
		if got, err := a.token(dir); err != nil || got != want {
			t.Errorf("%q gets the token %q (%v), want %q", address, got, err, want)
		}
		a.TokenFile = named
		if got, err := a.token(dir); err != nil || got != "other" {
			t.Errorf("%q gets the token %q (%v) of a named file", address, got, err)
		}
	}
}
