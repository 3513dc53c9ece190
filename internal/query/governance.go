package query

import (
	"context"
	"strconv"

	"lockstep/client/wire"
	"lockstep/internal/store"
	"lockstep/types"
)

// Governance implements [httpapi.Ledger].
func (l *Ledger) Governance(context.Context) (wire.Governance, error) {
	return fromHead(l, func(s *store.Head) (wire.Governance, error) {
		answer := wire.Governance{Height: s.Height(), Governance: types.Governance{Params: l.store.Genesis()}, Decisions: s.Decisions()}
		if g, ok := s.Reader.Governance(); ok {
			answer.Governance = *g
		}
		if at, ok := s.Checkpoint(); ok {
			answer.Checkpoint = &at
		}
		g := &answer.Governance
		g.Scheduled, g.Validators, g.Moves = filledList(g.Scheduled), filledList(g.Validators), filledList(g.Moves)
		return answer, nil
	})
}

// filledList is a list that JSON writes as one, also when it is empty.
func filledList[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Decisions implements [httpapi.Ledger].
func (l *Ledger) Decisions(_ context.Context, part wire.Page) (wire.Decisions, error) {
	return fromHead(l, func(s *store.Head) (wire.Decisions, error) {
		from := s.Decisions()
		if part.After != "" {
			last, err := strconv.ParseUint(part.After, 10, 64)
			if err != nil || last == 0 {
				return wire.Decisions{}, misplaced(part.After)
			}
			from = min(from, last-1)
		}
		page := wire.Decisions{Height: s.Height(), Decisions: []wire.Decision{}}
		for number := from; number > 0; number-- {
			if len(page.Decisions) == part.Limit {
				page.Next = strconv.FormatUint(number+1, 10)
				break
			}
			if decided, ok := s.Decision(number); ok {
				page.Decisions = append(page.Decisions, wire.Decision{ID: decided.Decision.ID(), Decided: *decided})
			}
		}
		return page, nil
	})
}
