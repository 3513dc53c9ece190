package query

import (
	"context"

	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/internal/index"
	"lockstep/types"
)

// History answers questions on the past from the index of a node. It follows the chain, so each answer tells the block up to which it
// goes.
type History struct{ index *index.Index }

// NewHistory answers from an index.
func NewHistory(x *index.Index) *History { return &History{x} }

// Trades returns the trades that a filter selects, newest first.
func (h *History) Trades(ctx context.Context, filter index.TradeFilter, page wire.Page) (history.Trades, error) {
	found, err := h.index.Trades(ctx, filter, index.Page(page))
	return history.Trades{
		At: history.Position(found.At), Since: sinceOf(found.Since), Next: found.Next,
		Trades: convert(found.Trades, func(t index.Trade) history.Trade { return history.Trade(t) }),
	}, err
}

// Auctions returns the auctions that a filter selects, by the start of their slots.
func (h *History) Auctions(ctx context.Context, filter index.AuctionFilter, page wire.Page) (history.Auctions, error) {
	found, err := h.index.Auctions(ctx, filter, index.Page(page))
	return history.Auctions{At: history.Position(found.At), Since: sinceOf(found.Since), Next: found.Next, Auctions: convert(found.Auctions, historicAuction)}, err
}

// Volumes returns the traded volumes of a market by hour or by day.
func (h *History) Volumes(ctx context.Context, filter index.VolumeFilter, page wire.Page) (history.Volumes, error) {
	found, err := h.index.Volumes(ctx, filter, index.Page(page))
	return history.Volumes{
		At: history.Position(found.At), Since: sinceOf(found.Since), Next: found.Next,
		Volumes: convert(found.Volumes, func(v index.Volume) history.Volume { return history.Volume(v) }),
	}, err
}

// Fills returns the auctioned orders that a filter selects, newest first.
func (h *History) Fills(ctx context.Context, filter index.FillFilter, page wire.Page) (history.Fills, error) {
	found, err := h.index.Fills(ctx, filter, index.Page(page))
	return history.Fills{At: history.Position(found.At), Since: sinceOf(found.Since), Next: found.Next, Fills: convert(found.Fills, fillOf)}, err
}

// Conduct returns the statistics of a key by asset.
func (h *History) Conduct(ctx context.Context, key types.PublicKey, page wire.Page) (history.Member, error) {
	found, err := h.index.Member(ctx, key, index.Page(page))
	return history.Member{At: history.Position(found.At), Since: sinceOf(found.Since), Next: found.Next, Assets: convert(found.Assets, statisticsOf)}, err
}

// Offer returns the moment when an offer was closed and the transaction that closed it; false while the index knows of no such end.
func (h *History) Offer(ctx context.Context, id types.OfferID) (index.ClosedOffer, bool, error) {
	return h.index.Offer(ctx, id)
}

// Offers returns the closed offers whose ids are between two bounds, in order.
func (h *History) Offers(ctx context.Context, low, high [32]byte, limit int) ([]types.OfferID, error) {
	return h.index.Offers(ctx, low, high, limit)
}

// sinceOf is where an answer begins; nil when it covers all history.
func sinceOf(s index.Since) *history.Since {
	if s.Height <= 1 {
		return nil
	}
	return &history.Since{Height: s.Height, Clock: s.Clock}
}

// convert converts the items of a list; the result is a list even when it is empty.
func convert[From, To any](items []From, to func(From) To) []To {
	converted := make([]To, len(items))
	for i := range items {
		converted[i] = to(items[i])
	}
	return converted
}

func historicAuction(a index.Auction) history.Auction {
	return history.Auction{
		ProductID: a.ProductID, Product: a.Product, Lot: a.Lot, Deposit: a.Deposit, Bond: a.Bond, Terms: a.Terms, Arbiter: a.Arbiter, Height: a.Height, HeldAt: a.HeldAt, Void: a.Void, Orders: a.Orders, Excluded: a.Excluded,
		Filled: a.Filled, Trades: a.Trades, Demanded: a.Demanded, Offered: a.Offered, Volume: a.Volume, Value: a.Value, Average: a.Average,
		Rounds: convert(a.Rounds, func(r index.Round) history.Round { return history.Round(r) }), RoundCount: a.RoundCount,
	}
}

func fillOf(f index.Fill) history.Fill {
	return history.Fill{
		ProductID: f.ProductID, Product: f.Product, Height: f.Height, HeldAt: f.HeldAt, Order: f.Order, Number: f.Number, Side: f.Side,
		Quantity: f.Quantity, Lot: f.Lot, Limit: f.Limit, Stake: f.Stake, Used: f.Used, Standing: f.Standing, Filled: f.Filled, Value: f.Value, Excluded: f.Excluded, Void: f.Void,
		Count: f.Count, Trades: convert(f.Trades, func(t index.FillTrade) history.FillTrade { return history.FillTrade(t) }),
	}
}

func statisticsOf(s index.Statistics) history.Statistics {
	return history.Statistics{Asset: s.Asset, AsProducer: conductOf(s.AsProducer), AsConsumer: conductOf(s.AsConsumer)}
}

func conductOf(c index.Conduct) history.Conduct {
	return history.Conduct{
		Open: history.Tally(c.Open), Released: history.Tally(c.Released), Lapsed: history.Tally(c.Lapsed), Refunded: history.Tally(c.Refunded),
		Settled: history.Tally(c.Settled), Awarded: history.Tally(c.Awarded), Split: history.Tally(c.Split), Excused: c.Excused,
	}
}
