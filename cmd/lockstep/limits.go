package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/types"
	"lockstep/wallet"
)

type walletLimitsCmd struct {
	walletFlags
	MaxLoss     []string `help:"Most money of an asset that one trade may cost, such as EUR=5; EUR=any lifts it. Needs the node." placeholder:"ASSET=AMOUNT"`
	MaxFee      []string `help:"Most that one transaction may cost in fees of an asset, such as EUR=0.05; where none is set, a tenth of a unit. Needs the node." placeholder:"ASSET=AMOUNT"`
	MinBond     string   `help:"Least bond of a producer, as a share of the price." placeholder:"PERCENT"`
	MaxDeposit  string   `help:"Largest deposit, as a share of the price." placeholder:"PERCENT"`
	AllowNoBond *bool    `help:"Buy also from a producer that stakes nothing." negatable:""`
}

type shownLimits struct {
	MaxLoss     map[string]string `json:"max_loss"` // by asset ID, in smallest units
	MaxFee      map[string]string `json:"max_fee"`  // by asset ID, in smallest units
	MinBond     string            `json:"min_bond"`
	MaxDeposit  string            `json:"max_deposit"`
	AllowNoBond bool              `json:"allow_no_bond"`
}

func (c *walletLimitsCmd) Run(ctx context.Context, a *app) error {
	s := &session{app: a}
	var err error
	if len(c.MaxLoss)+len(c.MaxFee) > 0 { // the name of an asset may need the node
		s, err = a.session(ctx, &c.walletFlags)
	} else {
		s.wallet, err = c.open(a)
	}
	if err != nil {
		return err
	}
	w := s.wallet
	limits := w.Limits()
	changed := c.AllowNoBond != nil || c.MinBond != "" || c.MaxDeposit != "" || len(c.MaxLoss)+len(c.MaxFee) > 0
	if err := c.apply(ctx, s, &limits); err != nil {
		return err
	}
	if changed {
		if err := w.SetLimits(limits); err != nil {
			return err
		}
	}
	shown := shownLimits{map[string]string{}, map[string]string{}, limits.MinBond.String(), limits.MaxDeposit.String(), limits.AllowNoBond}
	for _, loss := range limits.Losses {
		shown.MaxLoss[loss.Asset.String()] = loss.Most.String()
	}
	for _, fee := range limits.Fees {
		shown.MaxFee[fee.Asset.String()] = fee.Most.String()
	}
	return a.show(shown, func(p *page) {
		p.row("least bond of a producer", shown.MinBond+" of the price")
		p.row("largest deposit", shown.MaxDeposit+" of the price")
		p.row("buy without a bond", fmt.Sprint(shown.AllowNoBond))
		for _, loss := range limits.Losses {
			p.row("most lost in a trade", limitText(w, loss.Asset, loss.Most))
		}
		if len(limits.Losses) == 0 {
			p.row("most lost in a trade", "no limit")
		}
		for _, fee := range limits.Fees {
			p.row("most for a fee", limitText(w, fee.Asset, fee.Most))
		}
		p.row("most for any other fee", "a tenth of a unit of its asset")
	})
}

// apply sets the limits that the flags name.
func (c *walletLimitsCmd) apply(ctx context.Context, s *session, limits *wallet.Limits) error {
	for _, share := range []struct {
		text string
		to   *wallet.Share
	}{{c.MinBond, &limits.MinBond}, {c.MaxDeposit, &limits.MaxDeposit}} {
		if share.text == "" {
			continue
		}
		parsed, err := wallet.ParseShare(share.text)
		if err != nil {
			return &usageError{err}
		}
		*share.to = parsed
	}
	if c.AllowNoBond != nil {
		limits.AllowNoBond = *c.AllowNoBond
	}
	for _, entry := range c.MaxLoss {
		asset, most, lifted, err := s.limitOf(ctx, entry)
		if err != nil {
			return err
		}
		limits.Losses = slices.DeleteFunc(slices.Clone(limits.Losses), func(l wallet.LossLimit) bool { return l.Asset == asset })
		if !lifted {
			limits.Losses = append(limits.Losses, wallet.LossLimit{Asset: asset, Most: most})
		}
	}
	for _, entry := range c.MaxFee {
		asset, most, lifted, err := s.limitOf(ctx, entry)
		if err != nil {
			return err
		}
		if lifted {
			return misuse("a fee needs a limit: a node that lies about it could take all that you have")
		}
		limits.Fees = slices.DeleteFunc(slices.Clone(limits.Fees), func(l wallet.FeeLimit) bool { return l.Asset == asset })
		limits.Fees = append(limits.Fees, wallet.FeeLimit{Asset: asset, Most: most})
	}
	return nil
}

// limitOf reads a limit for an asset; "any" lifts it.
func (s *session) limitOf(ctx context.Context, entry string) (id types.AssetID, most types.Amount, lifted bool, err error) {
	name, text, ok := strings.Cut(entry, "=")
	if !ok {
		return id, 0, false, misuse("%q is not of the form ASSET=AMOUNT", entry)
	}
	asset, err := s.asset(ctx, name)
	if err != nil || text == "any" {
		return asset.ID(), 0, true, err
	}
	most, err = parseAmount(text, asset.Decimals)
	return asset.ID(), most, false, err
}

// limitText formats the sum of a limit without asking a node.
func limitText(w *wallet.Wallet, id types.AssetID, most types.Amount) string {
	for _, t := range w.Trusted() {
		if t.Asset.ID() == id {
			return most.Format(t.Asset.Decimals) + " " + (&assetBook{wallet: w}).name(id)
		}
	}
	return most.String() + " smallest units of asset " + id.String()
}
