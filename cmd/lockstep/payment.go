package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

type walletSendCmd struct {
	walletFlags
	To     types.PublicKey `arg:"" help:"Key of the receiver, lk1..."`
	Amount string          `arg:"" help:"Amount, such as 12.50."`
	Asset  string          `arg:"" help:"Asset: its code, its code and issuer such as EUR.bank, or its id."`
	Memo   string          `help:"A public note." placeholder:"TEXT"`
	yesFlag
}

func (c *walletSendCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset, amount, err := s.spendable(ctx, c.Amount, c.Asset)
		if err != nil {
			return plan{}, err
		}
		if err := d.Send(c.To, asset.ID(), amount); err != nil {
			return plan{}, err
		}
		what := fmt.Sprintf("%s to %s", s.money(asset.ID(), amount), s.withLabel(c.To))
		return plan{ask: "Pay " + what, done: "Paid " + what}, d.Memo(c.Memo)
	})
}

type walletIssueCmd struct {
	walletFlags
	Amount   string           `arg:"" help:"Amount, such as 1000."`
	Code     string           `arg:"" help:"Code of the asset: capital letters, digits or '-'."`
	Decimals *uint8           `help:"Decimal places of the asset; fixed with its first issue, by default 2." zero:"" placeholder:"N"`
	Another  bool             `help:"Create a second asset of a code that you issue already, with other decimal places."`
	To       *types.PublicKey `help:"Key that gets the sum; by default the issuer's own." placeholder:"KEY"`
	yesFlag

	fresh bool // it is the first issue of the asset
}

// defaultDecimals is the number of decimal places of most currencies.
const defaultDecimals = 2

func (c *walletIssueCmd) Run(ctx context.Context, a *app) error {
	var asset types.Asset
	var w *wallet.Wallet
	err := a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (p plan, err error) {
		w = s.wallet
		if asset, err = c.asset(ctx, s); err != nil {
			return p, err
		}
		amount, err := parseAmount(c.Amount, asset.Decimals)
		if err != nil {
			return p, err
		}
		if err := d.Issue(asset, amount); err != nil {
			return p, err
		}
		what := "Issue " + amount.Format(asset.Decimals) + " " + asset.Code
		if c.To != nil {
			if err := d.Send(*c.To, asset.ID(), amount); err != nil {
				return p, err
			}
			what += " to " + c.To.String()
		}
		p = plan{ask: what, done: fmt.Sprintf("Issued %s %s (asset %s)", amount.Format(asset.Decimals), asset.Code, asset.ID())}
		if c.fresh {
			p.worst = tooCoarse(&s.params, &asset)
		}
		return p, nil
	})
	if err != nil || slices.ContainsFunc(w.Trusted(), func(t wallet.TrustedAsset) bool { return t.Asset == asset }) {
		return err
	}
	label := ""
	if c.Another {
		label = fmt.Sprintf("%s-%d", wallet.OwnLabel, asset.Decimals)
	}
	return w.Trust(asset, label)
}

// asset returns the asset to issue. An issuer that omits the decimal places means the asset that it issued before. Other decimal
// places make a second asset of the same code, and its coins are not coins of the first.
func (c *walletIssueCmd) asset(ctx context.Context, s *session) (types.Asset, error) {
	asset := types.Asset{Issuer: s.account.Key(), Code: c.Code, Decimals: defaultDecimals}
	if c.Decimals != nil {
		asset.Decimals = *c.Decimals
	}
	if err := asset.Check(); err != nil {
		return asset, err
	}
	before, err := s.assetsOf(ctx, c.Code)
	if err != nil {
		return asset, err
	}
	for _, t := range s.assets.trusted() {
		before = append(before, t.Asset)
	}
	before = slices.DeleteFunc(before, func(a types.Asset) bool { return a.Issuer != asset.Issuer || a.Code != asset.Code })
	slices.SortFunc(before, func(a, b types.Asset) int { return cmp.Compare(a.Decimals, b.Decimals) })
	before = slices.Compact(before)
	c.fresh = !slices.Contains(before, asset)
	switch {
	case len(before) == 0 || c.Decimals != nil && (c.Another || slices.Contains(before, asset)):
		return asset, nil
	case c.Decimals == nil && len(before) == 1:
		return before[0], nil
	case c.Decimals == nil:
		return asset, misuse("you issue %d assets of the code %s: choose one with --decimals", len(before), c.Code)
	}
	return asset, misuse("you issue %s with %d decimal places already (asset %s): with --decimals %d it would be another asset of the same code, "+
		"and nobody could pay one with the other. Leave --decimals out, or add --another", c.Code, before[0].Decimals, before[0].ID(), asset.Decimals)
}

type walletRedeemCmd struct {
	walletFlags
	Amount string `arg:"" help:"Amount, such as 1000."`
	Asset  string `arg:"" help:"Asset: its code, its code and issuer such as EUR.own, or its id."`
	yesFlag
}

func (c *walletRedeemCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset, amount, err := s.spendable(ctx, c.Amount, c.Asset)
		if err != nil {
			return plan{}, err
		}
		what := s.money(asset.ID(), amount)
		return plan{ask: "Take " + what + " out of the ledger", done: "Redeemed " + what}, d.Redeem(asset, amount)
	})
}

type walletMergeCmd struct {
	walletFlags
	Asset string `arg:"" help:"Asset: its code, its code and issuer such as EUR.bank, or its id."`
	yesFlag
}

// mostMerged bounds the coins that one transaction spends.
const mostMerged = 500

func (c *walletMergeCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset, err := s.asset(ctx, c.Asset)
		if err != nil {
			return plan{}, err
		}
		page, err := s.node.Coins(ctx, s.account.Key(), asset.ID(), 0, client.Page{Limit: mostMerged})
		if err != nil {
			return plan{}, err
		}
		if len(page.Coins) < 2 {
			return plan{}, &wallet.Error{Reason: wallet.ReasonFunds, Detail: fmt.Sprintf("there are no %s coins to merge", s.code(asset.ID()))}
		}
		what := fmt.Sprintf("%d coins of %s", len(page.Coins), s.code(asset.ID()))
		done := "Merged " + what
		if page.Next != "" {
			done += "; there are more, so merge again"
		}
		return plan{ask: "Merge " + what + " into one", done: done, free: true}, d.Merge(page.Coins...)
	})
}
