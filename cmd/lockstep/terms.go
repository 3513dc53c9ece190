package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"lockstep/internal/game"
	"lockstep/types"
	"lockstep/types/strict"
)

type termsCmd struct {
	Explain termsExplainCmd `cmd:"" help:"Analyse terms: the equilibrium, the worst losses, and the remedies."`
}

type termsExplainCmd struct {
	Value       string `help:"Value of the goods to the consumer." required:"" placeholder:"AMOUNT"`
	Cost        string `help:"Cost of the goods to the producer." required:"" placeholder:"AMOUNT"`
	Price       string `help:"Price of all goods." placeholder:"AMOUNT"`
	Deposit     string `help:"Deposit of the consumer." placeholder:"AMOUNT"`
	Bond        string `help:"Bond of the producer; by default nothing." placeholder:"AMOUNT"`
	Instalments uint16 `help:"Number of instalments in which the payment is released; by default one." placeholder:"N"`
	Fallback    string `help:"Terms if the last secret is not known by confirm-by: hold (the default), meter or arbiter." placeholder:"TERMS"`
	Auction     bool   `help:"The trade is a match of an auction: both sides have locked their money with their orders."`
	ReleaseCost string `help:"The consumer's cost to send a release. This ledger takes no fee for it." default:"0" placeholder:"AMOUNT"`
	Agreement   string `arg:"" optional:"" help:"File with an agreement instead of the flags for its terms; - for standard input. Value and cost are in smallest units then." placeholder:"FILE"`
}

func (c *termsExplainCmd) Run(a *app) error {
	terms, err := c.terms(a)
	if err != nil {
		return err
	}
	solution, err := game.Solve(terms)
	if err != nil {
		return err
	}
	return a.show(solution, func(p *page) { explainTerms(p, solution) })
}

// terms returns the terms of the file, or of the flags.
func (c *termsExplainCmd) terms(a *app) (game.Terms, error) {
	t := game.Terms{Instalments: max(c.Instalments, 1), Fallback: c.Fallback}
	if t.Fallback == "" {
		t.Fallback = types.FallbackKind(&types.Hold{})
	}
	t.Matched = c.Auction
	sums := []sum{{"value", c.Value, &t.Value}, {"cost", c.Cost, &t.Cost}, {"release-cost", c.ReleaseCost, &t.ReleaseCost}}
	if c.Agreement != "" {
		if c.Price+c.Deposit+c.Bond+c.Fallback != "" || c.Instalments != 0 {
			return t, misuse("price, deposit, bond, instalments and fallback terms are in the agreement: leave those flags out")
		}
		content, err := a.input(c.Agreement, maxAgreementFile)
		if err != nil {
			return t, err
		}
		agreement, err := readAgreement(content)
		if err != nil {
			return t, err
		}
		t.Price, t.Deposit, t.Bond, t.Instalments = agreement.Price, agreement.Deposit, agreement.Bond, agreement.Instalments
		t.Quantity, t.Fallback = agreement.Goods.Quantity, types.FallbackKind(agreement.Fallback)
		if _, _, matched := agreement.Match(); matched {
			t.Matched = true
		}
		return t, readSums(sums, 0)
	}
	if c.Price == "" || c.Deposit == "" {
		return t, misuse("give the terms: --price and --deposit, or a file with an agreement")
	}
	if c.Bond == "" {
		c.Bond = "0"
	}
	sums = append(sums, sum{"price", c.Price, &t.Price}, sum{"deposit", c.Deposit, &t.Deposit}, sum{"bond", c.Bond, &t.Bond})
	t.Decimals = places(sums)
	return t, readSums(sums, t.Decimals)
}

// sum is an amount on the command line.
type sum struct {
	flag, text string
	to         *types.Amount
}

// places returns the most decimal places of any of the sums: the smallest unit of all of them.
func places(sums []sum) (decimals uint8) {
	for _, s := range sums {
		_, fraction, _ := strings.Cut(s.text, ".")
		decimals = max(decimals, uint8(min(len(fraction), types.MaxDecimals)))
	}
	return decimals
}

func readSums(sums []sum, decimals uint8) error {
	for _, s := range sums {
		amount, err := types.ParseAmount(s.text, decimals)
		if err != nil {
			return misuse("--%s: %w", s.flag, err)
		}
		*s.to = amount
	}
	return nil
}

// readAgreement reads the JSON of an agreement, of a trade with one in it, or the file of a proposal of one.
func readAgreement(content []byte) (*types.Agreement, error) {
	if err := strict.Check(content); err != nil {
		return nil, types.Refuse(types.CodeMalformed, "the file holds no agreement: %v", err)
	}
	var outer struct {
		Agreement json.RawMessage `json:"agreement"`
		Trade     struct {
			Agreement json.RawMessage `json:"agreement"`
		} `json:"trade"`
	}
	inner := json.RawMessage(content)
	if err := json.Unmarshal(content, &outer); err == nil {
		switch {
		case outer.Agreement != nil:
			inner = outer.Agreement
		case outer.Trade.Agreement != nil:
			inner = outer.Trade.Agreement
		}
	}
	agreement := new(types.Agreement)
	if err := json.Unmarshal(inner, agreement); err != nil {
		return nil, types.Refuse(types.CodeMalformed, "the file holds no agreement: %v", err)
	}
	return agreement, nil
}

// explainTerms prints a solution for people.
func explainTerms(p *page, s *game.Solution) {
	t := &s.Terms
	instalments := "1 instalment"
	if t.Instalments > 1 {
		instalments = fmt.Sprintf("%d instalments", t.Instalments)
	}
	matched := ""
	if t.Matched {
		matched = " A match of an auction, with the money of both orders."
	}
	p.line("Price %s, deposit %s, bond %s, %s, %s terms.%s", t.Price, t.Deposit, t.Bond, instalments, t.Fallback, matched)
	p.line("The goods are worth %s to the consumer and cost the producer %s.\n", t.Value, t.Cost)
	p.row("CONSUMER", "PRODUCER", "", "OUTCOME")
	for _, end := range s.Ends {
		p.row(end.Payoffs.Consumer.String(), end.Payoffs.Producer.String(), mark(end), game.Short(end.Moves))
	}
	p.line("")
	p.line("Two selfish strangers who meet once: %s.", game.Told(s.Equilibrium))
	if len(s.IfPaid) > 0 {
		p.line("If the consumer did pay: %s.", game.Told(s.IfPaid))
	}
	p.line("When nothing came, a selfish consumer %s.", map[string]string{
		"releases": "releases nevertheless", "keeps its secret": "keeps its secret", "either": "doesn't care whether it releases",
	}[s.WithoutGoods])
	p.line("Honesty is %s.", map[string]string{
		"strictly best": "strictly best: it is the only equilibrium",
		"weakly best":   "weakly best: it is an equilibrium, but not the only one",
		"neither":       "neither strictly nor weakly best: it is no equilibrium",
	}[s.Rating])
	if s.Committed != "" {
		p.line("If the consumer is committed to \"no goods, no secret\": for the producer, %s.", map[string]string{
			"strictly best": "honesty is strictly best", "weakly best": "honesty is weakly best", "neither": "honesty is still not best",
		}[s.Committed])
	}
	p.line("")
	p.row("AN HONEST PARTY", "LOSES AT WORST", "DAMAGE PER UNIT OF THE ATTACKER'S OWN LOSS")
	p.row("consumer", s.ConsumerWorstLoss.String(), string(s.ByProducer.Ratio))
	p.row("producer", s.ProducerWorstLoss.String(), string(s.ByConsumer.Ratio))
	if s.League != nil {
		p.line("If the arbiter is in league with the partner: %s and %s.", s.League.Consumer, s.League.Producer)
	}
	p.line("\nADVICE")
	for _, advice := range s.Advice {
		p.line("- %s", advice)
	}
}

func mark(end game.End) string {
	switch {
	case end.Honest && end.Equilibrium:
		return "honest, equilibrium"
	case end.Honest:
		return "honest"
	case end.Equilibrium:
		return "equilibrium"
	}
	return ""
}
