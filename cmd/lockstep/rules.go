package main

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"lockstep/trade/words"
	"lockstep/types"
)

// marketFlags are the auction parameters of a new ledger.
type marketFlags struct {
	Opens     time.Duration `help:"Time before its slot at which a product opens for orders; 0 for a ledger without auctions." default:"48h" zero:""`
	Gate      time.Duration `help:"Time before its slot at which a product closes for orders." default:"5m"`
	Reading   time.Duration `help:"Time from the end of the slot until reading-by of a match." default:"1h"`
	Confirm   time.Duration `help:"Time from reading-by until confirm-by of a match." default:"1h"`
	MaxOrders uint32        `help:"The most orders of one product." default:"100000" placeholder:"N"`
	KeyOrders uint8         `help:"The most orders of one key for a product." default:"8" placeholder:"N"`
	Entry     string        `help:"Keys that may place orders: anyone, or members that an operator has admitted." enum:"anyone,members" default:"anyone"`
	Grid      []string      `help:"Lots, price steps, stakes and terms of the orders of a commodity; repeat the flag for each, the first that fits counts. Sums are for a quantity (0.50/kWh), or in smallest units for a lot (500). Such as: 'energy/Wh lot=1Wh tick=0.001/kWh ceiling=0.50/kWh deposit=0.01/kWh bond=0.50/kWh terms=meter'. By default that one, and for all else lots of one unit under hold terms." sep:"none" placeholder:"GRID"`
	Decimals  uint8         `help:"Decimal places of the money in which the sums of --market-grid are written." default:"6" zero:"" placeholder:"N"`
}

func (f *marketFlags) params() (m types.MarketParams, err error) {
	if f.Opens == 0 {
		return m, nil
	}
	m = types.DefaultMarketParams()
	m.Opens, m.Gate = types.DurationOf(f.Opens), types.DurationOf(f.Gate)
	m.Reading, m.Confirm = types.DurationOf(f.Reading), types.DurationOf(f.Confirm)
	m.MaxOrders, m.KeyOrders = f.MaxOrders, f.KeyOrders
	if len(f.Grid) > 0 {
		m.Grids = nil
	}
	for _, text := range f.Grid {
		grid, err := parseGrid(text, f.Decimals)
		if err != nil {
			return m, err
		}
		m.Grids = append(m.Grids, grid)
	}
	return m, m.Entry.UnmarshalText([]byte(f.Entry))
}

// anything is the commodity and the unit of a grid that fits all.
const anything = "*"

// parseGrid parses the value of a --market-grid: "COMMODITY/UNIT key=value ...".
func parseGrid(text string, decimals uint8) (types.Grid, error) {
	var grid types.Grid
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return grid, misuse("--market-grid is empty: write it like 'energy/Wh lot=1Wh tick=0.001/kWh ceiling=0.50/kWh'")
	}
	commodity, unit, _ := strings.Cut(fields[0], "/")
	if commodity != anything {
		grid.Commodity = commodity
	}
	if unit != anything {
		grid.Unit = unitOf(unit)
	}
	values := map[string]string{}
	for _, field := range fields[1:] {
		key, value, found := strings.Cut(field, "=")
		if !found || !slices.Contains(gridKeys(), key) || values[key] != "" || value == "" {
			return grid, misuse("--market-grid %q: %q is none of %s, or is there twice", text, field, strings.Join(gridKeys(), "=, ")+"=")
		}
		values[key] = value
	}
	for _, key := range gridKeys()[:3] {
		if values[key] == "" {
			return grid, misuse("--market-grid %q needs %s=", text, key)
		}
	}
	var err error
	if grid.Lot, err = parseQuantity("--market-grid lot", values["lot"], grid.Unit); err != nil {
		return grid, err
	}
	for _, sum := range []struct {
		key string
		to  *types.Amount
	}{{"tick", &grid.Tick}, {"ceiling", &grid.Ceiling}, {"deposit", &grid.Deposit}, {"bond", &grid.Bond}} {
		if values[sum.key] == "" {
			continue
		}
		if *sum.to, err = gridSum(sum.key, values[sum.key], &grid, decimals); err != nil {
			return grid, err
		}
	}
	if values["deposit"] == "" {
		grid.Deposit = max(grid.Ceiling/50, 1)
	}
	if values["bond"] == "" {
		grid.Bond = grid.Ceiling // breaking a promise never pays up to the ceiling
	}
	if values["asset"] != "" {
		if err := grid.Asset.UnmarshalText([]byte(values["asset"])); err != nil {
			return grid, misuse("--market-grid %q: asset= is the id of an asset: %v", text, err)
		}
	}
	grid.Fallback, err = gridTerms(values["terms"], &grid)
	return grid, err
}

// gridKeys are the fields of a grid; the first three must be given.
func gridKeys() []string {
	return []string{"lot", "tick", "ceiling", "deposit", "bond", "terms", "asset"}
}

// gridSum parses a sum of a grid: in smallest units for a lot, or by quantity. That must come to a whole number for a lot.
func gridSum(key, text string, grid *types.Grid, decimals uint8) (types.Amount, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return types.Amount(n), nil
	}
	money := types.Asset{Decimals: decimals}
	rate, form, err := readPrice("--market-grid "+key, text, grid.Unit, &money)
	if err != nil {
		return 0, err
	}
	exact := new(big.Rat).Mul(exactly(rate), new(big.Rat).SetInt(new(big.Int).SetUint64(grid.Lot)))
	if !exact.IsInt() || !exact.Num().IsUint64() {
		one := form.text(perUnit(1, grid.Lot))
		return 0, misuse("--market-grid: %s=%s is no whole number of smallest units for a lot of %s: with %d decimal places the smallest step is %s; take a larger lot, or an asset with more decimal places",
			key, text, quantity(grid.Lot, grid.Unit), decimals, one)
	}
	return types.Amount(exact.Num().Uint64()), nil
}

func gridTerms(text string, grid *types.Grid) (types.Fallback, error) {
	kind, key, named := strings.Cut(text, ":")
	switch {
	case text == "" && grid.Unit == types.UnitWattHour, kind == meterTerms && !named:
		return &types.Meter{}, nil
	case text == "", kind == holdTerms && !named:
		return &types.Hold{}, nil
	case kind == arbiterTerms:
		arbiter, err := types.ParseKey(key)
		if err != nil {
			return nil, misuse("arbiter terms are written as arbiter:KEY: %w", err)
		}
		return &types.Arbiter{Key: arbiter}, nil
	}
	return nil, misuse("%q are no terms: there are meter, arbiter:KEY and hold", text)
}

// gridText states the rules of the orders of a grid: lots, steps, ceiling and stakes. The price writes one for a lot.
func gridText(grid *types.Grid, price func(types.Amount) string) (rules, stakes string) {
	terms := types.FallbackKind(grid.Fallback)
	if arbiter, named := grid.Fallback.(*types.Arbiter); named {
		terms += " of " + arbiter.Key.String()
	}
	rules = fmt.Sprintf("lots of %s, prices in steps of %s up to %s, %s terms", quantity(grid.Lot, grid.Unit), price(grid.Tick), price(grid.Ceiling), terms)
	stakes = fmt.Sprintf("a bid locks its limit and a deposit of %s, an offer a bond of %s: breaking a promise never pays while the goods are worth less than that elsewhere",
		price(grid.Deposit), price(grid.Bond))
	return rules, stakes
}

// initialRules states the rules of the auctions of a new ledger, in money of some decimal places. Those of all else, which the ledger has by
// default, are left to market show.
func (f *marketFlags) initialRules(p *page, market *types.MarketParams) {
	for i := range market.Grids {
		grid := &market.Grids[i]
		if len(f.Grid) == 0 && grid.Commodity == "" {
			continue
		}
		price := func(amount types.Amount) string { return gridPrice(grid, amount, int(f.Decimals)) }
		p.line("Auctions of %s: lots of %s, prices in steps of %s up to %s with %d decimal places, %s terms. The bond of %s makes it not pay to break a promise while the goods are worth less elsewhere.",
			gridGoods(grid), quantity(grid.Lot, grid.Unit), price(grid.Tick), price(grid.Ceiling), f.Decimals, types.FallbackKind(grid.Fallback), price(grid.Bond))
	}
}

// gridPrice formats a price for a lot without the name of the money.
func gridPrice(grid *types.Grid, amount types.Amount, decimals int) string {
	per := displayed(grid.Unit)
	return wholeMoney(perUnit(amount, grid.Lot), per.power, decimals) + "/" + name(per.name)
}

func gridGoods(grid *types.Grid) string {
	switch {
	case grid.Commodity == "" && grid.Unit == "":
		return "all else"
	case grid.Commodity == "":
		return "all goods in " + name(grid.Unit)
	}
	return name(grid.Commodity)
}

// grid prints the rules of the orders of a product.
func (s *session) grid(p *page, grid *types.Grid, unit string, asset types.AssetID) {
	shown := *grid
	shown.Unit = unit
	rules, stakes := gridText(&shown, func(amount types.Amount) string { return s.rate(asset, unit, perUnit(amount, grid.Lot)) })
	p.line("Orders    %s", rules)
	p.line("Stakes    %s", stakes)
}

type marketShowCmd struct {
	lookFlags
	Asset string `help:"Show the sums in this asset, by its code or its id; by default in smallest units." placeholder:"ASSET"`
}

func (c *marketShowCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	market := s.params.MarketAt(s.status.BlockTime)
	var asset types.Asset
	if c.Asset != "" {
		if asset, err = s.asset(ctx, c.Asset); err != nil {
			return err
		}
	}
	return a.show(market, func(p *page) {
		if market.Opens == 0 {
			p.line("This ledger holds no auctions.")
			return
		}
		p.line("A product takes orders of %s from %s before its slot until %s before it. An order can be withdrawn until %s before that gate.",
			market.Entry, market.Opens, market.Gate, s.params.MinWindow)
		p.line("A match is paid at the gate. Its reading is due %s after the slot, its release %s later.", market.Reading, market.Confirm)
		for i := range market.Grids {
			grid := market.Grids[i]
			if grid.Unit == "" {
				grid.Unit = "unit"
			}
			if c.Asset != "" && grid.Asset != (types.AssetID{}) && grid.Asset != asset.ID() {
				continue
			}
			price := func(amount types.Amount) string { return fmt.Sprintf("%s smallest units for a lot", amount) }
			if c.Asset != "" {
				price = func(amount types.Amount) string { return s.rate(asset.ID(), grid.Unit, perUnit(amount, grid.Lot)) }
			}
			rules, stakes := gridText(&grid, price)
			p.line("\n%s", words.Upper(gridGoods(&market.Grids[i])))
			p.line("Orders    %s", rules)
			p.line("Stakes    %s", stakes)
		}
	})
}
