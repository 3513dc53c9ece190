package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
)

// route is a row of the table: an operation as the document describes it, and the function that registers it.
type route struct {
	op       huma.Operation
	register func(huma.API, huma.Operation)
}

// routes is the table of all routes.
func (s *server) routes() []route {
	routes := []route{
		ask("/v1/status", "status", "The status of the node", s.status),
		ask("/v1/params", "params", "The parameters of the ledger that hold for the next block", s.params),
		ask("/v1/network", "network", "The genesis and the nodes of the ledger, for a node that is to follow it", s.network, http.StatusNotFound),
		ask("/v1/validators", "validators", "The validators and how they took part in the last blocks", s.validators, http.StatusNotFound),
		on(s.submitOperation(), s.submit),
		on(s.batchOperation(), s.submitBatch),
		on(receiptOperation(), s.receipt),
		ask("/v1/keys/{key}/balances", "balances", "The sums that a key has, by asset", s.balances),
		ask("/v1/keys/{key}/coins", "coins", "Coins of a key in one asset, up to a sum", s.coins),
		ask("/v1/outputs/{outpoint}", "output", "An unspent output and the key that can spend it", s.output, http.StatusNotFound),
		ask("/v1/keys/{key}/trades", "key-trades", "The trades of a key, newest first", s.trades),
		ask("/v1/trades/{id}", "trade", "The present state of a trade", s.trade, http.StatusNotFound, http.StatusGone),
		ask("/v1/offers", "offers", "The standing offers", s.offers),
		ask("/v1/offers/{id}", "offer", "A standing offer", s.offer, http.StatusNotFound),
		ask("/v1/ids/{kind}/{prefix}", "ids", "The ids of a kind that begin with some digits", s.ids),
		ask("/v1/assets", "assets", "The assets of the ledger, or those of a code", s.assets),
		ask("/v1/assets/{id}", "asset", "An asset, with how much of it is issued", s.asset, http.StatusNotFound),
		ask("/v1/blocks/{height}", "block", "A block in short", s.block, http.StatusNotFound, http.StatusGone),
		ask("/v1/blocks/{height}/transactions", "block-transactions", "The transactions of a block", s.blockTxs, http.StatusNotFound, http.StatusGone),
		ask("/v1/blocks/{height}/events", "block-events", "The events of a block", s.blockEvents, http.StatusNotFound, http.StatusGone),
		ask("/v1/products", "products", "The products that are open and have orders, by gate", s.products),
		ask("/v1/products/{id}", "product", "A product: its book while it is open, then a summary of its auction", s.product, http.StatusNotFound, http.StatusGone),
		ask("/v1/products/{id}/orders", "product-orders", "The orders of an open book, or those at the gate of an auction",
			s.productOrders, http.StatusNotFound, http.StatusGone),
		ask("/v1/products/{id}/auction", "auction", "The auction of a product, without its lists", s.auction, http.StatusNotFound, http.StatusGone),
		ask("/v1/products/{id}/auction/rounds", "auction-rounds", "The rounds of an auction", s.auctionRounds, http.StatusNotFound, http.StatusGone),
		ask("/v1/products/{id}/auction/results", "auction-results", "The results of an auction, one for each order", s.auctionResults,
			http.StatusNotFound, http.StatusGone),
		ask("/v1/products/{id}/auction/trades", "auction-trades", "The trades that an auction made", s.auctionTrades, http.StatusNotFound, http.StatusGone),
		ask("/v1/keys/{key}/orders", "key-orders", "The open orders of a key", s.keyOrders),
		ask("/v1/keys/{key}/record", "key-record", "The conduct of a key in the matches of auctions, by asset", s.keyRecord),
		ask("/v1/members", "members", "The keys that an operator has admitted, with their names", s.members),
		ask("/v1/members/{key}", "member", "The name under which an operator has admitted a key", s.member, http.StatusNotFound),
		ask("/v1/governance", "governance", "Operators, validators, parameters in force, and changes that wait for their block", s.governance),
		ask("/v1/decisions", "decisions", "The decisions of operators that were carried out, newest first", s.decisions),
		on(s.joinOperation(), s.join),
		ask("/v1/join-requests", "join-requests", "The requests of newcomers to become members that wait at this node, oldest first", s.joinRequests, http.StatusNotFound),
		ask("/v1/join-requests/{key}", "join-state", "The state of a key's request to join: it waits, was declined with a reason, or the key is a member", s.joinState, http.StatusNotFound),
		on(s.declineOperation(), s.declineJoin),
		ask("/v1/keys/{key}/points", "key-points", "The connection points of a key", s.keyPoints),
		ask("/v1/points/{id}", "point", "A connection point: its owner, its meters, and which registers count", s.point, http.StatusNotFound),
		ask("/v1/points/{id}/claims/{direction}", "claims", "The claims of trades on the slots of a connection point, in the order in which they are served",
			s.claims, http.StatusNotFound),
		ask("/v1/log/trades/{id}", "trade-proof", "The last leaf of a trade in the log of outcomes, with its proof", s.tradeProof, http.StatusNotFound, http.StatusGone, http.StatusConflict),
		ask("/v1/log/transactions/{id}", "transaction-proof", "The leaf of a transaction in the log of outcomes, with its proof", s.txProof, http.StatusNotFound, http.StatusGone, http.StatusConflict),
		ask("/v1/log/leaves/{index}", "leaf-proof", "A leaf of the log of outcomes, with its proof", s.leafProof, http.StatusNotFound, http.StatusGone, http.StatusConflict),
		ask("/v1/log/headers/{height}", "light-block", "A header with its signatures and validators", s.lightBlock, http.StatusNotFound, http.StatusGone),
		on(eventsOperation(), s.events),
		on(outcomesOperation(), s.outcomes),
		on(metricsOperation(), s.metrics),
		ask("/healthz", "health", "Whether the node answers", s.health),
		ask("/readyz", "ready", "Whether the ledger makes blocks: 503 before its first block, or when none arrived for long", s.ready),
	}
	return append(append(routes, s.historyRoutes()...), s.priceRoutes()...)
}

func (s *server) register(api huma.API) {
	for _, route := range s.routes() {
		route.register(api, route.op)
	}
	quoteNumbers(api.OpenAPI().Components.Schemas)
}

func on[I, O any](op huma.Operation, handler func(context.Context, *I) (*O, error)) route {
	return route{op, func(a huma.API, op huma.Operation) { huma.Register(a, op, handler) }}
}

// ask returns the route of a question. Every question can have the status 400, 429, 500 or 503; others are listed.
func ask[I, O any](path, id, summary string, handler func(context.Context, *I) (*O, error), others ...int) route {
	op := huma.Operation{Method: http.MethodGet, Path: path, OperationID: id, Summary: summary}
	describeProblems(&op, others...)
	return on(op, handler)
}

// describeProblems adds the problems of a route to its description.
func describeProblems(op *huma.Operation, statuses ...int) {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	statuses = append(statuses, http.StatusBadRequest, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable)
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{wire.ProblemType: {Schema: &huma.Schema{Ref: schemaPrefix + "Problem"}}},
		}
	}
}

func jsonOf(name string) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: schemaPrefix + name}}}
}

// answer is the body of a successful answer.
type answer[T any] struct{ Body T }

func respond[T any](s *server, body T, err error) (*answer[T], error) {
	if err != nil {
		return nil, s.refuse(err)
	}
	return &answer[T]{body}, nil
}

func (s *server) status(ctx context.Context, _ *struct{}) (*answer[wire.Status], error) {
	status, err := s.ledger.Status(ctx)
	status.Version, status.Troubles = s.version, filled(status.Troubles)
	return respond(s, status, err)
}

func (s *server) params(context.Context, *struct{}) (*answer[types.Params], error) {
	return respond(s, s.ledger.Params(), nil)
}

func (s *server) network(context.Context, *struct{}) (*answer[wire.Network], error) {
	if s.net == nil {
		return nil, s.refuse(errNoNetwork())
	}
	network, err := s.net.Network()
	network.Peers = filled(network.Peers)
	return respond(s, network, err)
}

func (s *server) validators(context.Context, *struct{}) (*answer[wire.Validators], error) {
	if s.net == nil {
		return nil, s.refuse(errNoNetwork())
	}
	validators, err := s.net.Validators()
	validators.Validators = filled(validators.Validators)
	return respond(s, validators, err)
}

func errNoNetwork() error {
	return types.Refuse(types.CodeNotFound, "this ledger has no network: it runs within a program")
}

type balancesInput struct {
	Key    types.PublicKey `path:"key" doc:"a public key"`
	Assets []string        `query:"asset" maxItems:"100" doc:"only these assets, by their ids, separated by commas; all in one page"`
	PageInput
}

func (s *server) balances(ctx context.Context, in *balancesInput) (*answer[wire.Balances], error) {
	assets := make([]types.AssetID, len(in.Assets))
	for i, text := range in.Assets {
		if err := assets[i].UnmarshalText([]byte(text)); err != nil {
			return nil, s.refuse(err)
		}
	}
	balances, err := s.ledger.Balances(ctx, in.Key, assets, in.page())
	balances.Balances = filled(balances.Balances)
	return respond(s, balances, err)
}

type coinsInput struct {
	Key   types.PublicKey `path:"key" doc:"a public key"`
	Asset types.AssetID   `query:"asset" required:"true" doc:"the asset, by its id"`
	Sum   amount          `query:"sum" doc:"in smallest units: the list begins at the smallest coin that alone is worth it, or at the largest, and a page ends when it is worth it"`
	PageInput
}

func (s *server) coins(ctx context.Context, in *coinsInput) (*answer[wire.Coins], error) {
	coins, err := s.ledger.Coins(ctx, in.Key, in.Asset, in.Sum.Amount, in.page())
	coins.Coins = filled(coins.Coins)
	return respond(s, coins, err)
}

type outputInput struct {
	Outpoint outpoint `path:"outpoint" doc:"the address of an output: a transaction and its index there, as in 5f…:0"`
}

func (s *server) output(ctx context.Context, in *outputInput) (*answer[wire.Output], error) {
	output, err := s.ledger.Output(ctx, in.Outpoint.Outpoint)
	return respond(s, output, err)
}

type keyTradesInput struct {
	Key  types.PublicKey `path:"key" doc:"a public key"`
	Open bool            `query:"open" doc:"only trades in which something is locked or can still happen"`
	PageInput
}

func (s *server) trades(ctx context.Context, in *keyTradesInput) (*answer[wire.Trades], error) {
	trades, err := s.ledger.Trades(ctx, in.Key, in.Open, in.page())
	trades.Trades = filled(trades.Trades)
	for i := range trades.Trades {
		present(&trades.Trades[i], in.Key)
	}
	return respond(s, trades, err)
}

// present completes a trade with its status for a viewer.
func present(t *wire.Trade, viewer types.PublicKey) {
	t.Moves = filled(t.Moves)
	t.Status = trade.StatusAt(&t.Trade, t.Clock, t.Reading, viewer)
}

type tradeInput struct {
	ID     types.TradeID   `path:"id" doc:"the id of a trade"`
	Viewer types.PublicKey `query:"viewer" doc:"the key whose holder the status addresses; without it, a stranger"`
}

func (s *server) trade(ctx context.Context, in *tradeInput) (*answer[wire.Trade], error) {
	t, err := s.ledger.Trade(ctx, in.ID)
	present(&t, in.Viewer)
	return respond(s, t, err)
}

func (s *server) offers(ctx context.Context, in *PageInput) (*answer[wire.Offers], error) {
	offers, err := s.ledger.Offers(ctx, in.page())
	offers.Offers = filled(offers.Offers)
	return respond(s, offers, err)
}

type offerInput struct {
	ID types.OfferID `path:"id" doc:"the id of an offer"`
}

func (s *server) offer(ctx context.Context, in *offerInput) (*answer[wire.Offer], error) {
	offer, err := s.ledger.Offer(ctx, in.ID)
	if types.CodeOf(err) == types.CodeNotFound {
		err = s.noOffer(ctx, in.ID)
	}
	return respond(s, offer, err)
}

// noOffer returns the error for an offer that does not stand, with its end as far as the index knows.
func (s *server) noOffer(ctx context.Context, id types.OfferID) error {
	if s.history == nil {
		return types.Refuse(types.CodeNotFound, "offer %s does not stand; this node keeps no index of past offers", id)
	}
	closed, known, err := s.history.Offer(ctx, id)
	switch {
	case err != nil:
		return err
	case !known:
		return types.Refuse(types.CodeNotFound, "offer %s does not stand, and the index of this node has no record of it", id)
	case closed.Tx == types.TxID{}:
		return types.Refuse(types.CodeNotFound, "offer %s expired at %s (ledger clock): its pay-by passed; choose another", id, closed.At)
	}
	return types.Refuse(types.CodeNotFound, "offer %s ended at %s (ledger clock): transaction %s took the last of it or cancelled it; choose another",
		id, closed.At, closed.Tx)
}

type assetsInput struct {
	Code string `query:"code" maxLength:"32" doc:"only assets of this code; any issuer can use any code"`
	PageInput
}

func (s *server) assets(ctx context.Context, in *assetsInput) (*answer[wire.Assets], error) {
	assets, err := s.ledger.Assets(ctx, in.Code, in.page())
	assets.Assets = filled(assets.Assets)
	return respond(s, assets, err)
}

type assetInput struct {
	ID types.AssetID `path:"id" doc:"the id of an asset"`
}

func (s *server) asset(ctx context.Context, in *assetInput) (*answer[wire.Asset], error) {
	asset, err := s.ledger.Asset(ctx, in.ID)
	return respond(s, asset, err)
}

func (s *server) health(ctx context.Context, _ *struct{}) (*answer[wire.Health], error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	status, err := s.ledger.Status(ctx)
	if err != nil && types.CodeOf(err) == types.CodeUnavailable && ctx.Err() == nil {
		err = nil // there is no block yet: /readyz reports that
	}
	if err != nil {
		err = types.Refuse(types.CodeUnavailable, "the node does not answer; see its log")
	}
	health := wire.Health{Status: "ok", Height: status.Height}
	if status.Halted {
		health.Status = "halted"
	}
	return respond(s, health, err)
}

func (s *server) ready(ctx context.Context, _ *struct{}) (*answer[wire.Health], error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	status, err := s.ledger.Status(ctx)
	if err == nil && status.Halted {
		err = types.Refuse(types.CodeUnavailable, "no block arrived for %s: the ledger stands still%s; money is safe, and deadlines wait",
			status.SinceBlock.Std().Round(time.Second), s.missing())
	}
	return respond(s, wire.Health{Status: "ready", Height: status.Height}, err)
}

// missing says that too few validators are heard, or nothing.
func (s *server) missing() string {
	if s.net == nil {
		return ""
	}
	v, err := s.net.Validators()
	if err != nil || v.Heard >= v.Needed {
		return ""
	}
	return fmt.Sprintf(", since validators of power %d of %d are heard, and a block needs %d", v.Heard, v.Power, v.Needed)
}

const healthTimeout = 5 * time.Second

// filled makes a nil list an empty list: in JSON, nil would be null.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
