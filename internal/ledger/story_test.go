package ledger_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/trade"
	"lockstep/types"
)

// TestStories plays the stories in testdata/stories: several parties, time passing, each command followed by the response of the
// ledger. A story is text that a person can read; `go test ./internal/ledger -run Stories -rewrite` refreshes it.
//
// Commands: mint WHO AMOUNT · offer/agree/take/pay/deliver/release/split/spend ... by WHO · wait SPAN · outage SPAN · show.
func TestStories(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		story := &story{world: newWorld(t), trades: map[string]types.Agreement{}, offers: map[string]types.Offer{}}
		story.wait(second)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			story.t = t
			return story.command(d)
		})
	})
}

type story struct {
	*world
	trades map[string]types.Agreement
	offers map[string]types.Offer
}

func arg[T any](s *story, d *datadriven.TestData, name string, fallback T) T {
	value := fallback
	if d.HasArg(name) {
		d.ScanArgs(s.t, name, &value)
	}
	return value
}

func (s *story) command(d *datadriven.TestData) string {
	who := arg(s, d, "by", "")
	id := arg(s, d, "trade", "")
	trade := s.trades[id]
	switch d.Cmd {
	case "mint":
		s.mint(types.Amount(arg(s, d, "amount", 0)), strings.Split(arg(s, d, "to", ""), "+")...)
		return s.show()
	case "wait":
		s.wait(s.span(d))
		return s.show()
	case "outage":
		s.try(s.span(d))
		return fmt.Sprintf("the chain stood still; the ledger clock is %s behind\n", s.reader().Clock().Skew) + s.show()
	case "agree":
		a := s.agreement()
		a.Price = types.Amount(arg(s, d, "price", 100))
		a.Bond = types.Amount(arg(s, d, "bond", 5))
		a.Instalments = uint16(arg(s, d, "instalments", 1))
		s.trades[id] = a
		return s.do(s.agree(a, "peter", "clara").Body, "peter")
	case "offer":
		offer := s.offer()
		s.offers[id] = offer
		return s.do(s.body(&types.Post{Offer: offer}), "peter")
	case "take":
		offer := s.offers[arg(s, d, "offer", "")]
		quantity := uint64(arg(s, d, "quantity", 0))
		a, err := offer.Agreement(quantity, party.Key(who), uint64(len(s.trades)))
		if err != nil {
			return err.Error() + "\n"
		}
		s.trades[id] = *a
		take := &types.Take{Offer: offer.ID(), Consumer: a.Consumer, Quantity: quantity, Nonce: a.Nonce, Digest: party.Secret(id).Digest(1)}
		return s.do(s.fund(who, a.Price+a.Deposit, take), who)
	case "pay":
		pay := &types.Pay{Trade: trade.ID(), Digest: party.Secret(id).Digest(int(trade.Instalments))}
		return s.do(s.fund(who, trade.Price+trade.Deposit, pay), who)
	case "deliver":
		return s.do(s.fund(who, trade.Bond, &types.Deliver{Trade: trade.ID()}), who)
	case "release":
		k := arg(s, d, "instalment", int(trade.Instalments))
		preimage := types.Secret(party.Secret(arg(s, d, "secret", id)).Digest(int(trade.Instalments) - k))
		return s.do(types.NewRelease(s.params.ChainID, types.Release{Trade: trade.ID(), Instalment: uint16(k), Preimage: preimage}).Body)
	case "split":
		parties := strings.Split(who, "+")
		return s.do(s.split(types.Split{
			Trade: trade.ID(), ToProducer: types.Amount(arg(s, d, "producer", 0)), ToConsumer: types.Amount(arg(s, d, "consumer", 0)),
		}, parties[0], parties[len(parties)-1]).Body, parties[0])
	case "spend":
		return s.spend(d, who, trade.ID())
	case "show":
		return s.show()
	}
	return "unknown command\n"
}

func (s *story) span(d *datadriven.TestData) types.Duration {
	var span types.Duration
	if err := span.UnmarshalText([]byte(d.CmdArgs[0].Key)); err != nil {
		s.t.Fatal(err)
	}
	return span
}

// spend lets somebody spend one part of a trade to itself.
func (s *story) spend(d *datadriven.TestData, who string, id types.TradeID) string {
	trade, ok := s.reader().Trade(id)
	if !ok {
		return "the trade has left the state\n"
	}
	var part types.Part
	if err := part.UnmarshalText([]byte(arg(s, d, "part", ""))); err != nil {
		return err.Error() + "\n"
	}
	locked, _ := trade.Find(part)
	body := s.body()
	body.Inputs, body.Outputs = []types.Outpoint{id.Outpoint(part)}, []types.Output{party.Output(who, locked.Amount)}
	return s.do(body, who)
}

// fund gives a body the coins that an amount needs, with change.
func (s *story) fund(who string, amount types.Amount, actions ...types.Action) types.Body {
	body := s.body(actions...)
	var in types.Amount
	for outpoint, out := range s.reader().Holdings() {
		if out.Trade == nil && out.Key == party.Key(who) && in < amount {
			body.Spend(out.Key, outpoint, out.Amount)
			in += out.Amount
		}
	}
	if in > amount {
		body.Outputs = []types.Output{party.Output(who, in-amount)}
	}
	return body
}

func (s *story) do(body types.Body, signers ...string) string {
	result := s.try(second, party.Sign(body, signers...))[0]
	if result.Code != types.CodeOK {
		return "refused: " + result.Code.String() + "\n"
	}
	return s.show()
}

// show lists the time since the story began, the spendable sum of each party, and each trade with its locked parts.
func (s *story) show() string {
	var b strings.Builder
	clock := s.clock()
	fmt.Fprintf(&b, "at %s", clock.Since(start.Add(second)))
	for _, who := range []string{"peter", "clara", "mallory"} {
		var has types.Amount
		for _, out := range s.reader().Holdings() {
			if owner, owned := out.Owner(clock); owned && owner == party.Key(who) {
				has += out.Amount
			}
		}
		fmt.Fprintf(&b, " · %s %s", who, has)
	}
	b.WriteByte('\n')
	ids := []string{}
	for id := range s.trades {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		agreement := s.trades[id]
		t, live := s.reader().Trade(agreement.ID())
		if !live {
			fmt.Fprintf(&b, "  %s: not in the state\n", id)
			continue
		}
		fmt.Fprintf(&b, "  %s: %s", id, trade.PhaseAt(t, clock))
		for _, locked := range t.Locked {
			whose := "locked"
			if owner, owned := trade.Owner(t, locked.Part, clock); owned {
				whose = "producer's"
				if owner == agreement.Consumer {
					whose = "consumer's"
				}
			}
			fmt.Fprintf(&b, " · %s %s %s", locked.Part, strconv.FormatUint(uint64(locked.Amount), 10), whose)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestOutageCostsNoDeadline stops the chain across deliver-by: the ledger clock counts one cap of the outage. Its lag then
// shrinks by one hundredth of the time that passes, and the clock never goes back.
func TestOutageCostsNoDeadline(t *testing.T) {
	t.Parallel()
	s := newWorld(t).paid()
	s.try(types.Duration(24 * 3600 * 1000))
	s.must(s.deliverTx())
	skew := s.reader().Clock().Skew
	before := s.clock()
	s.wait(1000 * second)
	if regained := skew - s.reader().Clock().Skew; regained != 10*second {
		t.Errorf("regained %s of %s in 1000s, want 10s", regained, skew)
	}
	if s.clock().Since(before) != 1010*second {
		t.Errorf("the clock moved by %s", s.clock().Since(before))
	}
}

func TestBeginRefusesAnOldBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.try(second)
	defer func() {
		if recover() == nil {
			t.Error("a block of a height that was had is an internal contradiction and must panic")
		}
	}()
	ledger.New(w.view, w.params).Begin(1, w.time)
}
