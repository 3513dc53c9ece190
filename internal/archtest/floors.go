package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"strings"
)

// linterConfig holds the import rules of each package, which golangci-lint's depguard enforces.
const linterConfig = ".golangci.yml"

// floor is a row of the architecture's table. A folder below the package shares its row, unless it has one of its own.
type floor struct {
	number int
	path   string
}

// floors is the table of the architecture document. depguard knows each package's imports but no order of packages, so
// the order stands here: nothing imports upwards.
func floors() []floor {
	return []floor{
		{4, "cmd/lockstep"},
		{4, "internal/archtest"},
		{4, "internal/bench"},
		{4, "internal/browser"},
		{4, "internal/game/explore"},
		{4, "internal/ledgertest"},
		{4, "internal/mutate"},
		{4, "internal/netlab"},
		{4, "internal/practice"},
		{4, "internal/sim"},

		{3, "client"},
		{3, "internal/advice"},
		{3, "internal/books"},
		{3, "internal/goods"},
		{3, "internal/home"},
		{3, "internal/notify"},
		{3, "internal/agent/runner"},
		{3, "internal/httpapi"},
		{3, "internal/light"},
		{3, "internal/node"},
		{3, "internal/page"},
		{3, "internal/query"},
		{3, "internal/receipt"},

		{2, "internal/broker"},
		{2, "internal/agent"},
		{2, "internal/chain"},
		{2, "internal/index"},
		{2, "internal/outcomes"},
		{2, "internal/snapshot"},
		{2, "internal/store"},
		{2, "meter/source"},
		{2, "wallet"},

		{1, "internal/access"},
		{1, "internal/archive"},
		{1, "internal/game"},
		{1, "internal/ledger"},
		{1, "internal/strategy"},
		{1, "client/wire"},
		{1, "trade"},

		{0, "internal/atomicfile"},
		{0, "internal/component"},
		{0, "internal/disk"},
		{0, "internal/plaintext"},
		{0, "internal/svg"},
		{0, "internal/table"},
		{0, "market"},
		{0, "meter"},
		{0, "types"},
	}
}

func rowOf(path string) (floor, bool) {
	var best floor
	for _, row := range floors() {
		if within(path, row.path) && len(row.path) > len(best.path) {
			best = row
		}
	}
	return best, best.path != ""
}

// checkFloors reports imports of a higher floor, and packages without a row.
func checkFloors(p *pkg) []string {
	row, known := rowOf(p.path)
	if !known {
		return []string{p.finding(p.files[0].Name, "package %s has no floor: add a row to internal/archtest/floors.go, an import rule "+
			"to %s, and its job to docs/architecture.md", p.path, linterConfig)}
	}
	var findings []string
	p.imports(func(spec *ast.ImportSpec, path string) {
		ours, own := strings.CutPrefix(path, modulePath+"/")
		if !own {
			return
		}
		switch target, ok := rowOf(ours); {
		case !ok:
			findings = append(findings, p.finding(spec, "%s imports %s, which has no floor", p.path, ours))
		case target.number > row.number:
			findings = append(findings, p.finding(spec, "%s (floor %d) imports upwards: %s is on floor %d", p.path, row.number, ours, target.number))
		}
	})
	return findings
}

// withoutImportRule lists the rows of the table for which the linters' configuration has no rule.
func withoutImportRule(root string) ([]string, error) {
	config, err := os.ReadFile(filepath.Join(root, linterConfig))
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, row := range floors() {
		if !strings.Contains(string(config), `files: ["${base-path}/`+row.path+`/**"`) {
			missing = append(missing, row.path)
		}
	}
	return missing, nil
}
