package main

import (
	"context"
	"encoding/json"
	"fmt"

	"lockstep/internal/plaintext"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/types/strict"
	"lockstep/wallet"
)

type tradeReleaseCmd struct {
	tradeFlags
	Instalment *uint16 `help:"Release up to this instalment; by default all." placeholder:"K"`
	KeyFile    string  `help:"Publish the key in this file, which the consumer has handed over. Anyone may do so; it needs no wallet." type:"path" placeholder:"FILE"`
	yesFlag
}

func (c *tradeReleaseCmd) Run(ctx context.Context, a *app) error {
	if c.KeyFile != "" {
		return c.showKey(ctx, a)
	}
	s, trade, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	k := trade.Trade.Agreement.Instalments
	if c.Instalment != nil {
		k = *c.Instalment
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	tx, err := s.account.Release(known, c.Trade, &trade.Trade, k)
	if err != nil {
		return err
	}
	p := s.release(&trade.Trade, k, "Release up to instalment", "Released: the secret is on the ledger (E3)")
	receipt, err := s.sendUnsigned(ctx, tx, c.yesFlag, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

// release returns the plan to give the producer its part of the payment up to instalment k.
func (s *session) release(t *types.Trade, k uint16, verb, done string) plan {
	a := &t.Agreement
	free, _ := trade.Due(a, k).Sub(trade.Due(a, min(t.Released, k))) // none is left when it was released before
	return plan{
		ask: fmt.Sprintf("%s %d of %d, which gives the producer %s", verb, k, a.Instalments, s.money(a.Asset, free)),
		worst: []string{
			fmt.Sprintf("Are the goods there? A release can't be taken back, and if they are not you lose %s.", s.money(a.Asset, free)),
		},
		done: done,
	}
}

// showKey publishes a key on the ledger that was handed over in a file.
func (c *tradeReleaseCmd) showKey(ctx context.Context, a *app) error {
	content, err := plaintext.ReadFile(c.KeyFile, maxKeyFile)
	if err != nil {
		return err
	}
	var key types.Release
	if err := strict.Unmarshal(content, &key); err != nil {
		return types.Refuse(types.CodeMalformed, "%s does not hold a key: %v", c.KeyFile, err)
	}
	if key.Trade != c.Trade {
		return types.Refuse(types.CodeSecret, "the key in %s is of trade %s", c.KeyFile, key.Trade)
	}
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	trade, err := s.node.Trade(ctx, c.Trade)
	if err != nil {
		return err
	}
	if most := trade.Trade.Agreement.Instalments; key.Instalment > most {
		return types.Refuse(types.CodeInstalment, "the key in %s is of instalment %d, the trade has %d", c.KeyFile, key.Instalment, most)
	}
	p := s.release(&trade.Trade, key.Instalment, "Release by the key up to instalment",
		fmt.Sprintf("Released up to instalment %d by the key that was handed over (E3)", key.Instalment))
	receipt, err := s.sendUnsigned(ctx, types.NewRelease(s.params.ChainID, key), c.yesFlag, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

// maxKeyFile bounds a file that holds one key.
const maxKeyFile = 4096

type tradeKeyCmd struct {
	tradeFlags
	yesFlag
	Instalment uint16 `help:"Last instalment that the key releases." required:"" placeholder:"K"`
	Out        string `help:"File to write, for the producer." required:"" type:"path" placeholder:"FILE"`
}

func (c *tradeKeyCmd) Run(ctx context.Context, a *app) error {
	s, t, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	tx, err := s.account.Release(known, c.Trade, &t.Trade, c.Instalment)
	if err != nil {
		return err
	}
	release := tx.Body.Actions[0]
	content, err := json.MarshalIndent(release, "", "  ")
	if err != nil {
		return err
	}
	p := s.release(&t.Trade, c.Instalment, "Write the key of instalment", "")
	if _, err := s.consent(c.yesFlag, p, wallet.Cost{}); err != nil {
		return err
	}
	if err := writeSecret(c.Out, append(content, '\n')); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	asset := t.Trade.Agreement.Asset
	return a.show(map[string]string{"file": c.Out}, func(p *page) {
		p.line("%s holds the key of instalment %d of %d. Anyone with the file can free %s for the producer.", c.Out, c.Instalment,
			t.Trade.Agreement.Instalments, s.money(asset, trade.Due(&t.Trade.Agreement, c.Instalment)))
	})
}
