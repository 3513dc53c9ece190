package types_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"lockstep/types"
)

// TestEventKindNumbers reads the kinds from the source, so that none can be forgotten. Their numbers are frozen: logs and stores hold them.
func TestEventKindNumbers(t *testing.T) {
	t.Parallel()
	source, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[types.EventNumber]types.EventKind{}
	ast.Inspect(source, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if named, ok := spec.Type.(*ast.Ident); !ok || named.Name != "EventKind" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		kind := types.EventKind(text)
		number := kind.Number()
		if err != nil || number == 0 || number.Kind() != kind || numbers[number] != "" {
			t.Errorf("events of kind %q have the number %d (%v)", kind, number, err)
		}
		numbers[number] = kind
		return true
	})
	if after := types.EventNumber(len(numbers) + 1); after.Kind() != "" {
		t.Errorf("number %d names %q, and %d kinds are declared", after, after.Kind(), len(numbers))
	}
	for number, kind := range map[types.EventNumber]types.EventKind{1: "issued", 10: "agreed", 13: "released", 22: "registered"} {
		if number.Kind() != kind {
			t.Errorf("kind %d is %q, not %q", number, number.Kind(), kind)
		}
	}
	if types.EventKind("unheard_of").Number() != 0 || types.EventNumber(200).Kind() != "" {
		t.Error("an unknown kind has a number")
	}
}

// TestAppHashParts changes one part of the app hash at a time.
func TestAppHashParts(t *testing.T) {
	t.Parallel()
	seen := map[types.Hash]bool{}
	for _, of := range []struct {
		state types.Hash
		log   types.LogHead
	}{
		{}, {state: types.Hash{1}}, {log: types.LogHead{Size: 1}}, {log: types.LogHead{Size: 1 << 56}}, {log: types.LogHead{Root: types.Hash{1}}},
	} {
		hash := types.AppHash(of.state, of.log)
		if seen[hash] {
			t.Errorf("%+v has the hash of another", of)
		}
		seen[hash] = true
	}
}

// TestResultsRoot: the root changes with each fill, each order and their number, and proves one order by its path.
func TestResultsRoot(t *testing.T) {
	t.Parallel()
	results := make([]types.Result, 5)
	for i := range results {
		results[i] = types.Result{Number: uint8(i), Order: types.OrderID{byte(i)}, Filled: uint64(i)}
	}
	seen := map[types.Hash]bool{{}: true}
	for n := 1; n <= len(results); n++ {
		root := types.ResultsRoot(results[:n])
		if seen[root] {
			t.Errorf("%d results have the root of others", n)
		}
		seen[root] = true
		for i := range n {
			results[i].Filled++
			if types.ResultsRoot(results[:n]) == root {
				t.Errorf("the root of %d results does not cover result %d", n, i)
			}
			results[i].Filled--
		}
	}
	if types.ResultsRoot(nil) != (types.Hash{}) {
		t.Error("no results have a root")
	}
}
