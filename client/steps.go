package client

import (
	"context"
	"time"

	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// Post puts up an offer and waits until it stands. A zero producer, chain or nonce of the offer is filled in.
func (a *Account) Post(ctx context.Context, offer types.Offer) (id types.OfferID, err error) {
	_, err = a.Do(ctx, func(d *wallet.Draft) error {
		id, err = d.Post(offer, false)
		return err
	})
	return id, err
}

// Take agrees to a quantity of a standing offer, pays for it (E1) and waits until payment and deposit are locked.
func (a *Account) Take(ctx context.Context, id types.OfferID, quantity uint64) (types.TradeID, error) {
	offer, err := a.client.Offer(ctx, id)
	if err != nil {
		return types.TradeID{}, err
	}
	var agreement *types.Agreement
	_, err = a.Do(ctx, func(d *wallet.Draft) (err error) {
		agreement, err = d.Take(id, &offer.Offer, quantity)
		return err
	})
	if err != nil {
		return types.TradeID{}, err
	}
	return agreement.ID(), nil
}

// Pay locks the payment and the deposit of an agreed trade (E1), and waits until the step is final.
func (a *Account) Pay(ctx context.Context, id types.TradeID) (wire.Receipt, error) {
	return a.step(ctx, id, (*wallet.Draft).Pay)
}

// Deliver records the delivery of a paid trade (E2), which locks the return and the bond, and waits until the step is final.
func (a *Account) Deliver(ctx context.Context, id types.TradeID) (wire.Receipt, error) {
	return a.step(ctx, id, (*wallet.Draft).Deliver)
}

// Collect makes one coin of all parts of a trade that belong to the account (E4), and waits until the step is final.
func (a *Account) Collect(ctx context.Context, id types.TradeID) (wire.Receipt, error) {
	return a.step(ctx, id, (*wallet.Draft).Collect)
}

// step makes a transaction of one step of a trade.
func (a *Account) step(ctx context.Context, id types.TradeID, step func(*wallet.Draft, types.TradeID, *types.Trade) error) (wire.Receipt, error) {
	now, err := a.client.Trade(ctx, id)
	if err != nil {
		return wire.Receipt{}, err
	}
	return a.Do(ctx, func(d *wallet.Draft) error { return step(d, id, &now.Trade) })
}

// Release reveals the secret of an instalment as the consumer of the trade (E3), and waits until the release is final. The payment then
// belongs to the producer.
func (a *Account) Release(ctx context.Context, id types.TradeID, instalment uint16) (wire.Receipt, error) {
	now, err := a.client.Trade(ctx, id)
	if err != nil {
		return wire.Receipt{}, err
	}
	known, err := a.Context(ctx)
	if err != nil {
		return wire.Receipt{}, err
	}
	tx, err := a.wallet.Release(known, id, &now.Trade, instalment)
	if err != nil {
		return wire.Receipt{}, err
	}
	return a.client.Submit(ctx, tx)
}

// AwaitPhase waits until a trade is in a phase, and returns the trade. It ends with a [StandsStill] when the ledger stands still. The error is [types.CodePhase] once the trade can't get there any
// more.
func (c *Client) AwaitPhase(ctx context.Context, id types.TradeID, phase types.Phase) (wire.Trade, error) {
	for begun := time.Now(); ; {
		now, err := c.Trade(ctx, id)
		switch {
		case err != nil || now.Phase == phase:
			return now, err
		case !trade.Reachable(now.Phase, phase):
			return now, types.Refuse(types.CodePhase, "trade %s is %s: it can't become %s any more", id, now.Phase, phase)
		}
		if err := c.outwaited(ctx, begun, "Trade "+id.String()+" stays as it is until the ledger goes on"); err != nil {
			return now, err
		}
		if err := c.awaitChange(ctx, &now); err != nil {
			return now, err
		}
	}
}

// A deadline that passes changes a trade without an event. The ledger clock is not that of this machine, so the client asks now and then.
const (
	shortestPause = 200 * time.Millisecond
	longestPause  = 5 * time.Second
)

// awaitChange waits for the next event of a trade, or until a deadline may have changed its phase.
func (c *Client) awaitChange(ctx context.Context, now *wire.Trade) error {
	wait := c.turn()
	if deadline, _ := trade.Expiry(now.Phase, &now.Trade.Agreement.Deadlines); deadline > 0 {
		wait = min(wait, max(deadline.Since(now.Clock).Std(), shortestPause), longestPause)
	}
	ctx, stop := context.WithTimeout(ctx, wait)
	defer stop()
	for _, err := range c.Events(ctx, EventsOptions{From: now.Height + 1, Trade: now.ID}) {
		return err
	}
	return nil
}
