package trade_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/trade"
	"lockstep/types"
)

const longest = types.Duration(3_600_000)

func theTx() types.TxID { return types.TxID{42} }

// inPhase is the sample trade as it stands after its steps up to a phase.
func inPhase(phase types.Phase) types.Trade {
	t := sampleTrade()
	t.Phase, t.Released, t.Preimage = phase, 0, types.Secret{}
	switch phase {
	case types.PhaseAgreed:
		t.Locked, t.Digest, t.Steps = nil, types.Hash{}, t.Steps[:1]
	case types.PhasePaid:
		t.Locked, t.Steps = []types.Locked{{Part: types.PartPayment, Amount: 45_000}, {Part: types.PartDeposit, Amount: 450}}, t.Steps[:2]
	default:
		t.Locked[0].Amount, t.Steps = 45_000, t.Steps[:3]
	}
	return t
}

func splitOf(t *types.Trade, toProducer, toConsumer types.Amount) *types.Split {
	return &types.Split{
		Trade: t.ID(), Phase: t.Phase, Released: t.Released, ToProducer: toProducer, ToConsumer: toConsumer, Submitter: keyOf("submitter"),
		Mandates: types.Mandates{
			ValidUntil: noon, Producer: types.Signature{Key: keyOf("producer")}, Consumer: types.Signature{Key: keyOf("consumer")},
		},
	}
}

// TestApply takes every step once and compares the whole trade and the whole effect.
func TestApply(t *testing.T) {
	t.Parallel()
	secret, d := sampleSecret(), sampleDeadlines()
	id := func(deal types.Trade) types.TradeID { return deal.ID() }
	preimage := func(k uint16) types.Secret { return types.Secret(secret.Digest(int(5 - k))) }
	locked := func(list ...types.Locked) []types.Locked { return list }
	payment := func(amount types.Amount) types.Locked { return types.Locked{Part: types.PartPayment, Amount: amount} }
	theReturn, bond := types.Locked{Part: types.PartReturn, Amount: 450}, types.Locked{Part: types.PartBond, Amount: 900}
	slot := &types.Slot{
		Claims:   []types.Claim{{Height: 12, Trade: id(with(inPhase(types.PhaseDelivered), &types.Meter{})), Quantity: 1500, ReadingBy: d.ReadingBy}},
		Readings: []types.SlotReading{{At: d.ReadingBy, Quantity: 500}},
	}
	for name, c := range map[string]struct {
		from     types.Trade
		action   types.Action
		slot     *types.Slot
		clock    types.Time
		edit     func(*types.Trade)
		effect   trade.Effect
		appended bool // the step is new; else it replaces the last of its kind
	}{
		"pay": {
			from: inPhase(types.PhaseAgreed), action: &types.Pay{Digest: secret.Digest(5)}, clock: d.PayBy,
			edit: func(n *types.Trade) {
				n.Phase, n.Digest, n.Locked = types.PhasePaid, secret.Digest(5), locked(payment(45_000), types.Locked{Part: types.PartDeposit, Amount: 450})
			},
			effect:   trade.Effect{Debit: 45_450, Signer: keyOf("consumer"), Step: types.StepPaid, Event: types.EventPaid},
			appended: true,
		},
		"deliver": {
			from: inPhase(types.PhasePaid), action: &types.Deliver{}, clock: d.DeliverBy,
			edit: func(n *types.Trade) {
				n.Phase, n.Locked = types.PhaseDelivered, locked(payment(45_000), theReturn, bond)
			},
			effect:   trade.Effect{Debit: 900, Signer: keyOf("producer"), Step: types.StepDelivered, Event: types.EventDelivered},
			appended: true,
		},
		"deliver without a bond": {
			from: unbonded(inPhase(types.PhasePaid)), action: &types.Deliver{}, clock: d.DeliverBy,
			edit:     func(n *types.Trade) { n.Phase, n.Locked = types.PhaseDelivered, locked(payment(45_000), theReturn) },
			effect:   trade.Effect{Signer: keyOf("producer"), Step: types.StepDelivered, Event: types.EventDelivered},
			appended: true,
		},
		"release of the first instalment": {
			from: inPhase(types.PhaseDelivered), action: &types.Release{Instalment: 1, Preimage: preimage(1)}, clock: types.MaxTime,
			edit: func(n *types.Trade) {
				n.Released, n.Preimage, n.Locked = 1, preimage(1), locked(payment(36_000), theReturn, bond)
			},
			effect:   trade.Effect{ToProducer: 9_000, Step: types.StepReleased, Event: types.EventReleased},
			appended: true,
		},
		"release of two more": {
			from: sampleTrade(), action: &types.Release{Instalment: 4, Preimage: preimage(4)}, clock: d.ConfirmBy,
			edit: func(n *types.Trade) {
				n.Released, n.Preimage, n.Locked = 4, preimage(4), locked(payment(9_000), theReturn, bond)
			},
			effect: trade.Effect{ToProducer: 18_000, Step: types.StepReleased, Event: types.EventReleased},
		},
		"release of the last": {
			from: sampleTrade(), action: &types.Release{Instalment: 5, Preimage: preimage(5)}, clock: d.ConfirmBy,
			edit:   func(n *types.Trade) { n.Phase, n.Released, n.Preimage = types.PhaseReleased, 5, preimage(5) },
			effect: trade.Effect{Step: types.StepReleased, Event: types.EventReleased},
		},
		"split": {
			from: sampleTrade(), action: splitOf(ref(sampleTrade()), 28_000, 350), clock: types.MaxTime,
			edit: func(n *types.Trade) { n.Phase, n.Locked = types.PhaseSplit, nil },
			effect: trade.Effect{
				ToProducer: 28_000, ToConsumer: 350, Signer: keyOf("submitter"), Step: types.StepSplit, Event: types.EventSplit, Over: true,
			},
			appended: true,
		},
		"settle": {
			from: with(inPhase(types.PhaseDelivered), &types.Meter{}), slot: slot, clock: d.ConfirmBy + 1,
			action: &types.Settle{Trade: slot.Claims[0].Trade},
			edit:   func(n *types.Trade) { n.Phase, n.Locked, n.Allotted = types.PhaseSettled, nil, 500 },
			effect: trade.Effect{ // a third of price and bond
				ToProducer: 15_300, ToConsumer: 31_050, Step: types.StepSettled, Event: types.EventSettled, Over: true,
			},
			appended: true,
		},
		"award": {
			from: with(sampleTrade(), &types.Arbiter{Key: keyOf("arbiter")}), clock: d.ConfirmBy + 1, action: &types.Award{ToProducer: 350, ToConsumer: 28_000},
			edit: func(n *types.Trade) { n.Phase, n.Locked = types.PhaseAwarded, nil },
			effect: trade.Effect{
				ToProducer: 350, ToConsumer: 28_000, Signer: keyOf("arbiter"), Step: types.StepAwarded, Event: types.EventAwarded, Over: true,
			},
			appended: true,
		},
	} {
		evidence := trade.Evidence{Tx: theTx(), BlockTime: noon, MaxValidity: longest, Slot: c.slot}
		want := copyOf(&c.from)
		c.edit(&want)
		step := types.Step{Kind: c.effect.Step, At: c.clock, Tx: theTx()}
		if c.appended {
			want.Steps = append(want.Steps, step)
		} else {
			want.Steps[len(want.Steps)-1] = step
		}
		for _, inPlace := range []bool{false, true} {
			evidence.InPlace = inPlace
			from := copyOf(&c.from)
			next, effect, err := trade.Apply(&from, c.action, evidence, c.clock)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if diff := cmp.Diff(want, *next) + cmp.Diff(c.effect, effect); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
			if same := next == &from; same != inPlace {
				t.Errorf("%s: the trade itself was returned: %t", name, same)
			}
			if diff := cmp.Diff(c.from, from); !inPlace && diff != "" {
				t.Errorf("%s changed the trade that it was given:\n%s", name, diff)
			}
		}
		if err := trade.Check(&c.from, c.action, c.clock); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ref(t types.Trade) *types.Trade { return &t }

func with(t types.Trade, fallback types.Fallback) types.Trade {
	t.Agreement.Fallback = fallback
	return t
}

func unbonded(t types.Trade) types.Trade {
	t.Agreement.Bond = 0
	return t
}

func copyOf(t *types.Trade) types.Trade {
	next := *t
	next.Locked = append([]types.Locked(nil), t.Locked...)
	next.Steps = append([]types.Step(nil), t.Steps...)
	return next
}

// TestRefusals corrupts one thing in a step that is possible.
func TestRefusals(t *testing.T) {
	t.Parallel()
	d, secret := sampleDeadlines(), sampleSecret()
	release := func(k, preimage uint16) *types.Release {
		return &types.Release{Instalment: k, Preimage: types.Secret(secret.Digest(int(5 - preimage)))}
	}
	split := func(edit func(*types.Split)) *types.Split {
		s := splitOf(ref(sampleTrade()), 28_000, 350)
		edit(s)
		return s
	}
	arbited := with(sampleTrade(), &types.Arbiter{Key: keyOf("arbiter")})
	for name, c := range map[string]struct {
		from         types.Trade
		action       types.Action
		clock        types.Time
		check, apply types.Code
	}{
		"instalment released already":  {sampleTrade(), release(2, 2), noon, types.CodeInstalment, types.CodeInstalment},
		"instalment zero":              {inPhase(types.PhaseDelivered), release(0, 1), noon, types.CodeInstalment, types.CodeInstalment},
		"instalment beyond the last":   {sampleTrade(), release(6, 5), noon, types.CodeInstalment, types.CodeInstalment},
		"preimage of another":          {sampleTrade(), release(4, 3), noon, types.CodeSecret, types.CodeSecret},
		"release of a paid trade":      {inPhase(types.PhasePaid), release(1, 1), noon, types.CodePhase, types.CodePhase},
		"split for another phase":      {sampleTrade(), split(func(s *types.Split) { s.Phase = types.PhasePaid }), noon, types.CodeMandate, types.CodeMandate},
		"split for fewer released":     {sampleTrade(), split(func(s *types.Split) { s.Released-- }), noon, types.CodeMandate, types.CodeMandate},
		"split for more released":      {sampleTrade(), split(func(s *types.Split) { s.Released++ }), noon, types.CodeMandate, types.CodeMandate},
		"split of too little":          {sampleTrade(), split(func(s *types.Split) { s.ToProducer-- }), noon, types.CodeSplit, types.CodeSplit},
		"split of too much":            {sampleTrade(), split(func(s *types.Split) { s.ToConsumer++ }), noon, types.CodeSplit, types.CodeSplit},
		"split that overflows":         {sampleTrade(), split(func(s *types.Split) { s.ToProducer, s.ToConsumer = types.MaxAmount, 28_351 }), noon, types.CodeSplit, types.CodeSplit},
		"split by others":              {sampleTrade(), split(func(s *types.Split) { s.Mandates.Producer.Key = keyOf("mallory") }), noon, types.CodeOK, types.CodeMandate},
		"split without a submitter":    {sampleTrade(), split(func(s *types.Split) { s.Submitter = types.PublicKey{} }), noon, types.CodeOK, types.CodeOf(types.PublicKey{}.Check("submitter"))},
		"award of too little":          {arbited, &types.Award{ToProducer: 28_349}, d.ConfirmBy + 1, types.CodeSplit, types.CodeSplit},
		"award too early":              {arbited, &types.Award{ToProducer: 28_350}, d.ConfirmBy, types.CodeTooEarly, types.CodeTooEarly},
		"settlement without a slot":    {with(sampleTrade(), &types.Meter{}), &types.Settle{}, d.ConfirmBy + 1, types.CodeOK, types.CodeSlot},
		"settlement under hold":        {sampleTrade(), &types.Settle{}, d.ConfirmBy + 1, types.CodePhase, types.CodePhase},
		"payment after pay-by":         {inPhase(types.PhaseAgreed), &types.Pay{}, d.PayBy + 1, types.CodeTooLate, types.CodeTooLate},
		"delivery after deliver-by":    {inPhase(types.PhasePaid), &types.Deliver{}, d.DeliverBy + 1, types.CodeTooLate, types.CodeTooLate},
		"an action of no trade":        {sampleTrade(), &types.Draw{}, noon, types.CodeMalformed, types.CodeMalformed},
		"an agreement is not the next": {sampleTrade(), &types.Agree{}, noon, types.CodeMalformed, types.CodeMalformed},
	} {
		before := copyOf(&c.from)
		if err := trade.Check(&c.from, c.action, c.clock); types.CodeOf(err) != c.check {
			t.Errorf("check %s: %v, want %s", name, err, c.check)
		}
		evidence := trade.Evidence{Tx: theTx(), BlockTime: noon, MaxValidity: longest}
		next, effect, err := trade.Apply(&c.from, c.action, evidence, c.clock)
		if types.CodeOf(err) != c.apply || next != nil || effect != (trade.Effect{}) {
			t.Errorf("apply %s: %v, want %s", name, err, c.apply)
		}
		if diff := cmp.Diff(before, c.from); diff != "" {
			t.Errorf("%s changed the trade:\n%s", name, diff)
		}
	}
}

// TestDeliverBeforeTheSlot: block time counts for metered goods, and for no others.
func TestDeliverBeforeTheSlot(t *testing.T) {
	t.Parallel()
	metered := inPhase(types.PhasePaid)
	plain := inPhase(types.PhasePaid)
	plain.Agreement.Goods.Flow = types.Flow{}
	from := metered.Agreement.Goods.From
	for blockTime, code := range map[types.Time]types.Code{from - 1: types.CodeOK, from: types.CodeTooLate, from + 1: types.CodeTooLate} {
		evidence := trade.Evidence{BlockTime: blockTime}
		if _, _, err := trade.Apply(&metered, &types.Deliver{}, evidence, noon); types.CodeOf(err) != code {
			t.Errorf("metered, block %d ms from the slot: %v, want %s", int64(blockTime)-int64(from), err, code)
		}
		if _, _, err := trade.Apply(&plain, &types.Deliver{}, evidence, noon); err != nil {
			t.Errorf("without a meter: %v", err)
		}
		for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
			deal := inPhase(phase)
			for _, clock := range clocks() {
				possible := wantMay(trade.MovePay, "hold", phase, clock) == types.CodeOK || wantMay(trade.MoveDeliver, "hold", phase, clock) == types.CodeOK
				if want := code == types.CodeOK && possible; trade.Deliverable(&deal, clock, blockTime) != want {
					t.Errorf("%s at %d, block %d: deliverable %t", phase, clock, blockTime, !want)
				}
			}
		}
	}
}

func TestCheckMandates(t *testing.T) {
	t.Parallel()
	a := sampleAgreement()
	for name, c := range map[string]struct {
		edit func(*types.Mandates)
		want types.Code
	}{
		"good":                     {func(*types.Mandates) {}, types.CodeOK},
		"producer's by another":    {func(m *types.Mandates) { m.Producer.Key = keyOf("mallory") }, types.CodeMandate},
		"consumer's by another":    {func(m *types.Mandates) { m.Consumer.Key = keyOf("mallory") }, types.CodeMandate},
		"in each other's place":    {func(m *types.Mandates) { m.Producer, m.Consumer = m.Consumer, m.Producer }, types.CodeMandate},
		"until the block":          {func(m *types.Mandates) { m.ValidUntil = noon }, types.CodeOK},
		"until just before":        {func(m *types.Mandates) { m.ValidUntil = noon - 1 }, types.CodeExpired},
		"as long as is possible":   {func(m *types.Mandates) { m.ValidUntil = noon.Add(longest) }, types.CodeOK},
		"longer than is possible":  {func(m *types.Mandates) { m.ValidUntil = noon.Add(longest) + 1 }, types.CodeValidity},
		"somewhere in the between": {func(m *types.Mandates) { m.ValidUntil = noon + 1 }, types.CodeOK},
	} {
		m := splitOf(ref(sampleTrade()), 0, 0).Mandates
		c.edit(&m)
		if err := trade.CheckMandates(&m, &a, noon, longest); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestSpend spends each part of a trade in each phase, in each order, and compares step, event, owner and rest.
func TestSpend(t *testing.T) {
	t.Parallel()
	type spending struct {
		part  types.Part
		owner string
		sum   types.Amount
		step  types.StepKind
		event types.EventKind
	}
	e4 := spending{types.PartPayment, "producer", 45_000, types.StepCollected, types.EventCollected}
	bond := spending{types.PartBond, "producer", 900, 0, ""}
	back := spending{types.PartReturn, "consumer", 450, types.StepReturned, types.EventReturned}
	refund := spending{types.PartPayment, "consumer", 45_000, types.StepRefunded, types.EventRefunded}
	deposit := spending{types.PartDeposit, "consumer", 450, types.StepRefunded, types.EventRefunded}
	second := func(s spending) spending { s.step, s.event = 0, ""; return s }
	released, paid := inPhase(types.PhaseReleased), inPhase(types.PhasePaid)
	late := sampleDeadlines().DeliverBy + 1
	for name, c := range map[string]struct {
		from  types.Trade
		clock types.Time
		end   types.Phase
		all   []spending
	}{
		"released":                {released, noon, types.PhaseReleased, []spending{e4, bond, back}},
		"released, the other way": {released, noon, types.PhaseReleased, []spending{back, bond, e4}},
		"refunded":                {paid, late, types.PhaseRefunded, []spending{refund, second(deposit)}},
		"refunded, the other way": {paid, late, types.PhaseRefunded, []spending{deposit, second(refund)}},
	} {
		for _, inPlace := range []bool{false, true} {
			deal := copyOf(&c.from)
			now := &deal
			for i, s := range c.all {
				before := copyOf(now)
				next, effect, err := trade.Spend(now, s.part, trade.Evidence{Tx: theTx(), InPlace: inPlace}, c.clock)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				over := i == len(c.all)-1
				want := trade.Effect{Credit: s.sum, Signer: keyOf(s.owner), Step: s.step, Event: s.event, Over: over}
				if diff := cmp.Diff(want, effect); diff != "" {
					t.Errorf("%s, the %s:\n%s", name, s.part, diff)
				}
				if _, there := next.Find(s.part); there || len(next.Locked) != len(before.Locked)-1 {
					t.Errorf("%s: after the %s is spent, %v is locked", name, s.part, next.Locked)
				}
				if step, noted := next.Step(s.step); s.step != 0 && (!noted || step.At != c.clock || step.Tx != theTx()) {
					t.Errorf("%s: step %+v", name, step)
				}
				if diff := cmp.Diff(before, *now); !inPlace && diff != "" {
					t.Errorf("%s changed the trade:\n%s", name, diff)
				}
				if want := c.from.Phase; !over && next.Phase != want || over && next.Phase != c.end {
					t.Errorf("%s: %s at the end: %t", name, next.Phase, over)
				}
				if _, _, err := trade.Spend(next, s.part, trade.Evidence{}, c.clock); types.CodeOf(err) != types.CodeInputMissing {
					t.Errorf("%s: the %s again: %v", name, s.part, err)
				}
				now = next
			}
		}
	}
	if _, _, err := trade.Spend(&paid, types.PartPayment, trade.Evidence{}, late-1); types.CodeOf(err) != types.CodeInputLocked {
		t.Errorf("a refund at deliver-by: %v", err)
	}
}

func TestBeginAndLapse(t *testing.T) {
	t.Parallel()
	a := sampleAgreement()
	deal := trade.Begin(&a, 12, trade.Evidence{Tx: theTx()}, noon)
	want := types.Trade{
		Agreement: a, Phase: types.PhaseAgreed, Height: 12, Locked: []types.Locked{}, Steps: []types.Step{{Kind: types.StepAgreed, At: noon, Tx: theTx()}},
	}
	if diff := cmp.Diff(want, *deal); diff != "" {
		t.Error(diff)
	}
	if _, lapsed := trade.Lapse(deal, a.Deadlines.PayBy); lapsed {
		t.Error("it lapsed at pay-by")
	}
	end, lapsed := trade.Lapse(deal, a.Deadlines.PayBy+1)
	if want.Phase = types.PhaseLapsed; !lapsed || cmp.Diff(want, *end) != "" || deal.Phase != types.PhaseAgreed {
		t.Errorf("lapsed %t: %+v", lapsed, end)
	}
	paid := inPhase(types.PhasePaid)
	if _, lapsed := trade.Lapse(&paid, types.MaxTime); lapsed {
		t.Error("a paid trade lapsed")
	}
}

// TestLocks: the locked parts follow from agreement, phase and released instalments, as each step leaves them. An agreement that
// no ledger would record does not make it panic.
func TestLocks(t *testing.T) {
	t.Parallel()
	for _, deal := range []types.Trade{inPhase(types.PhasePaid), inPhase(types.PhaseDelivered), sampleTrade()} {
		if diff := cmp.Diff(deal.Locked, trade.Locks(&deal)); diff != "" {
			t.Errorf("%s:\n%s", deal.Phase, diff)
		}
	}
	small := unbonded(inPhase(types.PhaseDelivered))
	if diff := cmp.Diff(small.Locked[:2], trade.Locks(&small)); diff != "" {
		t.Errorf("without a bond:\n%s", diff)
	}
	small.Agreement.Bond = 1
	if diff := cmp.Diff([]types.Locked{small.Locked[0], small.Locked[1], {Part: types.PartBond, Amount: 1}}, trade.Locks(&small)); diff != "" {
		t.Errorf("with the smallest bond:\n%s", diff)
	}
	for _, c := range []struct {
		n, released uint16
		payment     types.Amount
	}{{0, 0, 0}, {0, 1, 0}, {5, 5, 0}, {5, 6, 0}, {5, 4, 9_000}} {
		deal := inPhase(types.PhaseDelivered)
		deal.Agreement.Instalments, deal.Released = c.n, c.released
		if got := trade.Locks(&deal)[0].Amount; got != c.payment {
			t.Errorf("%d of %d released: a payment of %s is locked, want %s", c.released, c.n, got, c.payment)
		}
	}
}

// A match is paid from the beginning, and under meter terms delivered; its bond is there in both.
func TestMatch(t *testing.T) {
	t.Parallel()
	root := types.Hash{7}
	for _, c := range []struct {
		fallback types.Fallback
		phase    types.Phase
		second   types.Part
		steps    []types.StepKind
	}{
		{&types.Hold{}, types.PhasePaid, types.PartDeposit, []types.StepKind{types.StepMatched, types.StepPaid}},
		{&types.Arbiter{Key: keyOf("arbiter")}, types.PhasePaid, types.PartDeposit, []types.StepKind{types.StepMatched, types.StepPaid}},
		{&types.Meter{}, types.PhaseDelivered, types.PartReturn, []types.StepKind{types.StepMatched, types.StepPaid, types.StepDelivered}},
	} {
		a := sampleAgreement()
		a.Instalments, a.Fallback = 1, c.fallback
		want := types.Trade{
			Agreement: a, Phase: c.phase, Height: 12, Digest: root, Depth: 2,
			Locked: []types.Locked{
				{Part: types.PartPayment, Amount: a.Price}, {Part: c.second, Amount: a.Deposit}, {Part: types.PartBond, Amount: a.Bond},
			},
		}
		for _, kind := range c.steps {
			want.Steps = append(want.Steps, types.Step{Kind: kind, At: noon})
		}
		got := trade.Match(&a, root, 2, 12, noon)
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s terms:\n%s", types.FallbackKind(c.fallback), diff)
		}
		if diff := cmp.Diff(got.Locked, trade.Locks(got)); diff != "" {
			t.Error(diff)
		}
	}
}

// A staked bond is not locked a second time at delivery, and without a delivery it is the producer's again.
func TestStakedBond(t *testing.T) {
	t.Parallel()
	a := sampleAgreement()
	a.Goods.Flow, a.Instalments = types.Flow{}, 1
	deal := trade.Begin(&a, 12, trade.Evidence{}, noon)
	paid, effect, err := trade.Apply(deal, &types.Pay{}, trade.Evidence{Staked: true}, noon)
	if err != nil || effect.Debit != a.Price+a.Deposit {
		t.Fatalf("paying locks %s: %v", effect.Debit, err)
	}
	if bond, ok := paid.Find(types.PartBond); !ok || bond.Amount != a.Bond {
		t.Fatalf("the bond is not locked: %+v", paid.Locked)
	}
	delivered, effect, err := trade.Apply(paid, &types.Deliver{}, trade.Evidence{}, noon)
	if err != nil || effect.Debit != 0 || delivered.LockedSum() != a.Price+a.Deposit+a.Bond {
		t.Errorf("delivering locks %s more, %s in all: %v", effect.Debit, delivered.LockedSum(), err)
	}
	late := a.Deadlines.DeliverBy + 1
	for part, want := range map[types.Part]types.PublicKey{types.PartPayment: a.Consumer, types.PartDeposit: a.Consumer, types.PartBond: a.Producer} {
		if owner, ok := trade.Owner(paid, part, late); !ok || owner != want {
			t.Errorf("the %s after deliver-by is of %s", part, owner)
		}
		if _, ok := trade.Owner(paid, part, late-1); ok {
			t.Errorf("the %s has an owner at deliver-by", part)
		}
	}
	moves := trade.Moves(paid, late)
	if len(moves) != 2 || moves[0].What != "refund" || moves[1].What != "take_bond" {
		t.Errorf("after deliver-by: %+v", moves)
	}
}

// A match is opened by the secret of its own leaf with its path, and by no other.
func TestOpensLeaf(t *testing.T) {
	t.Parallel()
	secrets, digests := make([]types.Secret, 4), make([]types.Hash, 4)
	for i := range secrets {
		secrets[i] = types.Secret{byte(i), 9}
		digests[i] = secrets[i].Digest(1)
	}
	tree := types.NewDigestTree(digests)
	for leaf := range uint16(4) {
		deal := types.Trade{Agreement: types.Agreement{Instalments: 1, Nonce: types.MatchNonce | uint64(leaf)}, Digest: tree.Root(), Depth: 2}
		for other := range uint16(4) {
			if got := trade.Opens(&deal, 1, secrets[other], tree.Path(other)); got != (other == leaf) {
				t.Errorf("secret %d opens leaf %d: %t", other, leaf, got)
			}
		}
		path := tree.Path(leaf)
		for _, bad := range [][]types.Hash{nil, path[:1], append(slices.Clone(path), types.Hash{}), {path[1], path[0]}} {
			if trade.Opens(&deal, 1, secrets[leaf], bad) {
				t.Errorf("leaf %d opens with a path of %d", leaf, len(bad))
			}
		}
		inner := types.RootOf(digests[leaf], leaf, path[:1]) // an inner node is no digest of a secret
		deal.Agreement.Nonce, deal.Depth = types.MatchNonce|uint64(leaf/2), 1
		if trade.Opens(&deal, 1, types.Secret(inner), path[1:]) {
			t.Errorf("an inner node opens leaf %d", leaf/2)
		}
	}
}
