package main

import (
	"context"

	"lockstep/internal/agent/config"
	"lockstep/internal/agent/runner"
	"lockstep/types"
)

type agentWordCmd struct {
	Trade types.TradeID `arg:"" help:"The trade, by its ID or the beginning of it."`
	Came  string        `arg:"" enum:"came,missing" help:"came: the agent releases the payment, which can't be taken back. missing: it does not."`
	agentFlags
}

// wordsFolder is the folder of the owner's words on trades, beside the state of the agent.
func wordsFolder(c *config.Config) string { return c.State + ".words" }

// Run keeps the owner's word, which the agent finds with its next look at the ledger.
func (c *agentWordCmd) Run(ctx context.Context, a *app) error {
	file, err := c.load(a)
	if err != nil {
		return err
	}
	node, err := a.connect()
	if err != nil {
		return err
	}
	t, err := node.Trade(ctx, c.Trade)
	if err != nil {
		return err
	}
	switch {
	case t.Phase != types.PhasePaid && t.Phase != types.PhaseDelivered:
		return types.Refuse(types.CodePhase, "trade %s is %s: no word on it has an effect", short(c.Trade), t.Phase)
	case types.FallbackKind(t.Trade.Agreement.Fallback) == "meter":
		return types.Refuse(types.CodePhase, "trade %s has meter terms: the readings tell how much came, and no word does", short(c.Trade))
	}
	if err := runner.GiveWord(wordsFolder(file), c.Trade, c.Came == "came"); err != nil {
		return err
	}
	given := struct {
		Trade types.TradeID `json:"trade"`
		Word  string        `json:"word"`
	}{c.Trade, c.Came}
	return a.show(given, func(p *page) {
		p.line("Your word on trade %s: %s. A running agent acts on it within moments.", short(c.Trade), c.Came)
	})
}
