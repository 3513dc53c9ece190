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
	words := []string{"types", "api/wire", "internal/disk"}
	and := func(more ...string) []string { return append(more, words...) }
	everyone := []string{
		"node", "agent", "api", "web", "client", "chain", "index", "store", "wallet", "game", "ledger", "market", "meter", "meter/source", "types", "api/wire",
		"internal/atomicfile", "internal/disk", "internal/plaintext",
	}
	return []floor{
		{4, "cmd/lockstep", append([]string{"sim", "load"}, everyone...)},
		{4, "sim", everyone},
		{4, "load", everyone},

		{3, "node", and("chain", "index", "api", "store", "web", "ledger", "internal/plaintext")},
		{3, "agent", and("client", "wallet", "market", "meter", "meter/source")},
		{3, "api", and("index", "chain", "agent", "ledger", "market", "client", "web")},
		{3, "web", and("client")},
		{3, "client", and()},

		{2, "chain", and("ledger", "store", "internal/atomicfile", "internal/plaintext")},
		{2, "index", and("ledger")},
		{2, "store", and("ledger")},
		{2, "wallet", and("internal/atomicfile")},

		{1, "game", []string{"ledger", "meter", "types"}}, // meter: it signs the readings that its players may post
		{1, "ledger", []string{"types", "market", "meter"}},

		{0, "market", []string{"types"}},
		{0, "meter", []string{"types"}},
		{0, "meter/source", []string{"types", "meter"}},
		{0, "api/wire", []string{"types"}}, // the API's messages: words, like types
		{0, "types", nil},
		{0, "internal/atomicfile", nil},
		{0, "internal/disk", nil},
		{0, "internal/plaintext", []string{"types"}},

		{4, "internal/archtest", nil},
		{4, "internal/browser", nil},
	}
}

// exclusives are the libraries that one package hides from all others.
func exclusives() map[string]string {
	return map[string]string{
		"github.com/cometbft":           "chain",
		"github.com/syndtr/goleveldb":   "chain",
		"github.com/cockroachdb/pebble": "store",
		"github.com/danielgtaylor/huma": "api",
		"modernc.org/sqlite":            "index",
		"github.com/alecthomas/kong":    "cmd/lockstep",
		"github.com/eclipse-paho":       "meter/source",
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
