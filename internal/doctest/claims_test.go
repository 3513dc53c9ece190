package doctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"lockstep/types"
)

// cells are the rows of the tables of a document.
func cells(t *testing.T, path string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(read(t, path)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		row := strings.Split(strings.Trim(line, "|"), " | ")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows = append(rows, append(row, "", "")) // so that no row is too short to look at
	}
	return rows
}

const parametersPath = "docs/reference/parameters.md"

// defaultGrids returns the fields of the default grids as texts.
func defaultGrids(t *testing.T) (grids []map[string]string) {
	t.Helper()
	for _, grid := range types.DefaultGrids() {
		text := func(name string) string {
			if name == "" {
				return "any"
			}
			return name
		}
		grids = append(grids, map[string]string{
			"commodity": text(grid.Commodity), "unit": text(grid.Unit), "asset": "any", "lot": fmt.Sprint(grid.Lot), "tick": grid.Tick.String(),
			"ceiling": grid.Ceiling.String(), "deposit": grid.Deposit.String(), "bond": grid.Bond.String(), "fallback": types.FallbackKind(grid.Fallback),
		})
	}
	if want := reflect.TypeFor[types.Grid]().NumField() - 1; len(grids[0]) != want {
		t.Fatalf("a grid has %d fields", want)
	}
	return grids
}

// TestParameters holds the names, the flags and the defaults of the parameters' reference against the code's.
func TestParameters(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(types.DefaultParams("a new one")) // which node init makes up
	if err != nil {
		t.Fatal(err)
	}
	var params map[string]any
	if err := json.Unmarshal(text, &params); err != nil {
		t.Fatal(err)
	}
	market, ok := params["market"].(map[string]any)
	if !ok {
		t.Fatal("the parameters have no market")
	}
	name(params, reflect.TypeFor[types.Params]())
	entries, ok := params["entries"].(map[string]any)
	if !ok {
		t.Fatal("the parameters have no entries")
	}
	name(market, reflect.TypeFor[types.MarketParams]())
	name(entries, reflect.TypeFor[types.EntryParams]())
	delete(params, "market")
	delete(params, "entries")
	delete(market, "grids")    // they have a table of their own
	maps.Copy(params, entries) // their tables have the same columns
	maps.Copy(params, market)
	grids := defaultGrids(t)
	code, flags, init := regexp.MustCompile("`([a-z_]+)`"), regexp.MustCompile("`(--[a-z-]+)`"), help(t, "node", "init")
	documented := map[string]bool{}
	for _, row := range cells(t, parametersPath) {
		names := code.FindAllStringSubmatch(row[0], -1)
		for i, found := range names {
			name := found[1]
			value, known := params[name]
			defaults := row[2]
			if known {
				for _, flag := range flags.FindAllStringSubmatch(row[1], -1) {
					if !strings.Contains(init, flag[1]) {
						t.Errorf("%s: node init has no flag %s", parametersPath, flag[1])
					}
				}
			} else if _, known = grids[0][name]; known {
				for g := range grids {
					if got := plainly(row[2+g]); got != plainly(grids[g][name]) {
						t.Errorf("%s: %s of default grid %d is %s, not %s", parametersPath, name, g, grids[g][name], got)
					}
				}
				documented[name] = true
				continue
			} else if name == "grids" {
				continue
			} else {
				t.Errorf("%s: there is no parameter %s", parametersPath, name)
				continue
			}
			documented[name] = true
			said := strings.Split(defaults, ", ")
			if got := said[min(i, len(said)-1)]; plainly(got) != plainly(fmt.Sprint(value)) {
				t.Errorf("%s: the default of %s is %v, not %s", parametersPath, name, value, got)
			}
		}
	}
	for name := range grids[0] { // any order, as below
		if !documented[name] {
			t.Errorf("%s: nothing is said of %s", parametersPath, name)
		}
	}
	for _, fields := range []map[string]any{params, market} {
		for name := range fields { // any order: each is a line of its own
			if !documented[name] {
				t.Errorf("%s: nothing is said of %s", parametersPath, name)
			}
		}
	}
}

// name adds the fields of a type that JSON leaves out since they have no value.
func name(fields map[string]any, of reflect.Type) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if _, there := fields[name]; !there && name != "" {
			fields[name] = nil
		}
	}
}

// plainly brings a value into one form, whether a document writes it or JSON.
func plainly(text string) string {
	text = strings.ReplaceAll(strings.Trim(text, "`"), ",", "")
	switch text {
	case "400 days":
		return "9600h"
	case "2^40":
		text = fmt.Sprint(uint64(1 << 40))
	case "none", "[]", "<nil>", "", strings.Repeat("0", 64):
		return "none"
	}
	var number float64
	if json.Unmarshal([]byte(text), &number) == nil {
		if number == 0 {
			return "none"
		}
		return fmt.Sprintf("%.0f", number)
	}
	for _, zero := range []string{"0s", "0m"} {
		if strings.HasSuffix(text, "m"+zero) || strings.HasSuffix(text, "h"+zero) {
			text = strings.TrimSuffix(text, zero)
		}
	}
	return text
}

// TestBounds holds the bounds of the parameters' reference that the code has constants for against them.
func TestBounds(t *testing.T) {
	t.Parallel()
	log2 := func(n uint64) (power int) {
		for ; n > 1; n >>= 1 {
			power++
		}
		return power
	}
	want := map[string]string{
		"a transaction":              fmt.Sprintf("%d KiB", types.MaxTxBytes>>10),
		"decimal places of an asset": fmt.Sprint(types.MaxDecimals),
		"instalments":                fmt.Sprintf("1 to %d,%03d, and at most the price", types.MaxInstalments/1000, types.MaxInstalments%1000),
		"note of the goods":          fmt.Sprintf("%d bytes", types.MaxNote),
		"memo of a transaction":      fmt.Sprintf("%d bytes", types.MaxMemo),
		"quantity of goods":          fmt.Sprintf("1 to 2^%d; exactly 1 when the unit is `%s`", log2(types.MaxQuantity), types.UnitItem),
		"names (chain, commodity, unit, zone, register, member)": fmt.Sprintf("%d bytes", types.MaxName),
	}
	for _, row := range cells(t, parametersPath) {
		if text, known := want[row[0]]; known {
			if row[1] != text {
				t.Errorf("%s: the bound of %s is %s, not %s", parametersPath, row[0], text, row[1])
			}
			delete(want, row[0])
		}
	}
	for what := range want { // any order: each is a line of its own
		t.Errorf("%s: no bound is given of %s", parametersPath, what)
	}
}

// TestCommandsExist looks up every command and every flag that the documents name, also those that no test runs.
func TestCommandsExist(t *testing.T) {
	t.Parallel()
	known, groups := map[string]string{}, map[string]bool{}
	for _, name := range commands(help(t)) {
		known[name] = help(t, strings.Fields(name)...)
		groups[strings.Fields(name)[0]] = true
	}
	mention, flag := regexp.MustCompile(`\blockstep ([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?(?: ([a-z]+))?([^|;&]*)`), regexp.MustCompile(`--[a-z][a-z-]*`)
	found := 0
	for _, path := range markdown(t) {
		if path == "CHANGELOG.md" || path == "docs/reference/cli.md" || strings.HasPrefix(path, "docs/adr/") { // history and generated files
			continue
		}
		for i, line := range strings.Split(strings.ReplaceAll(read(t, path), "\\\n", ""), "\n") {
			for _, span := range spans(line) {
				for _, m := range mention.FindAllStringSubmatch(span, -1) {
					if !groups[m[1]] {
						continue // a sentence about the program
					}
					words, command, text, there := m[1:4], "", "", false
					for n := len(words); n > 0 && !there; n-- { // the longest command that there is
						command = strings.Join(words[:n], " ")
						text, there = known[command]
					}
					rest := m[4]
					if !there {
						if m[2] != "" {
							t.Errorf("%s:%d: there is no command lockstep %s %s", path, i+1, m[1], m[2])
						}
						continue // a group of commands
					}
					found++
					for _, name := range flag.FindAllString(rest, -1) {
						if !strings.Contains(text, name) {
							t.Errorf("%s:%d: lockstep %s has no flag %s", path, i+1, command, name)
						}
					}
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d commands were found", found)
	}
}

// spans are the parts of a line that are code: a whole line of a listing, or the text between code marks.
func spans(line string) (found []string) {
	if trimmed := strings.TrimLeft(line, "$ "); strings.HasPrefix(trimmed, "lockstep ") {
		return []string{trimmed}
	}
	for i, part := range strings.Split(line, "`") {
		if i%2 == 1 {
			found = append(found, part)
		}
	}
	return found
}

// TestStaleClaims lists sentences that were true once.
func TestStaleClaims(t *testing.T) {
	t.Parallel()
	for _, stale := range []string{"is what the tools make today", "has at least 8 characters", "price of 1,000", "EUR for 1,000", "/k --asset"} {
		for _, path := range markdown(t) {
			if path != "CHANGELOG.md" && strings.Contains(read(t, path), stale) {
				t.Errorf("%s says %q, which is not so any more", path, stale)
			}
		}
	}
}
