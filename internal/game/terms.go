package game

import (
	"lockstep/internal/game/board"
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
	Matched     bool   // by an auction: both sides have locked their money before, and under meter terms the offer has promised the delivery
	Decimals    uint8  // decimal places of the amounts, for people; the game knows only smallest units
}

// The names of the fallback terms, as in an agreement's JSON.
const (
	Hold       = "hold"
	Metered    = "meter"
	Arbitrated = "arbiter"
)

// TotalQuantity returns the quantity of the goods.
func (t *Terms) TotalQuantity() uint64 {
	if t.Quantity == 0 {
		return uint64(t.Instalments)
	}
	return t.Quantity
}

// Agreement is the terms as the ledger knows them, between the producer and a consumer.
func (t *Terms) Agreement(b *board.Board, buyer board.Party, d types.Deadlines, nonce uint64) types.Agreement {
	asset := b.Money()
	a := types.Agreement{
		ChainID: b.Params.ChainID, Producer: b.Keys[board.Producer], Consumer: b.Keys[buyer],
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: t.TotalQuantity(),
			From: board.SlotFrom, Until: board.SlotUntil,
		},
		Asset: asset.ID(), Price: t.Price, Deposit: t.Deposit, Bond: t.Bond,
		Instalments: t.Instalments, Deadlines: d, Nonce: nonce,
	}
	switch t.Fallback {
	case Hold:
		a.Fallback = &types.Hold{}
	case Metered:
		a.Fallback = &types.Meter{}
		a.Goods.Flow = b.Flow()
	case Arbitrated:
		a.Fallback = &types.Arbiter{Key: b.Keys[board.Arbiter]}
	}
	return a
}

// Deadlines of the game; under meter terms the last two come after the slot.
func (t *Terms) Deadlines() types.Deadlines {
	d := types.Deadlines{PayBy: board.Opening.Add(board.Window), DeliverBy: board.Opening.Add(2 * board.Window)}
	d.ReadingBy = d.DeliverBy.Add(board.Window)
	if t.Fallback == Metered {
		d.ReadingBy = board.SlotUntil.Add(board.Window)
	}
	d.ConfirmBy = d.ReadingBy.Add(board.Window)
	return d
}

// Check reports terms that no ledger would accept, with the remedy.
func (t *Terms) Check() error {
	if t.Instalments < 1 {
		return types.Refuse(types.CodeTerms, "0 instalments: 1 is a trade without instalments")
	}
	b := board.Blank()
	switch t.Fallback {
	case Hold, Metered, Arbitrated:
	default:
		return types.Refuse(types.CodeFallback, "%q is none of hold, meter and arbiter", t.Fallback)
	}
	if _, fits := types.Sum(t.Price, t.Deposit, t.Bond, 1); !fits {
		return types.Refuse(types.CodeOverflow, "price %s, deposit %s and bond %s are more than the ledger can count", t.Price, t.Deposit, t.Bond)
	}
	agreement := t.Agreement(b, board.Consumer, t.Deadlines(), 0)
	return agreement.Check(b.Params)
}
