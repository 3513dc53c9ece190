package httpapi

import (
	"context"

	"lockstep/client/wire/history"
	"lockstep/internal/index"
	"lockstep/internal/query"
	"lockstep/types"
)

// historyRoutes are the routes that the query index answers. It follows the chain: every answer has the height that it has reached.
func (s *server) historyRoutes() []route {
	return []route{
		ask("/v1/trades", "trades", "Trades by party, product, phase and time, newest first", s.tradeHistory),
		ask("/v1/auctions", "auctions", "Auctions that were held, with their prices", s.auctionHistory),
		ask("/v1/volumes", "volumes", "The volumes that a market has traded by auction, by hour or by day", s.volumeHistory),
		ask("/v1/keys/{key}/fills", "key-fills", "The orders of a key that entered an auction, with their fills, newest first", s.fills),
		ask("/v1/keys/{key}/conduct", "key-conduct", "The outcomes of all trades of a key, by asset and role", s.conduct),
	}
}

// asked answers from the index, if the node keeps one.
func asked[T any](s *server, question func(*query.History) (T, error)) (*answer[T], error) {
	if s.history == nil {
		return nil, s.refuse(s.noIndex())
	}
	told, err := question(s.history)
	return respond(s, told, err)
}

// noIndex is the error of a question that only the index answers, on a node that keeps none.
func (s *server) noIndex() error {
	if s.elsewhere != "" {
		return types.Refuse(types.CodeUnavailable, "this node keeps no index of the past: ask the node %s", s.elsewhere)
	}
	return types.Refuse(types.CodeUnavailable, "this node keeps no index of the past: ask another node of the ledger, one whose status tells the height of its index")
}

// given returns a pointer to a parameter, nil when it is the zero value.
func given[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

type tradeHistoryInput struct {
	Party   types.PublicKey `query:"party" doc:"only trades of this key"`
	Role    string          `query:"role" enum:"producer,consumer" doc:"of the party; without it, either"`
	Product types.ProductID `query:"product" doc:"only trades of this product"`
	Phase   phase           `query:"phase" doc:"only trades that are in this phase"`
	From    moment          `query:"from" doc:"only trades agreed then or later"`
	Until   moment          `query:"until" doc:"only trades agreed before"`
	PageInput
}

func (s *server) tradeHistory(ctx context.Context, in *tradeHistoryInput) (*answer[history.Trades], error) {
	filter := index.TradeFilter{Party: given(in.Party), Product: given(in.Product), Phase: in.Phase.Phase, From: in.From.Time, Until: in.Until.Time}
	switch in.Role {
	case "producer":
		filter.Role = index.Producer
	case "consumer":
		filter.Role = index.Consumer
	}
	return asked(s, func(h *query.History) (history.Trades, error) { return h.Trades(ctx, filter, in.page()) })
}

type auctionHistoryInput struct {
	Commodity string        `query:"commodity" maxLength:"32" doc:"only of this commodity"`
	Zone      string        `query:"zone" maxLength:"32" doc:"only of this zone"`
	Asset     types.AssetID `query:"asset" doc:"only those paid in this asset"`
	From      moment        `query:"from" doc:"only of slots that begin then or later"`
	Until     moment        `query:"until" doc:"only of slots that begin before"`
	Oldest    bool          `query:"oldest" doc:"the oldest first"`
	PageInput
}

func (s *server) auctionHistory(ctx context.Context, in *auctionHistoryInput) (*answer[history.Auctions], error) {
	filter := index.AuctionFilter{
		Commodity: given(in.Commodity), Zone: given(in.Zone), Asset: given(in.Asset), From: in.From.Time, Until: in.Until.Time, Oldest: in.Oldest,
	}
	return asked(s, func(h *query.History) (history.Auctions, error) { return h.Auctions(ctx, filter, in.page()) })
}

type volumeHistoryInput struct {
	Commodity string        `query:"commodity" maxLength:"32" doc:"the commodity, such as energy"`
	Unit      string        `query:"unit" maxLength:"32" doc:"the unit of its quantities, such as Wh"`
	Zone      string        `query:"zone" maxLength:"32" doc:"empty for the products without a zone"`
	Asset     types.AssetID `query:"asset" doc:"the asset in which the products are paid"`
	Span      string        `query:"span" enum:"hour,day" default:"hour" doc:"the period of each sum, in UTC"`
	From      moment        `query:"from" doc:"only spans that begin then or later"`
	Until     moment        `query:"until" doc:"only spans that begin before"`
	Oldest    bool          `query:"oldest" doc:"the oldest first"`
	PageInput
}

func (s *server) volumeHistory(ctx context.Context, in *volumeHistoryInput) (*answer[history.Volumes], error) {
	if in.Commodity == "" || in.Unit == "" || in.Asset == (types.AssetID{}) {
		return nil, s.refuse(types.Refuse(types.CodeMalformed, "a market is named by commodity, unit and asset: give all three"))
	}
	filter := index.VolumeFilter{
		Market: index.Market{Commodity: in.Commodity, Unit: in.Unit, Zone: in.Zone, Asset: in.Asset},
		Span:   index.Hourly, From: in.From.Time, Until: in.Until.Time, Oldest: in.Oldest,
	}
	if in.Span == "day" {
		filter.Span = index.Daily
	}
	return asked(s, func(h *query.History) (history.Volumes, error) { return h.Volumes(ctx, filter, in.page()) })
}

type fillsInput struct {
	Key     types.PublicKey `path:"key" doc:"a public key"`
	Product types.ProductID `query:"product" doc:"only for this product"`
	PageInput
}

func (s *server) fills(ctx context.Context, in *fillsInput) (*answer[history.Fills], error) {
	filter := index.FillFilter{Owner: in.Key, Product: given(in.Product)}
	return asked(s, func(h *query.History) (history.Fills, error) { return h.Fills(ctx, filter, in.page()) })
}

type conductInput struct {
	Key types.PublicKey `path:"key" doc:"a public key"`
	PageInput
}

func (s *server) conduct(ctx context.Context, in *conductInput) (*answer[history.Member], error) {
	return asked(s, func(h *query.History) (history.Member, error) { return h.Conduct(ctx, in.Key, in.page()) })
}
