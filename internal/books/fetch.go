package books

import (
	"cmp"
	"context"
	"slices"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/trade"
	"lockstep/types"
)

// MaxEntries bounds the entries of a period.
const MaxEntries = 200_000

// Fetch collects the entries of a party's trades that ended in a period, by their ends. A trade ends within the ledger's horizon after its
// agreement, so trades that are older are not looked at.
func Fetch(ctx context.Context, node *client.Client, party types.PublicKey, from, until types.Time) ([]Entry, error) {
	params, err := node.Params(ctx)
	if err != nil {
		return nil, err
	}
	filter := client.TradeFilter{Party: party, From: from - types.Time(min(uint64(from), uint64(params.Horizon))), Until: until}
	kept, err := node.TradeHistory(ctx, client.TradeFilter{Party: party}, client.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	if since := kept.Since; since != nil && from < since.Clock {
		return nil, types.Refuse(types.CodePruned, "this node has the trades that ended from %s on (block %d): ask for a later time, or ask a node that keeps all (\"keep\": \"all\")",
			since.Clock, since.Height)
	} else if since != nil && filter.From < since.Clock {
		filter.From = 0 // it has all trades that ended since then, whenever they were agreed
	}
	var entries []Entry
	for t, err := range node.AllTradeHistory(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if t.EndedAt < from || t.EndedAt >= until || t.EndedAt == 0 {
			continue
		}
		shares, err := sharesOf(ctx, node, &t)
		if err != nil {
			return nil, err
		}
		if e, ok := EntryOf(&t, party, shares); ok {
			entries = append(entries, e)
		}
		if len(entries) > MaxEntries {
			return nil, types.Refuse(types.CodeTooLarge, "more than %d trades ended in this time: ask for a shorter one", MaxEntries)
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Ended, b.Ended), cmp.Compare(a.Trade.String(), b.Trade.String()))
	})
	return entries, nil
}

// sharesOf returns the division of a split or an award, from the transaction that made it; nil for other trades, and when the node has
// pruned the transaction.
func sharesOf(ctx context.Context, node *client.Client, t *history.Trade) (*trade.Division, error) {
	kind := types.StepSplit
	switch t.Phase {
	case types.PhaseSplit:
	case types.PhaseAwarded:
		kind = types.StepAwarded
	default:
		return nil, nil //nolint:nilnil // no shares is no error
	}
	now, err := node.Trade(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	step, ok := now.Trade.Step(kind)
	if !ok {
		return nil, nil //nolint:nilnil // likewise
	}
	receipt, err := node.Tx(ctx, step.Tx)
	if err != nil {
		return nil, err
	}
	for tx, err := range node.AllBlockTxs(ctx, receipt.Height) {
		if err != nil {
			return nil, err
		}
		if tx.ID != step.Tx || tx.Tx == nil {
			continue
		}
		if division, ok := trade.DivisionIn(tx.Tx, t.ID); ok {
			return &division, nil
		}
	}
	return nil, nil //nolint:nilnil // the body was pruned
}

// EntryNow returns the entry of a trade as a node shows it now; false for one that has not ended.
func EntryNow(ctx context.Context, node *client.Client, t *wire.Trade, party types.PublicKey) (Entry, bool, error) {
	a := &t.Trade.Agreement
	if trade.Running(t.Phase) {
		return Entry{}, false, nil
	}
	_, matched := t.Trade.Step(types.StepMatched)
	h := history.Trade{
		ID: t.ID, Phase: t.Phase, Producer: a.Producer, Consumer: a.Consumer,
		Product:  types.Product{Commodity: a.Goods.Commodity, Unit: a.Goods.Unit, Zone: a.Goods.Zone, From: a.Goods.From, Until: a.Goods.Until, Asset: a.Asset},
		Quantity: a.Goods.Quantity, Price: a.Price, Deposit: a.Deposit, Bond: a.Bond, Matched: matched, Instalments: a.Instalments,
		Released: t.Trade.Released, Allotted: t.Trade.Allotted,
	}
	switch t.Phase {
	case types.PhaseLapsed:
		h.EndedAt = a.Deadlines.PayBy
	case types.PhaseRefunded:
		h.EndedAt = a.Deadlines.DeliverBy
	default:
		step, _ := t.Trade.Step(trade.EndingStep(t.Phase))
		h.EndedAt = step.At
	}
	shares, err := sharesOf(ctx, node, &h)
	if err != nil {
		return Entry{}, false, err
	}
	e, ok := EntryOf(&h, party, shares)
	return e, ok, nil
}
