package game

import (
	"math/big"

	"lockstep/internal/game/board"
)

// play is one continuation of the game from a fork, with its payoffs.
type play struct {
	*payoffs
	says   string
	honest bool  // every decision in it is
	rest   *play // the next moves; nil at the end
}

// solve finds, by backward induction, every play that some subgame perfect equilibrium leads to; plays that bring the same
// and are as honest count as one. With ties there are several: a decision is part of an equilibrium if its continuation is
// at least as good for the deciding party as the worst equilibrium after each of its alternatives.
//
// A committed party makes the honest move at every fork, even at a loss; so does an arbiter, which has no stake.
func solve(f *fork, committed board.Party) []*play {
	choices := make([][]*play, len(f.branches))
	fixed := f.who == board.Arbiter || f.who == committed
	for i, b := range f.branches {
		if !fixed || b.honest {
			choices[i] = after(b, committed)
		}
	}
	var plays []*play
	for i, options := range choices {
		for _, option := range options {
			if fixed || bearable(f.who, option, choices, i) {
				plays = include(plays, option)
			}
		}
	}
	return plays
}

// after is how the game can go on from a branch, the branch itself first.
func after(b branch, committed board.Party) []*play {
	if b.end != nil {
		return []*play{{payoffs: b.end, says: b.says, honest: b.honest}}
	}
	var plays []*play
	for _, rest := range solve(b.next, committed) {
		plays = append(plays, &play{payoffs: rest.payoffs, says: b.says, honest: b.honest && rest.honest, rest: rest})
	}
	return plays
}

// bearable: no alternative is better even when the worst follows it.
func bearable(who board.Party, option *play, choices [][]*play, own int) bool {
	for i, alternative := range choices {
		if i == own {
			continue
		}
		if worst := lowest(alternative, who); worst != nil && worst.Cmp(option.of(who)) > 0 {
			return false
		}
	}
	return true
}

func lowest(plays []*play, who board.Party) *big.Int {
	var worst *big.Int
	for _, p := range plays {
		if worst == nil || p.of(who).Cmp(worst) < 0 {
			worst = p.of(who)
		}
	}
	return worst
}

func include(plays []*play, p *play) []*play {
	for _, known := range plays {
		if known.honest == p.honest && known.consumer.Cmp(p.consumer) == 0 && known.producer.Cmp(p.producer) == 0 {
			return plays
		}
	}
	return append(plays, p)
}

// moves are the decisions of a play in order.
func (p *play) moves() (moves []string) {
	for ; p != nil; p = p.rest {
		moves = append(moves, p.says)
	}
	return moves
}

// trail is a way from the opening into the game, the last decision first: ways share their beginnings.
type trail struct {
	says   string
	before *trail
	length int
}

func (t *trail) then(says string) *trail {
	if t == nil {
		return &trail{says: says, length: 1}
	}
	return &trail{says: says, before: t, length: t.length + 1}
}

func (t *trail) moves() []string {
	if t == nil {
		return nil
	}
	moves := make([]string, t.length)
	for ; t != nil; t = t.before {
		moves[t.length-1] = t.says
	}
	return moves
}

// against shows every end that others can bring about while a party is honest. The arbiter is honest too, unless it is
// in league with the others.
func against(victim board.Party, f *fork, league bool, so *trail, see func(end *payoffs, way *trail)) {
	for _, b := range f.branches {
		fixed := f.who == victim || f.who == board.Arbiter && !league
		switch way := so.then(b.says); {
		case fixed && !b.honest:
		case b.end != nil:
			see(b.end, way)
		default:
			against(victim, b.next, league, way, see)
		}
	}
}
