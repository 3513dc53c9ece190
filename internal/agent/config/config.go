// Package config reads the configuration of an agent: one YAML file, with unknown keys refused. [Load] reads it, [Config.Setup] makes an
// agent of it on a ledger.
package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lockstep/internal/agent/prices"
	"lockstep/meter/source"
)

// Config is the file of an agent. Its keys are described in docs/reference/agent.md.
type Config struct {
	Role    string                    `yaml:"role"` // producer, consumer or both
	Market  Market                    `yaml:"market"`
	Limits  Limits                    `yaml:"limits"`
	Buy     *Side                     `yaml:"buy,omitempty"`
	Sell    *Side                     `yaml:"sell,omitempty"`
	Point   string                    `yaml:"point,omitempty"` // the connection point; by default the only one of the key
	Prices  *Prices                   `yaml:"prices,omitempty"`
	Battery *Battery                  `yaml:"battery,omitempty"`
	Meter   *Meter                    `yaml:"meter,omitempty"`
	Sources map[string]*source.Config `yaml:"sources,omitempty"`
	Direct  *Direct                   `yaml:"direct,omitempty"`

	Node           string `yaml:"node,omitempty"`
	Wallet         string `yaml:"wallet,omitempty"`
	Account        uint32 `yaml:"account,omitempty"`
	PassphraseFile string `yaml:"passphrase_file,omitempty"`
	State          string `yaml:"state,omitempty"`
	TimeZone       string `yaml:"time_zone,omitempty"`
	Ahead          int    `yaml:"ahead,omitempty"`

	Believe   string   `yaml:"believe,omitempty"`        // proof (the default) or node
	Trusted   string   `yaml:"trusted,omitempty"`        // a header to begin with, HEIGHT:HASH
	Witnesses []string `yaml:"witnesses,omitempty,flow"` // other nodes of the ledger

	zone     *time.Location
	document *yaml.Node // of the file; nil without one
}

// Market names the market.
type Market struct {
	Zone  string `yaml:"zone"`
	Asset string `yaml:"asset"` // its ID, or a code that only one asset of the ledger has
	// MinRecord is the record that orders demand of the other side, once so many trades have failed the household.
	MinRecord      string `yaml:"min_record,omitempty"`
	MinRecordAfter int    `yaml:"min_record_after,omitempty"`
}

// Limits are the limits of the agent's consent. Sums are in units of the asset.
type Limits struct {
	PerDay   string   `yaml:"per_day"`
	Exposure string   `yaml:"exposure"`
	Reserve  string   `yaml:"reserve,omitempty"`
	Terms    []string `yaml:"terms,flow"`
	Assets   []string `yaml:"assets,omitempty,flow"` // by default the market's
	MinBond  string   `yaml:"min_bond,omitempty"`    // of sellers under hold terms, a share of price and deposit; by default all of it
}

// Side is the strategy of buying or selling.
type Side struct {
	Amount Amount `yaml:"amount"`
	Limit  Limit  `yaml:"limit"`
}

// Amount is how much to trade in a slot: one of its parts.
type Amount struct {
	Fixed    string    `yaml:"fixed,omitempty"`    // such as 1.5kWh
	Forecast *Forecast `yaml:"forecast,omitempty"` // by the last days
	Charge   *Charge   `yaml:"charge,omitempty"`   // in the cheapest slots
	Battery  bool      `yaml:"battery,omitempty"`  // the battery takes and gives what it can first
}

// Forecast is the median of the last days, and a part of it.
type Forecast struct {
	Days    int    `yaml:"days"`
	Percent uint64 `yaml:"percent,omitempty"`
	Unknown string `yaml:"unknown,omitempty"` // until a day is known
}

// Charge buys in the cheapest slots before a time of the day.
type Charge struct {
	Energy string `yaml:"energy,omitempty"` // in all; by default what the battery lacks up to its target
	Power  string `yaml:"power"`
	By     string `yaml:"by"` // 07:00
}

// Limit is the worst price: one of its parts. Prices are in units of the asset for a kWh.
type Limit struct {
	Fixed  string `yaml:"fixed,omitempty"`
	Below  string `yaml:"below,omitempty"`  // the tariff less this
	Above  string `yaml:"above,omitempty"`  // the tariff and this
	Tariff string `yaml:"tariff,omitempty"` // another flat tariff than that of prices, such as the feed-in price
}

// Prices is the tariff of the grid.
type Prices struct {
	From      string        `yaml:"from"` // flat, by_time, tibber, awattar, evcc
	Price     string        `yaml:"price,omitempty"`
	Bands     []Band        `yaml:"bands,omitempty"`
	URL       string        `yaml:"url,omitempty"`
	TokenFile string        `yaml:"token_file,omitempty"`
	Every     time.Duration `yaml:"every,omitempty"`
}

// Band is a price from a time of the day on.
type Band struct {
	At    string `yaml:"at"`
	Price string `yaml:"price"`
}

// Battery is the household's battery.
type Battery struct {
	Capacity string `yaml:"capacity"`
	Reserve  string `yaml:"reserve,omitempty"`
	Power    string `yaml:"power"`
	Target   string `yaml:"target,omitempty"` // that charging by price aims at; by default the capacity
	Level    string `yaml:"level,omitempty"`  // source.value
}

// Meter names the values of the household's own meter.
type Meter struct {
	Import string `yaml:"import,omitempty"` // source.value
	Export string `yaml:"export,omitempty"`
	Sign   bool   `yaml:"sign,omitempty"` // the wallet's gateway signs the readings
}

// Direct are trades beside the auctions.
type Direct struct {
	Take     bool   `yaml:"take,omitempty"`
	Offer    bool   `yaml:"offer,omitempty"`
	Pay      bool   `yaml:"pay,omitempty"`
	Terms    string `yaml:"terms,omitempty"`    // of the offers: meter or hold
	Deposit  string `yaml:"deposit,omitempty"`  // of the offers, a share of the price
	Bond     string `yaml:"bond,omitempty"`     // of the offers, a share of the price
	Evidence string `yaml:"evidence,omitempty"` // owner or meter
	Splits   string `yaml:"splits,omitempty"`   // folder of proposals
}

// maxConfig bounds a file.
const maxConfig = 1 << 20

// The values of believe: the proofs of the node, or its word.
const (
	BelieveProof = "proof"
	BelieveNode  = "node"
)

// Bounds of numbers.
const (
	maxWitnesses = 8
	maxAhead     = 96
	maxDays      = 60
	// maxFailures bounds the failures after which an agent demands a record.
	maxFailures = 1000
)

// Check reports the first thing that can't work, by the name of its key.
func (c *Config) Check() error {
	switch {
	case !slices.Contains([]string{"producer", "consumer", "both"}, c.Role):
		return fmt.Errorf("role: %q is none of producer, consumer, both", c.Role)
	case c.buys() != (c.Buy != nil):
		return fmt.Errorf("role: %s: a consumer has a part buy, and a producer has none", c.Role)
	case c.sells() != (c.Sell != nil):
		return fmt.Errorf("role: %s: a producer has a part sell, and a consumer has none", c.Role)
	case c.Market.Asset == "":
		return fmt.Errorf("market.asset: name the money, by its code or its ID")
	case c.Ahead < 0 || c.Ahead > maxAhead:
		return fmt.Errorf("ahead: %d is not between 1 and %d slots", c.Ahead, maxAhead)
	case !slices.Contains([]string{"", BelieveProof, BelieveNode}, c.Believe):
		return fmt.Errorf("believe: %q is none of %s, %s", c.Believe, BelieveProof, BelieveNode)
	case len(c.Witnesses) > maxWitnesses:
		return fmt.Errorf("witnesses: there are %d, at most %d are possible", len(c.Witnesses), maxWitnesses)
	case c.Account >= 1<<31:
		return fmt.Errorf("account: %d is beyond the last one", c.Account)
	}
	_, err := c.minRecord()
	if err != nil {
		return err
	}
	if c.zone, err = time.LoadLocation(c.TimeZone); err != nil { // empty is UTC
		return fmt.Errorf("time_zone: %q is not known: write it as Europe/Berlin", c.TimeZone)
	}
	for _, check := range []func() error{c.checkLimits, c.checkPrices, c.checkSources, c.checkDirect} {
		if err := check(); err != nil {
			return err
		}
	}
	_, err = c.strategy()
	return err
}

func (c *Config) buys() bool  { return c.Role == "consumer" || c.Role == "both" }
func (c *Config) sells() bool { return c.Role == "producer" || c.Role == "both" }

func (c *Config) checkLimits() error {
	l := &c.Limits
	for _, sum := range []struct{ key, text string }{{"per_day", l.PerDay}, {"exposure", l.Exposure}} {
		if sum.text == "" {
			return fmt.Errorf("limits.%s: give a sum: it is your consent", sum.key)
		}
	}
	if len(l.Terms) == 0 {
		return fmt.Errorf("limits.terms: name the fallback terms that the agent may touch, such as [meter]")
	}
	for _, terms := range l.Terms {
		if !slices.Contains([]string{"meter", "hold", "arbiter"}, terms) {
			return fmt.Errorf("limits.terms: %q is none of meter, hold, arbiter", terms)
		}
	}
	if _, err := c.minBond(); err != nil {
		return fmt.Errorf("limits.min_bond: %w", err)
	}
	return nil
}

// wholeBond is the share of price and deposit at which a seller that holds a payment hostage holds as much of its own.
const wholeBond = 10_000

// minBond is the least bond of a seller under hold terms, in hundredths of a percent of price and deposit.
func (c *Config) minBond() (uint64, error) {
	if c.Limits.MinBond == "" {
		return wholeBond, nil
	}
	return parseShare(c.Limits.MinBond)
}

// minRecord is the demanded record in hundredths.
func (c *Config) minRecord() (uint8, error) {
	share, err := parseShare(c.Market.MinRecord)
	switch {
	case err != nil:
		return 0, fmt.Errorf("market.min_record: %w", err)
	case share%100 != 0 || share > wholeBond:
		return 0, fmt.Errorf("market.min_record: %q is not a whole percentage from 0%% to 100%%", c.Market.MinRecord)
	case c.Market.MinRecordAfter < 0 || c.Market.MinRecordAfter > maxFailures:
		return 0, fmt.Errorf("market.min_record_after: %d is not between 0 and %d trades", c.Market.MinRecordAfter, maxFailures)
	case c.Market.MinRecordAfter > 0 && share == 0:
		return 0, fmt.Errorf("market.min_record_after: give min_record too: the record that is demanded then")
	}
	return uint8(share / 100), nil
}

func (c *Config) checkPrices() error {
	p := c.Prices
	if p == nil {
		return nil
	}
	switch p.From {
	case "flat", "by_time":
		_, err := c.tariff()
		return err
	}
	if !slices.Contains(prices.Kinds(), p.From) {
		return fmt.Errorf("prices.from: %q is none of flat, by_time, %s", p.From, strings.Join(prices.Kinds(), ", "))
	}
	if p.Every == 0 {
		p.Every = 15 * time.Minute
	}
	switch {
	case p.Every < 10*time.Second || p.Every > 24*time.Hour:
		return fmt.Errorf("prices.every: %s is not between 10s and a day", p.Every)
	case p.From == "tibber" && p.TokenFile == "":
		return fmt.Errorf("prices.token_file: Tibber wants a token: name the file that holds it")
	case p.From != "tibber" && !strings.HasPrefix(p.URL, "http://") && !strings.HasPrefix(p.URL, "https://"):
		return fmt.Errorf("prices.url: %q is not an address as in http://evcc.local:7070/api/tariff/grid", p.URL)
	}
	return nil
}

func (c *Config) checkSources() error {
	known := map[string]bool{}
	for name, s := range c.Sources {
		if s == nil || name == "" || strings.Contains(name, ".") {
			return fmt.Errorf("sources: %q is not a name without a point, with a source", name)
		}
		if err := s.Check(); err != nil {
			return fmt.Errorf("sources.%s: %w", name, err)
		}
		for i := range s.Values {
			known[name+"."+s.Values[i].Name] = true
		}
	}
	var names []struct{ key, text string }
	if c.Meter != nil {
		names = append(names, struct{ key, text string }{"meter.import", c.Meter.Import}, struct{ key, text string }{"meter.export", c.Meter.Export})
		if c.Meter.Sign && c.Meter.Export == "" {
			return fmt.Errorf("meter.sign: there is no export that could be signed")
		}
	}
	if c.Battery != nil {
		names = append(names, struct{ key, text string }{"battery.level", c.Battery.Level})
	}
	for _, n := range names {
		if n.text != "" && !known[n.text] {
			return fmt.Errorf("%s: no source has a value %q: write it as source.value, such as house.power", n.key, n.text)
		}
	}
	return nil
}

func (c *Config) checkDirect() error {
	d := c.Direct
	if d == nil {
		return nil
	}
	switch {
	case d.Evidence != "" && d.Evidence != "owner" && d.Evidence != "meter":
		return fmt.Errorf("direct.evidence: %q is neither owner nor meter", d.Evidence)
	case d.Evidence == "meter" && (c.Meter == nil || c.Meter.Import == ""):
		return fmt.Errorf("direct.evidence: meter needs meter.import: the energy that came is counted there")
	case d.Offer && d.Terms != "meter" && d.Terms != "hold":
		return fmt.Errorf("direct.terms: %q is neither meter nor hold", d.Terms)
	}
	for _, share := range []struct{ key, text string }{{"deposit", d.Deposit}, {"bond", d.Bond}} {
		if _, err := parseShare(share.text); err != nil {
			return fmt.Errorf("direct.%s: %w", share.key, err)
		}
	}
	return nil
}
