package archtest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// linterVariable names the golangci-lint program for TestLinterRules. "make lint-selftest" sets it.
const linterVariable = "LOCKSTEP_LINTER"

// linterCases are packages with one import or declaration each; an empty want means that no finding is expected.
func linterCases() []struct{ folder, code, want string } {
	denied := func(what string) string { return "import '" + what + "' is not allowed" }
	return []struct{ folder, code, want string }{
		{"internal/ledger/downwards", `import _ "lockstep/types"`, ""},
		{"types/upwards", `import _ "lockstep/internal/ledger"`, denied("lockstep/internal/ledger")},
		{"meter/sideways", `import _ "lockstep/market"`, denied("lockstep/market")},
		{"market/sideways", `import _ "lockstep/meter"`, denied("lockstep/meter")},
		{"internal/ledger/upwards", `import _ "lockstep/internal/store"`, denied("lockstep/internal/store")},
		{"internal/game/upwards", `import _ "lockstep/internal/chain"`, denied("lockstep/internal/chain")},
		{"internal/game/explorer", `import _ "lockstep/internal/game/explore"`, denied("lockstep/internal/game/explore")},
		{"internal/game/explore/upwards", `import _ "lockstep/internal/store"`, denied("lockstep/internal/store")},
		{"internal/chain/sideways", `import _ "lockstep/internal/index"`, denied("lockstep/internal/index")},
		{"internal/index/sideways", `import _ "lockstep/internal/store"`, denied("lockstep/internal/store")},
		{"internal/store/sideways", `import _ "lockstep/internal/chain"`, denied("lockstep/internal/chain")},
		{"wallet/sideways", `import _ "lockstep/internal/store"`, denied("lockstep/internal/store")},
		{"client/downwards", `import _ "lockstep/client/wire"`, ""},
		{"client/skipping", `import _ "lockstep/internal/store"`, denied("lockstep/internal/store")},
		{"client/wire/upwards", `import _ "lockstep/client"`, denied("lockstep/client")},
		{"internal/httpapi/skipping", `import _ "lockstep/internal/store"`, denied("lockstep/internal/store")},
		{"internal/node/upwards", `import _ "lockstep/internal/sim"`, denied("lockstep/internal/sim")},
		{"internal/sim/sideways", `import _ "lockstep/internal/bench"`, denied("lockstep/internal/bench")},
		{"internal/bench/sideways", `import _ "lockstep/internal/sim"`, denied("lockstep/internal/sim")},
		{"trade/upwards", `import _ "lockstep/internal/ledger"`, denied("lockstep/internal/ledger")},
		{"wallet/messages", `import _ "lockstep/client/wire"`, denied("lockstep/client/wire")},
		{"internal/index/messages", `import _ "lockstep/client/wire"`, denied("lockstep/client/wire")},
		{"internal/query/upwards", `import _ "lockstep/internal/httpapi"`, denied("lockstep/internal/httpapi")},
		{"internal/atomicfile/upwards", `import _ "lockstep/types"`, denied("lockstep/types")},
		{"internal/disk/upwards", `import _ "lockstep/types"`, denied("lockstep/types")},
		{"internal/plaintext/upwards", `import _ "lockstep/internal/disk"`, denied("lockstep/internal/disk")},
		{"internal/svg/upwards", `import _ "lockstep/types"`, denied("lockstep/types")},
		{"internal/table/upwards", `import _ "lockstep/types"`, denied("lockstep/types")},
		{"internal/archtest/upwards", `import _ "lockstep/types"`, denied("lockstep/types")},
		{"internal/browser/upwards", `import _ "lockstep/types"`, denied("lockstep/types")},
		{"internal/ledgertest/upwards", `import _ "lockstep/internal/sim"`, denied("lockstep/internal/sim")},
		{"cmd/lockstep/helpers", `import _ "lockstep/internal/ledgertest"`, denied("lockstep/internal/ledgertest")},
		{"internal/sim/helpers", `import _ "lockstep/internal/browser"`, denied("lockstep/internal/browser")},

		{"internal/chain/engine", `import _ "github.com/cometbft/cometbft/node"`, ""},
		{"internal/node/engine", `import _ "github.com/cometbft/cometbft/node"`, denied("github.com/cometbft/cometbft/node")},
		{"internal/store/database", `import _ "github.com/cometbft/cometbft-db"`, denied("github.com/cometbft/cometbft-db")},
		{"internal/store/leveldb", `import _ "github.com/syndtr/goleveldb/leveldb"`, denied("github.com/syndtr/goleveldb/leveldb")},
		{"internal/chain/pebble", `import _ "github.com/cockroachdb/pebble/v2"`, denied("github.com/cockroachdb/pebble/v2")},
		{"client/huma", `import _ "github.com/danielgtaylor/huma/v2"`, denied("github.com/danielgtaylor/huma/v2")},
		{"internal/store/sqlite", `import _ "modernc.org/sqlite"`, denied("modernc.org/sqlite")},
		{"internal/sim/kong", `import _ "github.com/alecthomas/kong"`, denied("github.com/alecthomas/kong")},
		{"client/age", `import _ "filippo.io/age"`, denied("filippo.io/age")},
		{"cmd/lockstep/zxcvbn", `import _ "github.com/trustelem/zxcvbn"`, denied("github.com/trustelem/zxcvbn")},
		{"cmd/lockstep/bip39", `import _ "github.com/cosmos/go-bip39"`, denied("github.com/cosmos/go-bip39")},

		{"client/globals/counter", `var Count int`, "Count is a global variable"},
		{"client/globals/cache", `var Cache = map[string]int{}`, "Cache is a global variable"},
		{"client/globals/pointer", `var State = new(int)`, "State is a global variable"},
		{"client/globals/table", "var Names = []string{\"a\"} //nolint:gochecknoglobals // a constant table", ""},
		{"client/globals/failure", `import "errors"; var ErrGone = errors.New("gone")`, ""},
		{"client/globals/assertion", `type i interface{}; type t int; var _ i = (*t)(nil)`, ""},
		{"client/inits/function", `func init() {}`, "don't use `init` function"},
		{"client/inits/method", `type T int; func (T) init() {}; var _ = T.init`, ""},
	}
}

// TestLinterRules runs the import, globals and init rules of the linters' configuration on a module of samples, each of
// which breaks one rule or none. The packages that they import are empty.
func TestLinterRules(t *testing.T) {
	t.Parallel()
	linter := os.Getenv(linterVariable)
	if linter == "" {
		t.Skip("run by make lint-selftest, which builds the linters")
	}
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile(filepath.Join("..", "..", linterConfig))
	if err != nil {
		t.Fatal(err)
	}
	write(linterConfig, string(config))

	wanted, imported, modules := map[string]string{}, regexp.MustCompile(`import _ "([^"]+)"`), map[string]bool{}
	for _, c := range linterCases() {
		write(c.folder+"/sample.go", "package "+path.Base(c.folder)+"\n\n"+c.code+"\n")
		wanted[c.folder] = c.want
		if match := imported.FindStringSubmatch(c.code); match != nil {
			folder, own := strings.CutPrefix(match[1], modulePath+"/")
			if !own {
				folder = "stubs/" + match[1]
				write(folder+"/go.mod", "module "+match[1]+"\n\ngo 1.26.0\n")
				modules[match[1]] = true
			}
			write(folder+"/stub.go", "package stub\n")
		}
	}
	mod := "module " + modulePath + "\n\ngo 1.26.0\n"
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		version := "v0.0.0"
		if major := path.Base(module); major == "v2" {
			version = "v2.0.0"
		}
		mod += fmt.Sprintf("\nrequire %s %s\n\nreplace %s => ./stubs/%s\n", module, version, module, module)
	}
	write("go.mod", mod)

	command := exec.Command(linter, "run", "--enable-only=depguard,gochecknoglobals,gochecknoinits", "--allow-parallel-runners",
		"--issues-exit-code=0", "--show-stats=false", "--output.text.print-issued-lines=false", "--output.text.path=stdout", "./...")
	command.Dir = root
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(output)) {
		file, finding, _ := strings.Cut(line, ":")
		found[path.Dir(filepath.ToSlash(file))] += finding
	}
	for folder, want := range wanted {
		if got := found[folder]; want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: found %q, want %q", folder, got, want)
		}
	}
	if t.Failed() {
		t.Logf("the linter printed:\n%s", output)
	}
}
