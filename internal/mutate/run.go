package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// verdict is the result of a mutant.
type verdict int

const (
	unborn   verdict = iota // it does not compile
	killed                  // a test fails
	survived                // every test passes
	broken                  // the tests could not be run
)

// outcome is the verdict of one mutant with its cause.
type outcome struct {
	mutant  mutant
	verdict verdict
	by      string // the package whose tests detected it
	detail  string
	took    time.Duration
}

// runner runs mutants of the module at a root.
type runner struct {
	root    string
	random  map[string]bool // packages whose tests draw random cases
	workers int
	timeout time.Duration // of the tests of one package
	report  func(outcome) // called from one goroutine at a time, unless nil
}

// all runs every mutant, some at a time, and returns the outcomes in the order of the mutants.
func (r *runner) all(ctx context.Context, mutants []mutant) []outcome {
	outcomes, next := make([]outcome, len(mutants)), make(chan int)
	var group sync.WaitGroup
	var mu sync.Mutex
	for range r.workers {
		group.Go(func() {
			for i := range next {
				outcomes[i] = r.one(ctx, mutants[i])
				if r.report != nil {
					mu.Lock()
					r.report(outcomes[i])
					mu.Unlock()
				}
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	group.Wait()
	return outcomes
}

// one runs the tests of a mutant, package by package, up to the first that fails.
func (r *runner) one(ctx context.Context, m mutant) (result outcome) {
	began := time.Now()
	result = outcome{mutant: m, verdict: survived}
	defer func() { result.took = time.Since(began) }()
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		result.verdict, result.detail = broken, err.Error()
		return result
	}
	defer os.RemoveAll(dir)
	overlay, err := r.overlay(dir, m)
	for i := 0; err == nil && i < len(m.tests) && result.verdict == survived; i++ {
		result.by = m.tests[i]
		result.verdict, err = r.test(ctx, overlay, filepath.Join(dir, "mutant.test"), m.tests[i])
	}
	if err != nil {
		result.verdict, result.detail = broken, err.Error()
	}
	return result
}

// overlay writes the mutant's source and the overlay file with which the go command uses it in place of the original.
func (r *runner) overlay(dir string, m mutant) (path string, err error) {
	original := filepath.Join(r.root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	mutated, path := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	return path, errors.Join(err, os.WriteFile(mutated, m.apply(source), 0o600), os.WriteFile(path, replace, 0o600))
}

// test compiles the tests of a package with the overlay and runs them up to the first failure.
func (r *runner) test(ctx context.Context, overlay, binary, pkg string) (verdict, error) {
	compile := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, pkg)
	compile.Dir = r.root
	if text, err := compile.CombinedOutput(); err != nil {
		if exit := new(exec.ExitError); errors.As(err, &exit) && ctx.Err() == nil {
			return unborn, nil
		}
		return broken, fmt.Errorf("compile the tests of %s: %w\n%s", pkg, err, text)
	}
	ctx, stop := context.WithTimeout(ctx, r.timeout)
	defer stop()
	tests := exec.CommandContext(ctx, binary, "-test.short", "-test.failfast", "-test.v", "-test.timeout="+r.timeout.String())
	tests.Dir = filepath.Join(r.root, filepath.FromSlash(pkg))
	if r.random[pkg] { // a random failure is neither reduced nor written into the tree
		tests.Args = append(tests.Args, "-rapid.nofailfile", "-rapid.shrinktime=1ms")
	}
	out, err := tests.StdoutPipe()
	if err != nil {
		return broken, err
	}
	if err := tests.Start(); err != nil {
		return broken, fmt.Errorf("run the tests of %s: %w", pkg, err)
	}
	result := survived
	for lines := bufio.NewScanner(out); result == survived && lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "--- FAIL") {
			result = killed
			stop() // the other tests need not finish
		}
	}
	switch err, exit := tests.Wait(), new(exec.ExitError); {
	case result == killed || err == nil:
		return result, nil
	case errors.As(err, &exit): // a panic or a timeout
		return killed, nil
	default:
		return broken, fmt.Errorf("run the tests of %s: %w", pkg, err)
	}
}

// usesRapid reports whether the tests of a package draw random cases with rapid, whose binaries know its flags.
func usesRapid(ctx context.Context, root, pkg string) (bool, error) {
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.TestImports}} {{.XTestImports}}", pkg)
	list.Dir = root
	imports, err := list.Output()
	if err != nil {
		return false, fmt.Errorf("list the imports of %s: %w", pkg, err)
	}
	return strings.Contains(string(imports), "pgregory.net/rapid"), nil
}
