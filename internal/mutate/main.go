package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// target is a part of the source. The tests of the listed packages must detect each of its mutants; the packages that detect the most
// mutants in the least time come first.
type target struct {
	file  string   // or a folder: all its source files
	only  []string // functions and variables; all when empty
	tests []string
}

// targets are the rules of a trade, including the allotment of readings, and those of orders, their stakes, their slots and their matches.
func targets() []target {
	list := []target{{file: "trade", tests: []string{"./trade", "./internal/ledger", "./wallet"}}}
	for _, file := range []string{"order", "slot", "held", "stakes", "auction", "offer", "conduct", "audit_stakes"} { // balances count stakes: see the tests of the store
		list = append(list, target{file: "internal/ledger/" + file + ".go", tests: []string{"./internal/ledger", "./internal/store"}})
	}
	for _, file := range []string{"grid", "order"} {
		list = append(list, target{file: "types/" + file + ".go", tests: []string{"./types", "./internal/ledger"}})
	}
	return list
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	sample := flags.Int("sample", 0, "run so many mutants, drawn by the seed; 0 for all")
	seed := flags.Uint64("seed", 1, "draws the sample")
	match := flags.String("match", "", "run only the mutants whose name contains this text")
	names := flags.String("names", "", "run only the mutants that this file names, one a line: the survivors of an earlier run")
	list := flags.Bool("list", false, "print the mutants and run nothing")
	workers := flags.Int("workers", runtime.NumCPU(), "mutants at a time")
	timeout := flags.Duration("timeout", 2*time.Minute, "bound on the tests of one package")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	mutants, err := mutantsOf(root, targets())
	if err != nil {
		return err
	}
	equivalent, err := readEquivalent(filepath.Join(root, "internal", "mutate", "equivalent.txt"), mutants)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool {
		return equivalent[m.name] != "" || !strings.Contains(m.name, *match)
	})
	if *names != "" {
		if chosen, err = named(out, *names, chosen); err != nil {
			return err
		}
	}
	if *sample > 0 && *sample < len(chosen) {
		chosen = draw(chosen, *sample, *seed)
	}
	if *list {
		for _, m := range chosen {
			fmt.Fprintf(out, "%d\t%s\n", m.line, m.name)
		}
		return nil
	}
	fmt.Fprintf(out, "%d mutants, %d of them listed as equivalent; running %d\n", len(mutants), len(equivalent), len(chosen))
	random, err := randomOf(ctx, root, chosen)
	if err != nil {
		return err
	}
	r := &runner{root: root, random: random, workers: *workers, timeout: *timeout, report: func(o outcome) { printOutcome(out, o) }}
	return judge(out, r.all(ctx, chosen))
}

// named returns the mutants that a file names, and prints the names that no mutant has any more.
func named(out io.Writer, path string, mutants []mutant) (chosen []mutant, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		name := strings.TrimSpace(line)
		at := slices.IndexFunc(mutants, func(m mutant) bool { return m.name == name })
		switch {
		case at >= 0:
			chosen = append(chosen, mutants[at])
		case name != "":
			fmt.Fprintf(out, "no mutant any more, or listed as equivalent: %s\n", name)
		}
	}
	return chosen, nil
}

func moduleRoot(ctx context.Context) (string, error) {
	path, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(path))), nil
}

// mutantsOf returns the mutants of all targets.
func mutantsOf(root string, list []target) (mutants []mutant, err error) {
	for _, t := range list {
		files := []string{t.file}
		if !strings.HasSuffix(t.file, ".go") {
			if files, err = sourcesOf(root, t.file); err != nil {
				return nil, err
			}
		}
		for _, file := range files {
			source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			if err != nil {
				return nil, err
			}
			some, err := generate(file, source, t.only)
			if err != nil {
				return nil, err
			}
			for i := range some {
				some[i].tests = t.tests
			}
			mutants = append(mutants, some...)
		}
	}
	return mutants, nil
}

// randomOf returns the packages whose tests draw random cases.
func randomOf(ctx context.Context, root string, mutants []mutant) (map[string]bool, error) {
	random := map[string]bool{}
	for _, m := range mutants {
		for _, pkg := range m.tests {
			if _, known := random[pkg]; known {
				continue
			}
			var err error
			if random[pkg], err = usesRapid(ctx, root, pkg); err != nil {
				return nil, err
			}
		}
	}
	return random, nil
}

// sourcesOf returns the source files of a folder, without tests.
func sourcesOf(root, folder string) (files []string, err error) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			files = append(files, folder+"/"+e.Name())
		}
	}
	return files, err
}

// readEquivalent reads the mutants that no test can distinguish from the original: one a line, "name | reason".
func readEquivalent(path string, mutants []mutant) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reasons := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " | ")
		if at < 0 {
			return nil, fmt.Errorf("%s:%d: write \"name | reason\"", path, number)
		}
		name, reason := strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+3:])
		switch {
		case reason == "":
			return nil, fmt.Errorf("%s:%d: the reason is missing", path, number)
		case !slices.ContainsFunc(mutants, func(m mutant) bool { return m.name == name }):
			return nil, fmt.Errorf("%s:%d: no mutant has the name %q: remove the line, or correct it by the output of -list", path, number, name)
		}
		reasons[name] = reason
	}
	return reasons, lines.Err()
}

// draw returns some mutants in the order of the text: those whose names have the smallest hashes with the seed. So a change of the source
// replaces few mutants of the sample, and an unrelated change replaces none.
func draw(mutants []mutant, sample int, seed uint64) []mutant {
	hash := func(place int) []byte {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, mutants[place].name))
		return sum[:]
	}
	places := make([]int, len(mutants))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return bytes.Compare(hash(a), hash(b)) })
	places = places[:sample]
	slices.Sort(places)
	drawn := make([]mutant, sample)
	for i, place := range places {
		drawn[i] = mutants[place]
	}
	return drawn
}

func printOutcome(out io.Writer, o outcome) {
	words := map[verdict]string{unborn: "does not compile", killed: "killed by " + o.by, survived: "SURVIVES", broken: "NOT RUN"}
	fmt.Fprintf(out, "%-30s %5.1f s  %s:%d  %s\n", words[o.verdict], o.took.Seconds(), o.mutant.file, o.mutant.line, o.mutant.name)
	if o.detail != "" {
		fmt.Fprintln(out, o.detail)
	}
}

// judge prints the counts, and fails when a mutant survives or was not run.
func judge(out io.Writer, outcomes []outcome) error {
	count := map[verdict]int{}
	for _, o := range outcomes {
		count[o.verdict]++
	}
	fmt.Fprintf(out, "%d killed, %d do not compile, %d survive, %d not run\n", count[killed], count[unborn], count[survived], count[broken])
	if count[survived]+count[broken] == 0 {
		return nil
	}
	for _, o := range outcomes {
		if o.verdict == survived || o.verdict == broken {
			printOutcome(out, o)
		}
	}
	return errors.New("add a test that fails for each survivor, or give the reason why none can in internal/mutate/equivalent.txt")
}
