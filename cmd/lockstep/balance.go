package main

import (
	"context"
	"fmt"
	"slices"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

type walletBalanceCmd struct {
	walletFlags
	Key *types.PublicKey `help:"Look at this key instead of opening the wallet." find:"" placeholder:"KEY"`
	All bool             `help:"Show assets of unknown issuers too."`
}

// shownBalances are the balances of a key, with the relation of the wallet to each asset.
type shownBalances struct {
	Height   uint64         `json:"height"`
	Clock    types.Time     `json:"clock"`
	Balances []shownBalance `json:"balances"`
	More     bool           `json:"more,omitempty"` // there are further assets that the wallet does not trust
}

type shownBalance struct {
	wire.Balance
	Name    string `json:"name"`
	Unknown bool   `json:"unknown_issuer,omitempty"`
}

func (c *walletBalanceCmd) Run(ctx context.Context, a *app) error {
	s, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
	if err != nil {
		return err
	}
	shown, err := s.balances(ctx, key)
	if err != nil {
		return err
	}
	return a.show(shown, func(p *page) {
		p.line("%s at height %d", key, shown.Height)
		known, strange := shown.Balances, []shownBalance(nil)
		if !c.All {
			stranger := func(b shownBalance) bool { return b.Unknown }
			known = slices.DeleteFunc(slices.Clone(known), stranger)
			strange = slices.DeleteFunc(slices.Clone(shown.Balances), func(b shownBalance) bool { return !stranger(b) })
		}
		if len(shown.Balances) == 0 {
			p.line("Nothing yet.")
		}
		ordered := slices.ContainsFunc(known, func(b shownBalance) bool { return b.InOrders > 0 })
		head := []string{"asset", "spendable", "locked in trades"}
		if ordered {
			head = append(head, "locked in orders")
		}
		if len(known) > 0 {
			p.row(head...)
		}
		for i := range known {
			b := &known[i]
			row := []string{b.Name, b.Spendable.Format(b.Decimals), b.Locked.Format(b.Decimals)}
			if ordered {
				row = append(row, b.InOrders.Format(b.Decimals))
			}
			p.row(row...)
		}
		if len(strange) > 0 {
			p.line("%s asset(s) of unknown issuers are not shown: --all shows them. If you know the issuer:\n  %s", fewOrMore(len(strange), shown.More),
				s.next("wallet trust", strange[0].Asset.String(), "--label", "NAME"))
		} else if shown.More {
			p.line("The key has coins of more assets than these %d.", len(shown.Balances))
		}
	})
}

// balances fetches the balances of the trusted assets, and one page of all balances of a key: anyone may send it any number of
// assets.
func (s *session) balances(ctx context.Context, key types.PublicKey) (shown shownBalances, err error) {
	var ids []types.AssetID
	for _, t := range s.assets.trusted() {
		ids = append(ids, t.Asset.ID())
	}
	mine, err := s.node.BalancesOf(ctx, key, ids...)
	if err != nil {
		return shown, err
	}
	page, err := s.node.Balances(ctx, key, client.Page{})
	if err != nil {
		return shown, err
	}
	shown = shownBalances{Height: page.Height, Clock: page.Clock, Balances: []shownBalance{}, More: page.Next != ""}
	for _, b := range append(mine.Balances, page.Balances...) {
		if slices.ContainsFunc(shown.Balances, func(other shownBalance) bool { return other.Asset == b.Asset }) || b.Spendable == 0 && b.Locked == 0 && b.InOrders == 0 {
			continue
		}
		asset := types.Asset{Issuer: b.Issuer, Code: b.Code, Decimals: b.Decimals}
		if err := s.assets.note(wire.Asset{ID: b.Asset, Asset: asset}); err != nil {
			return shown, err
		}
		shown.Balances = append(shown.Balances, shownBalance{b, s.code(b.Asset), s.unknown(b.Asset)})
	}
	return shown, nil
}

// fewOrMore formats a count that may be incomplete.
func fewOrMore(n int, more bool) string {
	if more {
		return fmt.Sprintf("%d or more", n)
	}
	return fmt.Sprint(n)
}
