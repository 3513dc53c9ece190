package types_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestOwner is the rule of the protocol in words, held against the code for every recorded phase, part and moment, under
// every fallback: what is released is the producer's, but for the return; what was paid and not delivered by deliver-by
// is the consumer's; nothing else is anybody's.
func TestOwner(t *testing.T) {
	t.Parallel()
	for _, fallback := range []types.Fallback{&types.Hold{}, &types.Meter{}, &types.Arbiter{Key: keyOf("arbiter")}} {
		for phase := types.Phase(0); phase <= types.PhaseLapsed+1; phase++ {
			for part := types.Part(0); part <= types.PartBond+1; part++ {
				for _, clock := range clocks() {
					trade := sampleTrade()
					trade.Phase, trade.Agreement.Fallback = phase, fallback
					want := ownerInWords(phase, part, clock > trade.Agreement.Deadlines.DeliverBy)
					key, owned := trade.Owner(part, clock)
					if entitled, after, ok := trade.Entitled(part); owned != (ok && (after == 0 || clock > after)) || owned && entitled != key {
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
			trade := sampleTrade()
			trade.Phase = phase
			for _, early := range clocks() {
				owner, owned := trade.Owner(part, early)
				for _, late := range clocks() {
					if after, still := trade.Owner(part, late); owned && late >= early && (!still || after != owner) {
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
		trade := sampleTrade()
		trade.Phase = c.recorded
		if got := trade.PhaseAt(c.clock); got != c.want {
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
			trade := types.Trade{Agreement: sampleAgreement(), Digest: secret.Digest(int(n)), Released: released}
			trade.Agreement.Instalments = n
			if released > 0 {
				trade.Preimage = preimage(released)
			}
			for _, k := range []uint16{0, 1, 2, released, released + 1, n / 2, n - 1, n, n + 1, math.MaxUint16} {
				inBounds := k > released && k <= n
				if inBounds != (k <= n && trade.Opens(k, preimage(k))) {
					t.Errorf("N %d, %d released: instalment %d opens: %t", n, released, k, !inBounds)
				}
				wrong := types.Secret{1}
				if trade.Opens(k, wrong) {
					t.Errorf("N %d, %d released: instalment %d opens with a wrong secret", n, released, k)
				}
				if inBounds && k < n && trade.Opens(k, preimage(k+1)) {
					t.Errorf("N %d, %d released: instalment %d opens with the preimage of the next", n, released, k)
				}
			}
			if trade.Opens(n+1, secret) || trade.Opens(released, trade.Preimage) {
				t.Errorf("N %d, %d released: something out of bounds opens", n, released)
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
		trade := types.Trade{Agreement: sampleAgreement(), Phase: c.phase, Locked: c.locked}
		trade.Agreement.Fallback = c.fallback
		if diff := cmp.Diff(c.want, trade.Moves(c.clock)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestTradeRecord(t *testing.T) {
	t.Parallel()
	trade := sampleTrade()
	if trade.LockedSum() != 28_350 {
		t.Errorf("%s locked", trade.LockedSum())
	}
	if locked, ok := trade.Find(types.PartBond); !ok || locked.Amount != 900 {
		t.Errorf("bond %+v, %t", locked, ok)
	}
	if locked, ok := trade.Find(types.PartDeposit); ok {
		t.Errorf("a delivered trade still has its deposit: %+v", locked)
	}
	if step, ok := trade.Step(types.StepDelivered); !ok || step.Tx != (types.TxID{3}) {
		t.Errorf("delivered %+v, %t", step, ok)
	}
	if step, ok := trade.Step(types.StepCollected); ok {
		t.Errorf("collected already: %+v", step)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	type named interface {
		fmt.Stringer
		MarshalText() ([]byte, error)
	}
	seen := map[string]bool{}
	check := func(value named, read func(string) (named, error)) {
		name := value.String()
		if again, err := read(name); err != nil || again != value || seen[fmt.Sprintf("%T %s", value, name)] {
			t.Errorf("%q reads as %v (%v), or stands twice", name, again, err)
		}
		seen[fmt.Sprintf("%T %s", value, name)] = true
		if _, err := read("nonsense"); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%T reads nonsense: %v", value, err)
		}
	}
	for p := types.PartPayment; p <= types.PartBond; p++ {
		check(p, func(s string) (named, error) { var p types.Part; err := p.UnmarshalText([]byte(s)); return p, err })
	}
	for p := types.PhaseAgreed; p <= types.PhaseLapsed; p++ {
		check(p, func(s string) (named, error) { var p types.Phase; err := p.UnmarshalText([]byte(s)); return p, err })
	}
	for k := types.StepAgreed; k <= types.StepAwarded; k++ {
		check(k, func(s string) (named, error) { var k types.StepKind; err := k.UnmarshalText([]byte(s)); return k, err })
	}
}
