package agent

import (
	"lockstep/internal/agent/plan"
	"lockstep/types"
)

// Planned is an order that the agent has for a slot, or would have by its present knowledge.
type Planned struct {
	From, Until types.Time
	Side        types.Side
	Quantity    uint64
	Limit       plan.Price
	Ordered     bool // it is in the book
}

// Plan lists the orders that the agent means to make for the next slots, without the limits of money. It is empty before the first view.
func (s *State) Plan(slots int) (all []Planned) {
	if s.View == nil {
		return nil
	}
	_, first := s.round()
	for i := range slots {
		from := first + types.Time(s.Setup.Params.Slot)*types.Time(i)
		wish := s.wish(from)
		for _, p := range []Planned{
			{Side: types.Bid, Quantity: wish.Buy.Quantity, Limit: wish.Buy.Limit}, {Side: types.Sell, Quantity: wish.Sell.Quantity, Limit: wish.Sell.Limit},
		} {
			p.From, p.Until = from, from.Add(s.Setup.Params.Slot)
			for j := range s.View.Orders {
				o := &s.View.Orders[j].Order
				if o.Product.From == from && o.Side == p.Side && s.ours(o.Side, o.Number) {
					p.Ordered, p.Quantity = true, o.Quantity
				}
			}
			if p.Quantity > 0 {
				all = append(all, p)
			}
		}
	}
	return all
}

// Agreed is the money that counts for the limit of a day: trades of the last 24 hours, and open bids at their limits.
func (s *State) Agreed() types.Amount {
	if s.View == nil {
		return 0
	}
	today := s.budget().today
	return (s.Setup.Limits.PerDay - today.left).Saturate(today.beyond)
}
