package explore

import (
	"slices"

	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/types"
)

// Scene is one game to explore: its trades, and the party that keeps to its duties.
type Scene struct {
	Name   string
	Deals  []Deal
	Honest string // "producer", "consumer", or "" when everybody does as it likes
	// Read lists the quantities that the producer's meter may count in the slot; time and the weather choose.
	Read []uint64
	// Outages is how many times the chain may stand still for longer than the clock cap.
	Outages uint8
	// Pairs tries every two actions in one transaction, in both orders.
	Pairs bool
	// Halves lets the producer post its readings of the slot in two halves.
	Halves bool
	// Opening names the deals whose agreements are recorded and paid for when the scene begins, those of one list in one
	// block. Empty: the scene begins with nothing agreed.
	Opening [][]int
	// Offered: the deals are takes of one standing offer of the producer's, instead of agreements that both sign. Staked: the bond of that
	// offer is locked with it.
	Offered, Staked bool
	// Lot: the deals are matches of an auction, which was held before the scene begins, with lots of so many Wh. Zero: they are not.
	Lot uint64
	// Orders: the scene is of the orders of an auction, from before its book opens until its trades are over; see [orderScene]. Its only
	// deal gives the terms.
	Orders bool
}

// Deal is one trade of a scene. The producer's is with the consumer; a second one is with the stranger, perhaps an
// accomplice of either.
type Deal struct {
	game.Terms
	Late types.Duration // how much later than usual reading-by and confirm-by are
}

func (s *Scene) honest() board.Party {
	switch s.Honest {
	case board.Producer.Name():
		return board.Producer
	case board.Consumer.Name():
		return board.Consumer
	}
	return board.Parties
}

func buyer(deal int) board.Party { return []board.Party{board.Consumer, board.Stranger}[deal] }

func (d *Deal) deadlines() types.Deadlines {
	deadlines := d.Terms.Deadlines()
	if d.Matched {
		deadlines = matchDeadlines()
	}
	deadlines.ReadingBy = deadlines.ReadingBy.Add(d.Late)
	deadlines.ConfirmBy = deadlines.ConfirmBy.Add(d.Late)
	return deadlines
}

// moments are the points of the ledger clock at which things can change: each deadline, and just after it. Where two
// trades multiply, only as many as it takes to do every step in time and too late.
func (s *Scene) moments() []types.Time {
	var all []types.Time
	for i := range s.Deals {
		d, metered := s.Deals[i].deadlines(), s.Deals[i].Fallback == game.Metered
		all = append(all, d.DeliverBy, d.ConfirmBy+1)
		if s.Offered {
			all = append(all, d.PayBy, d.PayBy+1)
		}
		if metered {
			all = append(all, board.SlotUntil, d.ReadingBy+1)
		}
		if len(s.Deals) > 1 {
			continue
		}
		all = append(all, d.DeliverBy+1, d.ConfirmBy)
		if metered {
			all = append(all, board.SlotUntil-1, d.ReadingBy)
		}
		if len(s.Opening) == 0 && s.Lot == 0 {
			all = append(all, d.PayBy, d.PayBy+1)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// purses are a little more than the parties need, so that nobody's is empty and no two are alike.
func (s *Scene) purses() (purses [board.Parties]types.Amount) {
	purses = [board.Parties]types.Amount{board.Producer: 1, board.Consumer: 2, board.Stranger: 5, board.Arbiter: 3}
	if s.Offered {
		purses[board.Consumer] += 9 // enough to take more than there is
	}
	for i, deal := range s.Deals {
		purses[board.Producer] += deal.Bond
		purses[buyer(i)] += deal.Price + deal.Deposit
	}
	return purses
}

// Scenes are explored by default: each fallback, with and without bond and instalments, for each party on its own
// and for each honest party against all others; then two trades on one meter. Amounts are small, and odd so that every
// rounding shows.
func Scenes() []Scene {
	one := func(fallback string, bond types.Amount, instalments uint16) Deal {
		return Deal{Terms: game.Terms{Value: 11, Cost: 3, Price: 7, Deposit: 3, Bond: bond, Instalments: instalments, Quantity: 5, Fallback: fallback}}
	}
	var scenes []Scene
	for _, fallback := range []string{game.Hold, game.Metered, game.Arbitrated} {
		for _, deal := range []Deal{one(fallback, 2, 1), one(fallback, 0, 1), one(fallback, 2, 3)} {
			name := fallback
			if deal.Bond == 0 {
				name += ", no bond"
			}
			if deal.Instalments > 1 {
				name += ", instalments"
			}
			for _, honest := range []string{"", "consumer", "producer"} {
				scene := Scene{Name: name + ", everybody free", Deals: []Deal{deal}, Honest: honest, Outages: 1}
				if honest != "" {
					scene.Name = name + ", honest " + honest
				}
				scene.Pairs = honest == "" && deal.Bond > 0
				if fallback == game.Metered {
					scene.Read = []uint64{0, 3, 5, 6}
				}
				if fallback == game.Metered && scene.Pairs { // the most expensive by far
					scene.Read, scene.Pairs = []uint64{3, 5}, deal.Instalments == 1
				}
				scenes = append(scenes, scene)
			}
		}
	}
	halves := Scene{Name: "meter, read in halves", Deals: []Deal{one(game.Metered, 2, 1)}, Read: []uint64{5}, Halves: true, Opening: [][]int{{0}}, Outages: 1}
	scenes = append(append(scenes, halves, offerScene(), stakedScene()), meterScenes()...)
	return append(append(scenes, matchScenes()...), orderScenes()...)
}

// offerScene is a standing offer of 5 Wh, of which the consumer wants 3 and a stranger 2: each sum is a rate times the
// quantity, rounded up.
func offerScene() Scene {
	take := func(quantity uint64, price, deposit, bond types.Amount) Deal {
		return Deal{Terms: game.Terms{Value: 11, Cost: 1, Price: price, Deposit: deposit, Bond: bond, Instalments: 1, Quantity: quantity, Fallback: game.Hold}}
	}
	return Scene{Name: "takes of an offer, everybody free", Deals: []Deal{take(3, 5, 2, 1), take(2, 3, 1, 1)}, Offered: true}
}

// stakedScene is the same offer with its bond, a unit for each Wh, locked from the beginning.
func stakedScene() Scene {
	scene := offerScene()
	scene.Name, scene.Staked = "takes of a staked offer, everybody free", true
	for i := range scene.Deals {
		scene.Deals[i].Bond = types.Amount(scene.Deals[i].Quantity)
	}
	return scene
}

// meterScenes are two trades on one meter: the second buyer is a stranger, perhaps invited by the producer to share
// the energy that the first has paid for.
func meterScenes() []Scene {
	first := Deal{Terms: game.Terms{Value: 11, Cost: 3, Price: 7, Deposit: 3, Bond: 2, Instalments: 1, Quantity: 5, Fallback: game.Metered}}
	second := Deal{Terms: game.Terms{Value: 8, Cost: 2, Price: 4, Deposit: 1, Bond: 1, Instalments: 1, Quantity: 3, Fallback: game.Metered}}
	late := second
	late.Late = board.Window
	var scenes []Scene
	for _, order := range []struct {
		name    string
		opening [][]int
		other   Deal
	}{
		{"", [][]int{{0}, {1}}, second},
		{", the other recorded before", [][]int{{1}, {0}}, second},
		{", recorded in one block", [][]int{{0, 1}}, second},
		{", recorded in one block, one reading-by later", [][]int{{0, 1}}, late},
		{", one reading-by later", [][]int{{0}, {1}}, late},
	} {
		for _, honest := range []string{"", "consumer", "producer"} {
			scene := Scene{Deals: []Deal{first, order.other}, Opening: order.opening, Honest: honest, Read: []uint64{0, 5, 7, 8}}
			scene.Name = "two trades on one meter" + order.name + ", everybody free"
			if honest != "" {
				scene.Name = "two trades on one meter" + order.name + ", honest " + honest
			}
			scenes = append(scenes, scene)
		}
	}
	return scenes
}
