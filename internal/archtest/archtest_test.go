package archtest

import (
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture checks every package of the module.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	packages, err := load(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(packages, func(p *pkg) bool { return p.path == "types" }) {
		t.Fatalf("package types is not among the %d packages: is this the module's root?", len(packages))
	}
	for _, p := range packages {
		for _, finding := range judge(p) {
			t.Error(finding)
		}
	}
}

func judge(p *pkg) []string {
	findings := append(checkFloors(p), checkHabits(p)...)
	if slices.Contains(pure(), p.path) {
		findings = append(findings, checkPurity(p)...)
	}
	return findings
}

// source makes a package of one file, with a package comment unless it has its own first line.
func source(t *testing.T, path, code string) *pkg {
	t.Helper()
	if !strings.Contains(code, "package ") {
		code = "// Package " + filepath.Base(path) + " is a sample.\npackage " + filepath.Base(path) + "\n" + code
	}
	p := &pkg{path: path, fset: token.NewFileSet()}
	if err := p.add(path+"/sample.go", []byte(code)); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRulesReport checks each rule with a source that breaks it, and with one that does not. TestLinterRules does the same
// for the rules that golangci-lint enforces.
func TestRulesReport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, code, want string }{ // an empty want: nothing is found
		"downwards":               {"internal/ledger", `import "lockstep/types"`, ""},
		"upwards":                 {"types", `import "lockstep/internal/ledger"`, "types (floor 0) imports upwards: internal/ledger is on floor 1"},
		"far upwards":             {"internal/chain", `import "lockstep/cmd/lockstep"`, "imports upwards"},
		"a folder of its own":     {"wallet", `import "lockstep/wallet/assets"`, ""},
		"a folder shares its row": {"wallet/assets", `import "lockstep/internal/node"`, "wallet/assets (floor 2) imports upwards: internal/node is on floor 3"},
		"a row of its own":        {"client/wire", `import "lockstep/internal/httpapi"`, "imports upwards"},
		"unknown package":         {"surprise", ``, "package surprise has no floor: add a row"},
		"unknown import":          {"internal/sim", `import "lockstep/surprise"`, "which has no floor"},

		"time as a type":        {"types", `import "time"; func f(t time.Time) int64 { return t.UnixMilli() }`, ""},
		"clock":                 {"types", `import "time"; func f() time.Time { return time.Now() }`, "no clock: time.Now"},
		"clock as a value":      {"internal/ledger", `import "time"; func f() func() time.Time { return time.Now }`, "no clock: time.Now"},
		"clock, renamed":        {"internal/ledger", `import wall "time"; func f() { wall.Sleep(1) }`, "no clock: time.Sleep"},
		"clock where it may be": {"client", `import "time"; func f() time.Time { return time.Now() }`, ""},
		"randomness":            {"internal/ledger", `import "math/rand/v2"`, "can't import math/rand/v2"},
		"files":                 {"market", `import "os"`, "can't import os"},
		"network":               {"meter", `import "net/http"`, "can't import net/http"},
		"netip is network too":  {"types", `import "net/netip"`, "can't import net/netip"},
		"goroutine":             {"internal/ledger", `func f() { go f() }`, "no goroutines"},
		"channel":               {"internal/ledger", `func f(c chan int) {}`, "no channels"},
		"select":                {"internal/ledger", `func f() { select {} }`, "no channels"},
		"float":                 {"internal/ledger", `func f(x float64) {}`, "no floats"},
		"float constant":        {"market", `func f() int { return int(2 * 1.5) }`, "no floats"},
		"float elsewhere":       {"internal/game", `func f(x float64) {}`, ""},
		"map order":             {"internal/ledger", `func f(m map[int]int) { for range m {} }`, "a map has no order"},
		"map order, named type": {"internal/ledger", `type sums map[int]int; func f(m sums) { for range m {} }`, "a map has no order"},
		"map order, in a field": {"internal/ledger", `type s struct{ m map[int]int }; func (s *s) f() { for range s.m {} }`, "a map has no order"},
		"map order, keys":       {"internal/ledger", `import "maps"; func f(m map[int]int) { for range maps.Keys(m) {} }`, "a map has no order"},
		"map order, sorted":     {"internal/ledger", "import (\"maps\"; \"slices\"); func f(m map[int]int) { for range slices.Sorted(maps.Keys(m)) {} }", ""},
		"map order, excused":    {"internal/ledger", "func f(m map[int]int) {\n\t// any order: it only counts\n\tfor range m {}\n}", ""},
		"a list has order":      {"internal/ledger", `func f(m []int) { for range m {} }`, ""},

		"no package doc":              {"client", `package client`, "has 0 package comments"},
		"a name that says nothing":    {"wallet/utils", ``, "says nothing"},
		"the other verification":      {"wallet", `import "crypto/ed25519"; func f() bool { return ed25519.Verify(nil, nil, nil) }`, "use types.VerifyEd25519"},
		"a text read past the reader": {"internal/node", `import "os"; func f() { os.ReadFile("") }`, "is read by internal/plaintext"},
		"standard input, all of it":   {"cmd/lockstep", `import "io"; func f() { io.ReadAll(nil) }`, "is read by internal/plaintext"},
		"a file of the engine":        {"internal/chain", `import "os"; func f() { os.ReadFile("") }`, ""},
		"signing":                     {"wallet", `import "crypto/ed25519"; func f() []byte { return ed25519.Sign(nil, nil) }`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := strings.Join(judge(source(t, c.path, c.code)), "\n")
			if c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q in\n%s", found, c.want, c.code)
			}
		})
	}
}

func TestTwoPackageDocs(t *testing.T) {
	t.Parallel()
	p := source(t, "client", "// Package client is one thing.\npackage client")
	if err := p.add("client/more.go", []byte("// Package client is another.\npackage client")); err != nil {
		t.Fatal(err)
	}
	if findings := judge(p); len(findings) != 1 || !strings.Contains(findings[0], "2 package comments") {
		t.Errorf("found %q", findings)
	}
}

// TestFloorsTable: each package has one row, and an import rule in the linters' configuration.
func TestFloorsTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range floors() {
		if seen[row.path] {
			t.Errorf("%s has two rows", row.path)
		}
		seen[row.path] = true
	}
	missing, err := withoutImportRule(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) > 0 {
		t.Errorf("%s has no import rule (depguard) for %s", linterConfig, strings.Join(missing, ", "))
	}
}
