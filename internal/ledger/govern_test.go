package ledger_test

import (
	"slices"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// council is a ledger with three validators of the power 12 and three operators, two of which decide.
type council struct {
	*world
	nonce uint64
}

func newCouncil(t testing.TB, edit ...func(*types.Params)) *council {
	w := newWorld(t)
	w.params.Operators = []types.PublicKey{party.Key("olga"), party.Key("otto"), party.Key("omar")}
	w.params.Threshold = 2
	for _, e := range edit {
		e(&w.params)
	}
	for _, name := range []string{"v1", "v2", "v3"} {
		w.facts.Validators = append(w.facts.Validators, types.Validator{Key: party.Key(name), Power: types.GenesisPower})
	}
	w.must()
	w.must() // makes the first checkpoint
	return &council{world: w}
}

func (c *council) decision(acts ...types.Act) types.Decision {
	c.nonce++
	return types.Decision{ChainID: c.params.ChainID, Nonce: c.nonce, ValidUntil: c.time.Add(types.DecisionValidity / 2), Acts: acts}
}

// signed is a decision signed by operators and submitted by a stranger.
func (c *council) signed(d types.Decision, operators ...string) *types.Tx {
	action := &types.Govern{Decision: d, Submitter: party.Key("mallory")}
	for _, name := range operators {
		action.Signatures = append(action.Signatures, party.Signature(name, d.Message()))
	}
	slices.SortFunc(action.Signatures, func(a, b types.Signature) int { return types.CompareKeys(a.Key, b.Key) })
	return party.Sign(c.body(action), "mallory")
}

// decide is a decision of two operators.
func (c *council) decide(acts ...types.Act) *types.Tx {
	return c.signed(c.decision(acts...), "olga", "otto")
}

// join is the act that makes a newcomer a validator.
func (c *council) join(name string, power uint64) *types.SetValidator {
	at, ok := c.reader().Checkpoint()
	if !ok {
		c.t.Fatal("there is no checkpoint")
	}
	signature := party.Signature(name, types.ConsentMessage(c.params.ChainID, party.Key(name), at))
	return &types.SetValidator{Key: party.Key(name), Power: power, Consent: []types.Consent{{At: at, Signature: signature.Bytes}}}
}

func power(name string, power uint64) *types.SetValidator {
	return &types.SetValidator{Key: party.Key(name), Power: power}
}

func (c *council) governance() *types.Governance {
	g, ok := c.reader().Governance()
	if !ok {
		c.t.Fatal("there is no entry of governance")
	}
	return g
}

// params is a change of the parameters from the block after the next on.
func (c *council) change(edit func(*types.ParamChange)) *types.SetParams {
	last := c.governance().Latest()
	before := last.Changeable()
	after := last.Changeable()
	edit(&after)
	return &types.SetParams{Replaces: before.Hash(), From: c.height + 2, Change: after}
}

func decided(make func(c *council) *types.Tx) func(*testing.T) (*world, *types.Tx) {
	return func(t *testing.T) (*world, *types.Tx) {
		c := newCouncil(t)
		tx := make(c)
		return c.world, tx
	}
}

// acts are rows of one act each, of two operators.
func acts(make func(c *council) types.Act) func(*testing.T) (*world, *types.Tx) {
	return decided(func(c *council) *types.Tx { return c.decide(make(c)) })
}

var ada = types.Member{Key: party.Key("ada"), Name: "Ada"}

// TestDecisionRules: as many operators as must have signed this very decision, once, in time.
func TestDecisionRules(t *testing.T) {
	t.Parallel()
	admit := &types.Admit{Member: ada}
	until := func(ahead types.Duration) func(*testing.T) (*world, *types.Tx) { // the block is a second later
		return decided(func(c *council) *types.Tx {
			d := c.decision(admit)
			d.ValidUntil = c.time.Add(second + ahead)
			return c.signed(d, "olga", "otto")
		})
	}
	edited := func(edit func(a *types.Govern)) func(*testing.T) (*world, *types.Tx) {
		return decided(func(c *council) *types.Tx {
			body := c.decide(admit).Body
			edit(body.Actions[0].(*types.Govern))
			return party.Sign(body, "mallory")
		})
	}
	check(t, []row{
		{"two of three", types.CodeOK, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit), "olga", "omar") })},
		{"all of them", types.CodeOK, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit), "olga", "otto", "omar") })},
		{"one of three", types.CodeOperator, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit), "olga") })},
		{"nobody", types.CodeOperator, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit)) })},
		{"one and a stranger", types.CodeOperator, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit), "olga", "mallory") })},
		{"two and a stranger", types.CodeOperator, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit), "olga", "otto", "mallory") })},
		{"one twice", types.CodeDecision, decided(func(c *council) *types.Tx { return c.signed(c.decision(admit), "olga", "olga") })},
		{"out of order", types.CodeDecision, edited(func(a *types.Govern) { slices.Reverse(a.Signatures) })},
		{"another content", types.CodeSignature, edited(func(a *types.Govern) {
			a.Decision.Acts = []types.Act{&types.Admit{Member: types.Member{Key: ada.Key, Name: "Eve"}}}
		})},
		{"another nonce", types.CodeSignature, edited(func(a *types.Govern) { a.Decision.Nonce++ })},
		{"insisting on it", types.CodeSignature, edited(func(a *types.Govern) { a.Decision.Insist = 1 })},
		{"insisting otherwise", types.CodeDecision, decided(func(c *council) *types.Tx {
			d := c.decision(admit)
			d.Insist = 2
			return c.signed(d, "olga", "otto")
		})},
		{"another chain", types.CodeChain, decided(func(c *council) *types.Tx {
			d := c.decision(admit)
			d.ChainID = "other"
			return c.signed(d, "olga", "otto")
		})},
		{"at valid-until", types.CodeOK, until(0)},
		{"after valid-until", types.CodeExpired, decided(func(c *council) *types.Tx {
			d := c.decision(admit)
			d.ValidUntil = c.time.Add(second - 1)
			return c.signed(d, "olga", "otto")
		})},
		{"valid as long as can be", types.CodeOK, until(types.DecisionValidity)},
		{"valid for too long", types.CodeValidity, until(types.DecisionValidity + 1)},
		{"no act", types.CodeDecision, decided(func(c *council) *types.Tx { return c.decide() })},
		{"128 acts", types.CodeMember, decided(func(c *council) *types.Tx { return c.decide(slices.Repeat([]types.Act{admit}, 128)...) })},
		{"129 acts", types.CodeDecision, decided(func(c *council) *types.Tx { return c.decide(slices.Repeat([]types.Act{admit}, 129)...) })},
		{"an operator is named", types.CodeDecision, acts(func(*council) types.Act { return &types.Admit{Operator: party.Key("olga"), Member: ada} })},
		{"a second time", types.CodeReplay, decided(func(c *council) *types.Tx {
			d := c.decision(&types.Dismiss{Member: ada.Key})
			c.must(c.decide(admit))
			c.must(c.signed(d, "olga", "otto"))
			c.must(c.decide(admit))
			return c.signed(d, "olga", "omar") // by others, who have signed the same
		})},
		{"alone, where two decide", types.CodeOperator, decided(func(c *council) *types.Tx {
			return party.Sign(c.body(&types.Admit{Operator: party.Key("olga"), Member: ada}), "olga")
		})},
		{"an act without a decision", types.CodeDecision, decided(func(c *council) *types.Tx { return party.Sign(c.body(power("v1", 13)), "olga") })},
		{"dismissing a member", types.CodeOK, decided(func(c *council) *types.Tx {
			c.must(c.decide(admit))
			return c.decide(&types.Dismiss{Member: ada.Key}, &types.Admit{Member: types.Member{Key: party.Key("eve"), Name: "ada"}})
		})},
		{"dismissing a stranger", types.CodeMember, acts(func(*council) types.Act { return &types.Dismiss{Member: ada.Key} })},
		{"recognising an asset", types.CodeOK, acts(func(*council) types.Act { return &types.Recognise{Asset: euro, Least: 10} })},
		{"enrolling a meter", types.CodeOK, decided(func(c *council) *types.Tx {
			return c.decide(admit, &types.Enrol{Owner: ada.Key, Meter: *gateway()})
		})},
		{"all acts or none", types.CodeMember, decided(func(c *council) *types.Tx { return c.decide(admit, &types.Dismiss{Member: party.Key("eve")}) })},
	})
}

// TestDecisionsAreOnRecord: each stands in the state and in the log, whole, also one of a single operator.
func TestDecisionsAreOnRecord(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	tx := c.decide(&types.Admit{Member: ada})
	c.must(tx)
	decision, ok := c.reader().Decision(1)
	if !ok || c.reader().Decisions() != 1 || decision.Tx != tx.ID() || decision.Height != c.height || len(decision.Signers) != 2 {
		t.Fatalf("on record is %+v", decision)
	}
	want := tx.Body.Actions[0].(*types.Govern).Decision
	governed, found := effectOf[*types.Governed](c.world)
	if !found || governed.Number != 1 || governed.Decision.ID() != want.ID() || decision.Decision.ID() != want.ID() {
		t.Errorf("the log has %+v", governed)
	}
	single := newCouncil(t, func(p *types.Params) { p.Threshold = 0 })
	single.must(party.Sign(single.body(&types.Admit{Operator: party.Key("olga"), Member: ada}), "olga"))
	decision, ok = single.reader().Decision(1)
	if !ok || !slices.Equal(decision.Signers, []types.PublicKey{party.Key("olga")}) || types.ActionKind(decision.Decision.Acts[0]) != "admit" {
		t.Errorf("on record is %+v", decision)
	}
}

// effectOf is the last effect of a kind in the log.
func effectOf[E types.Effect](w *world) (last E, found bool) {
	for _, leaf := range w.leaves {
		var outcome types.Outcome
		if err := types.Decode(leaf.Encoded, &outcome); err != nil {
			w.t.Fatal(err)
		}
		for _, effect := range outcome.Effects {
			if e, ok := effect.(E); ok {
				last, found = e, true
			}
		}
	}
	return last, found
}

// TestValidatorRules: three validators have 12 each.
func TestValidatorRules(t *testing.T) {
	t.Parallel()
	consent := func(edit func(c *council, a *types.SetValidator)) func(*testing.T) (*world, *types.Tx) {
		return acts(func(c *council) types.Act {
			act := c.join("v4", 12)
			edit(c, act)
			return act
		})
	}
	insist := func(insist uint8, make func(c *council) types.Act) func(*testing.T) (*world, *types.Tx) {
		return decided(func(c *council) *types.Tx {
			d := c.decision(make(c))
			d.Insist = insist
			return c.signed(d, "olga", "otto")
		})
	}
	resign := func(c *council, a *types.SetValidator) {
		a.Consent[0].Signature = party.Signature("v4", types.ConsentMessage(c.params.ChainID, a.Key, a.Consent[0].At)).Bytes
	}
	check(t, []row{
		{"a fourth", types.CodeOK, acts(func(c *council) types.Act { return c.join("v4", 12) })},
		{"a fourth as heavy as can be", types.CodeOK, acts(func(c *council) types.Act { return c.join("v4", 17) })},
		{"a fourth that could stop the ledger", types.CodeValidator, acts(func(c *council) types.Act { return c.join("v4", 18) })},
		{"told twice", types.CodeOK, insist(1, func(c *council) types.Act { return c.join("v4", 18) })},
		{"more than a third, told twice", types.CodeValidator, insist(1, func(c *council) types.Act { return c.join("v4", 19) })},
		{"without consent", types.CodeValidator, consent(func(_ *council, a *types.SetValidator) { a.Consent = nil })},
		{"two consents", types.CodeValidator, consent(func(_ *council, a *types.SetValidator) { a.Consent = append(a.Consent, a.Consent[0]) })},
		{"another's consent", types.CodeSignature, consent(func(_ *council, a *types.SetValidator) { a.Key = party.Key("v5") })},
		{"a hash that never was", types.CodeValidator, consent(func(c *council, a *types.SetValidator) {
			a.Consent[0].At.Hash[5]++
			resign(c, a)
		})},
		{"a height that is no checkpoint", types.CodeValidator, consent(func(c *council, a *types.SetValidator) {
			a.Consent[0].At.Height++
			resign(c, a)
		})},
		{"an old consent", types.CodeValidator, func(t *testing.T) (*world, *types.Tx) {
			c := newCouncil(t, func(p *types.Params) { p.ClockCap = 2 * types.ConsentValidity })
			act := c.join("v4", 12)
			c.try(types.ConsentValidity)
			return c.world, c.decide(act)
		}},
		{"a weak key", types.CodeWeakKey, acts(func(*council) types.Act { return &types.SetValidator{Power: 1} })},
		{"too much power", types.CodeValidator, acts(func(*council) types.Act { return power("v1", types.MaxPower+1) })},
		{"the same power", types.CodeValidator, acts(func(*council) types.Act { return power("v1", 12) })},
		{"consent of one that is a validator", types.CodeValidator, acts(func(c *council) types.Act { return c.join("v1", 13) })},
		{"removing one", types.CodeOK, acts(func(*council) types.Act { return power("v1", 0) })},
		{"removing a stranger", types.CodeValidator, acts(func(*council) types.Act { return power("v4", 0) })},
		{"removing two", types.CodeValidator, decided(func(c *council) *types.Tx { return c.decide(power("v1", 0), power("v2", 0)) })},
		{"replacing one", types.CodeOK, decided(func(c *council) *types.Tx { return c.decide(power("v1", 0), c.join("v4", 11)) })},
		{"replacing one that leaves too few who sign", types.CodeValidator, decided(func(c *council) *types.Tx { return c.decide(power("v1", 0), c.join("v4", 12)) })},
		{"a key twice in a decision", types.CodeOK, decided(func(c *council) *types.Tx { return c.decide(c.join("v4", 12), power("v4", 11)) })},
		{"in and out in a decision", types.CodeOK, decided(func(c *council) *types.Tx { return c.decide(c.join("v4", 12), power("v4", 0)) })},
		{"a third taken by two decisions", types.CodeOK, decided(func(c *council) *types.Tx {
			c.must(c.decide(power("v1", 6)))
			return c.decide(power("v1", 0))
		})},
		{"more than a third taken by two decisions", types.CodeValidator, decided(func(c *council) *types.Tx {
			c.must(c.decide(power("v1", 6)))
			return c.decide(power("v1", 0), power("v2", 11))
		})},
		{"taken again within the window", types.CodeValidator, decided(func(c *council) *types.Tx {
			c.must(c.decide(power("v1", 0)))
			for range types.MoveWindow - 2 {
				c.must()
			}
			return c.decide(power("v2", 11))
		})},
		{"taken again after the window", types.CodeOK, decided(func(c *council) *types.Tx {
			c.must(c.decide(power("v1", 0)))
			for range types.MoveWindow - 1 {
				c.must()
			}
			return c.decide(power("v2", 8))
		})},
		{"given again within the window", types.CodeValidator, decided(func(c *council) *types.Tx {
			c.must(c.decide(power("v1", 30)))
			return c.decide(power("v2", 13))
		})},
	})
}

// TestTheLastValidatorStays: none of the ways to empty the set works.
func TestTheLastValidatorStays(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	if result := c.try(second, c.decide(power("v1", 0), power("v2", 0), power("v3", 0)))[0]; result.Code != types.CodeValidator {
		t.Errorf("three at once: %s", result.Detail)
	}
	if got := len(c.governance().Validators); got != 3 || len(c.last.Validators) != 0 {
		t.Errorf("%d validators are left, the engine is told of %v", got, c.last.Validators)
	}
}

// TestValidatorUpdates: the engine is told the difference of a block, whichever decisions made it, and a newcomer counts as silent until it
// has signed a block.
func TestValidatorUpdates(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	c.must(c.decide(c.join("v4", 9), power("v2", 13)), c.decide(power("v2", 12), power("v4", 10)))
	if want := []types.Validator{{Key: party.Key("v4"), Power: 10}}; !slices.Equal(c.last.Validators, want) {
		t.Fatalf("the engine is told %v, want %v", c.last.Validators, want)
	}
	c.must()
	if len(c.last.Validators) != 0 {
		t.Errorf("the next block tells %v again", c.last.Validators)
	}
	if total, silent := c.governance().Power(); total != 46 || silent != 10 {
		t.Errorf("%d of %d is silent, want 10 of 46", silent, total)
	}
	c.facts.Signers = [][types.AddressBytes]byte{party.Key("v1").Address()}
	c.must()
	if _, silent := c.governance().Power(); silent != 10 {
		t.Errorf("another's signature makes v4 heard: %d is silent", silent)
	}
	c.facts.Signers = append(c.facts.Signers, party.Key("v4").Address())
	c.must()
	if _, silent := c.governance().Power(); silent != 0 {
		t.Errorf("%d is silent after v4 has signed", silent)
	}
	for range types.MoveWindow { // so that power can move again
		c.must()
	}
	c.must(c.decide(power("v1", 0)))
	if want := []types.Validator{{Key: party.Key("v1")}}; !slices.Equal(c.last.Validators, want) {
		t.Errorf("the engine is told %v, want %v", c.last.Validators, want)
	}
}

// TestARefusedDecisionLeavesNothing: neither in the state nor for the engine.
func TestARefusedDecisionLeavesNothing(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	market := c.params.Market
	market.MaxOrders = 7
	later := &types.SetMarket{From: c.time.Add(c.params.Market.Opens + 3600*second), Market: market}
	before, accumulated := *c.governance(), c.reader().Decisions()
	result := c.try(second, c.decide(later, c.join("v4", 12), c.change(func(p *types.ParamChange) { p.Threshold = 1 }), &types.Dismiss{Member: ada.Key}),
		c.decide(&types.Admit{Member: ada}))
	if result[0].Code != types.CodeMember || result[1].Code != types.CodeOK {
		t.Fatalf("%+v", result)
	}
	after := c.governance()
	if len(after.Validators) != len(before.Validators) || len(after.Scheduled) != 0 || len(after.Params.Later) != 0 || c.reader().Decisions() != accumulated+1 {
		t.Errorf("it left %+v", after)
	}
}
