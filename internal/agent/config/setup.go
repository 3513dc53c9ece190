package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/agent/prices"
	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// Ledger holds the facts of a ledger that a configuration is applied to.
type Ledger struct {
	Params  types.Params
	Genesis types.Hash
	Assets  []types.Asset // of the ledger, or those that have the codes of the file
	Points  []types.Point // of the key
}

// historyKept is how long measured energy is kept for forecasts, beyond the days of the file.
const historyKept = types.Duration((maxDays + 1) * 24 * 3600 * 1000)

// Setup makes the agent of the file for a key on a ledger.
func (c *Config) Setup(key types.PublicKey, l *Ledger) (*agent.Setup, error) {
	s, err := c.setup(key, l)
	return s, c.located(err)
}

func (c *Config) setup(key types.PublicKey, l *Ledger) (*agent.Setup, error) {
	asset, err := l.find("market.asset", c.Market.Asset)
	if err != nil {
		return nil, err
	}
	s := &agent.Setup{
		Key: key, Params: l.Params, Market: agent.Market{Zone: c.Market.Zone, Asset: asset.ID(), Decimals: asset.Decimals},
		Ahead: max(c.Ahead, 1), Keep: historyKept,
	}
	s.Market.MinRecordAfter = c.Market.MinRecordAfter
	if s.Market.MinRecord, err = c.minRecord(); err != nil {
		return nil, err
	}
	if s.Strategy, err = c.strategy(); err != nil {
		return nil, err
	}
	if s.Limits, err = c.limits(&asset, l); err != nil {
		return nil, err
	}
	if s.Flow, err = c.flow(l); err != nil {
		return nil, err
	}
	if s.Direct, s.Evidence, err = c.direct(); err != nil {
		return nil, err
	}
	return s, c.checkMarket(s)
}

func (l *Ledger) find(key, text string) (types.Asset, error) {
	var found []types.Asset
	for _, asset := range l.Assets {
		if id := asset.ID(); asset.Code == text || id.String() == text {
			found = append(found, asset)
		}
	}
	switch len(found) {
	case 0:
		return types.Asset{}, fmt.Errorf("%s: the ledger has no asset %q", key, text)
	case 1:
		return found[0], nil
	}
	return types.Asset{}, fmt.Errorf("%s: %d assets have the code %q: name the ID of the one you mean, as lockstep wallet balance shows it", key, len(found), text)
}

func (c *Config) limits(asset *types.Asset, l *Ledger) (limits agent.Limits, err error) {
	for _, sum := range []struct {
		key, text string
		to        *types.Amount
	}{{"per_day", c.Limits.PerDay, &limits.PerDay}, {"exposure", c.Limits.Exposure, &limits.Exposure}, {"reserve", c.Limits.Reserve, &limits.Reserve}} {
		if sum.text == "" {
			continue
		}
		if *sum.to, err = types.ParseAmount(sum.text, asset.Decimals); err != nil {
			refusal := &types.Refusal{}
			if errors.As(err, &refusal) {
				err = errors.New(refusal.Detail)
			}
			return limits, fmt.Errorf("limits.%s: %w", sum.key, err)
		}
	}
	if limits.MinBond, err = c.minBond(); err != nil {
		return limits, fmt.Errorf("limits.min_bond: %w", err)
	}
	limits.Terms = c.Limits.Terms
	for _, text := range c.Limits.Assets {
		named, err := l.find("limits.assets", text)
		if err != nil {
			return limits, err
		}
		limits.Assets = append(limits.Assets, named.ID())
	}
	if len(limits.Assets) == 0 {
		limits.Assets = []types.AssetID{asset.ID()}
	}
	if !slices.Contains(limits.Assets, asset.ID()) {
		return limits, fmt.Errorf("limits.assets: the market's asset %s is not among them", asset.Code)
	}
	return limits, nil
}

// flow is the export of the connection point.
func (c *Config) flow(l *Ledger) (types.Flow, error) {
	if c.Point == "" && len(l.Points) == 0 {
		return types.Flow{}, nil
	}
	if c.Point == "" {
		if len(l.Points) > 1 && c.sells() {
			return types.Flow{}, fmt.Errorf("point: the wallet has %d connection points: name one, as lockstep meter show prints it", len(l.Points))
		}
		return types.Flow{Point: l.Points[0].ID(), Direction: types.DirectionExport}, nil
	}
	for i := range l.Points {
		if id := l.Points[i].ID(); id.String() == c.Point {
			return types.Flow{Point: id, Direction: types.DirectionExport}, nil
		}
	}
	return types.Flow{}, fmt.Errorf("point: %q is not a connection point of this wallet", c.Point)
}

func (c *Config) direct() (d agent.Direct, e agent.Evidence, err error) {
	f := c.Direct
	if f == nil {
		return d, e, nil
	}
	d = agent.Direct{Take: f.Take, Offer: f.Offer, Pay: f.Pay, Split: f.Splits != ""}
	if d.Deposit, err = parseShare(f.Deposit); err != nil {
		return d, e, err
	}
	if d.Bond, err = parseShare(f.Bond); err != nil {
		return d, e, err
	}
	if f.Terms == "hold" {
		d.Terms = &types.Hold{}
	} else {
		d.Terms = &types.Meter{}
	}
	if f.Evidence == "meter" {
		e = agent.ByMeter
	}
	return d, e, nil
}

// checkMarket refuses a market in which the agent could never trade.
func (c *Config) checkMarket(s *agent.Setup) error {
	if s.Direct.Take || s.Direct.Offer || s.Direct.Pay {
		return nil
	}
	product := types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: s.Market.Zone, Asset: s.Market.Asset}
	grid, held := s.Params.Grid(&product)
	switch {
	case held && c.buys() && types.FallbackKind(grid.Fallback) == "hold" && s.Limits.MinBond > 0 && grid.Bond == 0:
		return errors.New("limits.min_bond: the auctions have hold terms without a bond: the agent would never buy there")
	case s.Params.Market.Opens == 0 || !held:
		return errors.New("market: this ledger holds no auctions of energy in that asset: allow direct trades")
	case !slices.Contains(s.Limits.Terms, types.FallbackKind(grid.Fallback)):
		return fmt.Errorf("limits.terms: the auctions have %s terms, which are not among them", types.FallbackKind(grid.Fallback))
	case c.sells() && grid.Metered() && s.Flow.IsZero():
		return errors.New("point: selling needs a connection point: ask an operator of the ledger to enrol your meter (lockstep meter enrol)")
	}
	return nil
}

// PriceSource is the publisher of prices that are read while the agent runs; nil without one.
func (c *Config) PriceSource() *prices.Source {
	if c.Prices == nil || !slices.Contains(prices.Kinds(), c.Prices.From) {
		return nil
	}
	return &prices.Source{Kind: c.Prices.From, URL: c.Prices.URL, TokenFile: c.Prices.TokenFile, Period: c.Prices.Every}
}

// Tariff returns the tariff that the file states; nil if there is none, or it is read.
func (c *Config) Tariff() plan.Tariff {
	tariff, err := c.tariff()
	if err != nil {
		return nil // Check has refused it
	}
	return tariff
}

// Consent is the owner's consent to an agent's limits, as it is kept beside the wallet.
type Consent struct {
	Version int    `json:"version"`
	Hash    string `json:"hash"` // of the terms
	Terms   string `json:"terms"`
}

// Terms writes all that the owner consents to, for a person: the same text always means the same limits.
func Terms(s *agent.Setup, genesis types.Hash) string {
	l, d, splits := &s.Limits, &s.Direct, s.Direct.Split
	sum := func(a types.Amount) string { return a.Format(s.Market.Decimals) }
	var assets []string
	for _, id := range l.Assets {
		assets = append(assets, id.String())
	}
	var does []string
	for _, part := range []struct {
		on   bool
		text string
	}{
		{s.Strategy.Buy != nil, "buys energy"}, {s.Strategy.Sell != nil, "sells energy"}, {d.Take, "takes standing offers"},
		{d.Offer, "posts standing offers"}, {splits, "signs splits"}, {d.Pay, "pays agreements that you signed"},
	} {
		if part.on {
			does = append(does, part.text)
		}
	}
	evidence := "a reading on the ledger, or your word"
	if s.Evidence == agent.ByMeter {
		evidence = "a reading on the ledger, your own meter, or your word"
	}
	bond := ""
	if slices.Contains(l.Terms, "hold") {
		bond = fmt.Sprintf("buys under hold terms from a bond of: %s%% of price and deposit\n", types.Amount(l.MinBond).Format(2))
	}
	return fmt.Sprintf("ledger: %s, genesis %s\nkey: %s\nmoney: %s\nzone: %q\nthe agent: %s\nagrees to pay in any 24 hours at most: %s\nhas in orders and trades at most: %s\nleaves spendable at least: %s\nfallback terms: %s\n%sassets: %s\nreleases by: %s\n",
		s.Params.ChainID, genesis, s.Key, s.Market.Asset, s.Market.Zone, strings.Join(does, ", "), sum(l.PerDay), sum(l.Exposure), sum(l.Reserve),
		strings.Join(l.Terms, ", "), bond, strings.Join(assets, ", "), evidence)
}

func hashOf(terms string) string {
	sum := sha256.Sum256([]byte("lockstep/agent-consent/v1\x00" + terms))
	return hex.EncodeToString(sum[:])
}

// ConsentFile is where the consent of a wallet's account is kept.
func ConsentFile(wallet string, account uint32) string {
	return fmt.Sprintf("%s.agent-%d", wallet, account)
}

// Confirm keeps the owner's consent to some terms.
func Confirm(path, terms string) error {
	content, err := json.MarshalIndent(Consent{1, hashOf(terms), terms}, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Replace(path, append(content, '\n'))
}

// ErrConsent is the error of limits that the owner has not confirmed.
var ErrConsent = errors.New("the agent's limits are not confirmed")

// CheckConsent refuses terms that the owner has not confirmed. It names the lines that changed.
func CheckConsent(path, terms string) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf(`%w: look at them and confirm with "lockstep agent confirm"`, ErrConsent)
	} else if err != nil {
		return err
	}
	var c Consent
	if err := json.Unmarshal(content, &c); err != nil || c.Hash != hashOf(c.Terms) {
		return fmt.Errorf(`%w: %s is damaged; confirm them again with "lockstep agent confirm"`, ErrConsent, path)
	}
	if c.Hash == hashOf(terms) {
		return nil
	}
	old := strings.Split(c.Terms, "\n")
	var changed []string
	for _, line := range strings.Split(terms, "\n") {
		if !slices.Contains(old, line) {
			changed = append(changed, line)
		}
	}
	return fmt.Errorf("%w: they changed since you did (%s); confirm them with \"lockstep agent confirm\"", ErrConsent, strings.Join(changed, "; "))
}
