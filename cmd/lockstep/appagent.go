package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"lockstep/internal/agent/config"
	"lockstep/wallet"
)

// startAgent runs the agent of a configuration beside the page, and returns its panel. The agent has the wallet for itself: the page may lock its own.
func (c *appCmd) startAgent(ctx context.Context, a *app, agents *sync.WaitGroup) (*agentPanel, error) {
	flags := agentFlags{walletFlags: c.walletFlags, File: c.Agent}
	s, p, err := flags.open(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := config.CheckConsent(config.ConsentFile(flags.path(a), flags.Account), p.terms); err != nil {
		s.wallet.Close()
		return nil, &wallet.Error{Reason: wallet.ReasonConsent, Detail: err.Error()}
	}
	r, err := p.runner(ctx, a, s)
	if err != nil {
		s.wallet.Close()
		return nil, err
	}
	panel := &agentPanel{context: ctx, runner: r, meter: r.Meter, words: r.Words, now: time.Now}
	if r.Meter != nil {
		panel.uses, panel.makes = r.Meter.Use, r.Meter.Make
	}
	agents.Go(func() {
		defer s.wallet.Close()
		if err := r.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			a.logger().Error("the agent has stopped", "error", err)
		}
	})
	return panel, nil
}
