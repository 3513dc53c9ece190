package main

import (
	"context"
	"fmt"

	"lockstep/types"
	"lockstep/wallet"
)

// entryFlags bound the entries that last in the state of a new ledger.
type entryFlags struct {
	By       string  `help:"Keys that may make lasting entries and receive money: anyone, or members that an operator admits; by default members when an operator is named." enum:"anyone,members,default" default:"default"`
	Coins    uint32  `help:"Separate coins of a key; later ones are merged." default:"1024" placeholder:"N"`
	Assets   uint32  `help:"Assets of one issuer that the ledger does not recognise." default:"4" zero:"" placeholder:"N"`
	Accepted uint32  `help:"Unrecognised assets that a key may accept." default:"64" zero:"" placeholder:"N"`
	Unasked  *uint32 `help:"Unrecognised assets that may reach a key which has not accepted them; by default 16, and none on a members' ledger." zero:"" placeholder:"N"`
	Offers   uint32  `help:"Open offers of a key." default:"1024" placeholder:"N"`
	Orders   uint32  `help:"Orders of a member in all open books." default:"4096" placeholder:"N"`
	Trades   uint32  `help:"Trades that a member has to end as their consumer or to collect from." default:"4096" placeholder:"N"`
}

// bounds returns the limits of entries on a ledger with or without operators.
func (f *entryFlags) bounds(operators bool) types.EntryParams {
	entries := types.DefaultEntryParams()
	if f.By == types.EntryMembers.String() || f.By == "default" && operators {
		entries = entries.OfMembers()
	}
	entries.Coins, entries.Assets, entries.Accepted = f.Coins, f.Assets, f.Accepted
	entries.Offers, entries.Orders, entries.Trades = f.Offers, f.Orders, f.Trades
	if f.Unasked != nil {
		entries.Unasked = *f.Unasked
	}
	return entries
}

// feeFlags describe the asset in which a new ledger takes fees. It is issued at genesis, so that there is something to pay with.
type feeFlags struct {
	Asset    string           `help:"Code of the asset in which the ledger takes fees; without it there are none." placeholder:"CODE"`
	Issuer   *types.PublicKey `help:"Key that issues the fee asset." placeholder:"KEY"`
	Decimals uint8            `help:"Decimal places of the fee asset." default:"2" zero:"" placeholder:"N"`
	Supply   string           `help:"Sum of the fee asset that its issuer has from the first block." placeholder:"AMOUNT"`
	Tx       string           `help:"Fee of each transaction." default:"0" zero:"" placeholder:"AMOUNT"`
	Entry    string           `help:"Fee of each lasting entry; see docs/reference/parameters.md." default:"0.01" zero:"" placeholder:"AMOUNT"`
}

// apply puts the fees into the parameters of a ledger.
func (f *feeFlags) apply(params *types.Params) error {
	if f.Asset == "" {
		if f.Issuer != nil || f.Supply != "" {
			return misuse("--fee-issuer and --fee-supply are of a fee asset: name its code with --fee-asset")
		}
		return nil
	}
	if f.Issuer == nil || f.Supply == "" {
		return misuse("a fee asset needs its issuer and a first sum of it: --fee-issuer KEY --fee-supply AMOUNT")
	}
	asset := types.Asset{Issuer: *f.Issuer, Code: f.Asset, Decimals: f.Decimals}
	var supply types.Amount
	for _, sum := range []struct {
		flag, text string
		into       *types.Amount
	}{{"--fee-supply", f.Supply, &supply}, {"--fee-tx", f.Tx, &params.MinFee}, {"--fee-entry", f.Entry, &params.Entries.Fee}} {
		amount, err := types.ParseAmount(sum.text, f.Decimals)
		if err != nil {
			return misuse("%s %q: %v", sum.flag, sum.text, err)
		}
		*sum.into = amount
	}
	params.FeeAsset = asset.ID()
	params.Genesis = append(params.Genesis, types.GenesisAsset{Asset: asset, Least: 1, Supply: supply})
	return nil
}

// floodOf is the number of entries whose price node init prints.
const floodOf = 1_000_000

// bound states the price of a flood of entries on a ledger, or its limit.
func bound(params *types.Params) string {
	e := &params.Entries
	each := fmt.Sprintf("%d coins, %d assets, %d offers", e.Coins, e.Assets, e.Offers)
	switch {
	case e.By == types.EntryMembers:
		return fmt.Sprintf("Entries: by members alone, each at most %s, %d orders and %d open trades.", each, e.Orders, e.Trades)
	case e.Fee > 0:
		asset := &params.Genesis[0].Asset // of the fees, as feeFlags put it there
		return fmt.Sprintf("Entries: by anyone, for %s %s each: %d of them cost %s.", e.Fee.Format(asset.Decimals), asset.Code, floodOf,
			(e.Fee * floodOf).Format(asset.Decimals))
	}
	return fmt.Sprintf("Entries: by anyone, free of charge, each key at most %s. Keys are free, so --operator or --fee-asset bounds the ledger.", each)
}

type walletAcceptCmd struct {
	walletFlags
	Asset string `arg:"" help:"Asset, by its id or its code."`
	yesFlag
}

func (c *walletAcceptCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		id, what, err := s.assetNamed(ctx, c.Asset)
		if err != nil {
			return plan{}, err
		}
		d.Accept(id)
		return plan{ask: "Let anybody pay you in " + what, done: "Anybody can pay you in " + what + " now", free: true}, nil
	})
}

type walletDeclineCmd struct {
	walletFlags
	Asset string `arg:"" help:"Asset, by its id or its code."`
	yesFlag
}

func (c *walletDeclineCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		id, what, err := s.assetNamed(ctx, c.Asset)
		if err != nil {
			return plan{}, err
		}
		d.Decline(id)
		return plan{ask: "Accept " + what + " no longer", done: what + " is not accepted any more", free: true}, nil
	})
}

// assetNamed finds an asset. An asset that is named by its ID need not be issued yet.
func (s *session) assetNamed(ctx context.Context, name string) (id types.AssetID, what string, err error) {
	asset, err := s.asset(ctx, name)
	switch {
	case err == nil:
		return asset.ID(), fmt.Sprintf("%s of %s (asset %s)", asset.Code, asset.Issuer, asset.ID()), nil
	case types.CodeOf(err) == types.CodeAssetUnknown && id.UnmarshalText([]byte(name)) == nil:
		return id, fmt.Sprintf("asset %s, of which nothing is issued yet", id), nil
	}
	return id, "", err
}

type walletRecogniseCmd struct {
	walletFlags
	proposeFlag
	Issuer   types.PublicKey `arg:"" help:"Key that issues the asset."`
	Code     string          `arg:"" help:"Code of the asset."`
	Decimals uint8           `help:"Decimal places of the asset." default:"2" zero:""`
	Least    string          `help:"Smallest output of the asset." default:"0" zero:"" placeholder:"AMOUNT"`
	yesFlag
}

func (c *walletRecogniseCmd) Run(ctx context.Context, a *app) error {
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset := types.Asset{Issuer: c.Issuer, Code: c.Code, Decimals: c.Decimals}
		least, err := types.ParseAmount(c.Least, c.Decimals)
		if err != nil {
			return plan{}, misuse("--least %q: %v", c.Least, err)
		}
		what := fmt.Sprintf("%s of %s (asset %s)", c.Code, c.Issuer, asset.ID())
		p := plan{ask: "Recognise " + what + " for everybody", worst: tooCoarse(&s.params, &asset), done: "The ledger recognises " + what, free: true}
		return p, d.Recognise(asset, least)
	})
}

type walletUnrecogniseCmd struct {
	walletFlags
	proposeFlag
	Asset string `arg:"" help:"Asset, by its id or its code."`
	yesFlag
}

func (c *walletUnrecogniseCmd) Run(ctx context.Context, a *app) error {
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(s *session, d *wallet.Draft) (plan, error) {
		id, what, err := s.assetNamed(ctx, c.Asset)
		if err != nil {
			return plan{}, err
		}
		d.Unrecognise(id)
		return plan{ask: "Take the recognition of " + what + " back", done: "The ledger does not recognise " + what + " any more", free: true}, nil
	})
}
