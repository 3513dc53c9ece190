package archtest

import (
	"go/ast"
	"slices"
	"strings"
)

// floor is a row of the architecture's table: a package with what it may import of ours. A folder below it shares its
// row, unless it has one of its own.
type floor struct {
	number int
	path   string
	may    []string
}

// floors is the table of the architecture document, with what each row's list takes for granted written out: whoever may
// import a package may name the types that it speaks in.
func floors() []floor {
	words := []string{"types", "trade", "internal/disk"}
	and := func(more ...string) []string { return append(more, words...) }
	everyone := []string{
		"internal/node", "internal/httpapi", "client", "internal/chain", "internal/index", "internal/query", "internal/store", "wallet", "internal/game", "internal/ledger", "trade", "market", "meter", "types", "client/wire",
		"internal/atomicfile", "internal/disk", "internal/plaintext",
	}
	return []floor{
		{4, "cmd/lockstep", append([]string{"internal/sim", "internal/bench"}, everyone...)},
		{4, "internal/sim", everyone},
		{4, "internal/bench", everyone},

		{3, "internal/node", and("internal/chain", "internal/httpapi", "internal/index", "internal/ledger", "internal/plaintext", "internal/query", "internal/store")},
		{4, "internal/ledgertest", everyone},
		{3, "internal/query", and("client/wire", "internal/index", "internal/ledger", "internal/store", "market")},
		{3, "internal/httpapi", and("client", "client/wire", "internal/index", "internal/query", "market")},
		{3, "client", and("wallet", "client/wire")},

		{2, "internal/chain", and("internal/ledger", "internal/store", "internal/atomicfile", "internal/plaintext")},
		{2, "internal/index", and("internal/ledger")},
		{2, "internal/store", and("internal/ledger")},
		{2, "wallet", and("internal/atomicfile")},

		{1, "internal/game", []string{"internal/ledger", "trade", "meter", "types"}}, // meter: it signs the readings that its players may post
		{1, "internal/ledger", []string{"types", "trade", "market", "meter"}},
		{1, "client/wire", []string{"types", "trade"}}, // the API's messages
		{1, "trade", []string{"types"}},

		{0, "market", []string{"types"}},
		{0, "meter", []string{"types"}},
		{0, "types", nil},
		{0, "internal/atomicfile", nil},
		{0, "internal/disk", nil},
		{0, "internal/plaintext", []string{"types"}},

		{4, "internal/archtest", nil},
		{4, "internal/mutate", nil},
		{0, "internal/component", nil},
		{4, "internal/browser", []string{"internal/component"}},
	}
}

// exclusives are the libraries that one package hides from all others.
func exclusives() map[string]string {
	return map[string]string{
		"github.com/cometbft":           "internal/chain",
		"github.com/syndtr/goleveldb":   "internal/chain",
		"github.com/cockroachdb/pebble": "internal/store",
		"github.com/danielgtaylor/huma": "internal/httpapi",
		"modernc.org/sqlite":            "internal/index",
		"github.com/alecthomas/kong":    "cmd/lockstep",
		"filippo.io/age":                "wallet",
		"github.com/trustelem/zxcvbn":   "wallet",
		"github.com/cosmos/go-bip39":    "wallet",
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

// checkFloors: nothing imports upwards, or sideways without leave, or a library that belongs to another package.
func checkFloors(p *pkg) []string {
	row, known := rowOf(p.path)
	if !known {
		return []string{p.finding(p.files[0].Name, "package %s stands on no floor: add a row for it to the table in "+
			"internal/archtest/floors.go and to the architecture document, with its one job and what it may import", p.path)}
	}
	var findings []string
	p.imports(func(spec *ast.ImportSpec, path string) {
		for library, owner := range exclusives() {
			if within(path, library) && !within(p.path, owner) {
				findings = append(findings, p.finding(spec, "%s imports %s, which is for %s alone: ask that package for what you need", p.path, path, owner))
			}
		}
		ours, own := strings.CutPrefix(path, modulePath+"/")
		if !own {
			return
		}
		switch target, ok := rowOf(ours); {
		case !ok:
			findings = append(findings, p.finding(spec, "%s imports %s, which stands on no floor", p.path, ours))
		case target.path == row.path:
		case target.number > row.number:
			findings = append(findings, p.finding(spec, "%s (floor %d) imports upwards: %s is on floor %d", p.path, row.number, ours, target.number))
		case !slices.Contains(row.may, target.path):
			findings = append(findings, p.finding(spec, "%s may not import %s; the architecture allows it: %s", p.path, ours, strings.Join(row.may, ", ")))
		}
	})
	return findings
}
