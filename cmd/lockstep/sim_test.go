package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSimOutputs: the same command line prints the same bytes; a sweep has a run for each seed; the files are written.
func TestSimOutputs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sim := func(args ...string) string {
		t.Helper()
		var out, wrong bytes.Buffer
		if code := run(append([]string{"sim", "-q", "--households", "4", "--slots", "40"}, args...), strings.NewReader(""), &out, &wrong); code != exitFine {
			t.Fatalf("%q: %d %s", args, code, wrong.String())
		}
		return out.String()
	}
	first := sim("--json")
	if again := sim("--json", "--seed", "1"); again != first {
		t.Error("the same seed prints other results")
	}
	table, report := filepath.Join(folder, "s.csv"), filepath.Join(folder, "s.html")
	var sweep struct {
		Runs    []struct{ Seed uint64 }
		Figures []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(sim("--json", "--seeds", "2", "--csv", table, "--report", report, "--rules", "none")), &sweep); err != nil || len(sweep.Runs) != 2 || sweep.Runs[1].Seed != 2 {
		t.Errorf("%+v, %v", sweep, err)
	}
	for file, says := range map[string]string{table: "\n2,House 4,", report: "<h2>2 seeds</h2>"} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), says) {
			t.Errorf("%s does not have %q: %v", file, says, err)
		}
	}
}

// TestSimRegion: a region is computed, with a line of CSV for each community.
func TestSimRegion(t *testing.T) {
	t.Parallel()
	var out, wrong bytes.Buffer
	table := filepath.Join(t.TempDir(), "r.csv")
	if code := run(strings.Fields("sim --json --communities 3 --households 4 --slots 60 --csv "+table), strings.NewReader(""), &out, &wrong); code != exitFine {
		t.Fatalf("%d %s", code, wrong.String())
	}
	var region struct{ Communities []struct{} }
	if err := json.Unmarshal(out.Bytes(), &region); err != nil || len(region.Communities) != 3 {
		t.Errorf("%v: %s", err, out.String())
	}
	if text, err := os.ReadFile(table); err != nil || strings.Count(string(text), "\n") != 4 {
		t.Errorf("%v: %s", err, text)
	}
}

// TestSimArguments: a value that can't be played is refused before anything is played, with the remedy.
func TestSimArguments(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	scenario := filepath.Join(folder, "s.yaml")
	if err := os.WriteFile(scenario, []byte("households: 5\nrofs: {share: 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"--households 1":                "households 1: choose 2 to 10000",
		"--slots -1":                    "--slots -1 is not possible",
		"--slots 3841":                  "slots 3841: choose 1 to 3840",
		"--seeds 0":                     "--seeds 0 is not possible",
		"--seeds 1001":                  "--seeds 1001: choose 1 to 1000",
		"--rules lottery":               `rules "lottery": choose from uniform`,
		"--communities 3 --seeds 2":     "a region has no --seeds",
		"--communities 3 --report r":    "no --report",
		"--communities 1":               "communities.count 1: choose 2 to 1000",
		"--town --households 3":         "leave --households out",
		"--report " + folder:            "--report: open " + folder,
		"--csv " + folder + "/no/s.csv": "choose a file in a folder that exists",
		scenario:                        "line 2: there is no \"rofs\"",
		"--profiles " + scenario:        "line 1: the first line must name the columns",
	} {
		var out, wrong bytes.Buffer
		code := run(append([]string{"sim", "-q"}, strings.Fields(line)...), strings.NewReader(""), &out, &wrong)
		if code != exitUsage || !strings.Contains(wrong.String(), want) || out.Len() > 0 {
			t.Errorf("%s: %d %q, want %q", line, code, wrong.String(), want)
		}
	}
}
