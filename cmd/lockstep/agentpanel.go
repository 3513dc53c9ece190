package main

import (
	"context"
	"errors"
	"sync"

	"lockstep/internal/agent/config"
	"lockstep/wallet"
)

// startAgent runs the agent of a configuration beside the page. The agent has the wallet for itself: the page may lock its own.
func (c *appCmd) startAgent(ctx context.Context, a *app, agents *sync.WaitGroup) error {
	flags := agentFlags{walletFlags: c.walletFlags, File: c.Agent}
	s, p, err := flags.open(ctx, a)
	if err != nil {
		return err
	}
	if err := config.CheckConsent(config.ConsentFile(flags.path(a), flags.Account), p.terms); err != nil {
		s.wallet.Close()
		return &wallet.Error{Reason: wallet.ReasonConsent, Detail: err.Error()}
	}
	r := p.runner(a, s.node, s.signer)
	agents.Go(func() {
		defer s.wallet.Close()
		if err := r.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			a.logger().Error("the agent has stopped", "error", err)
		}
	})
	return nil
}
