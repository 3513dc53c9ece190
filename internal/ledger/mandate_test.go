package ledger_test

import (
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestMandateRules: the parties' mandates, and nobody else's, make an agreement or a split, at the very place and time that
// they were given for. Peter sells to clara; mallory is a stranger.
func TestMandateRules(t *testing.T) {
	t.Parallel()
	agree := func(edit func(w *world, a *types.Agree), producer, consumer, submitter string, names ...string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			w.mint(1000, "clara")
			action := &types.Agree{Agreement: w.agreement(), Submitter: party.Key(submitter)}
			if edit != nil {
				edit(w, action)
			}
			w.mandate(&action.Mandates, action.Message, producer, consumer)
			return w, party.Sign(w.body(action), names...)
		}
	}
	until := func(ahead types.Duration) func(*world, *types.Agree) { // the block is a second later
		return func(w *world, a *types.Agree) { a.Mandates.ValidUntil = w.time.Add(second + ahead) }
	}
	split := func(stage func(w *world, edit ...func(*types.Agreement)) *stage, edit func(s *stage, split *types.Split), producer, consumer string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := stage(newWorld(t))
			trade, _ := s.reader().Trade(s.id)
			action := &types.Split{
				Trade: s.id, Phase: trade.Phase, Released: trade.Released, ToConsumer: trade.LockedSum(), Submitter: party.Key("mallory"),
			}
			if edit != nil {
				edit(s, action)
			}
			s.mandate(&action.Mandates, action.Message, producer, consumer)
			return s.world, party.Sign(s.body(action), "mallory")
		}
	}
	maxValidity := types.DefaultParams("").MaxValidity
	check(t, []row{
		{"submitted by the producer", types.CodeOK, agree(nil, "peter", "clara", "peter", "peter")},
		{"submitted by the consumer", types.CodeOK, agree(nil, "peter", "clara", "clara", "clara")},
		{"submitted by a stranger", types.CodeOK, agree(nil, "peter", "clara", "mallory", "mallory")},
		{"without the submitter's signature", types.CodeSignatureKeys, agree(nil, "peter", "clara", "mallory", "peter", "clara")},
		{"without any signature", types.CodeUnsignedForm, agree(nil, "peter", "clara", "mallory")},
		{"submitted by a key of anybody's", types.CodeWeakKey, agree(func(_ *world, a *types.Agree) { a.Submitter = types.PublicKey{} }, "peter", "clara", "mallory", "mallory")},
		{"a stranger for the producer", types.CodeMandate, agree(nil, "mallory", "clara", "mallory", "mallory")},
		{"a stranger for the consumer", types.CodeMandate, agree(nil, "peter", "mallory", "mallory", "mallory")},
		{"the producer twice", types.CodeMandate, agree(nil, "peter", "peter", "peter", "peter")},
		{"in each other's places", types.CodeMandate, agree(nil, "clara", "peter", "peter", "peter")},
		{"at valid-until", types.CodeOK, agree(until(0), "peter", "clara", "peter", "peter")},
		{"after valid-until", types.CodeExpired, agree(func(w *world, a *types.Agree) { a.Mandates.ValidUntil = w.time.Add(second - 1) }, "peter", "clara", "peter", "peter")},
		{"valid as long as can be", types.CodeOK, agree(until(maxValidity), "peter", "clara", "peter", "peter")},
		{"valid for too long", types.CodeValidity, agree(until(maxValidity+1), "peter", "clara", "peter", "peter")},
		{"a signature that is not good", types.CodeSignature, func(t *testing.T) (*world, *types.Tx) {
			w, tx := agree(nil, "peter", "clara", "mallory", "mallory")(t)
			tx.Body.Actions[0].(*types.Agree).Mandates.Consumer.Bytes[7] ^= 1
			return w, party.Sign(tx.Body, "mallory")
		}},
		{"a mandate of another agreement", types.CodeSignature, func(t *testing.T) (*world, *types.Tx) {
			w, tx := agree(nil, "peter", "clara", "mallory", "mallory")(t)
			tx.Body.Actions[0].(*types.Agree).Agreement.Price++
			return w, party.Sign(tx.Body, "mallory")
		}},
		{"an action that was submitted by another", types.CodeSignatureKeys, func(t *testing.T) (*world, *types.Tx) {
			w, tx := agree(nil, "peter", "clara", "peter", "peter")(t)
			return w, party.Sign(tx.Body, "mallory")
		}},

		{"split: paid", types.CodeOK, split((*world).paid, nil, "peter", "clara")},
		{"split: delivered", types.CodeOK, split((*world).delivered, nil, "peter", "clara")},
		{"split: without the producer", types.CodeMandate, split((*world).paid, nil, "mallory", "clara")},
		{"split: without the consumer", types.CodeMandate, split((*world).paid, nil, "peter", "mallory")},
		{"split: the consumer twice", types.CodeMandate, split((*world).paid, nil, "clara", "clara")},
		{"split: in each other's places", types.CodeMandate, split((*world).paid, nil, "clara", "peter")},
		{"split: signed when it was paid", types.CodeMandate, split((*world).delivered, func(_ *stage, a *types.Split) { a.Phase = types.PhasePaid }, "peter", "clara")},
		{"split: signed for when it will be delivered", types.CodeMandate, split((*world).paid, func(_ *stage, a *types.Split) { a.Phase = types.PhaseDelivered }, "peter", "clara")},
		{"split: signed for a phase of no trade", types.CodeMandate, split((*world).paid, func(_ *stage, a *types.Split) { a.Phase = 0 }, "peter", "clara")},
		{"split: signed with another instalment released", types.CodeMandate, split((*world).delivered, func(_ *stage, a *types.Split) { a.Released = 1 }, "peter", "clara")},
		{"split: of another trade", types.CodeTradeUnknown, split((*world).paid, func(_ *stage, a *types.Split) { a.Trade[0] ^= 1 }, "peter", "clara")},
		{"split: after valid-until", types.CodeExpired, split((*world).paid, func(s *stage, a *types.Split) { a.Mandates.ValidUntil = s.time }, "peter", "clara")},
		{"split: valid for too long", types.CodeValidity, split((*world).paid, func(s *stage, a *types.Split) {
			a.Mandates.ValidUntil = s.time.Add(second + maxValidity + 1)
		}, "peter", "clara")},
		{"split: shares swapped after it was signed", types.CodeSignature, func(t *testing.T) (*world, *types.Tx) {
			w, tx := split((*world).paid, func(_ *stage, a *types.Split) { a.ToProducer, a.ToConsumer = 30, 80 }, "peter", "clara")(t)
			action := tx.Body.Actions[0].(*types.Split)
			action.ToProducer, action.ToConsumer = action.ToConsumer, action.ToProducer
			return w, party.Sign(tx.Body, "mallory")
		}},
	})
}

// TestASplitDiesWithTheNextInstalment: a split signed before an instalment was released is void after it, and one signed
// is done once.
func TestASplitDiesWithTheNextInstalment(t *testing.T) {
	t.Parallel()
	s := newWorld(t).delivered(func(a *types.Agreement) { a.Instalments = 4 })
	before := s.split(types.Split{Trade: s.id, ToProducer: 50, ToConsumer: 65}, "peter", "clara")
	s.must(s.releaseTx(1))
	if got := s.try(second, before)[0].Code; got != types.CodeMandate {
		t.Errorf("a split of before the release: %s", got)
	}
	after := types.Split{Trade: s.id, Phase: types.PhaseDelivered, Released: 1, ToProducer: 40, ToConsumer: 50, Submitter: party.Key("mallory")}
	s.mandate(&after.Mandates, after.Message, "peter", "clara")
	again := after
	again.Submitter = party.Key("clara")
	results := s.try(second, party.Sign(s.body(&after), "mallory"), party.Sign(s.body(&again), "clara"))
	if results[0].Code != types.CodeOK || results[1].Code == types.CodeOK {
		t.Errorf("a split and the same again: %s, %s", results[0].Code, results[1].Code)
	}
}

// TestOneAgreementOnce: the same mandates, in a transaction of another submitter, with another signature of a party under the same
// message, or the same transaction again, record nothing a second time.
func TestOneAgreementOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mint(1000, "clara")
	first := w.agree(w.agreement(), "peter", "clara")
	w.must(first)
	action := *first.Body.Actions[0].(*types.Agree)
	action.Submitter = party.Key("mallory")
	other := w.agreement()
	longer := &types.Agree{Agreement: other, Submitter: party.Key("clara")}
	longer.Agreement = action.Agreement
	longer.Mandates.ValidUntil = action.Mandates.ValidUntil + 1
	w.mandate(&longer.Mandates, longer.Message, "peter", "clara")
	for name, c := range map[string]struct {
		tx   *types.Tx
		want types.Code
	}{
		"the same":               {first, types.CodeReplay},
		"by another submitter":   {party.Sign(w.body(&action), "mallory"), types.CodeTradeExists},
		"under newer signatures": {party.Sign(w.body(longer), "clara"), types.CodeTradeExists},
	} {
		if got := w.try(second, c.tx)[0].Code; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestNoPartyLosesACoinByAMandate: the submitter's transaction can't spend a party's money, though the party's mandate is in it: payment
// and bond of another trade of the same party, and its plain coins.
func TestNoPartyLosesACoinByAMandate(t *testing.T) {
	t.Parallel()
	s := newWorld(t).released() // peter's payment of 100 and bond of 5 lie open
	theft := s.agreement
	theft.Nonce, theft.Consumer = theft.Nonce+1, party.Key("mallory")
	theft.Deadlines = s.deadlines()
	action := &types.Agree{Agreement: theft, Submitter: party.Key("mallory")}
	s.mandate(&action.Mandates, action.Message, "peter", "mallory")
	for name, c := range map[string]struct {
		input  types.Outpoint
		amount types.Amount
	}{
		"payment":    {s.id.Outpoint(types.PartPayment), 100},
		"bond":       {s.id.Outpoint(types.PartBond), 5},
		"plain coin": {s.clara, 890},
	} {
		body := s.body(action)
		body.Inputs, body.Outputs = []types.Outpoint{c.input}, []types.Output{party.Output("mallory", c.amount)}
		for _, by := range [][]string{{"mallory"}, {}} {
			if got := s.try(second, party.Sign(body, by...))[0].Code; got == types.CodeOK {
				t.Errorf("%s, signed by %v: stolen", name, by)
			}
		}
	}
}
