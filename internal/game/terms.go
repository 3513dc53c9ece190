package game

import (
	"lockstep/types"
)

// Terms are the terms of an agreement before it is signed, and the value of the goods to each party.
type Terms struct {
	Value   types.Amount // of the goods to the consumer
	Cost    types.Amount // of the goods to the producer
	Price   types.Amount
	Deposit types.Amount
	Bond    types.Amount
	// ReleaseCost is the consumer's cost of one release. This ledger takes no fee for one, so it is zero unless
	// the consumer prices the effort.
	ReleaseCost types.Amount
	Instalments uint16
	Quantity    uint64 // of the goods, in the unit that the meter counts; zero: one for each instalment
	Fallback    string // "hold", "meter" or "arbiter"
	Decimals    uint8  // decimal places of the amounts, for people; the game knows only smallest units
}

// The names of the fallback terms, as in an agreement's JSON.
const (
	hold  = "hold"
	meted = "meter"
	judge = "arbiter"
)

func (t *Terms) quantity() uint64 {
	if t.Quantity == 0 {
		return uint64(t.Instalments)
	}
	return t.Quantity
}

// agreement is the terms as the ledger knows them, between the producer and a consumer.
func (t *Terms) agreement(b *board, buyer party, d types.Deadlines, nonce uint64) types.Agreement {
	asset := money(b.keys[operator])
	a := types.Agreement{
		ChainID: b.params.ChainID, Producer: b.keys[producer], Consumer: b.keys[buyer],
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: t.quantity(),
			From: slotFrom, Until: slotUntil,
		},
		Asset: asset.ID(), Price: t.Price, Deposit: t.Deposit, Bond: t.Bond,
		Instalments: t.Instalments, Deadlines: d, Nonce: nonce,
	}
	switch t.Fallback {
	case hold:
		a.Fallback = &types.Hold{}
	case meted:
		a.Fallback = &types.Meter{}
		a.Goods.Flow = b.flow()
	case judge:
		a.Fallback = &types.Arbiter{Key: b.keys[arbiter]}
	}
	return a
}

// flow is the producer's export at its connection point.
func (b *board) flow() types.Flow {
	return types.Flow{Point: gateway().ID(), Direction: types.DirectionExport}
}

// The slot of the game's goods, and the deadlines around it. Delivery is committed well before the slot, so that an
// outage can carry block time beyond its beginning while the ledger clock still stands before deliver-by.
const (
	slotFrom   = opening + types.Time(2*slotSpan)
	slotMiddle = slotFrom + types.Time(slotSpan/2)
	slotUntil  = slotFrom + types.Time(slotSpan)
)

// deadlines of the game; under meter terms the last two come after the slot.
func (t *Terms) deadlines() types.Deadlines {
	d := types.Deadlines{PayBy: opening.Add(window), DeliverBy: opening.Add(2 * window)}
	d.ReadingBy = d.DeliverBy.Add(window)
	if t.Fallback == meted {
		d.ReadingBy = slotUntil.Add(window)
	}
	d.ConfirmBy = d.ReadingBy.Add(window)
	return d
}

// Check reports terms that no ledger would accept, with the remedy.
func (t *Terms) Check() error {
	if t.Instalments < 1 {
		return types.Refuse(types.CodeTerms, "0 instalments: 1 is a trade without instalments")
	}
	keys := new([parties]types.PublicKey)
	for p := range parties {
		keys[p] = p.key()
	}
	b := &board{params: gameParams(keys[operator]), keys: keys}
	switch t.Fallback {
	case hold, meted, judge:
	default:
		return types.Refuse(types.CodeFallback, "%q is none of hold, meter and arbiter", t.Fallback)
	}
	if _, fits := types.Sum(t.Price, t.Deposit, t.Bond, 1); !fits {
		return types.Refuse(types.CodeOverflow, "price %s, deposit %s and bond %s are more than the ledger can count", t.Price, t.Deposit, t.Bond)
	}
	agreement := t.agreement(b, consumer, t.deadlines(), 0)
	return agreement.Check(b.params)
}
