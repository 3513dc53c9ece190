package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/component"
)

// output runs a command that must succeed and returns its standard output.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, trouble bytes.Buffer
	if code := run(args, strings.NewReader(""), &out, &trouble); code != exitFine {
		t.Fatalf("lockstep %s exits with %d: %s", strings.Join(args, " "), code, &trouble)
	}
	return out.String()
}

// scriptOf writes a shell's completion script to a file and asks the shell whether it can read it.
func scriptOf(t *testing.T, shell string) string {
	t.Helper()
	component.Find(t, shell)
	script := filepath.Join(t.TempDir(), "lockstep."+shell)
	if err := os.WriteFile(script, []byte(output(t, "completion", shell)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil {
		t.Fatalf("%s cannot read its script: %v\n%s", shell, err, out)
	}
	return script
}

// completionCases are command lines with the words that a shell offers for the last one.
var completionCases = []struct {
	line   []string
	offers []string
}{
	{[]string{"tra"}, []string{"trade"}},
	{[]string{"trade", "del"}, []string{"deliver"}},
	{[]string{"trade", "deliver", "--passphrase"}, []string{"--passphrase-file"}},
	{[]string{"--json", "wallet", "untr"}, []string{"untrust"}},
	{[]string{"bench", "--mode", ""}, []string{"rules", "store", "node", "api", "net"}},
	{[]string{"completion", "z"}, []string{"zsh"}},
}

func TestBashCompletion(t *testing.T) {
	t.Parallel()
	script := scriptOf(t, "bash")
	const ask = `source "$0"; COMP_WORDS=(lockstep "$@"); COMP_CWORD=$#; _lockstep; echo "${COMPREPLY[*]}"`
	for _, c := range completionCases {
		checkOffers(t, c.line, c.offers, exec.Command("bash", append([]string{"-c", ask, script}, c.line...)...))
	}
}

func TestFishCompletion(t *testing.T) {
	t.Parallel()
	script := scriptOf(t, "fish")
	for _, c := range completionCases {
		line := "lockstep " + strings.Join(c.line, " ")
		ask := exec.Command("fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2] | string split -f1 \t; true`, script, line)
		ask.Env = append(os.Environ(), "HOME="+t.TempDir())
		checkOffers(t, c.line, c.offers, ask)
	}
}

// TestZshCompletion calls the function with zsh's completion builtins replaced by ones that print the words that match.
func TestZshCompletion(t *testing.T) {
	t.Parallel()
	script := scriptOf(t, "zsh")
	const ask = `compdef() {}; _files() {}
compadd() { for w in "${@:2}"; do [[ $w == $PREFIX* ]] && print -r -- $w; done }
_describe() { for w in "${(@P)2%%:*}"; do [[ $w == $PREFIX* ]] && print -r -- $w; done }
source "$0"; words=(lockstep "$@"); CURRENT=$#words; PREFIX=$words[-1]; _lockstep; true`
	for _, c := range completionCases {
		checkOffers(t, c.line, c.offers, exec.Command("zsh", append([]string{"-f", "-c", ask, script}, c.line...)...))
	}
}

func checkOffers(t *testing.T, line, offers []string, ask *exec.Cmd) {
	t.Helper()
	out, err := ask.Output()
	if err != nil {
		t.Errorf("%q: %v", line, err)
	}
	got := map[string]bool{}
	for _, word := range strings.Fields(string(out)) {
		got[word] = true
	}
	for _, offer := range offers {
		if !got[offer] {
			t.Errorf("%q is not offered for %q, only %q", offer, line, out)
		}
	}
	if len(got) != len(offers) {
		t.Errorf("%q offers %q, expected only %q", line, out, offers)
	}
}

func TestCompletionOfUnknownShell(t *testing.T) {
	t.Parallel()
	var out, trouble bytes.Buffer
	if code := run([]string{"completion", "tcsh"}, strings.NewReader(""), &out, &trouble); code != exitUsage {
		t.Errorf("exit code %d, expected %d", code, exitUsage)
	}
	if !strings.Contains(trouble.String(), "tcsh") || !strings.Contains(trouble.String(), "bash") {
		t.Errorf("the error names neither the shell nor the choices: %s", &trouble)
	}
}
