package types_test

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"lockstep/types"
)

// A nil and an empty list are the same in the canonical encoding.
var equal = cmp.Options{cmpopts.EquateEmpty()}

// Generators of domain values in every form: each drawn value has an encoding and a JSON text.

func hashes[H ~[32]byte]() *rapid.Generator[H] {
	return rapid.Custom(func(t *rapid.T) H { return H(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "bytes")) })
}

func draw[H ~[32]byte](t *rapid.T, label string) H { return hashes[H]().Draw(t, label) }

func times(t *rapid.T, label string) types.Time {
	return types.Time(rapid.Uint64Max(uint64(types.MaxTime)).Draw(t, label))
}

// The longest span that a Go duration, and so its text, can hold.
const maxSpan = 9_223_372_036_854

func spans(t *rapid.T, label string) types.Duration {
	return types.Duration(rapid.Uint64Max(maxSpan).Draw(t, label))
}

func amounts(t *rapid.T, label string) types.Amount {
	return types.Amount(rapid.Uint64().Draw(t, label))
}

func hexBytes(t *rapid.T) types.HexBytes { return rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes") }

func rates(t *rapid.T, label string) types.Rate {
	rate := types.Rate{Mantissa: rapid.Uint64().Draw(t, label), Exponent: rapid.Uint8Max(types.MaxExponent).Draw(t, label+" exponent")}
	for !rate.Canonical() {
		rate.Mantissa /= 10
		rate.Exponent--
	}
	return rate
}

var (
	assets = rapid.Custom(func(t *rapid.T) types.Asset {
		return types.Asset{Issuer: draw[types.PublicKey](t, "issuer"), Code: rapid.String().Draw(t, "code"), Decimals: rapid.Uint8().Draw(t, "decimals")}
	})
	flows = rapid.Custom(func(t *rapid.T) types.Flow {
		if rapid.Bool().Draw(t, "no flow") {
			return types.Flow{}
		}
		return types.Flow{Point: draw[types.PointID](t, "point"), Direction: types.Direction(rapid.IntRange(1, 2).Draw(t, "direction"))}
	})
	goods = rapid.Custom(func(t *rapid.T) types.Goods {
		return types.Goods{
			Commodity: rapid.String().Draw(t, "commodity"), Unit: rapid.String().Draw(t, "unit"), Quantity: rapid.Uint64().Draw(t, "quantity"),
			Zone: rapid.String().Draw(t, "zone"), From: times(t, "from"), Until: times(t, "until"),
			Flow: flows.Draw(t, "flow"), Note: rapid.String().Draw(t, "note"),
		}
	})
	meters = rapid.Custom(func(t *rapid.T) types.PointMeter {
		return types.PointMeter{
			From: times(t, "from"), Form: rapid.SampledFrom([]types.MeterForm{types.FormOCMF, types.FormNative}).Draw(t, "form"), Key: hexBytes(t),
			Serial: rapid.String().Draw(t, "serial"), Import: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "import"),
			Export: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "export"),
		}
	})
	points = rapid.Custom(func(t *rapid.T) types.Point {
		below := rapid.Custom(func(t *rapid.T) types.Below {
			return types.Below{Open: rapid.Uint32().Draw(t, "open"), Until: times(t, "until")}
		})
		return types.Point{
			Owner: draw[types.PublicKey](t, "owner"), Parent: draw[types.PointID](t, "parent"), Meters: rapid.SliceOfN(meters, 0, 3).Draw(t, "meters"),
			RetiredAt: times(t, "retired at"), ImportBelow: below.Draw(t, "import below"), ExportBelow: below.Draw(t, "export below"),
		}
	})
	realFlows = rapid.Custom(func(t *rapid.T) types.Flow {
		return types.Flow{Point: draw[types.PointID](t, "point"), Direction: types.Direction(rapid.IntRange(1, 2).Draw(t, "direction"))}
	})
	slots = rapid.Custom(func(t *rapid.T) types.Slot {
		claim := rapid.Custom(func(t *rapid.T) types.Claim {
			return types.Claim{
				Height: rapid.Uint64().Draw(t, "height"), Trade: draw[types.TradeID](t, "trade"),
				Quantity: rapid.Uint64().Draw(t, "quantity"), ReadingBy: times(t, "reading by"),
			}
		})
		reading := rapid.Custom(func(t *rapid.T) types.SlotReading {
			return types.SlotReading{At: times(t, "at"), From: times(t, "from"), Until: times(t, "until"), Quantity: rapid.Uint64().Draw(t, "quantity")}
		})
		return types.Slot{
			Flow: realFlows.Draw(t, "flow"), From: times(t, "from"), Until: times(t, "until"), Open: rapid.Uint16().Draw(t, "open"),
			Claims: rapid.SliceOfN(claim, 0, 3).Draw(t, "claims"), Readings: rapid.SliceOfN(reading, 0, 3).Draw(t, "readings"),
		}
	})
	deadlines = rapid.Custom(func(t *rapid.T) types.Deadlines {
		return types.Deadlines{
			PayBy: times(t, "pay by"), DeliverBy: times(t, "deliver by"), ReadingBy: times(t, "reading by"), ConfirmBy: times(t, "confirm by"),
		}
	})
	fallbacks = rapid.Custom(func(t *rapid.T) types.Fallback {
		return rapid.SampledFrom([]types.Fallback{&types.Hold{}, &types.Meter{}, &types.Arbiter{Key: draw[types.PublicKey](t, "arbiter")}}).Draw(t, "fallback")
	})
	agreements = rapid.Custom(func(t *rapid.T) types.Agreement {
		return types.Agreement{
			ChainID: rapid.String().Draw(t, "chain"), Producer: draw[types.PublicKey](t, "producer"), Consumer: draw[types.PublicKey](t, "consumer"),
			Goods: goods.Draw(t, "goods"), Asset: draw[types.AssetID](t, "asset"), Price: amounts(t, "price"), Deposit: amounts(t, "deposit"),
			Bond: amounts(t, "bond"), Instalments: rapid.Uint16().Draw(t, "instalments"), Deadlines: deadlines.Draw(t, "deadlines"),
			Fallback: fallbacks.Draw(t, "fallback"), Nonce: rapid.Uint64().Draw(t, "nonce"),
		}
	})
	offers = rapid.Custom(func(t *rapid.T) types.Offer {
		return types.Offer{
			ChainID: rapid.String().Draw(t, "chain"), Producer: draw[types.PublicKey](t, "producer"), Goods: goods.Draw(t, "goods"),
			Asset: draw[types.AssetID](t, "asset"), Price: rates(t, "price"), Deposit: rates(t, "deposit"), Bond: rates(t, "bond"),
			MinFill: rapid.Uint64().Draw(t, "min fill"), Instalments: rapid.Uint16().Draw(t, "instalments"),
			Deadlines: deadlines.Draw(t, "deadlines"), Fallback: fallbacks.Draw(t, "fallback"), Nonce: rapid.Uint64().Draw(t, "nonce"),
		}
	})
	parts     = rapid.SampledFrom([]types.Part{types.PartPayment, types.PartDeposit, types.PartReturn, types.PartBond})
	outpoints = rapid.Custom(func(t *rapid.T) types.Outpoint {
		return types.Outpoint{Tx: draw[types.TxID](t, "tx"), Index: rapid.Uint32().Draw(t, "index")}
	})
	outputs = rapid.Custom(func(t *rapid.T) types.Output {
		return types.Output{Asset: draw[types.AssetID](t, "asset"), Amount: amounts(t, "amount"), Lock: types.ToKey(draw[types.PublicKey](t, "key"))}
	})
	trades = rapid.Custom(func(t *rapid.T) types.Trade {
		locked := rapid.Custom(func(t *rapid.T) types.Locked {
			return types.Locked{Part: parts.Draw(t, "part"), Amount: amounts(t, "amount")}
		})
		step := rapid.Custom(func(t *rapid.T) types.Step {
			return types.Step{Kind: types.StepKind(rapid.Uint8Range(1, 11).Draw(t, "kind")), At: times(t, "at"), Tx: draw[types.TxID](t, "tx")}
		})
		return types.Trade{
			Agreement: agreements.Draw(t, "agreement"), Phase: types.Phase(rapid.Uint8Range(1, 9).Draw(t, "phase")),
			Height: rapid.Uint64().Draw(t, "height"), Digest: draw[types.Hash](t, "digest"),
			Depth: rapid.Uint8().Draw(t, "depth"), Released: rapid.Uint16().Draw(t, "released"),
			Preimage: draw[types.Secret](t, "preimage"), Allotted: rapid.Uint64().Draw(t, "allotted"),
			Locked: rapid.SliceOfN(locked, 0, 4).Draw(t, "locked"), Steps: rapid.SliceOfN(step, 0, 4).Draw(t, "steps"),
		}
	})
	events = rapid.Custom(func(t *rapid.T) types.Event {
		return types.Event{
			Kind: types.EventKind(rapid.String().Draw(t, "kind")), Height: rapid.Uint64().Draw(t, "height"), At: times(t, "at"),
			Tx: draw[types.TxID](t, "tx"), Trade: draw[types.TradeID](t, "trade"), Offer: draw[types.OfferID](t, "offer"), Product: draw[types.ProductID](t, "product"),
			Keys: rapid.SliceOfN(hashes[types.PublicKey](), 0, 3).Draw(t, "keys"),
		}
	})
	grids = rapid.Custom(func(t *rapid.T) types.Grid {
		return types.Grid{
			Commodity: rapid.String().Draw(t, "commodity"), Unit: rapid.String().Draw(t, "unit"), Asset: draw[types.AssetID](t, "asset"),
			Lot: rapid.Uint64().Draw(t, "lot"), Tick: amounts(t, "tick"), Ceiling: amounts(t, "ceiling"), Deposit: amounts(t, "deposit"),
			Bond: amounts(t, "bond"), Fallback: fallbacks.Draw(t, "fallback"),
		}
	})
	markets = rapid.Custom(func(t *rapid.T) types.MarketParams {
		return types.MarketParams{
			Opens: spans(t, "opens"), Gate: spans(t, "gate"), Reading: spans(t, "reading"), Confirm: spans(t, "confirm"),
			Grids: rapid.SliceOfN(grids, 0, 3).Draw(t, "grids"), MaxOrders: rapid.Uint32().Draw(t, "max orders"),
			KeyOrders: rapid.Uint8().Draw(t, "key orders"), MaxQuantity: rapid.Uint64().Draw(t, "max quantity"),
			Entry: types.Entry(rapid.Uint8Max(2).Draw(t, "entry")),
		}
	})
	products = rapid.Custom(func(t *rapid.T) types.Product {
		return types.Product{
			Commodity: rapid.String().Draw(t, "commodity"), Unit: rapid.String().Draw(t, "unit"), Zone: rapid.String().Draw(t, "zone"),
			From: times(t, "from"), Until: times(t, "until"), Asset: draw[types.AssetID](t, "asset"),
		}
	})
	sides  = rapid.SampledFrom([]types.Side{types.Bid, types.Sell})
	orders = rapid.Custom(func(t *rapid.T) types.Order {
		return types.Order{
			ChainID: rapid.String().Draw(t, "chain"), Owner: draw[types.PublicKey](t, "owner"), Product: products.Draw(t, "product"),
			Side: sides.Draw(t, "side"), Number: rapid.Uint8().Draw(t, "number"), Quantity: rapid.Uint64().Draw(t, "quantity"),
			Lot: rapid.Uint64().Draw(t, "lot"), Limit: amounts(t, "limit"), MinFill: rapid.Uint64().Draw(t, "min fill"), Expires: times(t, "expires"),
			Fallback: fallbacks.Draw(t, "fallback"), Flow: flows.Draw(t, "flow"), Deposit: amounts(t, "deposit"), Bond: amounts(t, "bond"),
			MinRecord: rapid.Uint8().Draw(t, "min record"), Root: draw[types.Hash](t, "root"), Depth: rapid.Uint8().Draw(t, "depth"),
		}
	})
	auctions = rapid.Custom(func(t *rapid.T) types.Auction {
		round := rapid.Custom(func(t *rapid.T) types.Round {
			return types.Round{
				Sellers: rapid.Uint8().Draw(t, "sellers"), Buyers: rapid.Uint8().Draw(t, "buyers"), Volume: rapid.Uint64().Draw(t, "volume"),
				Price: amounts(t, "price"),
			}
		})
		result := rapid.Custom(func(t *rapid.T) types.Result {
			return types.Result{
				Owner: draw[types.PublicKey](t, "owner"), Number: rapid.Uint8().Draw(t, "number"), Order: draw[types.OrderID](t, "order"),
				Standing: rapid.Uint8().Draw(t, "record"), Filled: rapid.Uint64().Draw(t, "filled"), Excluded: rapid.String().Draw(t, "excluded"),
			}
		})
		trade := rapid.Custom(func(t *rapid.T) types.MatchTrade {
			return types.MatchTrade{
				Trade: draw[types.TradeID](t, "trade"), Round: rapid.Uint32().Draw(t, "round"), Bid: rapid.Uint32().Draw(t, "bid"),
				Offer: rapid.Uint32().Draw(t, "offer"), Quantity: rapid.Uint64().Draw(t, "quantity"), Price: amounts(t, "price"), Leaf: rapid.Uint16().Draw(t, "leaf"),
			}
		})
		return types.Auction{
			Product: products.Draw(t, "product"), Grid: grids.Draw(t, "grid"), Height: rapid.Uint64().Draw(t, "height"), BlockTime: times(t, "block time"), Clock: times(t, "clock"),
			Void: rapid.String().Draw(t, "void"), Rounds: rapid.SliceOfN(round, 0, 2).Draw(t, "rounds"),
			Results: rapid.SliceOfN(result, 0, 3).Draw(t, "results"), Trades: rapid.SliceOfN(trade, 0, 3).Draw(t, "trades"),
		}
	})
	outcomes = rapid.Custom(func(t *rapid.T) types.Outcome {
		return types.Outcome{
			Height: rapid.Uint64().Draw(t, "height"), At: times(t, "at"), Tx: draw[types.TxID](t, "tx"), Part: rapid.Uint16().Draw(t, "part"),
			Effects: rapid.SliceOfN(effects, 0, 3).Draw(t, "effects"),
		}
	})
	effects = rapid.Custom(func(t *rapid.T) types.Effect {
		event := types.EventNumber(rapid.Uint8Max(23).Draw(t, "event"))
		switch rapid.IntRange(0, 6).Draw(t, "effect") {
		case 0:
			begun := &types.Begun{Params: draw[types.Hash](t, "params")}
			if rapid.Bool().Draw(t, "continues") {
				begun.Outages = []types.Outage{{Since: times(t, "since"), Until: times(t, "until")}}
			}
			return begun
		case 1:
			return &types.Noted{Event: event, Subject: draw[types.Hash](t, "subject")}
		case 2:
			trade := trades.Draw(t, "trade")
			step := types.StepOf(draw[types.TradeID](t, "id"), event, &trade)
			if rapid.Bool().Draw(t, "metered") {
				step.Ahead = []types.Ahead{{Claims: rapid.Uint16().Draw(t, "claims"), Quantity: rapid.Uint64().Draw(t, "quantity"), Agreed: rapid.Uint32().Draw(t, "agreed")}}
			}
			return step
		case 3:
			trade := trades.Draw(t, "trade")
			return &types.Ended{Event: event, Trade: &trade}
		case 4:
			return &types.Matched{Product: draw[types.ProductID](t, "product"), Match: types.MatchTrade{Trade: draw[types.TradeID](t, "trade"), Leaf: rapid.Uint16().Draw(t, "leaf")}}
		case 5:
			return &types.Governed{
				Number: rapid.Uint64().Draw(t, "number"), Signers: rapid.SliceOfN(hashes[types.PublicKey](), 0, 2).Draw(t, "signers"), Decision: decisions.Draw(t, "decision"),
			}
		default:
			auction := auctions.Draw(t, "auction")
			return &types.Cleared{
				Product: auction.Product, Grid: auction.Grid, BlockTime: auction.BlockTime, Void: auction.Void, Rounds: auction.Rounds,
				Orders: rapid.Uint32().Draw(t, "orders"), Root: types.ResultsRoot(auction.Results),
			}
		}
	})
	entries = rapid.Custom(func(t *rapid.T) types.EntryParams {
		number := func(name string) uint32 { return rapid.Uint32().Draw(t, name) }
		return types.EntryParams{
			By: types.Entry(rapid.IntRange(0, 2).Draw(t, "by")), Fee: amounts(t, "fee"), Coins: number("coins"), Assets: number("assets"),
			Accepted: number("accepted"), Unasked: number("unasked"), Offers: number("offers"), Orders: number("orders"), Trades: number("trades"),
		}
	})
	genesisAssets = rapid.Custom(func(t *rapid.T) types.GenesisAsset {
		return types.GenesisAsset{Asset: assets.Draw(t, "asset"), Least: amounts(t, "least"), Supply: amounts(t, "supply")}
	})
	origins = rapid.Custom(func(t *rapid.T) types.Origin {
		return types.Origin{
			ChainID: rapid.String().Draw(t, "origin"), Height: rapid.Uint64().Draw(t, "height"), AppHash: draw[types.Hash](t, "app hash"), State: draw[types.Hash](t, "state"),
		}
	})
	laterMarkets = rapid.Custom(func(t *rapid.T) types.LaterMarket {
		return types.LaterMarket{From: times(t, "from"), Market: markets.Draw(t, "market")}
	})
	params = rapid.Custom(func(t *rapid.T) types.Params {
		return types.Params{
			ChainID: rapid.String().Draw(t, "chain"), ClockCap: spans(t, "cap"), MinWindow: spans(t, "window"), Horizon: spans(t, "horizon"),
			MaxValidity: spans(t, "validity"), FeeAsset: draw[types.AssetID](t, "fee asset"), MinFee: amounts(t, "fee"), Slot: spans(t, "slot"),
			Operators: rapid.SliceOfN(hashes[types.PublicKey](), 0, 2).Draw(t, "operators"),
			Threshold: rapid.Uint32().Draw(t, "threshold"), Rules: rapid.Uint32().Draw(t, "rules"), Continues: rapid.SliceOfN(origins, 0, 2).Draw(t, "continues"),
			Market: markets.Draw(t, "market"), Entries: entries.Draw(t, "entries"), Genesis: rapid.SliceOfN(genesisAssets, 0, 2).Draw(t, "genesis"),
			Later: rapid.SliceOfN(laterMarkets, 0, 2).Draw(t, "later"),
		}
	})
	changes = rapid.Custom(func(t *rapid.T) types.ParamChange {
		return types.ParamChange{
			MaxValidity: spans(t, "validity"), FeeAsset: draw[types.AssetID](t, "fee asset"), MinFee: amounts(t, "fee"), Entries: entries.Draw(t, "entries"),
			Operators: rapid.SliceOfN(hashes[types.PublicKey](), 0, 2).Draw(t, "operators"), Threshold: rapid.Uint32().Draw(t, "threshold"), Rules: rapid.Uint32().Draw(t, "rules"),
		}
	})
	checkpoints = rapid.Custom(func(t *rapid.T) types.Checkpoint {
		return types.Checkpoint{Height: rapid.Uint64().Draw(t, "height"), Hash: draw[types.Hash](t, "hash"), Until: times(t, "until")}
	})
	acts = rapid.Custom(func(t *rapid.T) types.Act {
		switch rapid.IntRange(0, 4).Draw(t, "act") {
		case 0:
			consent := rapid.Custom(func(t *rapid.T) types.Consent {
				return types.Consent{At: checkpoints.Draw(t, "at"), Signature: signatures.Draw(t, "signature").Bytes}
			})
			return &types.SetValidator{
				Key: draw[types.PublicKey](t, "key"), Power: rapid.Uint64().Draw(t, "power"), Consent: rapid.SliceOfN(consent, 0, 1).Draw(t, "consent"),
			}
		case 1:
			return &types.SetParams{Replaces: draw[types.Hash](t, "replaces"), From: rapid.Uint64().Draw(t, "from"), Change: changes.Draw(t, "change")}
		case 2:
			return &types.SetMarket{From: times(t, "from"), Market: markets.Draw(t, "market")}
		case 3:
			return &types.Admit{Member: types.Member{Key: draw[types.PublicKey](t, "member"), Name: rapid.String().Draw(t, "name")}}
		default:
			return &types.Dismiss{Member: draw[types.PublicKey](t, "member")}
		}
	})
	decisions = rapid.Custom(func(t *rapid.T) types.Decision {
		return types.Decision{
			ChainID: rapid.String().Draw(t, "chain"), Nonce: rapid.Uint64().Draw(t, "nonce"), ValidUntil: times(t, "valid until"),
			Insist: rapid.Uint8().Draw(t, "insist"), Acts: rapid.SliceOfN(acts, 0, 3).Draw(t, "acts"),
		}
	})
	governances = rapid.Custom(func(t *rapid.T) types.Governance {
		number := func(name string) uint64 { return rapid.Uint64().Draw(t, name) }
		return types.Governance{
			Params: params.Draw(t, "params"), Scheduled: []types.ScheduledParam{{From: number("from"), Change: changes.Draw(t, "change")}},
			Validators: []types.Seat{{Validator: types.Validator{Key: draw[types.PublicKey](t, "key"), Power: number("power")}, Silent: rapid.Uint8Max(1).Draw(t, "silent")}},
			Moves:      []types.PowerMove{{Height: number("height"), Given: number("given"), Taken: number("taken")}},
		}
	})
	bodies = rapid.Custom(func(t *rapid.T) types.Body {
		return types.Body{
			ChainID: rapid.String().Draw(t, "chain"), ValidUntil: times(t, "valid until"),
			Inputs: rapid.SliceOfN(outpoints, 0, 3).Draw(t, "inputs"), Outputs: rapid.SliceOfN(outputs, 0, 3).Draw(t, "outputs"),
			Actions: rapid.SliceOfN(actions, 0, 3).Draw(t, "actions"), Fee: amounts(t, "fee"), Memo: rapid.String().Draw(t, "memo"),
		}
	})
	mandates = rapid.Custom(func(t *rapid.T) types.Mandates {
		return types.Mandates{ValidUntil: times(t, "valid until"), Producer: signatures.Draw(t, "producer"), Consumer: signatures.Draw(t, "consumer")}
	})

	signatures = rapid.Custom(func(t *rapid.T) types.Signature {
		return types.Signature{Key: draw[types.PublicKey](t, "key"), Bytes: types.SignatureBytes(rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "signature"))}
	})
	actions = rapid.Custom(func(t *rapid.T) types.Action {
		trade, offer := hashes[types.TradeID](), hashes[types.OfferID]()
		switch rapid.IntRange(0, 28).Draw(t, "action") {
		case 0:
			return &types.Issue{Asset: assets.Draw(t, "asset"), Amount: amounts(t, "amount")}
		case 1:
			return &types.Redeem{Asset: draw[types.AssetID](t, "asset"), Amount: amounts(t, "amount")}
		case 2:
			return &types.Post{Offer: offers.Draw(t, "offer")}
		case 3:
			return &types.Cancel{Offer: offer.Draw(t, "offer")}
		case 4:
			return &types.Take{
				Offer: offer.Draw(t, "offer"), Consumer: draw[types.PublicKey](t, "consumer"), Quantity: rapid.Uint64().Draw(t, "quantity"),
				Nonce: rapid.Uint64().Draw(t, "nonce"), Digest: draw[types.Hash](t, "digest"),
			}
		case 5:
			return &types.Agree{
				Agreement: agreements.Draw(t, "agreement"), Mandates: mandates.Draw(t, "mandates"), Submitter: draw[types.PublicKey](t, "submitter"),
			}
		case 6:
			return &types.Pay{Trade: trade.Draw(t, "trade"), Digest: draw[types.Hash](t, "digest")}
		case 7:
			return &types.Deliver{Trade: trade.Draw(t, "trade")}
		case 8:
			return &types.Release{Trade: trade.Draw(t, "trade"), Instalment: rapid.Uint16().Draw(t, "k"), Preimage: draw[types.Secret](t, "preimage")}
		case 9:
			return &types.Split{
				Trade: trade.Draw(t, "trade"), Phase: types.Phase(rapid.Uint8Range(1, 9).Draw(t, "phase")), Released: rapid.Uint16().Draw(t, "released"),
				ToProducer: amounts(t, "to producer"), ToConsumer: amounts(t, "to consumer"),
				Mandates: mandates.Draw(t, "mandates"), Submitter: draw[types.PublicKey](t, "submitter"),
			}
		case 10:
			return &types.Settle{Trade: trade.Draw(t, "trade")}
		case 11:
			return &types.Award{Trade: trade.Draw(t, "trade"), ToProducer: amounts(t, "to producer"), ToConsumer: amounts(t, "to consumer")}
		case 12:
			return &types.Reading{Flow: realFlows.Draw(t, "flow"), From: times(t, "from"), Records: rapid.SliceOfN(rapid.Custom(hexBytes), 0, 3).Draw(t, "records")}
		case 13:
			return &types.Admit{
				Operator: draw[types.PublicKey](t, "operator"),
				Member:   types.Member{Key: draw[types.PublicKey](t, "member"), Name: rapid.String().Draw(t, "name")},
			}
		case 14:
			return &types.Enrol{
				Operator: draw[types.PublicKey](t, "operator"), Owner: draw[types.PublicKey](t, "owner"), Parent: draw[types.PointID](t, "parent"),
				Meter: meters.Draw(t, "meter"),
			}
		case 15:
			return &types.Place{Order: orders.Draw(t, "order")}
		case 16:
			return &types.Withdraw{
				Product: draw[types.ProductID](t, "product"), Owner: draw[types.PublicKey](t, "owner"), Number: rapid.Uint8().Draw(t, "number"),
			}
		case 17:
			return &types.Exchange{Operator: draw[types.PublicKey](t, "operator"), Point: draw[types.PointID](t, "point"), Meter: meters.Draw(t, "meter")}
		case 18:
			return &types.Accept{Key: draw[types.PublicKey](t, "key"), Asset: draw[types.AssetID](t, "asset")}
		case 19:
			return &types.Decline{Key: draw[types.PublicKey](t, "key"), Asset: draw[types.AssetID](t, "asset")}
		case 20:
			return &types.Draw{Key: draw[types.PublicKey](t, "key"), Asset: draw[types.AssetID](t, "asset"), Amount: amounts(t, "amount")}
		case 21:
			return &types.Recognise{Operator: draw[types.PublicKey](t, "operator"), Asset: assets.Draw(t, "asset"), Least: amounts(t, "least")}
		case 22:
			return &types.Unrecognise{Operator: draw[types.PublicKey](t, "operator"), Asset: draw[types.AssetID](t, "asset")}
		case 23:
			return &types.Govern{
				Decision: decisions.Draw(t, "decision"), Signatures: rapid.SliceOfN(signatures, 0, 3).Draw(t, "signatures"), Submitter: draw[types.PublicKey](t, "submitter"),
			}
		case 24, 25, 26, 27:
			return acts.Draw(t, "act")
		default:
			return &types.Retire{Operator: draw[types.PublicKey](t, "operator"), Point: draw[types.PointID](t, "point")}
		}
	})
)

// Parallel tests share these generators. Rapid (v1.3.0) writes a generator's name at its first use and reads it elsewhere without a lock, which the
// race detector reports: so they are named before any test begins.
var _ = named(
	assets, flows, goods, meters, points, realFlows, slots, deadlines, fallbacks, agreements, offers, parts, outpoints,
	outputs, trades, events, grids, markets, products, sides, orders, auctions, outcomes, effects, entries, genesisAssets, origins, params, bodies,
	mandates, signatures, actions, changes, checkpoints, laterMarkets, acts, decisions, governances,
)

func named(generators ...fmt.Stringer) bool {
	for _, g := range generators {
		_ = g.String()
	}
	return true
}
