package trade_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/trade"
	"lockstep/types"
)

// clocks are the moments at which anything could change: each deadline, the one before and the one after, and both ends.
func clocks() []types.Time {
	d := sampleDeadlines()
	list := []types.Time{0, types.MaxTime, math.MaxUint64}
	for _, deadline := range []types.Time{d.PayBy, d.DeliverBy, d.ReadingBy, d.ConfirmBy} {
		list = append(list, deadline-1, deadline, deadline+1)
	}
	return list
}

// TestOwner checks the owner of every part against the rule of the protocol in words, for every recorded phase and moment, under
// every fallback: a release gives the return to the consumer and the rest to the producer; a paid trade without a delivery by
// deliver-by gives all to the consumer but a staked bond, which is the producer's; no other part has an owner.
func TestOwner(t *testing.T) {
	t.Parallel()
	for _, fallback := range []types.Fallback{&types.Hold{}, &types.Meter{}, &types.Arbiter{Key: keyOf("arbiter")}} {
		for phase := types.Phase(0); phase <= types.PhaseLapsed+1; phase++ {
			for part := types.Part(0); part <= types.PartBond+1; part++ {
				for _, clock := range clocks() {
					deal := sampleTrade()
					deal.Phase, deal.Agreement.Fallback = phase, fallback
					want := ownerInWords(phase, part, clock > deal.Agreement.Deadlines.DeliverBy)
					key, owned := trade.Owner(&deal, part, clock)
					if entitled, after, ok := trade.Entitled(&deal, part); owned != (ok && (after == 0 || clock > after)) || owned && entitled != key {
						t.Errorf("%s, recorded as %s, at %s: %s is entitled to the %s after %s (%t), but %s owns it (%t)", types.FallbackKind(fallback), phase,
							clock, entitled, part, after, ok, key, owned)
					}
					got := map[types.PublicKey]string{{}: "nobody", keyOf("producer"): "producer", keyOf("consumer"): "consumer"}[key]
					if got != want || owned != (want != "nobody") {
						t.Errorf("%s, recorded as %s, at %s: the %s is %q's (%t), want %q", types.FallbackKind(fallback), phase, clock, part, got, owned, want)
					}
				}
			}
		}
	}
}

func ownerInWords(phase types.Phase, part types.Part, deliverByPassed bool) string {
	switch fmt.Sprintf("%s of a trade %s", part, phase) {
	case "payment of a trade released", "bond of a trade released":
		return "producer"
	case "return of a trade released":
		return "consumer"
	case "payment of a trade refunded", "deposit of a trade refunded":
		return "consumer"
	case "bond of a trade refunded": // a staked one
		return "producer"
	case "bond of a trade paid":
		if deliverByPassed {
			return "producer"
		}
	case "payment of a trade paid", "deposit of a trade paid":
		if deliverByPassed {
			return "consumer"
		}
	}
	return "nobody"
}

// Once somebody owns a part, nobody else ever will: time alone never takes it away.
func TestOwnerStays(t *testing.T) {
	t.Parallel()
	for phase := types.Phase(0); phase <= types.PhaseLapsed; phase++ {
		for part := types.PartPayment; part <= types.PartBond; part++ {
			deal := sampleTrade()
			deal.Phase = phase
			for _, early := range clocks() {
				owner, owned := trade.Owner(&deal, part, early)
				for _, late := range clocks() {
					if after, still := trade.Owner(&deal, part, late); owned && late >= early && (!still || after != owner) {
						t.Errorf("the %s of a trade %s changes hands between %s and %s", part, phase, early, late)
					}
				}
			}
		}
	}
}

func TestPhaseAt(t *testing.T) {
	t.Parallel()
	d := sampleDeadlines()
	for _, c := range []struct {
		recorded types.Phase
		clock    types.Time
		want     types.Phase
	}{
		{types.PhaseAgreed, d.PayBy, types.PhaseAgreed},
		{types.PhaseAgreed, d.PayBy + 1, types.PhaseLapsed},
		{types.PhasePaid, d.DeliverBy, types.PhasePaid},
		{types.PhasePaid, d.DeliverBy + 1, types.PhaseRefunded},
		{types.PhaseDelivered, d.ConfirmBy + 1, types.PhaseDelivered},
		{types.PhaseReleased, types.MaxTime, types.PhaseReleased},
		{types.PhaseSplit, types.MaxTime, types.PhaseSplit},
	} {
		deal := sampleTrade()
		deal.Phase = c.recorded
		if got := trade.PhaseAt(&deal, c.clock); got != c.want {
			t.Errorf("%s at %s is %s, want %s", c.recorded, c.clock, got, c.want)
		}
	}
}

// TestOpens releases a trade of N instalments in every step that a consumer could take next.
func TestOpens(t *testing.T) {
	t.Parallel()
	secret := sampleSecret()
	for _, n := range []uint16{1, 5, types.MaxInstalments} {
		preimage := func(k uint16) types.Secret { return types.Secret(secret.Digest(int(n - k))) }
		for _, released := range []uint16{0, 1, n / 2, n - 1, n} {
			if released > n {
				continue
			}
			deal := types.Trade{Agreement: sampleAgreement(), Digest: secret.Digest(int(n)), Released: released}
			deal.Agreement.Instalments = n
			if released > 0 {
				deal.Preimage = preimage(released)
			}
			for _, k := range []uint16{0, 1, 2, released, released + 1, n / 2, n - 1, n, n + 1, math.MaxUint16} {
				inBounds := k > released && k <= n
				if inBounds != (k <= n && trade.Opens(&deal, k, preimage(k), nil)) {
					t.Errorf("N %d, %d released: instalment %d opens: %t", n, released, k, !inBounds)
				}
				wrong := types.Secret{1}
				if trade.Opens(&deal, k, wrong, nil) {
					t.Errorf("N %d, %d released: instalment %d opens with a wrong secret", n, released, k)
				}
				if inBounds && k < n && trade.Opens(&deal, k, preimage(k+1), nil) {
					t.Errorf("N %d, %d released: instalment %d opens with the preimage of the next", n, released, k)
				}
			}
			if trade.Opens(&deal, n+1, secret, nil) || trade.Opens(&deal, released, deal.Preimage, nil) {
				t.Errorf("N %d, %d released: something out of bounds opens", n, released)
			}
		}
	}
}

// TestOpensNoFurtherInstalment: the lock of a longer chain of secrets, as only a dishonest consumer makes one, still has N instalments.
func TestOpensNoFurtherInstalment(t *testing.T) {
	t.Parallel()
	secret := sampleSecret()
	for _, n := range []uint16{1, 5, types.MaxInstalments} {
		for _, extra := range []uint16{1, 2, 3} {
			deal := types.Trade{Agreement: sampleAgreement(), Digest: secret.Digest(int(n + extra))}
			deal.Agreement.Instalments = n
			if trade.Opens(&deal, n+extra, secret, nil) {
				t.Errorf("N %d: instalment %d opens", n, n+extra)
			}
			if last := types.Secret(secret.Digest(int(extra))); !trade.Opens(&deal, n, last, nil) {
				t.Errorf("N %d: instalment %d does not open", n, n)
			}
		}
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	d := sampleDeadlines()
	producer, consumer := keyOf("producer"), keyOf("consumer")
	collect := types.Move{Who: producer, Role: "producer", What: "collect"}
	takeReturn := types.Move{Who: consumer, Role: "consumer", What: "take_return"}
	refund := types.Move{Who: consumer, Role: "consumer", What: "refund"}
	e1 := []types.Locked{{Part: types.PartPayment, Amount: 45_000}, {Part: types.PartDeposit, Amount: 450}}
	e2 := []types.Locked{{Part: types.PartPayment, Amount: 45_000}, {Part: types.PartReturn, Amount: 450}, {Part: types.PartBond, Amount: 900}}
	for name, c := range map[string]struct {
		phase    types.Phase
		fallback types.Fallback
		locked   []types.Locked
		clock    types.Time
		want     []types.Move
	}{
		"agreed": {types.PhaseAgreed, &types.Hold{}, nil, d.PayBy, []types.Move{{Who: consumer, Role: "consumer", What: "pay", Until: d.PayBy}}},
		"lapsed": {types.PhaseAgreed, &types.Hold{}, nil, d.PayBy + 1, nil},
		"paid": {types.PhasePaid, &types.Hold{}, e1, d.DeliverBy, []types.Move{
			{Who: producer, Role: "producer", What: "deliver", Until: d.DeliverBy}, {Role: "both", What: "split", Until: d.DeliverBy},
		}},
		"not delivered":           {types.PhasePaid, &types.Hold{}, e1, d.DeliverBy + 1, []types.Move{refund}},
		"not delivered, refunded": {types.PhasePaid, &types.Hold{}, nil, d.DeliverBy + 1, nil},
		"delivered, hold": {types.PhaseDelivered, &types.Hold{}, e2, d.ConfirmBy + 1, []types.Move{
			{Who: consumer, Role: "consumer", What: "release"}, {Role: "both", What: "split"},
		}},
		"delivered, meter": {types.PhaseDelivered, &types.Meter{}, e2, d.ReadingBy, []types.Move{
			{Who: consumer, Role: "consumer", What: "release", Until: d.ConfirmBy},
			{Who: producer, Role: "producer", What: "read", Until: d.ReadingBy}, {Role: "both", What: "split"},
		}},
		"delivered, meter, read": {types.PhaseDelivered, &types.Meter{}, e2, d.ConfirmBy, []types.Move{
			{Who: consumer, Role: "consumer", What: "release", Until: d.ConfirmBy}, {Role: "both", What: "split"},
		}},
		"delivered, meter, unconfirmed": {types.PhaseDelivered, &types.Meter{}, e2, d.ConfirmBy + 1, []types.Move{
			{Role: "anyone", What: "settle"}, {Role: "both", What: "split"},
		}},
		"delivered, arbiter": {types.PhaseDelivered, &types.Arbiter{Key: keyOf("arbiter")}, e2, d.ConfirmBy, []types.Move{
			{Who: consumer, Role: "consumer", What: "release", Until: d.ConfirmBy}, {Role: "both", What: "split"},
		}},
		"delivered, arbiter, unconfirmed": {types.PhaseDelivered, &types.Arbiter{Key: keyOf("arbiter")}, e2, d.ConfirmBy + 1, []types.Move{
			{Who: keyOf("arbiter"), Role: "arbiter", What: "award"}, {Role: "both", What: "split"},
		}},
		"released":            {types.PhaseReleased, &types.Hold{}, e2, 0, []types.Move{collect, takeReturn}},
		"released, collected": {types.PhaseReleased, &types.Hold{}, e2[1:2], 0, []types.Move{takeReturn}},
		"released, over":      {types.PhaseReleased, &types.Hold{}, nil, 0, nil},
		"split":               {types.PhaseSplit, &types.Hold{}, nil, 0, nil},
	} {
		deal := types.Trade{Agreement: sampleAgreement(), Phase: c.phase, Locked: c.locked}
		deal.Agreement.Fallback = c.fallback
		if diff := cmp.Diff(c.want, trade.Moves(&deal, c.clock)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	const final = "released split settled awarded"
	for from, to := range map[types.Phase]string{
		types.PhaseAgreed:    "agreed paid delivered refunded lapsed " + final,
		types.PhasePaid:      "paid delivered refunded " + final,
		types.PhaseDelivered: "delivered " + final,
		types.PhaseReleased:  "released", types.PhaseSplit: "split", types.PhaseSettled: "settled",
		types.PhaseAwarded: "awarded", types.PhaseRefunded: "refunded", types.PhaseLapsed: "lapsed",
	} {
		for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
			if want := slices.Contains(strings.Fields(to), phase.String()); trade.Reachable(from, phase) != want {
				t.Errorf("%s from %s: %t", phase, from, !want)
			}
		}
	}
}

// TestStageSides states the side and the move of each stage.
func TestStageSides(t *testing.T) {
	t.Parallel()
	for stage, want := range map[trade.StageName]struct {
		role trade.Role
		move trade.Key
	}{
		trade.StageAgreed: {}, trade.StageMatched: {},
		trade.StageLapsed:       {role: trade.Consumer},
		trade.StagePaid:         {trade.Consumer, "move.pay"},
		trade.StageNotDelivered: {role: trade.Producer},
		trade.StageRefund:       {trade.Consumer, "move.refund"},
		trade.StageDelivered:    {trade.Producer, "move.deliver"},
		trade.StageSplit:        {role: trade.Both},
		trade.StageSettled:      {role: trade.Anyone},
		trade.StageAwarded:      {role: trade.Arbiter},
		trade.StageReleased:     {trade.Consumer, "move.release"},
		trade.StageCollected:    {trade.Producer, "move.collect"},
	} {
		if role, move := trade.StageRole(stage.Key()), trade.StageMove(stage.Key()); role != want.role || move != want.move {
			t.Errorf("%s is of %q by %q, not of %q by %q", stage, role, move, want.role, want.move)
		}
	}
}
