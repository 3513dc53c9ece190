package doctest

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"lockstep/types"
)

const codesHead = `# Error codes

Every refusal of the ledger and of a node carries a code. A code never changes its number or its name: it is part of a
block's result. Programs compare codes, never texts. "lockstep codes" prints this list, and a refused command prints the
sentence.

Codes below 90 are of the rules: every node refuses the same transaction with the same code. Codes from 90 on are of
one node at one moment: the same transaction may be accepted later.

<!-- generated: go test ./internal/doctest -update -->

| code | name | cause and remedy |
|---:|---|---|
`

const commandsHead = `# Command line

One program, "lockstep", is node, wallet and trader. Its exit codes: 0 fine, 1 refused or failed, 2 wrong use. With --json
every command prints one JSON object on standard output, and an error as one on standard error.

<!-- generated: go test ./internal/doctest -update -->
`

// TestCodes holds docs/reference/codes.md against the codes themselves.
func TestCodes(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	out.WriteString(codesHead)
	for _, info := range types.CodeList() {
		fmt.Fprintf(&out, "| %d | `%s` | %s |\n", info.Code, info.Name, info.Sentence)
	}
	current(t, "docs/reference/codes.md", out.String())
}

// actionRow is a row of the table of actions: its tag, kind, effect, fields and signer.
var actionRow = regexp.MustCompile("(?m)^\\| `0x[0-9a-f]+` \\| ([a-z]+) \\| [^|]* \\| ([^|]+) \\| [^|]* \\|\n")

// TestActions holds the table of actions in docs/reference/transaction-format.md against the protocol's own. The column of fields
// is written by hand.
func TestActions(t *testing.T) {
	t.Parallel()
	const path = "docs/reference/transaction-format.md"
	got, fields := read(t, path), map[string]string{}
	rows := actionRow.FindAllStringSubmatchIndex(got, -1)
	if len(rows) == 0 {
		t.Fatalf("%s has no table of actions", path)
	}
	for _, row := range rows {
		fields[got[row[2]:row[3]]] = got[row[4]:row[5]]
	}
	var table strings.Builder
	for _, info := range types.Actions() {
		signer := info.Signer
		if signer == "" {
			signer = "nobody"
		}
		if fields[info.Kind] == "" {
			t.Errorf("%s does not give the fields of %s", path, info.Kind)
		}
		fmt.Fprintf(&table, "| `%#x` | %s | %s | %s | %s |\n", info.Tag, info.Kind, info.Does, fields[info.Kind], signer)
	}
	current(t, path, got[:rows[0][0]]+table.String()+got[rows[len(rows)-1][1]:])
}

var (
	entry  = regexp.MustCompile(`^  ([a-z]+(?: [a-z-]+){0,2})  +\S`)
	common = regexp.MustCompile(`(?s)Flags:\n  -h, --help.*?\n(\n|$)`)
)

// TestCommands compares docs/reference/cli.md with the program's own help.
func TestCommands(t *testing.T) {
	t.Parallel()
	top := help(t)
	var out strings.Builder
	fmt.Fprintf(&out, commandsHead+"\n```text\n%s```\n", top)
	for _, name := range commands(top) {
		own := common.ReplaceAllString(help(t, strings.Fields(name)...), "Flags:\n")
		own = strings.TrimSuffix(strings.TrimRight(own, "\n"), "\nFlags:")
		fmt.Fprintf(&out, "\n## lockstep %s\n\n```text\n%s\n```\n", name, strings.TrimRight(own, "\n"))
	}
	current(t, "docs/reference/cli.md", out.String())
}

// commands lists the commands that the program's help names.
func commands(top string) []string {
	_, list, _ := strings.Cut(top, "\nCommands:\n")
	var names []string
	for line := range strings.SplitSeq(list, "\n") {
		if found := entry.FindStringSubmatch(line); found != nil {
			names = append(names, found[1])
		}
	}
	return names
}

func help(t *testing.T, command ...string) string {
	t.Helper()
	ask := exec.Command(program, append(command, "--help")...)
	ask.Env = append(os.Environ(), "COLUMNS=100")
	out, err := ask.Output()
	if err != nil {
		t.Fatalf("lockstep %s --help: %v", strings.Join(command, " "), err)
	}
	return string(out)
}
