package agent

import (
	"fmt"
	"strings"

	"lockstep/trade"
	"lockstep/types"
)

// Diagram draws the agent's steps in a trade in the language of Mermaid: the moves that the trade machine allows in each phase, with
// the condition under which the agent makes them. It is drawn from the tables that decide.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	b.WriteString("  [*] --> agreed: the owner signs an agreement\n")
	b.WriteString("  [*] --> paid: takes an offer (consumer)\n")
	b.WriteString("  [*] --> delivered: an auction matches its order, under meter terms\n")
	for _, sample := range samples() {
		for _, move := range trade.Moves(&sample.trade, sample.clock) {
			for _, r := range rules() {
				if r.move.String() != move.What {
					continue
				}
				to := r.to
				if to == 0 {
					to = trade.PhaseAt(&sample.trade, sample.clock)
				}
				line := fmt.Sprintf("  %s --> %s: %s, %s (%s)\n", trade.PhaseAt(&sample.trade, sample.clock), to, r.does, r.when, move.Role)
				if !strings.Contains(b.String(), line) {
					b.WriteString(line)
				}
			}
		}
		if deadline, next := trade.Expiry(sample.trade.Phase, &sample.trade.Agreement.Deadlines); deadline != 0 {
			if line := fmt.Sprintf("  %s --> %s: the deadline passes\n", sample.trade.Phase, next); !strings.Contains(b.String(), line) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

type sample struct {
	trade types.Trade
	clock types.Time
}

// samples are trades of all phases, at moments within their windows.
func samples() (all []sample) {
	a := types.Agreement{
		Producer: types.PublicKey{1}, Consumer: types.PublicKey{2}, Price: 100, Deposit: 10, Bond: 10, Instalments: 1,
		Deadlines: types.Deadlines{PayBy: 100, DeliverBy: 200, ReadingBy: 300, ConfirmBy: 400}, Fallback: &types.Meter{},
	}
	for _, at := range []struct {
		phase types.Phase
		clock types.Time
		parts []types.Part
	}{
		{types.PhaseAgreed, 50, nil},
		{types.PhasePaid, 150, []types.Part{types.PartPayment, types.PartDeposit}},
		{types.PhaseDelivered, 250, []types.Part{types.PartPayment, types.PartReturn, types.PartBond}},
		{types.PhaseDelivered, 450, []types.Part{types.PartPayment, types.PartReturn, types.PartBond}},
		{types.PhaseReleased, 350, []types.Part{types.PartPayment, types.PartReturn, types.PartBond}},
		{types.PhasePaid, 250, []types.Part{types.PartPayment, types.PartDeposit, types.PartBond}}, // refunded by then
	} {
		t := types.Trade{Agreement: a, Phase: at.phase}
		for _, part := range at.parts {
			t.Locked = append(t.Locked, types.Locked{Part: part, Amount: 10})
		}
		all = append(all, sample{t, at.clock})
	}
	return all
}
