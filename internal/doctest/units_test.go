//go:build linux

package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/component"
)

// TestUnits has systemd verify the units of the services, and looks for the hardening that each must have.
func TestUnits(t *testing.T) {
	t.Parallel()
	units, err := filepath.Glob(filepath.Join(root, "packaging/systemd/*.service"))
	if err != nil || len(units) == 0 {
		t.Fatalf("no units: %v", err)
	}
	folder := t.TempDir()
	var copies []string
	for _, unit := range units {
		content, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		for _, line := range []string{"User=lockstep", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "CapabilityBoundingSet=", "RestrictAddressFamilies=",
			"SystemCallFilter=@system-service", "UMask=0077", "Restart=on-failure", "RestartSec=5", "StateDirectoryMode=0700"} {
			if !strings.Contains(text, "\n"+line) {
				t.Errorf("%s lacks %s", unit, line)
			}
		}
		if strings.Count(text, "ExecStart=/usr/bin/lockstep ") != 1 {
			t.Errorf("%s starts another program", unit)
		}
		for line := range strings.Lines(text) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/bin/lockstep "); ok {
				words := strings.Fields(command)
				if out, err := exec.Command(program, words[0], words[1], "--help").CombinedOutput(); err != nil {
					t.Errorf("%s: %s", unit, out)
				}
			}
		}
		path := filepath.Join(folder, filepath.Base(unit))
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "/usr/bin/lockstep", program)), 0o600); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, path)
	}
	analyze := component.Find(t, "systemd-analyze")
	output, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, copies...)...).CombinedOutput()
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, folder) || strings.Contains(line, "lockstep-") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, output)
	}
}
