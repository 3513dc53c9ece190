package game

import (
	"math/big"

	"lockstep/internal/game/board"
	"lockstep/types"
)

// Match is a trade that an auction has made under meter terms, in sums for a lot: it is paid and delivered from the beginning, with the bond
// staked. The energy, the reading and the release remain for the parties.
type Match struct {
	Price, Deposit, Bond types.Amount
	// Elsewhere is the most that the producer can have for the energy when it breaks its promise. An auction can't see more than the ceiling.
	Elsewhere types.Amount
	// Censored: the consumer is the only validator, and can keep the reading out of every block.
	Censored bool
}

// MatchSolution is the solved game of a match. Figures are in smallest units, for a lot.
type MatchSolution struct {
	// Margin is the advantage of keeping the promise over breaking it for the producer, when both are selfish from there on. Below zero,
	// breaking it pays.
	Margin Figure `json:"margin"`
	// Bond is the least bond with which breaking the promise never pays.
	Bond types.Amount `json:"bond_needed"`
	// Unread is the gain of the consumer, and the loss of the producer, if the energy flows and no reading of it comes: one that the producer
	// withholds, or one that a sole validator keeps out. Kept reports whether the consumer can bring that about.
	Unread Figure `json:"gain_of_consumer_if_unread"`
	Kept   bool   `json:"consumer_can_keep_reading_out"`
}

// SolveMatch solves the game of a match on the ledger's own rules.
func SolveMatch(m Match) (*MatchSolution, error) {
	margin, err := m.margin()
	if err != nil {
		return nil, err
	}
	terms := m.terms()
	s := &MatchSolution{Margin: terms.figure(margin), Kept: m.Censored}
	if s.Bond, err = m.bondNeeded(); err != nil {
		return nil, err
	}
	f, err := buildMatch(terms, false)
	if err != nil {
		return nil, err
	}
	read, unread := f.branches[0].next.branches[0], f.branches[0].next.branches[1] // the energy has flowed
	gain := new(big.Int).Sub(lowest(after(unread, board.Parties), board.Consumer), lowest(after(read, board.Parties), board.Consumer))
	s.Unread = terms.figure(gain)
	return s, nil
}

// terms are those of one lot. The energy is worth the ceiling to the consumer, and costs the producer its other use.
func (m *Match) terms() Terms {
	return Terms{
		Value: m.Elsewhere, Cost: m.Elsewhere, Price: m.Price, Deposit: m.Deposit, Bond: m.Bond, Instalments: 1, Quantity: 1, Fallback: Metered,
	}
}

// margin compares the income of the producer from handing the energy over with its best other income.
func (m *Match) margin() (*big.Int, error) {
	f, err := buildMatch(m.terms(), m.Censored)
	if err != nil {
		return nil, err
	}
	var best *big.Int
	for _, other := range f.branches[1:] {
		for _, p := range after(other, board.Parties) {
			if best == nil || p.producer.Cmp(best) > 0 {
				best = p.producer
			}
		}
	}
	return new(big.Int).Sub(lowest(after(f.branches[0], board.Parties), board.Producer), best), nil
}

// bondNeeded finds the least bond by bisection: a higher bond never makes a broken promise better. Without censorship the energy's other use
// is always enough.
func (m *Match) bondNeeded() (types.Amount, error) {
	low, high := types.Amount(0), m.Elsewhere
	for low < high {
		tried := *m
		tried.Censored, tried.Bond = false, low+(high-low)/2
		margin, err := tried.margin()
		if err != nil {
			return 0, err
		}
		if margin.Sign() < 0 {
			low = tried.Bond + 1
		} else {
			high = tried.Bond
		}
	}
	return low, nil
}

// buildMatch plays a trade to the point where an auction begins it: paid, and delivered. The first branch hands the energy over.
func buildMatch(terms Terms, censored bool) (*fork, error) {
	if err := terms.Check(); err != nil {
		return nil, err
	}
	t := &tree{Terms: terms, censored: censored}
	now, err := t.recorded()
	if err != nil {
		return nil, err
	}
	if now, err = t.lock(now, t.payment(now), board.Consumer); err != nil {
		return nil, err
	}
	if now, err = t.lock(now, now.at.Body(&types.Deliver{Trade: t.id}), board.Producer); err != nil {
		return nil, err
	}
	return t.handing(now)
}
