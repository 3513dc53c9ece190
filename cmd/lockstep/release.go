package main

import (
	"context"
	"encoding/json"
	"fmt"

	"lockstep/internal/light"
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
	proofFlags
}

func (c *tradeReleaseCmd) Run(ctx context.Context, a *app) error {
	if c.KeyFile != "" {
		return c.showKey(ctx, a)
	}
	s, t, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	k := t.Trade.Agreement.Instalments
	if c.Instalment != nil {
		k = *c.Instalment
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	tx, err := s.account.Release(known, c.Trade, &t.Trade, k)
	if err != nil {
		return err
	}
	p := s.release(&t.Trade, k, trade.AskRelease)
	if p.checked, err = s.prove(ctx, light.Release, &t, c.proofFlags); err != nil {
		return err
	}
	receipt, err := s.sendUnsigned(ctx, tx, c.yesFlag, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

// release returns the plan to give the producer its part of the payment up to instalment k.
func (s *session) release(t *types.Trade, k uint16, ask trade.Key) plan {
	return planOf(s.agreementPrinter(&t.Agreement, s.status.Clock, s.viewer()), trade.ConsentToRelease(t, k, ask))
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
	t, err := s.node.Trade(ctx, c.Trade)
	if err != nil {
		return err
	}
	if most := t.Trade.Agreement.Instalments; key.Instalment > most {
		return types.Refuse(types.CodeInstalment, "the key in %s is of instalment %d, the trade has %d", c.KeyFile, key.Instalment, most)
	}
	p := s.release(&t.Trade, key.Instalment, trade.AskReleaseByKey)
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
	proofFlags
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
	p := s.release(&t.Trade, c.Instalment, trade.AskWriteKey)
	if p.checked, err = s.prove(ctx, light.Release, &t, c.proofFlags); err != nil {
		return err
	}
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
