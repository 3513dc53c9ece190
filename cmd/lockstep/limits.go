package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/wallet"
)

type walletLimitsCmd struct {
	walletFlags
	MaxLoss     []string `help:"Most money of an asset that one trade may cost, such as EUR=5; EUR=any lifts it. Needs the node." placeholder:"ASSET=AMOUNT"`
	MinBond     string   `help:"Least bond of a producer, as a share of the price." placeholder:"PERCENT"`
	MaxDeposit  string   `help:"Largest deposit, as a share of the price." placeholder:"PERCENT"`
	AllowNoBond *bool    `help:"Buy also from a producer that stakes nothing." negatable:""`
}

type shownLimits struct {
	MaxLoss     map[string]string `json:"max_loss"` // by asset ID, in smallest units
	MinBond     string            `json:"min_bond"`
	MaxDeposit  string            `json:"max_deposit"`
	AllowNoBond bool              `json:"allow_no_bond"`
}

func (c *walletLimitsCmd) Run(ctx context.Context, a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	limits := w.Limits()
	changed := c.AllowNoBond != nil || c.MinBond != "" || c.MaxDeposit != "" || len(c.MaxLoss) > 0
	if err := c.apply(ctx, a, &limits); err != nil {
		return err
	}
	if changed {
		if err := w.SetLimits(limits); err != nil {
			return err
		}
	}
	shown := shownLimits{map[string]string{}, limits.MinBond.String(), limits.MaxDeposit.String(), limits.AllowNoBond}
	for _, loss := range limits.Losses {
		shown.MaxLoss[loss.Asset.String()] = loss.Most.String()
	}
	return a.show(shown, func(p *page) {
		p.row("least bond of a producer", shown.MinBond+" of the price")
		p.row("largest deposit", shown.MaxDeposit+" of the price")
		p.row("buy without a bond", fmt.Sprint(shown.AllowNoBond))
		for _, loss := range limits.Losses {
			p.row("most lost in a trade", loss.Most.String()+" smallest units of asset "+loss.Asset.String())
		}
		if len(limits.Losses) == 0 {
			p.row("most lost in a trade", "no limit")
		}
	})
}

func (c *walletLimitsCmd) apply(ctx context.Context, a *app, limits *wallet.Limits) error {
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
	if len(c.MaxLoss) == 0 {
		return nil
	}
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	for _, entry := range c.MaxLoss {
		if err := s.setLoss(ctx, limits, entry); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) setLoss(ctx context.Context, limits *wallet.Limits, entry string) error {
	name, text, ok := strings.Cut(entry, "=")
	if !ok {
		return misuse("%q is not of the form ASSET=AMOUNT", entry)
	}
	asset, err := s.asset(ctx, name)
	if err != nil {
		return err
	}
	limits.Losses = slices.DeleteFunc(slices.Clone(limits.Losses), func(l wallet.LossLimit) bool { return l.Asset == asset.ID })
	if text == "any" {
		return nil
	}
	most, err := parseAmount(text, asset.Asset.Decimals)
	if err != nil {
		return err
	}
	limits.Losses = append(limits.Losses, wallet.LossLimit{Asset: asset.ID, Most: most})
	return nil
}
