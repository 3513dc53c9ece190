package trade_test

import (
	"fmt"
	"math"
	"testing"

	"lockstep/trade"
	"lockstep/types"
)

func fallbacks() []types.Fallback {
	return []types.Fallback{&types.Hold{}, &types.Meter{}, &types.Arbiter{Key: keyOf("arbiter")}}
}

// wantMay states protocol sections 3 and 4 a second time, in words: the code for a move in a recorded phase at a moment.
func wantMay(m trade.Move, terms string, phase types.Phase, clock types.Time) types.Code {
	d := sampleDeadlines()
	lapsed := phase == types.PhaseLapsed || phase == types.PhaseAgreed && clock > d.PayBy
	refunded := phase == types.PhaseRefunded || phase == types.PhasePaid && clock > d.DeliverBy
	one := func(possible bool) types.Code {
		if possible {
			return types.CodeOK
		}
		return types.CodePhase
	}
	switch m {
	case trade.MovePay:
		if lapsed {
			return types.CodeTooLate
		}
		return one(phase == types.PhaseAgreed)
	case trade.MoveDeliver:
		if refunded {
			return types.CodeTooLate
		}
		return one(phase == types.PhasePaid)
	case trade.MoveSplit:
		return one(phase == types.PhasePaid && !refunded || phase == types.PhaseDelivered)
	case trade.MoveCollect, trade.MoveTakeReturn:
		return one(phase == types.PhaseReleased)
	case trade.MoveRefund, trade.MoveTakeBond:
		return one(refunded)
	}
	switch { // the rest is of delivered trades, and some of it of certain terms
	case m == trade.MoveAward && terms != "arbiter":
		return types.CodeArbiter
	case (m == trade.MoveRead || m == trade.MoveSettle) && terms != "meter", phase != types.PhaseDelivered:
		return types.CodePhase
	case m == trade.MoveRelease && terms != "hold" && clock > d.ConfirmBy, m == trade.MoveRead && clock > d.ReadingBy:
		return types.CodeTooLate
	case (m == trade.MoveSettle || m == trade.MoveAward) && clock <= d.ConfirmBy:
		return types.CodeTooEarly
	}
	return types.CodeOK
}

// TestMay holds the table of windows against its statement in words: every move, under all fallback terms, in every recorded
// phase, one millisecond before, at and one millisecond after every deadline.
func TestMay(t *testing.T) {
	t.Parallel()
	for _, fallback := range fallbacks() {
		for phase := types.Phase(0); phase <= types.PhaseLapsed+1; phase++ {
			for m := trade.MovePay; m <= trade.MoveTakeBond; m++ {
				for _, clock := range clocks() {
					deal := sampleTrade()
					deal.Agreement.Fallback, deal.Phase = fallback, phase
					want := wantMay(m, types.FallbackKind(fallback), phase, clock)
					if err := trade.May(&deal, m, clock); types.CodeOf(err) != want {
						t.Errorf("%s terms, recorded as %s, %s at %d: %v, want %s", types.FallbackKind(fallback), phase, m, clock, err, want)
					}
				}
			}
		}
	}
	deal := sampleTrade()
	for _, m := range []trade.Move{0, trade.MoveTakeBond + 1, math.MaxUint8} {
		if err := trade.May(&deal, m, noon); types.CodeOf(err) != types.CodePhase {
			t.Errorf("move %d: %v", m, err)
		}
	}
}

// TestTextsOfRefusals checks that each refusal of a move states its own reason: the deadline, the terms or the phase.
func TestTextsOfRefusals(t *testing.T) {
	t.Parallel()
	d := sampleDeadlines()
	for _, c := range []struct {
		move     trade.Move
		phase    types.Phase
		fallback types.Fallback
		clock    types.Time
		want     string
	}{
		{trade.MoveSettle, types.PhaseDelivered, &types.Meter{}, d.ConfirmBy, fmt.Sprintf(
			"too_early: settle is possible once %s has passed, the ledger clock is at %s", d.ConfirmBy, d.ConfirmBy)},
		{trade.MovePay, types.PhaseAgreed, &types.Hold{}, d.PayBy + 1, fmt.Sprintf("too_late: pay was possible until %s: the trade is lapsed", d.PayBy)},
		{trade.MoveDeliver, types.PhasePaid, &types.Hold{}, d.DeliverBy + 1, fmt.Sprintf(
			"too_late: deliver was possible until %s: the trade is refunded", d.DeliverBy)},
		{trade.MoveRelease, types.PhaseDelivered, &types.Meter{}, d.ConfirmBy + 1, fmt.Sprintf(
			"too_late: release was possible until confirm-by %s: the trade ends by its meter terms", d.ConfirmBy)},
		{trade.MoveRead, types.PhaseDelivered, &types.Meter{}, d.ReadingBy + 1, fmt.Sprintf(
			"too_late: read was possible until reading-by %s: the trade ends by its meter terms", d.ReadingBy)},
		{trade.MoveSettle, types.PhaseDelivered, &types.Hold{}, noon, "phase: settle needs meter terms, this trade has hold terms"},
		{trade.MoveAward, types.PhaseDelivered, &types.Meter{}, noon, "arbiter: award needs arbiter terms, this trade has meter terms"},
		{trade.MovePay, types.PhaseDelivered, &types.Hold{}, noon, "phase: pay is impossible: the trade is delivered"},
		{trade.MoveSettle, types.PhasePaid, &types.Meter{}, noon, "phase: settle is impossible: the trade is paid"},
	} {
		deal := sampleTrade()
		deal.Agreement.Fallback, deal.Phase = c.fallback, c.phase
		if err := trade.May(&deal, c.move, c.clock); err == nil || err.Error() != c.want {
			t.Errorf("%s of a trade recorded as %s at %s:\n%v\nwant\n%s", c.move, c.phase, c.clock, err, c.want)
		}
	}
}

// TestMovesAgreeWithMay: a move is listed if and only if it is possible and, where it spends a part, the part is there.
func TestMovesAgreeWithMay(t *testing.T) {
	t.Parallel()
	spends := map[trade.Move][]types.Part{
		trade.MoveCollect: {types.PartPayment, types.PartBond}, trade.MoveTakeReturn: {types.PartReturn},
		trade.MoveRefund: {types.PartPayment, types.PartDeposit}, trade.MoveTakeBond: {types.PartBond},
	}
	for _, fallback := range fallbacks() {
		for phase := types.Phase(0); phase <= types.PhaseLapsed; phase++ {
			for parts := range 1 << 4 {
				for _, clock := range clocks() {
					deal := sampleTrade()
					deal.Agreement.Fallback, deal.Phase, deal.Locked = fallback, phase, nil
					for part := types.PartPayment; part <= types.PartBond; part++ {
						if parts>>(part-types.PartPayment)&1 == 1 {
							deal.Locked = append(deal.Locked, types.Locked{Part: part, Amount: 1})
						}
					}
					listed := map[string]bool{}
					for _, move := range trade.Moves(&deal, clock) {
						listed[move.What] = true
					}
					for m := trade.MovePay; m <= trade.MoveTakeBond; m++ {
						want := trade.May(&deal, m, clock) == nil
						if which, spending := spends[m]; spending && want {
							want = false
							for _, part := range which {
								_, there := deal.Find(part)
								want = want || there
							}
						}
						if listed[m.String()] != want {
							t.Errorf("%s, parts %04b, at %d: %s is listed: %t", phase, parts, clock, m, !want)
						}
					}
				}
			}
		}
	}
}

// TestMovesWithoutKey: a part without an owner does not belong to a party without a key, which no ledger would record.
func TestMovesWithoutKey(t *testing.T) {
	t.Parallel()
	deal := sampleTrade()
	deal.Agreement.Producer, deal.Agreement.Consumer = types.PublicKey{}, types.PublicKey{}
	for phase, part := range map[types.Phase]types.Part{types.PhaseReleased: types.PartDeposit, types.PhaseRefunded: types.PartReturn} {
		deal.Phase, deal.Locked = phase, []types.Locked{{Part: part, Amount: 1}}
		if moves := trade.Moves(&deal, noon); len(moves) > 0 {
			t.Errorf("%s with the %s: %v", phase, part, moves)
		}
	}
}

// TestNoSharedWindow: at no moment can both parties take a step of their own, which is why there is no race. A reading takes
// nothing from the other party, nor does a producer that takes its own bond back.
func TestNoSharedWindow(t *testing.T) {
	t.Parallel()
	for _, fallback := range fallbacks() {
		for _, phase := range []types.Phase{types.PhaseAgreed, types.PhasePaid, types.PhaseDelivered} {
			for _, clock := range clocks() {
				deal := sampleTrade()
				deal.Agreement.Fallback, deal.Phase = fallback, phase
				var able []string
				for _, move := range trade.Moves(&deal, clock) {
					if move.What != "split" && move.What != "read" && move.What != "take_bond" {
						able = append(able, move.What)
					}
				}
				if len(able) > 1 {
					t.Errorf("%s, %s at %d: %v", types.FallbackKind(fallback), phase, clock, able)
				}
			}
		}
	}
}

func TestPassed(t *testing.T) {
	t.Parallel()
	for clock, want := range map[types.Time]bool{noon - 1: false, noon: false, noon + 1: true} {
		if trade.Passed(noon, clock) != want {
			t.Errorf("%d ms from the deadline: passed %t", int64(clock)-int64(noon), !want)
		}
	}
}

func TestPhasesThatEnd(t *testing.T) {
	t.Parallel()
	steps := map[types.Phase]types.StepKind{
		types.PhaseReleased: types.StepReleased, types.PhaseSplit: types.StepSplit, types.PhaseSettled: types.StepSettled, types.PhaseAwarded: types.StepAwarded,
	}
	for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
		if got := trade.EndingStep(phase); got != steps[phase] {
			t.Errorf("%s: ended by step %s", phase, got)
		}
		if want := phase == types.PhaseAgreed || phase == types.PhasePaid || phase == types.PhaseDelivered; trade.Running(phase) != want {
			t.Errorf("%s: running %t", phase, !want)
		}
		for _, locked := range [][]types.Locked{nil, {{Part: types.PartPayment, Amount: 1}}} {
			deal := types.Trade{Phase: phase, Locked: locked}
			if want := phase != types.PhaseAgreed && locked == nil; trade.Over(&deal) != want {
				t.Errorf("%s with %d parts: over %t", phase, len(locked), !want)
			}
		}
	}
}

func TestPutIn(t *testing.T) {
	t.Parallel()
	deal := sampleTrade()
	for part, want := range map[types.Part]string{
		types.PartPayment: "consumer", types.PartDeposit: "consumer", types.PartReturn: "consumer", types.PartBond: "producer",
	} {
		if trade.PutIn(&deal, part) != keyOf(want) {
			t.Errorf("the %s is not the %s's", part, want)
		}
	}
}

func TestNameOfUnknownMove(t *testing.T) {
	t.Parallel()
	if got := trade.Move(0).String(); got != "none" {
		t.Errorf("the name of no move is %q", got)
	}
}
