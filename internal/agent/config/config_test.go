package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"lockstep/internal/agent"
	"lockstep/meter/source"
	"lockstep/types"
)

const good = `role: both
market: {zone: town, asset: EUR}
limits: {per_day: 5, exposure: "20.50", terms: [meter]}
buy:
  amount: {forecast: {days: 7, unknown: 200Wh}, battery: true}
  limit: {below: 0.02}
sell:
  amount: {fixed: 1.5kWh}
  limit: {above: 0.01, tariff: 0.08}
prices: {from: by_time, bands: [{at: "00:00", price: 0.20}, {at: "07:00", price: 0.30}]}
battery: {capacity: 10kWh, power: 5kW, level: house.soc}
meter: {import: house.in, export: house.out}
sources:
  house:
    type: mqtt
    broker: mqtt://localhost:1883
    values:
    - {name: in, measures: energy, direction: import, unit: kWh, topic: in}
    - {name: out, measures: energy, direction: export, unit: kWh, topic: out}
    - {name: soc, measures: energy, direction: import, unit: Wh, scale: 100, topic: soc}
`

func TestLoad(t *testing.T) {
	t.Parallel()
	if _, err := Load([]byte(good)); err != nil {
		t.Fatal(err)
	}
	replaced := func(old, text string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the example has no %q", old)
		}
		return strings.Replace(good, old, text, 1)
	}
	for _, c := range []struct{ text, says string }{
		{"", "lockstep agent init"},
		{"role: [", "not YAML"},
		{good + "---\nrole: both\n", "second document"},
		{replaced("limits:", "limts:"), "line 3: limts is not a key of the configuration; did you mean limits?"},
		{replaced("per_day", "perday"), "line 3: limits.perday is not a key of the configuration; did you mean per_day?"},
		{replaced("forecast: {days", "forcast: {days"), "line 5: buy.amount.forcast is not a key of the configuration; did you mean forecast?"},
		{replaced("    broker", "    borker"), "line 16: sources.house.borker is not a key of the configuration; did you mean broker?"},
		{replaced("topic: out", "topci: out"), "line 19: sources.house.values.topci"},
		{replaced("role: both", "qqqqqqqqqq: 1"), "it has account, ahead"},
		{replaced("zone: town", "zone: {a: b}"), "market.zone has no parts"},
		{replaced("role: both", "role: &r both\nnode: *r"), "write the value out"},
		{replaced("role: both", "role: neither"), "none of producer, consumer, both"},
		{replaced("role: both", "role: consumer"), "a consumer has none"},
		{replaced("per_day: 5, ", ""), "limits.per_day: give a sum"},
		{replaced("[meter]}", "[meters]}"), "limits.terms: \"meters\""},
		{replaced(", terms: [meter]", ""), "limits.terms: name"},
		{replaced("asset: EUR", ""), "market.asset"},
		{replaced("days: 7", "days: 0"), "buy.amount.forecast: days: 0"},
		{replaced("200Wh", "200"), "buy.amount.forecast: unknown: \"200\" is not an energy"},
		{replaced("fixed: 1.5kWh", "fixed: 1.5kWh, charge: {power: 1kW, by: \"07:00\"}"), "only buying"},
		{replaced("fixed: 1.5kWh", ""), "sell.amount: give one of fixed"},
		{replaced("below: 0.02", "below: 0.02, fixed: 0.3"), "buy.limit: give one of fixed, below, above"},
		{replaced("below: 0.02", "below: 2 ct"), "buy.limit.below: \"2 ct\" is not a price"},
		{replaced("at: \"07:00\"", "at: \"7:00\""), "not a time of the day"},
		{replaced("at: \"00:00\"", "at: \"00:01\""), "the first begins at 00:00"},
		{replaced("from: by_time", "from: nordpool"), "prices.from: \"nordpool\" is none of flat, by_time, tibber, awattar, evcc"},
		{replaced("capacity: 10kWh", "capacity: 10kWh, reserve: 11kWh"), "at most the capacity"},
		{replaced("level: house.soc", "level: house.level"), "battery.level: no source has a value"},
		{replaced("import: house.in", "import: in"), "meter.import: no source has a value"},
		{replaced("unit: kWh, topic: in", "unit: kW, topic: in"), "sources.house: value \"in\": unit"},
		{replaced("role: both", "role: both\ntime_zone: Mars/Olympus"), "time_zone"},
		{replaced("role: both", "role: both\nahead: 97"), "ahead"},
		{replaced("role: both", "role: both\ndirect: {evidence: hearsay}"), "direct.evidence"},
		{replaced("role: both", "role: both\ndirect: {offer: true}"), "direct.terms"},
		{replaced("role: both", "role: both\ndirect: {bond: ten}"), "direct.bond"},
		{replaced("role: both", "role: both\nahead: two"), `line 2: ahead: "two" is not a whole number`},
		{replaced("days: 7", "days: 7, percent: -1"), `line 5: buy.amount.forecast.percent: "-1" is not a whole number from 0 on`},
		{replaced("battery: true", "battery: yes please"), `line 5: buy.amount.battery: "yes please" is not true or false`},
		{replaced("terms: [meter]", "terms: meter"), `line 3: limits.terms: "meter" is not a list: write [meter]`},
		{replaced("zone: town", "zone: [town]"), "line 2: market.zone is no list"},
		{replaced("from: by_time", "from: by_time, every: 15"), `line 10: prices.every: "15" is not a time with its unit`},
		{replaced("battery: {capacity: 10kWh, power: 5kW, level: house.soc}", "battery: 10kWh"), `line 11: battery: "10kWh" is not a part with keys`},
		{replaced("terms: [meter]", "terms: [meter], min_bond: all"), `line 3: limits.min_bond: "all" is not a percentage`},
		{replaced("asset: EUR", "asset: EUR, min_record: 80.5%"), "line 2: market.min_record"},
		{replaced("asset: EUR", "asset: EUR, min_record: 101%"), "line 2: market.min_record"},
		{replaced("asset: EUR", "asset: EUR, min_record_after: 2"), "line 2: market.min_record_after: give min_record too"},
		{replaced("asset: EUR", "asset: EUR, min_record: 80%, min_record_after: -1"), "line 2: market.min_record_after: -1"},
		{replaced("200Wh", "200"), "line 5: buy.amount.forecast"},
		{replaced("below: 0.02", "below: 2 ct"), "line 6: buy.limit.below"},
		{replaced("per_day: 5, ", ""), "line 3: limits.per_day"},
		{replaced("from: by_time", "from: nordpool"), "line 10: prices.from"},
		{replaced("import: house.in", "import: in"), "line 12: meter.import"},
		{replaced("unit: kWh, topic: in", "unit: kW, topic: in"), "line 14: sources.house"},
	} {
		if _, err := Load([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
}

// Each key is in the reference.
func TestKeysAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/reference/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	var check func(reflect.Type)
	check = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[source.Config]() {
			return
		}
		for key, inner := range keysOf(of) { // any order: each by itself
			if text := string(page); !strings.Contains(text, "`"+key) && !strings.Contains(text, "."+key+"`") && !strings.Contains(text, "."+key+".") {
				t.Errorf("docs/reference/agent.md lacks the key %s", key)
			}
			check(inner)
		}
	}
	check(reflect.TypeFor[Config]())
}

func ledgerOf(t *testing.T) (*Ledger, types.Asset) {
	t.Helper()
	asset := types.Asset{Issuer: types.PublicKey{9}, Code: "EUR", Decimals: 6}
	point := types.Point{Owner: types.PublicKey{1}, Meters: []types.PointMeter{{Form: types.FormNative, Key: types.HexBytes{1}}}}
	return &Ledger{Params: types.DefaultParams("town"), Genesis: types.Hash{7}, Assets: []types.Asset{asset}, Points: []types.Point{point}}, asset
}

func TestSetup(t *testing.T) {
	t.Parallel()
	c, err := Load([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	ledger, asset := ledgerOf(t)
	s, err := c.Setup(types.PublicKey{1}, ledger)
	if err != nil {
		t.Fatal(err)
	}
	if s.Limits.PerDay != 5_000_000 || s.Limits.Exposure != 20_500_000 || s.Market.Asset != asset.ID() || s.Flow.Point != ledger.Points[0].ID() || s.Ahead != 1 {
		t.Errorf("%+v", s)
	}
	two := *ledger
	two.Assets = append(two.Assets, types.Asset{Issuer: types.PublicKey{8}, Code: "EUR", Decimals: 6})
	if _, err := c.Setup(types.PublicKey{1}, &two); err == nil || !strings.Contains(err.Error(), "2 assets have the code") {
		t.Errorf("two assets of a code: %v", err)
	}
	none := *ledger
	none.Points = nil
	if _, err := c.Setup(types.PublicKey{1}, &none); err == nil || !strings.Contains(err.Error(), "connection point") {
		t.Errorf("a seller without a point: %v", err)
	}
	c.Limits.Terms = []string{"hold"}
	if _, err := c.Setup(types.PublicKey{1}, ledger); err == nil || !strings.Contains(err.Error(), "the auctions have meter terms") {
		t.Errorf("terms of no auction: %v", err)
	}
	c.Limits.Terms, c.Limits.PerDay = []string{"meter"}, "5.0000001"
	if _, err := c.Setup(types.PublicKey{1}, ledger); err == nil || !strings.Contains(err.Error(), "line 3: limits.per_day") {
		t.Errorf("too many decimal places: %v", err)
	}
}

// Without a word about it, a seller under hold terms must lock as much as the buyer; the consent names the share where such terms are allowed.
func TestMinBondConsent(t *testing.T) {
	t.Parallel()
	ledger, _ := ledgerOf(t)
	for _, test := range []struct {
		terms, minBond string
		want           uint64
		says           string
	}{
		{"[meter]", "", 10_000, ""},
		{"[meter, hold]", "", 10_000, "from a bond of: 100.00% of price and deposit"},
		{"[meter, hold]", ", min_bond: 0%", 0, "from a bond of: 0.00% of price and deposit"},
		{"[meter, hold]", ", min_bond: 150%", 15_000, "from a bond of: 150.00% of price and deposit"},
	} {
		c, err := Load([]byte(strings.Replace(good, "terms: [meter]", "terms: "+test.terms+test.minBond, 1)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Setup(types.PublicKey{1}, ledger)
		if err != nil {
			t.Fatal(err)
		}
		if text := Terms(s, ledger.Genesis); s.Limits.MinBond != test.want || !strings.Contains(text, test.says) || test.says == "" && strings.Contains(text, "bond") {
			t.Errorf("%s%s: %d; %s", test.terms, test.minBond, s.Limits.MinBond, text)
		}
	}
}

// Each limit is part of the consent; the strategy is not.
func TestConsent(t *testing.T) {
	t.Parallel()
	ledger, _ := ledgerOf(t)
	terms := func(edit func(*Config), setup func(*agent.Setup)) string {
		c, err := Load([]byte(good))
		if err != nil {
			t.Fatal(err)
		}
		if edit != nil {
			edit(c)
		}
		s, err := c.Setup(types.PublicKey{1}, ledger)
		if err != nil {
			t.Fatal(err)
		}
		if setup != nil {
			setup(s)
		}
		return Terms(s, ledger.Genesis)
	}
	file := filepath.Join(t.TempDir(), "consent")
	confirmed := terms(nil, nil)
	if err := CheckConsent(file, confirmed); err == nil {
		t.Error("there is a consent that nobody gave")
	}
	if err := Confirm(file, confirmed); err != nil {
		t.Fatal(err)
	}
	if err := CheckConsent(file, terms(func(c *Config) { c.Sell.Amount.Fixed = "9kWh" }, nil)); err != nil {
		t.Errorf("another strategy: %v", err)
	}
	for name, changed := range map[string]string{
		"a day":    terms(func(c *Config) { c.Limits.PerDay = "6" }, nil),
		"exposure": terms(func(c *Config) { c.Limits.Exposure = "21" }, nil),
		"reserve":  terms(func(c *Config) { c.Limits.Reserve = "1" }, nil),
		"terms":    terms(func(c *Config) { c.Limits.Terms = []string{"meter", "hold"} }, nil),
		"bond":     terms(func(c *Config) { c.Limits.Terms, c.Limits.MinBond = []string{"meter", "hold"}, "50%" }, nil),
		"zone":     terms(func(c *Config) { c.Market.Zone = "city" }, nil),
		"takes":    terms(func(c *Config) { c.Direct = &Direct{Take: true} }, nil),
		"evidence": terms(nil, func(s *agent.Setup) { s.Evidence = agent.ByMeter }),
		"key":      terms(nil, func(s *agent.Setup) { s.Key = types.PublicKey{2} }),
		"assets":   terms(nil, func(s *agent.Setup) { s.Limits.Assets = append(s.Limits.Assets, types.AssetID{3}) }),
		"role":     terms(nil, func(s *agent.Setup) { s.Strategy.Sell = nil }),
	} {
		if err := CheckConsent(file, changed); err == nil || !strings.Contains(err.Error(), "changed since") {
			t.Errorf("%s: %v", name, err)
		}
	}
	both := func(market int) string { // the same assets and sums: the sums are in another money
		return terms(nil, func(s *agent.Setup) {
			s.Limits.Assets = []types.AssetID{s.Market.Asset, {3}}
			s.Market.Asset = s.Limits.Assets[market]
		})
	}
	other := filepath.Join(t.TempDir(), "consent")
	if err := Confirm(other, both(0)); err != nil {
		t.Fatal(err)
	}
	if err := CheckConsent(other, both(1)); err == nil {
		t.Error("the limits count for another money without a consent")
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(string(content), "5.000000", "9.000000", 1)
	if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckConsent(file, terms(func(c *Config) { c.Limits.PerDay = "9" }, nil)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a consent that was edited: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("role: &a [*a]"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		if c, err := Load(text); err == nil {
			_ = c.PriceSource()
			_ = c.Tariff()
		}
	})
}
