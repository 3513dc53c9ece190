package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/component"
	"lockstep/types"
)

func TestManPageOfCommand(t *testing.T) {
	t.Parallel()
	page := output(t, "man", "trade", "deliver")
	for _, part := range []string{
		".TH LOCKSTEP-TRADE-DELIVER 1", ".SH NAME\nlockstep\\-trade\\-deliver \\- ", "trade deliver <trade>",
		".SH ARGUMENTS\n.TP\n.I trade", ".B \\-\\-passphrase\\-file=FILE", ".BR lockstep\\-trade (1)",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	if home, err := os.UserHomeDir(); err == nil && strings.Contains(page, home) {
		t.Error("the page names the home folder of the user who generated it")
	}
}

// TestManPages writes the pages of all commands and compares them with the tree of commands.
func TestManPages(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man")
	output(t, "man", "--dir", dir)
	pages, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, page := range pages {
		written[page.Name()] = true
	}
	for name := range written { // every SEE ALSO and COMMANDS entry leads to a page
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if target, ok := strings.CutPrefix(line, ".BR "); ok {
				target, _, _ = strings.Cut(strings.ReplaceAll(target, `\-`, "-"), " ")
				if !written[target+".1"] {
					t.Errorf("%s refers to %s, which has no page", name, target)
				}
			}
		}
	}
	for _, name := range []string{"lockstep.1", "lockstep-wallet.1", "lockstep-wallet-issue.1", "lockstep-man.1"} {
		if !written[name] {
			t.Errorf("there is no %s", name)
		}
	}
	component.Find(t, "mandoc")
	for name := range written {
		if out, err := exec.Command("mandoc", "-T", "lint", "-W", "error", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestRoffEscapes(t *testing.T) {
	t.Parallel()
	const text = ".begins\n'quotes\na-b\\c\n\nend"
	const escaped = "\\&.begins\n\\&'quotes\na\\-b\\ec\n.PP\nend"
	if got := roff(text); got != escaped {
		t.Errorf("got %q, expected %q", got, escaped)
	}
}

func TestManOfUnknownCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"man", "trade", "fly"}, {"man", "--dir", t.TempDir(), "trade"}} {
		var out, trouble bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &trouble); code != exitUsage {
			t.Errorf("%q: exit code %d, expected %d", args, code, exitUsage)
		}
		if last := args[len(args)-1]; !strings.Contains(trouble.String(), `"`+last+`"`) {
			t.Errorf("%q: the error does not quote %q: %s", args, last, &trouble)
		}
	}
}

// TestVersionAndHelpSpellings: every way that users ask for the version gives the same line, and every way to ask for help the same page.
func TestVersionAndHelpSpellings(t *testing.T) {
	t.Parallel()
	version := output(t, "version")
	if !strings.HasPrefix(version, "lockstep ") || !strings.Contains(version, fmt.Sprintf(", format %d\n", types.Format)) {
		t.Errorf("version prints %q", version)
	}
	for _, spelled := range []string{"--version", "-V"} {
		if got := output(t, spelled); got != version {
			t.Errorf("%s prints %q, expected %q", spelled, got, version)
		}
	}
	help := output(t, "trade", "deliver", "--help")
	if !strings.Contains(help, "Usage: lockstep trade deliver <trade>") {
		t.Errorf("--help prints %q", help)
	}
	for _, spelled := range [][]string{{"help", "trade", "deliver"}, {"trade", "deliver", "help"}, {"trade", "deliver", "-h"}} {
		if got := output(t, spelled...); got != help {
			t.Errorf("%q prints another page than --help:\n%s", spelled, got)
		}
	}
}
