package books

import (
	"math/big"

	"lockstep/client/wire/history"
	"lockstep/trade"
	"lockstep/types"
)

// Entry is a party's line for a trade that ended.
type Entry struct {
	Ended    types.Time
	Trade    types.TradeID
	Phase    types.Phase
	Role     trade.Role // of the party
	Other    types.PublicKey
	Product  types.Product
	Quantity uint64 // as agreed
	Came     uint64 // of it: all, when it was released; as the readings say, when it was settled; none otherwise
	PutIn    types.Amount
	GotBack  types.Amount
	Unknown  bool // the division of the money is not known: GotBack is not counted
}

// Net is the party's gain, below zero for a loss: the net of a consumer that got its goods is the price below zero.
func (e *Entry) Net() *big.Int {
	if e.Unknown {
		return new(big.Int)
	}
	got := new(big.Int).SetUint64(uint64(e.GotBack))
	return got.Sub(got, new(big.Int).SetUint64(uint64(e.PutIn)))
}

// EntryOf returns a party's line; false for a trade that has not ended or is not the party's. The shares are those of a split or an award;
// nil when they are not known.
func EntryOf(t *history.Trade, party types.PublicKey, shares *trade.Division) (Entry, bool) {
	e := Entry{Ended: t.EndedAt, Trade: t.ID, Phase: t.Phase, Product: t.Product, Quantity: t.Quantity}
	switch party {
	case t.Producer:
		e.Role, e.Other = trade.Producer, t.Consumer
	case t.Consumer:
		e.Role, e.Other = trade.Consumer, t.Producer
	default:
		return e, false
	}
	paid := t.Price + t.Deposit // checked with the agreement: all three fit
	var producerIn, toProducer, toConsumer types.Amount
	switch t.Phase {
	case types.PhaseReleased, types.PhaseSettled:
		a := agreementOf(t)
		division, _ := trade.Divided(a, t.Phase, t.Released, t.Allotted)
		producerIn, toProducer, toConsumer, e.Came = t.Bond, division.ToProducer, division.ToConsumer, t.Quantity
		if t.Phase == types.PhaseSettled {
			toProducer, e.Came = toProducer+trade.Due(a, t.Released), min(t.Allotted, t.Quantity)
		}
	case types.PhaseRefunded:
		toConsumer = paid
		if t.Matched { // its bond was staked
			producerIn, toProducer = t.Bond, t.Bond
		}
	case types.PhaseLapsed:
		paid = 0
	case types.PhaseSplit, types.PhaseAwarded:
		e.Unknown = shares == nil
		if shares != nil {
			toProducer, toConsumer = trade.Due(agreementOf(t), t.Released)+shares.ToProducer, shares.ToConsumer
			producerIn = toProducer + toConsumer - paid // the bond, as far as it was locked: all that was locked is divided
		}
	default:
		return e, false
	}
	e.PutIn, e.GotBack = paid, toConsumer
	if e.Role == trade.Producer {
		e.PutIn, e.GotBack = producerIn, toProducer
	}
	return e, true
}

// agreementOf returns the parts of an agreement that divide its money.
func agreementOf(t *history.Trade) *types.Agreement {
	return &types.Agreement{
		Price: t.Price, Deposit: t.Deposit, Bond: t.Bond, Instalments: t.Instalments, Goods: types.Goods{Quantity: t.Quantity, Unit: t.Product.Unit},
	}
}
