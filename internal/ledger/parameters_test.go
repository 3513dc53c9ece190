package ledger_test

import (
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestParamRules: the changes that a decision may make, and their first block.
func TestParamRules(t *testing.T) {
	t.Parallel()
	change := func(edit func(*types.ParamChange)) func(*testing.T) (*world, *types.Tx) {
		return acts(func(c *council) types.Act { return c.change(edit) })
	}
	from := func(ahead int) func(*testing.T) (*world, *types.Tx) { // of the block that carries it out
		return acts(func(c *council) types.Act {
			act := c.change(func(p *types.ParamChange) { p.MaxValidity *= 2 })
			act.From = uint64(int(c.height) + 1 + ahead)
			return act
		})
	}
	after := func(first func(*types.ParamChange), from uint64, second func(*types.ParamChange), next uint64) func(*testing.T) (*world, *types.Tx) {
		return decided(func(c *council) *types.Tx {
			act := c.change(first)
			act.From = c.height + from
			c.must(c.decide(act))
			act = c.change(second)
			act.From = c.height + next
			return c.decide(act)
		})
	}
	longer := func(p *types.ParamChange) { p.MaxValidity *= 2 }
	upgrade := func(p *types.ParamChange) { p.Rules = 2 }
	operators := func(names ...string) func(*types.ParamChange) {
		return func(p *types.ParamChange) {
			p.Operators = nil
			for _, name := range names {
				p.Operators = append(p.Operators, party.Key(name))
			}
		}
	}
	check(t, []row{
		{"a longer validity", types.CodeOK, change(func(p *types.ParamChange) { p.MaxValidity *= 2 })},
		{"a validity below a clock cap", types.CodeParams, change(func(p *types.ParamChange) { p.MaxValidity = 1 })},
		{"fewer offers", types.CodeOK, change(func(p *types.ParamChange) { p.Entries.Offers = 1 })},
		{"no offer at all", types.CodeParams, change(func(p *types.ParamChange) { p.Entries.Offers = 0 })},
		{"members only", types.CodeParams, change(func(p *types.ParamChange) { p.Entries.By = types.EntryMembers })},
		{"a fee in an asset that is not recognised", types.CodeParams, change(func(p *types.ParamChange) { p.FeeAsset, p.MinFee = euro.ID(), 1 })},
		{"a fee in an asset of which nothing is issued", types.CodeParams, decided(func(c *council) *types.Tx {
			c.must(c.decide(&types.Recognise{Asset: euro, Least: 1}))
			return c.decide(c.change(func(p *types.ParamChange) { p.FeeAsset, p.MinFee = euro.ID(), 1 }))
		})},
		{"a fee", types.CodeOK, decided(func(c *council) *types.Tx {
			c.mint(1000, "peter")
			c.must(c.decide(&types.Recognise{Asset: euro, Least: 1}))
			return c.decide(c.change(func(p *types.ParamChange) { p.FeeAsset, p.MinFee = euro.ID(), 1 }))
		})},
		{"of other parameters", types.CodeParams, acts(func(c *council) types.Act {
			act := c.change(func(*types.ParamChange) {})
			act.Replaces[0]++
			return act
		})},
		{"of parameters that have changed", types.CodeParams, decided(func(c *council) *types.Tx {
			act := c.change(func(p *types.ParamChange) { p.Entries.Offers = 1 })
			c.must(c.decide(c.change(func(p *types.ParamChange) { p.MaxValidity *= 2 })))
			return c.decide(act)
		})},
		{"from this block on", types.CodeParams, from(0)},
		{"from the next block on", types.CodeOK, from(1)},
		{"from the last possible block on", types.CodeOK, from(types.MaxAheadBlocks)},
		{"from too late a block on", types.CodeParams, from(types.MaxAheadBlocks + 1)},
		{"at the block of another", types.CodeOK, after(longer, 9, longer, 8)},
		{"before another", types.CodeParams, after(longer, 9, longer, 7)},
		{"one more than can wait", types.CodeParams, decided(func(c *council) *types.Tx {
			for range types.MaxScheduled {
				act := c.change(func(p *types.ParamChange) { p.MaxValidity++ })
				act.From = 1000
				c.must(c.decide(act))
			}
			act := c.change(func(p *types.ParamChange) { p.MaxValidity++ })
			act.From = 1000
			return c.decide(act)
		})},
		{"fewer operators", types.CodeOK, change(operators("olga", "otto"))},
		{"no operator", types.CodeParams, change(operators())},
		{"an operator twice", types.CodeParams, change(operators("olga", "olga", "otto"))},
		{"fewer operators than decide", types.CodeParams, change(operators("olga"))},
		{"all decide", types.CodeOK, change(func(p *types.ParamChange) { p.Threshold = 3 })},
		{"more decide than there are", types.CodeParams, change(func(p *types.ParamChange) { p.Threshold = 4 })},
		{"none decides", types.CodeParams, change(func(p *types.ParamChange) { p.Threshold = 0 })},
		{"an operator that has not signed", types.CodeDecision, change(operators("olga", "otto", "ada"))},
		{"an operator that has signed", types.CodeOK, decided(func(c *council) *types.Tx {
			return c.signed(c.decision(c.change(operators("olga", "otto", "ada"))), "olga", "otto", "ada")
		})},
		{"an operator to be does not count", types.CodeOperator, decided(func(c *council) *types.Tx {
			return c.signed(c.decision(c.change(operators("olga", "otto", "ada"))), "olga", "ada")
		})},
		{"no version of the rules", types.CodeParams, change(func(p *types.ParamChange) { p.Rules = 0 })},
		{"the next version", types.CodeOK, change(func(p *types.ParamChange) { p.Rules = 2 })},
		{"the one after the next", types.CodeParams, change(func(p *types.ParamChange) { p.Rules = 3 })},
		{"an upgrade called off", types.CodeOK, after(upgrade, 900, func(p *types.ParamChange) { p.Rules = 1 }, 899)},
		{"an upgrade taken back behind its block", types.CodeParams, after(upgrade, 900, func(p *types.ParamChange) { p.Rules = 1 }, 900)},
		{"other parameters behind an upgrade", types.CodeOK, after(upgrade, 900, func(p *types.ParamChange) { p.Rules, p.MaxValidity = 2, p.MaxValidity+1 }, 900)},
	})
}

// TestParamsHoldFromTheirBlockOn: neither a block earlier nor later.
func TestParamsHoldFromTheirBlockOn(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	act := c.change(func(p *types.ParamChange) { p.Threshold = 1 })
	act.From = c.height + 3
	c.must(c.decide(act))
	single := func() *types.Tx { return c.signed(c.decision(&types.Admit{Member: ada}), "olga") }
	if result := c.try(second, single())[0]; result.Code != types.CodeOperator {
		t.Errorf("block %d, before the change: %s", c.height, result.Detail)
	}
	if c.last.Governance == nil || c.last.Governance.Params.Threshold != 1 {
		t.Errorf("the block before does not tell of the change: %+v", c.last.Governance)
	}
	c.must(single())
	if g := c.governance(); len(g.Scheduled) != 0 || c.height != act.From {
		t.Errorf("at block %d %+v waits", c.height, g.Scheduled)
	}
}

// TestAFeeKeepsNoOperatorOut: a decision pays none, so no fee can be set for ever.
func TestAFeeKeepsNoOperatorOut(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	c.mint(1000, "peter")
	c.must(c.decide(&types.Recognise{Asset: euro, Least: 1}))
	c.must(c.decide(c.change(func(p *types.ParamChange) { p.FeeAsset, p.MinFee, p.Entries.Fee = euro.ID(), 1<<63, 1<<40 })))
	c.must()
	if result := c.try(second, party.Sign(c.body(&types.Accept{Key: party.Key("peter"), Asset: euro.ID()}), "peter"))[0]; result.Code != types.CodeFee {
		t.Errorf("the fee does not hold: %s", result.Detail)
	}
	back := c.change(func(p *types.ParamChange) { p.FeeAsset, p.MinFee, p.Entries.Fee = types.AssetID{}, 0, 0 })
	back.From = c.height + 9
	free := c.decide(back)
	ride := free.Body
	ride.Actions = append(ride.Actions, &types.Accept{Key: party.Key("mallory"), Asset: euro.ID()})
	if result := c.try(second, party.Sign(ride, "mallory"))[0]; result.Code != types.CodeFee {
		t.Errorf("another action rides along: %s", result.Detail)
	}
	c.must(free)
}

// TestMarketChangesForBooksToCome: a book that may be open keeps its numbers, and so do the trades that its auction makes.
func TestMarketChangesForBooksToCome(t *testing.T) {
	t.Parallel()
	set := func(after types.Duration) func(*testing.T) (*world, *types.Tx) { // the opening of the last open book
		return acts(func(c *council) types.Act {
			return &types.SetMarket{From: c.time.Add(second + c.params.Market.Opens + after), Market: c.params.Market}
		})
	}
	check(t, []row{
		{"for a slot whose book may be open", types.CodeParams, set(0)},
		{"for later slots", types.CodeOK, set(1)},
		{"out of order", types.CodeParams, decided(func(c *council) *types.Tx {
			later := c.time.Add(3 * c.params.Market.Opens)
			return c.decide(&types.SetMarket{From: later, Market: c.params.Market}, &types.SetMarket{From: later, Market: c.params.Market})
		})},
		{"with numbers that can't be", types.CodeParams, acts(func(c *council) types.Act {
			market := c.params.Market
			market.Gate = 1
			return &types.SetMarket{From: c.time.Add(2 * market.Opens), Market: market}
		})},
	})
	c := newCouncil(t)
	market := c.params.Market
	market.Reading, market.Gate = 2*market.Reading, 2*market.Gate
	later := c.time.Add(market.Opens + 2*second)
	c.must(c.decide(&types.SetMarket{From: later, Market: market}))
	params := c.governance().Params
	before, after := types.Product{From: later - 1}, types.Product{From: later}
	if params.MarketOf(&before).Gate == market.Gate || params.MarketOf(&after).Gate != market.Gate {
		t.Errorf("gates: %s before, %s after", params.MarketOf(&before).Gate, params.MarketOf(&after).Gate)
	}
	if before.Gate(&params) != before.Gate(&c.params) || after.Gate(&params) == after.Gate(&c.params) {
		t.Error("a product's gate does not follow its slot")
	}
}

// TestAnOpenBookOutlivesAChange: an order is placed, the market changes, and the auction is held by the numbers under which the order stands.
func TestAnOpenBookOutlivesAChange(t *testing.T) {
	t.Parallel()
	w := newMarket(t, func(p *types.Params) { p.Operators = []types.PublicKey{party.Key("olga")} })
	w.place("clara", types.Bid, 100)
	w.place("peter", types.Sell, 100)
	market := w.params.Market
	market.Gate, market.Reading, market.MaxOrders = 2*market.Gate, 2*market.Reading, 2
	p := product()
	d := types.Decision{ChainID: w.params.ChainID, ValidUntil: w.time.Add(second * 60), Acts: []types.Act{
		&types.SetMarket{From: w.time.Add(market.Opens + 10*second), Market: market},
	}}
	w.must(party.Sign(w.body(&types.Govern{Decision: d, Signatures: []types.Signature{party.Signature("olga", d.Message())}, Submitter: party.Key("olga")}), "olga"))
	w.wait(p.Gate(&w.params).Since(w.time) + 1)
	if len(w.held) != 1 || len(w.held[0].Trades) != 1 {
		t.Fatalf("held: %+v", w.held)
	}
	trade, _ := w.reader().Trade(w.held[0].Trades[0].Trade)
	if got := trade.Agreement.Deadlines; got.PayBy != p.Gate(&w.params) || got.ReadingBy != p.Until.Add(w.params.Market.Reading) {
		t.Errorf("the match has the deadlines %+v", got)
	}
}

// TestARunningTradeOutlivesAChange: all that can change changes while a trade runs, and each of its steps happens at its own deadline.
func TestARunningTradeOutlivesAChange(t *testing.T) {
	t.Parallel()
	for _, wait := range []types.Duration{0, 1} { // at the deadline, and after it
		c := newCouncil(t)
		s := c.agreed()
		c.must(c.decide(c.change(func(p *types.ParamChange) {
			p.MaxValidity, p.Entries.Offers, p.Entries.Coins = p.MaxValidity/2, 1, 1
			p.Operators, p.Threshold = p.Operators[:1], 1
		})))
		c.must()
		c.params.MaxValidity /= 2
		c.wait(s.agreement.Deadlines.PayBy.Since(c.time) - second + wait)
		want := types.CodeOK
		if wait > 0 {
			want = types.CodeTradeUnknown // it has lapsed
		}
		if result := c.try(second, s.payTx())[0]; result.Code != want {
			t.Errorf("payment %d ms after the deadline: %s, want %s", wait, result.Detail, want)
		}
	}
}

// TestRulesOfAVersion: a block follows the version that the parameters name for it.
func TestRulesOfAVersion(t *testing.T) {
	t.Parallel()
	c := newCouncil(t)
	c.facts.Rules = []ledger.Rules{{Version: 1}, {Version: 2, Allow: func(tx *types.Tx) error {
		if tx.Body.Memo != "" {
			return types.Refuse(types.CodeText, "version 2 takes no memo")
		}
		return nil
	}}}
	act := c.change(func(p *types.ParamChange) { p.Rules = 2 })
	act.From = c.height + 2
	memo := func() *types.Tx {
		c.nonce++
		body := c.body(&types.Accept{Key: party.Key("peter"), Asset: types.AssetID{byte(c.nonce)}})
		body.Memo = "hello"
		return party.Sign(body, "peter")
	}
	c.must(c.decide(act), memo())
	if result := c.try(second, memo())[0]; result.Code != types.CodeText {
		t.Errorf("version 2 is not followed: %s", result.Detail)
	}
	defer func() {
		if recover() == nil {
			t.Error("a block by unknown rules was executed")
		}
	}()
	c.facts.Rules = nil
	c.try(second)
}
