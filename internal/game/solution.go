package game

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"lockstep/internal/game/board"
	"lockstep/types"
)

// Solution is the solved game of some terms. Payoffs are relative to not trading at all. Its JSON is the output of
// `lockstep terms explain --json`.
type Solution struct {
	Terms TermsView `json:"terms"`
	// Equilibrium lists the moves of two selfish parties; the honest way where there are several.
	Equilibrium []string `json:"equilibrium"`
	// Outcomes counts the ends of equilibria with different payoffs: more than one means a tie.
	Outcomes int `json:"outcomes"`
	// Honest: some subgame perfect equilibrium is honest from the first move to the last. Strict: every one is.
	Honest bool   `json:"honest"`
	Strict bool   `json:"strict"`
	Rating string `json:"rating"` // "strictly best", "weakly best" or "neither"
	// IfPaid is how it would go on if the consumer paid, where a selfish one doesn't.
	IfPaid []string `json:"if_paid,omitempty"`
	// WithoutGoods is the move of a selfish consumer when the delivery is recorded without goods: "releases", "keeps its
	// secret" or "either".
	WithoutGoods string `json:"without_goods"`
	// Committed, under hold, is how the producer's honesty rates when the consumer is committed to "no goods, no secret".
	Committed string `json:"if_consumer_is_committed,omitempty"`

	HonestPayoffs     Pair   `json:"honest_payoffs"`
	ConsumerWorstLoss Figure `json:"consumer_worst_loss"` // against a malicious partner
	ProducerWorstLoss Figure `json:"producer_worst_loss"`
	GriefingRatio     Ratio  `json:"griefing_ratio"` // the worse of the two attacks
	ByProducer        Attack `json:"attack_by_producer"`
	ByConsumer        Attack `json:"attack_by_consumer"`
	// League is the worst losses under arbiter terms if the arbiter is in league with the partner.
	League *Pair    `json:"worst_losses_if_arbiter_is_in_league,omitempty"`
	Ends   []End    `json:"ends"` // possible ends; with many instalments, the most instructive of them
	Advice []string `json:"advice"`
}

// TermsView is the terms in JSON.
type TermsView struct {
	Value       Figure `json:"value"`
	Cost        Figure `json:"cost"`
	Price       Figure `json:"price"`
	Deposit     Figure `json:"deposit"`
	Bond        Figure `json:"bond"`
	ReleaseCost Figure `json:"release_cost"`
	Instalments uint16 `json:"instalments"`
	Quantity    uint64 `json:"quantity"`
	Fallback    string `json:"fallback"`
	Matched     bool   `json:"matched,omitempty"`
}

// Figure is a sum that can be below zero or beyond 64 bits. In JSON it is a decimal string.
type Figure struct {
	units    *big.Int
	decimals uint8
}

func (f Figure) String() string {
	digits := new(big.Int).Abs(f.units).String()
	if f.decimals > 0 {
		digits = strings.Repeat("0", max(0, int(f.decimals)+1-len(digits))) + digits
		point := len(digits) - int(f.decimals)
		digits = digits[:point] + "." + digits[point:]
	}
	if f.units.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// MarshalText writes the decimal number.
func (f Figure) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func (f Figure) less(other Figure) bool { return f.units.Cmp(other.units) < 0 }

func (t *Terms) figure(units *big.Int) Figure     { return Figure{units, t.Decimals} }
func (t *Terms) amount(units types.Amount) Figure { return t.figure(integer(units)) }
func (t *Terms) pair(consumer, producer *big.Int) Pair {
	return Pair{t.figure(consumer), t.figure(producer)}
}

// Pair is a figure for each side.
type Pair struct {
	Consumer Figure `json:"consumer"`
	Producer Figure `json:"producer"`
}

// End is one way the game can end.
type End struct {
	Moves       []string `json:"moves"`
	Payoffs     Pair     `json:"payoffs"`
	Honest      bool     `json:"honest"`
	Equilibrium bool     `json:"equilibrium"`
}

// Attack is the worst that a malicious partner can do to an honest one: by the damage for each unit of its own loss.
type Attack struct {
	Moves        []string `json:"moves,omitempty"` // empty: there is no attack
	VictimLoss   Figure   `json:"victim_loss"`
	AttackerLoss Figure   `json:"attacker_loss"` // negative: the attacker gains
	Ratio        Ratio    `json:"ratio"`
}

// Ratio is an exact fraction: "22", "65/4", "0" when there is no harm, "unlimited" when harm costs the attacker nothing.
type Ratio string

const unlimited Ratio = "unlimited"

// less compares ratios.
func (r Ratio) less(other Ratio) bool {
	if r == unlimited || other == unlimited {
		return r != unlimited
	}
	a, _ := new(big.Rat).SetString(string(r))
	b, _ := new(big.Rat).SetString(string(other))
	return a.Cmp(b) < 0
}

// Solve builds the game of the terms on the ledger's own rules and solves it. Its error is a [types.Refusal]: terms that
// the ledger would not take.
func Solve(terms Terms) (*Solution, error) {
	s, err := evaluate(terms)
	if err != nil {
		return nil, err
	}
	s.Advice, err = advise(terms, s)
	return s, err
}

// evaluate is [Solve] without advice.
func evaluate(t Terms) (*Solution, error) {
	root, err := buildTree(t)
	if err != nil {
		return nil, err
	}
	plays := solve(root, board.Parties)
	s := &Solution{
		Terms: TermsView{
			t.amount(t.Value), t.amount(t.Cost), t.amount(t.Price), t.amount(t.Deposit), t.amount(t.Bond), t.amount(t.ReleaseCost),
			t.Instalments, t.TotalQuantity(), t.Fallback, t.Matched,
		},
		Outcomes: len(plays), Rating: rating(plays), WithoutGoods: withoutGoods(root),
	}
	s.Honest, s.Strict = s.Rating != ratedNeither, s.Rating == ratedStrict
	chosen := honestFirst(plays)
	s.Equilibrium = chosen.moves()
	paid := root.branches[0]
	if s.Equilibrium[0] != paid.says {
		s.IfPaid = honestFirst(after(paid, board.Parties)).moves()
	}
	if t.Fallback == Hold {
		s.Committed = rating(after(paid, board.Consumer))
	}
	honest := honestEnd(root)
	s.HonestPayoffs = t.pair(honest.consumer, honest.producer)
	s.ByProducer, s.ConsumerWorstLoss = t.attack(board.Consumer, root, false)
	s.ByConsumer, s.ProducerWorstLoss = t.attack(board.Producer, root, false)
	s.GriefingRatio = s.ByProducer.Ratio
	if s.GriefingRatio.less(s.ByConsumer.Ratio) {
		s.GriefingRatio = s.ByConsumer.Ratio
	}
	if t.Fallback == Arbitrated {
		s.League = &Pair{}
		_, s.League.Consumer = t.attack(board.Consumer, root, true)
		_, s.League.Producer = t.attack(board.Producer, root, true)
	}
	s.Ends = t.ends(root, s)
	return s, nil
}

// The ratings of honesty.
const (
	ratedStrict  = "strictly best"
	ratedWeak    = "weakly best"
	ratedNeither = "neither"
)

func rating(plays []*play) string {
	honest := 0
	for _, p := range plays {
		if p.honest {
			honest++
		}
	}
	switch honest {
	case 0:
		return ratedNeither
	case len(plays):
		return ratedStrict
	}
	return ratedWeak
}

func honestFirst(plays []*play) *play {
	for _, p := range plays {
		if p.honest {
			return p
		}
	}
	return plays[0]
}

// withoutGoods finds the state in which the delivery is recorded without goods, and the move of a selfish consumer there.
func withoutGoods(root *fork) string {
	at := root.branches[0].next.branches[0].next // paid, recorded
	nothing := at.branches[len(at.branches)-1].next
	for nothing.who != board.Consumer {
		nothing = nothing.branches[0].next // the reading of nothing is posted
	}
	releases, keeps := false, false
	for _, p := range solve(nothing, board.Parties) {
		if p.honest { // no goods, no secret
			keeps = true
		} else {
			releases = true
		}
	}
	switch {
	case releases && keeps:
		return "either"
	case releases:
		return "releases"
	}
	return "keeps its secret"
}

// honestEnd is where two honest parties get.
func honestEnd(f *fork) *payoffs {
	for _, b := range f.branches {
		switch {
		case b.honest && b.end != nil:
			return b.end
		case b.honest:
			return honestEnd(b.next)
		}
	}
	panic("game: a fork without an honest branch")
}

// attack is the worst attack on an honest victim, and the victim's worst loss of all.
func (t *Terms) attack(victim board.Party, root *fork, league bool) (Attack, Figure) {
	attacker := board.Consumer
	if victim == board.Consumer {
		attacker = board.Producer
	}
	worst := Attack{Ratio: "0", VictimLoss: t.amount(0), AttackerLoss: t.amount(0)}
	worstLoss := t.amount(0)
	var worstWay *trail
	against(victim, root, league, nil, func(end *payoffs, way *trail) {
		lost, own := t.figure(new(big.Int).Neg(end.of(victim))), t.figure(new(big.Int).Neg(end.of(attacker)))
		if lost.units.Sign() <= 0 {
			return
		}
		if worstLoss.less(lost) {
			worstLoss = lost
		}
		ratio := unlimited
		if own.units.Sign() > 0 {
			ratio = Ratio(new(big.Rat).SetFrac(lost.units, own.units).RatString())
		}
		if worst.Ratio.less(ratio) || worst.Ratio == ratio && worst.VictimLoss.less(lost) {
			worst, worstWay = Attack{VictimLoss: lost, AttackerLoss: own, Ratio: ratio}, way
		}
	})
	worst.Moves = worstWay.moves()
	return worst, worstLoss
}

// tellingEnds is how many ends a table can show.
const tellingEnds = 24

// ends lists the ends of the game: all, or, if they are too many, the first few, the last few and those that somebody asks for.
func (t *Terms) ends(root *fork, s *Solution) (ends []End) {
	type found struct {
		*payoffs
		way           *trail
		honest, asked bool
	}
	var all []found
	var walk func(f *fork, so *trail, honest bool, asked [][]string)
	walk = func(f *fork, so *trail, honest bool, asked [][]string) {
		for _, b := range f.branches {
			way := so.then(b.says)
			var still [][]string // of the ways that somebody asks for, those that this one may be
			for _, moves := range asked {
				if len(moves) >= way.length && moves[way.length-1] == b.says {
					still = append(still, moves)
				}
			}
			if b.end == nil {
				walk(b.next, way, honest && b.honest, still)
				continue
			}
			all = append(all, found{b.end, way, honest && b.honest, len(still) > 0})
		}
	}
	walk(root, nil, true, [][]string{s.Equilibrium, s.IfPaid, s.ByProducer.Moves, s.ByConsumer.Moves})
	for n, end := range all {
		if len(all) > tellingEnds && !end.asked && n >= 4 && n < len(all)-8 {
			continue
		}
		moves := end.way.moves()
		ends = append(ends, End{
			Moves: moves, Payoffs: t.pair(end.consumer, end.producer), Honest: end.honest, Equilibrium: slices.Equal(moves, s.Equilibrium),
		})
	}
	return ends
}

// Told is a play in one line. The middle of a long one, where instalment follows instalment, is left out.
func Told(moves []string) string {
	const head, tail = 6, 2
	if len(moves) > head+tail+1 {
		left := fmt.Sprintf("... %d more moves ...", len(moves)-head-tail)
		moves = slices.Concat(moves[:head], []string{left}, moves[len(moves)-tail:])
	}
	return strings.Join(moves, ", ")
}

// Short is [Told] without the words that say whose move it is, for a table: the verb tells.
func Short(moves []string) string {
	return strings.NewReplacer("the producer ", "", "the consumer ", "").Replace(Told(moves))
}
