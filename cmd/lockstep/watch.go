package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

type tradeWatchCmd struct {
	walletFlags
	Trade *types.TradeID   `arg:"" optional:"" help:"Only this trade."`
	Key   *types.PublicKey `help:"Trades of this key instead of the wallet's." find:"" placeholder:"KEY"`
	From  uint64           `help:"Begin at this height; by default now." placeholder:"HEIGHT"`
	Count int              `help:"End after this many events; by default never." placeholder:"N"`
}

func (c *tradeWatchCmd) Run(ctx context.Context, a *app) error {
	options := client.EventsOptions{From: c.From}
	var s *session
	if c.Trade != nil {
		options.Trade = *c.Trade
		node, err := a.connect()
		if err != nil {
			return err
		}
		if s, err = a.visit(ctx, node); err != nil {
			return err
		}
		if c.Key != nil {
			options.Viewer = *c.Key
		}
	} else {
		session, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
		if err != nil {
			return err
		}
		s, options.Key = session, key
	}
	defer a.tellWhenStill(ctx, s.node)()
	seen := 0
	for event, err := range s.node.Events(ctx, options) {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.event(&event); err != nil {
			return err
		}
		if seen++; seen == c.Count {
			return nil
		}
	}
	return nil
}

// event prints an event, and the state of its trade.
func (a *app) event(e *wire.Event) error {
	if a.JSON {
		return json.NewEncoder(a.out).Encode(e)
	}
	w := &words.Printer{Language: a.language(), Time: stamp, Quantity: func(n uint64) string { return fmt.Sprint(n) }}
	about := ""
	switch {
	case e.Trade != types.TradeID{}:
		about = w.Fill(words.AboutTrade, e.Trade.String())
	case e.Offer != types.OfferID{}:
		about = w.Fill(words.AboutOffer, e.Offer.String())
	case e.Product != types.ProductID{}:
		about = w.Fill(words.AboutProduct, e.Product.String())
	case e.Tx != types.TxID{}:
		about = w.Fill(words.AboutTx, e.Tx.String())
	}
	text := about + w.Key(words.Colon) + w.Key(trade.EventKey(e.Kind))
	if e.Status != nil {
		text += "\n    " + w.Fill(words.Now, stateText(w, e.Status))
	}
	_, err := fmt.Fprintf(a.out, "%s  %-12s  %s\n", stamp(e.At), e.Kind, text)
	return err
}

// stateText describes where a trade stands now, and the awaited move.
func stateText(w *words.Printer, s *wire.EventStatus) string {
	if s.Unit != "" {
		w.Quantity = func(n uint64) string { return quantity(n, s.Unit) }
	}
	w.Viewer = s.Status.Viewer
	text := w.Key(trade.PhaseKey(s.Status.Phase)) + w.Key(words.Colon) + w.Text(s.Status.State)
	if s.Status.Turn.Role != trade.Nobody {
		text += w.Key(words.Separator) + turnText(w, &s.Status, s.Clock)
	}
	return text
}
