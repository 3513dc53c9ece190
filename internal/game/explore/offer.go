package explore

import (
	"fmt"

	"lockstep/internal/game/board"
	"lockstep/types"
)

// A scene can begin with a standing offer: a party that takes a part of it agrees and pays in one step.

const (
	offered = 5 // Wh
	minFill = 2
)

// standingOffer is the offer that a scene's deals are takes of. Its rates are such that the deals' sums are rounded up.
func (r *rules) standingOffer(at *board.Board) types.Offer {
	a := r.Deals[0].Agreement(at, board.Consumer, r.Deals[0].deadlines(), 0)
	a.Goods.Quantity = offered
	bond := types.Rate{Mantissa: 3, Exponent: 1}
	if r.Staked {
		bond = types.Rate{Mantissa: 1}
	}
	return types.Offer{
		ChainID: a.ChainID, Producer: a.Producer, Goods: a.Goods, Asset: a.Asset,
		Price: types.Rate{Mantissa: 14, Exponent: 1}, Deposit: types.Rate{Mantissa: 5, Exponent: 1}, Bond: bond,
		MinFill: minFill, Instalments: 1, Deadlines: a.Deadlines, Fallback: a.Fallback,
	}
}

func (r *rules) offerSteps() []step {
	if !r.Offered {
		return nil
	}
	return []step{
		{
			says: "the producer posts an offer", action: &types.Post{Offer: r.offer, Stake: r.stake()}, by: []board.Party{board.Producer},
			debits: debit(board.Producer, r.stake()), apply: r.post,
			open: func(b *book) bool { return b.offer == closed }, // the same transaction again, or another with the same offer
		},
		{
			says: "the producer withdraws its offer", action: &types.Cancel{Offer: r.offer.ID()}, by: []board.Party{board.Producer}, apply: r.cancel,
			open: func(*book) bool { return r.Staked }, // a staked offer can be posted twice, and the second withdrawal is the same transaction
		},
	}
}

// stake is the bond that the offer locks when it is posted.
func (r *rules) stake() types.Amount {
	if r.Staked {
		return offered
	}
	return 0
}

func (r *rules) post(b *book) string {
	switch {
	case b.offer == standing:
		return "the offer stands"
	case b.now > r.offer.Deadlines.PayBy:
		return "pay-by has passed"
	}
	b.offer, b.remaining, b.stake = standing, offered, r.stake()
	b.coins[board.Producer] -= b.stake
	return ""
}

func (r *rules) cancel(b *book) string {
	if !r.stands(b) {
		return "the offer does not stand"
	}
	b.closeOffer()
	return ""
}

// closeOffer ends the offer: the rest of its stake is the producer's.
func (b *book) closeOffer() {
	b.coins[board.Producer] += b.stake
	b.offer, b.remaining, b.stake = closed, 0, 0
}

// stands says that an offer was posted and has neither been closed nor run out.
func (r *rules) stands(b *book) bool { return b.offer == standing && b.now <= r.offer.Deadlines.PayBy }

// takeStep takes a deal's quantity, or another that the offer doesn't allow.
func (r *rules) takeStep(i int, quantity uint64, rank uint8) step {
	var locked types.Amount
	if a, err := r.offer.Agreement(quantity, r.board.Keys[buyer(i)], 0); err == nil {
		locked = a.Price + a.Deposit
	}
	return step{
		says: fmt.Sprintf("%s takes %d Wh of the offer and pays", buyer(i), quantity),
		action: &types.Take{
			Offer: r.offer.ID(), Consumer: r.board.Keys[buyer(i)], Quantity: quantity, Nonce: uint64(i), Digest: board.Secret(i).Digest(1),
		},
		by: []board.Party{buyer(i)}, debits: debit(buyer(i), locked),
		apply: func(b *book) string { return r.take(b, i, quantity, rank) },
	}
}

func (r *rules) take(b *book, i int, quantity uint64, rank uint8) string {
	switch {
	case !r.stands(b):
		return "the offer does not stand"
	case quantity > b.remaining:
		return "that much is not left of the offer"
	case quantity < min(minFill, b.remaining):
		return "it is below the smallest fill"
	}
	if why := r.agree(b, i, rank); why != "" {
		return why
	}
	if r.Staked { // the bond moves from the offer into the trade
		b.stake -= r.Deals[i].Bond
		b.trades[i].locked[types.PartBond] = r.Deals[i].Bond
	}
	if b.remaining -= quantity; b.remaining == 0 {
		b.closeOffer()
	}
	return r.pay(b, i)
}
