package game

import (
	"fmt"
	"math/big"

	"lockstep/types"
)

// advise proposes better terms, in sentences whose numbers were found by solving the changed game.
func advise(terms Terms, s *Solution) ([]string, error) {
	a := &adviser{terms: terms, now: s}
	if terms.Matched && terms.Fallback == Metered {
		a.promise()
	}
	if terms.Cost >= terms.Price || terms.Price >= terms.Value {
		if !terms.Matched { // what is matched can't be declined
			a.price()
		}
	} else {
		switch terms.Fallback {
		case Hold:
			a.evidence()
			a.commitment()
			a.bond()
			a.instalments()
		case Metered:
			a.deposit()
		case Arbitrated:
			a.deposit()
			a.say("All of this rests on the arbiter. In league with the partner it can cost the consumer %s and the producer %s. "+
				"Goods that a meter counts need no arbiter: take meter terms for them.", s.League.Consumer, s.League.Producer)
		}
	}
	if len(a.advice) == 0 && a.err == nil {
		a.say("There is nothing to mend.")
	}
	return a.advice, a.err
}

type adviser struct {
	terms  Terms
	now    *Solution
	advice []string
	err    error
}

func (a *adviser) say(format string, args ...any) {
	a.advice = append(a.advice, fmt.Sprintf(format, args...))
}

// with solves the terms with something changed; nil when the ledger would not take them so.
func (a *adviser) with(edit func(t *Terms)) *Solution {
	changed := a.terms
	edit(&changed)
	s, err := evaluate(changed)
	if err != nil && types.CodeOf(err) == types.CodeInternal && a.err == nil {
		a.err = err
	}
	return s
}

// promise tells up to which cost an offer that was matched is kept. If the goods bring more elsewhere, that sum is the cost.
func (a *adviser) promise() {
	most, fits := a.terms.Price.Add(a.terms.Bond)
	if !fits {
		return
	}
	if s := a.with(func(t *Terms) { t.Cost = most - 1 }); s != nil && s.Strict {
		a.say("The producer keeps its promise while the goods cost it, or bring elsewhere, less than %s: the price and the bond. An order can't be declined once it is matched, so its limit must suit you.",
			a.terms.amount(most))
	}
}

// price is for terms on which somebody had better not trade.
func (a *adviser) price() {
	t := a.terms
	if t.Value < 2 || t.Cost > t.Value-2 {
		a.say("The goods are worth %s to the consumer and cost the producer %s: no price in between leaves both a gain. Don't trade.",
			t.amount(t.Value), t.amount(t.Cost))
		return
	}
	fair := t.Cost + (t.Value-t.Cost)/2
	fair = max(fair, types.Amount(t.Instalments))
	if s := a.with(func(t *Terms) { t.Price = fair }); s != nil {
		a.say("The price must lie between the cost of %s and the value of %s. With a price of %s honesty is %s.",
			t.amount(t.Cost), t.amount(t.Value), t.amount(fair), phrase(s.Rating))
	}
}

func phrase(rating string) string {
	switch rating {
	case ratedStrict:
		return "the only equilibrium"
	case ratedWeak:
		return "one equilibrium among others"
	}
	return "no equilibrium"
}

// deposit is for evidence terms whose deposit is not worth the trouble of a release.
func (a *adviser) deposit() {
	if a.now.Strict {
		return
	}
	enough := a.terms.ReleaseCost + 1
	if s := a.with(func(t *Terms) { t.Deposit = enough }); s != nil && enough > a.terms.Deposit && s.Strict {
		a.say("The deposit must be worth more than the %s that a release costs: with a deposit of %s honesty is %s.",
			a.now.Terms.ReleaseCost, a.terms.amount(enough), phrase(s.Rating))
		return
	}
	if margin := a.terms.Value - a.terms.Price; margin <= a.terms.ReleaseCost {
		a.say("A release costs %s, as much as the consumer gains or more: a lower price would mend it.", a.now.Terms.ReleaseCost)
	}
}

// evidence compares with meter terms.
func (a *adviser) evidence() {
	s := a.with(func(t *Terms) { t.Fallback = Metered; t.Deposit = max(t.Deposit, t.ReleaseCost+1) })
	if s != nil && s.Strict {
		a.say("If a meter counts the goods, take meter terms: with them honesty is %s, "+
			"and the worst losses are %s for the consumer and %s for the producer.",
			phrase(s.Rating), s.ConsumerWorstLoss, s.ProducerWorstLoss)
	}
}

// commitment describes the assumption on which hold rests instead.
func (a *adviser) commitment() {
	if a.now.Rating == ratedStrict || a.now.WithoutGoods != "releases" {
		return
	}
	a.say("Without evidence no deposit, bond or number of instalments makes honesty strictly best for selfish strangers who meet once: "+
		"whoever paid releases even without goods, to have the deposit of %s back.", a.now.Terms.Deposit)
	if a.now.Committed == ratedStrict {
		a.say("Let an agent hold the secret that is committed to \"no goods, no secret\", and let the producer know: " +
			"then honesty is the best that the producer can do.")
	}
}

// bond searches for a bond that costs a producer without a delivery as much as that destroys.
func (a *adviser) bond() {
	enough := a.terms.Price + a.terms.Deposit
	if a.terms.Bond >= enough {
		return
	}
	if s := a.with(func(t *Terms) { t.Bond = enough }); s != nil {
		a.say("A bond of %s instead of %s brings the damage that a malicious producer does with each unit that it loses from %s down to %s; "+
			"an honest one risks %s then.",
			a.terms.amount(enough), a.now.Terms.Bond, a.now.ByProducer.Ratio, s.ByProducer.Ratio, s.ProducerWorstLoss)
	}
}

// instalments looks for fewer goods at risk.
func (a *adviser) instalments() {
	more := uint16(min(uint64(a.terms.Instalments)*10, types.MaxInstalments, uint64(a.terms.Price)))
	if more <= a.terms.Instalments {
		return
	}
	s := a.with(func(t *Terms) { t.Instalments = more; t.Quantity = 0 })
	if s != nil && s.ProducerWorstLoss.less(a.now.ProducerWorstLoss) {
		saved := a.terms.figure(new(big.Int).Sub(a.now.ProducerWorstLoss.units, s.ProducerWorstLoss.units))
		a.say("With %d instalments an honest producer risks %s less: %s at worst, one instalment of its goods and its bond.",
			more, saved, s.ProducerWorstLoss)
	}
}
