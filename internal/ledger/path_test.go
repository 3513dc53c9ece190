package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// On one path at most one point sells a direction.
func TestPathRules(t *testing.T) {
	t.Parallel()
	next, later := start.Add(slotSpan), start.Add(2*slotSpan)
	exports, imports, none := []string{exportTotal}, []string{importTotal}, []string(nil)
	w := newMeteredWorld(t)
	main := w.enrol(gatewayNamed("main", imports, none), types.PointID{})
	middle := w.enrol(gatewayNamed("middle", none, none), main)
	roof := w.enrol(gatewayNamed("roof", none, exports), middle)
	expect := func(name string, action types.Action, want types.Code) {
		t.Helper()
		if code := w.code(action); code != want {
			t.Errorf("%s: %s, want %s", name, code, want)
		}
	}
	expect("export beside the roof", enrolAction(gatewayNamed("x", none, exports), middle), types.CodeOK)
	expect("export below the roof", enrolAction(gatewayNamed("x", none, exports), roof), types.CodePoint)
	expect("import below the roof, below the main's", enrolAction(gatewayNamed("x", imports, none), roof), types.CodePoint)
	expect("nothing below the roof", enrolAction(gatewayNamed("x", none, none), roof), types.CodeOK)
	expect("the main to sell export too", exchangeAction(main, gatewayNamed("main", imports, exports), next), types.CodePoint)
	expect("the middle to sell export", exchangeAction(middle, gatewayNamed("middle", none, exports), next), types.CodePoint)
	expect("the middle to sell import", exchangeAction(middle, gatewayNamed("middle", imports, none), next), types.CodePoint)
	expect("the roof to go on", exchangeAction(roof, gatewayNamed("new roof", none, exports), next), types.CodeOK)

	// The roof sells export until a slot; from then on the main does, and not a slot earlier.
	w.must(party.Sign(w.body(exchangeAction(roof, gatewayNamed("roof", none, none), later)), "operator"))
	expect("the main to sell export while the roof does", exchangeAction(main, gatewayNamed("main", imports, exports), next), types.CodePoint)
	expect("export below the roof while it sells", enrolAction(gatewayNamed("x", none, exports), roof), types.CodePoint)
	expect("export below the roof once it sells no more", enrolAction(withFrom(gatewayNamed("x", none, exports), later), roof), types.CodeOK)
	w.must(party.Sign(w.body(exchangeAction(main, gatewayNamed("main", imports, exports), later)), "operator"))
	expect("export below the roof, below the main's to come", enrolAction(gatewayNamed("x", none, exports), roof), types.CodePoint)
	expect("the roof to sell again", exchangeAction(roof, gatewayNamed("roof", none, exports), later.Add(slotSpan)), types.CodePoint)
}

// A retired point's trades go on, so others on its path wait until the last of them has to be over.
func TestRetiredPointOnAPath(t *testing.T) {
	t.Parallel()
	exports, none := []string{exportTotal}, []string(nil)
	w := newMeteredWorld(t)
	main := w.enrol(gatewayNamed("main", none, none), types.PointID{})
	roof := w.enrol(gatewayNamed("roof", none, exports), main)
	w.must(party.Sign(w.body(&types.Retire{Operator: party.Key("operator"), Point: roof}), "operator"))
	retired := w.clock()
	// exchanges lie at most a horizon ahead of block time: one that is late enough to be possible at all
	earliest := (retired.Add(w.params.Horizon)/types.Time(slotSpan) + 1) * types.Time(slotSpan)
	for _, c := range []struct {
		name   string
		parent types.PointID
		action func(from types.Time) types.Action
	}{
		{"above", main, func(from types.Time) types.Action {
			return exchangeAction(main, gatewayNamed("main", none, exports), from)
		}},
		{"below", roof, func(from types.Time) types.Action {
			return enrolAction(withFrom(gatewayNamed("x", none, exports), from), roof)
		}},
	} {
		if code := w.code(c.action(earliest - types.Time(slotSpan))); code != types.CodePoint {
			t.Errorf("%s while its trades can go on: %s", c.name, code)
		}
		late := w.clone()
		late.wait(slotSpan)
		if code := late.code(c.action(earliest)); code != types.CodeOK {
			t.Errorf("%s when they are over: %s", c.name, code)
		}
	}
}

// A path has so many points and no more.
func TestDeepestPath(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	var parent types.PointID
	for i := range types.MaxDepth {
		parent = w.enrol(gatewayNamed(fmt.Sprint("level ", i), nil, nil), parent)
	}
	if code := w.code(enrolAction(gatewayNamed("too deep", nil, nil), parent)); code != types.CodePoint {
		t.Errorf("one more: %s", code)
	}
}

// An audit finds a registry that no rule could have made.
func TestAuditOfPoints(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	main := w.enrol(gatewayNamed("main", []string{importTotal}, nil), types.PointID{})
	roof := w.enrol(gatewayNamed("roof", nil, []string{exportTotal}), main)
	w.must(party.Sign(w.body(exchangeAction(roof, gatewayNamed("new", nil, nil), start.Add(slotSpan))), "operator"))
	w.must(party.Sign(w.body(exchangeAction(roof, gatewayNamed("roof", nil, []string{exportTotal}), start.Add(2*slotSpan))), "operator"))
	for name, c := range map[string]struct {
		point  types.PointID
		damage func(p *types.Point)
		says   string
	}{
		"nothing":           {main, func(*types.Point) {}, ""},
		"a count too low":   {main, func(p *types.Point) { p.ExportBelow.Open-- }, "below point"},
		"a count too high":  {main, func(p *types.Point) { p.ImportBelow.Open++ }, "below point"},
		"an end too early":  {main, func(p *types.Point) { p.ExportBelow.Until-- }, "below point"},
		"a later end":       {main, func(p *types.Point) { p.ExportBelow.Until++ }, ""},
		"both sell":         {main, func(p *types.Point) { p.Meters[0].Export = []string{exportTotal} }, "on one path"},
		"no parent":         {roof, func(p *types.Point) { p.Parent[0] ^= 1 }, "not enrolled"},
		"a stranger's":      {roof, func(p *types.Point) { p.Owner = party.Key("mallory") }, "not a member"},
		"another name":      {roof, func(p *types.Point) { p.Meters = p.Meters[1:] }, "not named"},
		"a meter elsewhere": {roof, func(p *types.Point) { p.Meters[1] = *gateway(); p.Meters[1].From = start.Add(slotSpan) }, "noted at point"},
		"meters at once":    {roof, func(p *types.Point) { p.Meters[2].From = p.Meters[1].From }, "does not come after"},
	} {
		point, _ := w.reader().Point(c.point)
		damaged := *point
		damaged.Meters = slices.Clone(point.Meters)
		c.damage(&damaged)
		view := w.view.Clone()
		view.Apply([]ledger.Change{{Key: "g" + string(c.point[:]), New: types.Encode(&damaged), After: &damaged}})
		_, _, err := ledger.Audit(view)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
