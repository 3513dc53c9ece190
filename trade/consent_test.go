package trade_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/trade"
	"lockstep/types"
)

// consents lists all messages of all consents about a trade.
func consents(t *types.Trade) (messages []trade.Message) {
	a := &t.Agreement
	staked := types.Trade{Agreement: *a, Phase: types.PhasePaid, Locked: []types.Locked{{Part: types.PartBond, Amount: a.Bond}}}
	for _, c := range []trade.Consent{
		trade.ConsentToPay(a, true), trade.ConsentToPay(a, false), trade.ConsentToDeliver(&types.Trade{Agreement: *a}), trade.ConsentToDeliver(&staked),
		trade.ConsentToRelease(t, 2, trade.AskRelease), trade.ConsentToRelease(t, 2, trade.AskReleaseByKey), trade.ConsentToRelease(t, 2, trade.AskWriteKey),
		trade.ConsentToSpend(t, a.Consumer, a.Deadlines.PayBy), trade.ConsentToSpend(t, a.Consumer, types.MaxTime),
		trade.ConsentToSettle(t, 1), trade.ConsentToAward(1, 2),
	} {
		messages = append(append(append(messages, c.Ask, c.Done), c.Gives...), c.Risks...)
	}
	single, unstaked := *a, *a
	single.Instalments, unstaked.Bond = 1, 0
	messages = append(messages, trade.Risks(&single, trade.Producer)...)
	return append(messages, trade.Commitment(a, trade.Consumer), trade.Commitment(a, trade.Producer), trade.Commitment(&unstaked, trade.Producer),
		trade.Message{Key: trade.RiskRecord})
}

// TestConsent states the sums in the question before each move.
func TestConsent(t *testing.T) {
	t.Parallel()
	say := func(key trade.Key, args trade.Args) trade.Message { return trade.Message{Key: key, Args: args} }
	hold := say(trade.TermsHold, trade.Args{})
	consumer := say(trade.RiskMoney, trade.Args{Role: trade.Consumer, Sum: 45_450})
	producer := say(trade.RiskInstalment, trade.Args{Role: trade.Producer, Sum: 900, Instalments: 5})
	gives := func(role trade.Role, sum types.Amount) trade.Message {
		return say(trade.EffectGives, trade.Args{Role: role, Sum: sum})
	}
	deal := sampleTrade() // delivered, 2 of 5 instalments released
	released := deal
	released.Phase, released.Released = types.PhaseReleased, 5
	unpaid := deal
	unpaid.Phase, unpaid.Released = types.PhasePaid, 0
	unpaid.Locked = trade.Locks(&unpaid)
	metered := deal
	metered.Agreement.Fallback = &types.Meter{}
	a := &deal.Agreement
	late := a.Deadlines.DeliverBy + 1
	final := []trade.Message{say(trade.RiskFinal, trade.Args{})}
	release := func(k uint16, sum types.Amount, ask trade.Key, done trade.Message) trade.Consent {
		return trade.Consent{
			Ask: say(ask, trade.Args{Released: k, Instalments: 5, Sum: sum}), Done: done,
			Risks: []trade.Message{say(trade.RiskRelease, trade.Args{Role: trade.Consumer, Sum: sum})},
		}
	}
	for name, c := range map[string]struct{ got, want trade.Consent }{
		"take": {trade.ConsentToPay(a, true), trade.Consent{
			Ask: say(trade.AskTake, trade.Args{Sum: 45_000, Deposit: 450}), Risks: []trade.Message{hold, consumer, producer}, Done: say(trade.DonePaid, trade.Args{}),
		}},
		"pay": {trade.ConsentToPay(a, false), trade.Consent{
			Ask: say(trade.AskPay, trade.Args{Sum: 45_000, Deposit: 450}), Risks: []trade.Message{hold, consumer, producer}, Done: say(trade.DonePaid, trade.Args{}),
		}},
		"deliver": {trade.ConsentToDeliver(&types.Trade{Agreement: *a}), trade.Consent{
			Ask: say(trade.AskDeliver, trade.Args{Sum: 45_000, Bond: 900}), Risks: []trade.Message{hold, producer}, Done: say(trade.DoneDelivered, trade.Args{}),
		}},
		"release the next": {trade.ConsentToRelease(&deal, 3, trade.AskRelease), release(3, 9_000, trade.AskRelease, say(trade.DoneReleased, trade.Args{}))},
		"release all":      {trade.ConsentToRelease(&deal, 5, trade.AskRelease), release(5, 27_000, trade.AskRelease, say(trade.DoneReleased, trade.Args{}))},
		"by a key": {trade.ConsentToRelease(&deal, 4, trade.AskReleaseByKey),
			release(4, 18_000, trade.AskReleaseByKey, say(trade.DoneReleasedByKey, trade.Args{Released: 4}))},
		"an old key":   {trade.ConsentToRelease(&deal, 1, trade.AskWriteKey), release(1, 0, trade.AskWriteKey, say(trade.DoneReleased, trade.Args{}))},
		"E4":           {trade.ConsentToSpend(&released, a.Producer, noon), trade.Consent{Ask: say(trade.AskCollect, trade.Args{}), Gives: []trade.Message{gives(trade.Producer, 27_900)}, Done: say(trade.DoneCollected, trade.Args{})}},
		"the return":   {trade.ConsentToSpend(&released, a.Consumer, noon), trade.Consent{Ask: say(trade.AskCollect, trade.Args{}), Gives: []trade.Message{gives(trade.Consumer, 450)}, Done: say(trade.DoneCollected, trade.Args{})}},
		"the refund":   {trade.ConsentToSpend(&unpaid, a.Consumer, late), trade.Consent{Ask: say(trade.AskRefund, trade.Args{}), Gives: []trade.Message{gives(trade.Consumer, 45_450)}, Done: say(trade.DoneRefunded, trade.Args{})}},
		"before it is": {trade.ConsentToSpend(&unpaid, a.Consumer, late-1), trade.Consent{Ask: say(trade.AskCollect, trade.Args{}), Gives: []trade.Message{gives(trade.Consumer, 0)}, Done: say(trade.DoneCollected, trade.Args{})}},
		"no key":       {trade.ConsentToSpend(&unpaid, types.PublicKey{}, late-1), trade.Consent{Ask: say(trade.AskCollect, trade.Args{}), Gives: []trade.Message{gives("", 0)}, Done: say(trade.DoneCollected, trade.Args{})}},
		"settle": {trade.ConsentToSettle(&metered, 900), trade.Consent{
			Ask: say(trade.AskSettle, trade.Args{}), Gives: []trade.Message{gives(trade.Producer, 9_540), gives(trade.Consumer, 18_810)}, Risks: final, Done: say(trade.DoneSettled, trade.Args{}),
		}},
		"award": {trade.ConsentToAward(7, 8), trade.Consent{
			Ask: say(trade.AskAward, trade.Args{}), Gives: []trade.Message{gives(trade.Producer, 7), gives(trade.Consumer, 8)}, Risks: final, Done: say(trade.DoneAwarded, trade.Args{}),
		}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (- wanted, + got):\n%s", name, diff)
		}
	}
}

// TestWorstLoss: a sum that no agreement can have is refused; a single instalment is all of the goods.
func TestWorstLoss(t *testing.T) {
	t.Parallel()
	a := sampleAgreement()
	a.Instalments = 1
	if worst, err := trade.WorstLoss(&a, trade.Producer); err != nil || worst.Message(trade.Producer).Key != trade.RiskGoods {
		t.Errorf("one instalment: %+v, %v", worst, err)
	}
	a.Instalments = 2
	if worst, err := trade.WorstLoss(&a, trade.Producer); err != nil || worst.Message(trade.Producer).Key != trade.RiskInstalment {
		t.Errorf("two instalments: %+v, %v", worst, err)
	}
	a.Price = types.MaxAmount
	if _, err := trade.WorstLoss(&a, trade.Consumer); types.CodeOf(err) != types.CodeOverflow {
		t.Errorf("price and deposit beyond all amounts: %v", err)
	}
	if risks := trade.Risks(&a, trade.Consumer); len(risks) != 1 {
		t.Errorf("the risks of a sum beyond all amounts: %v", risks)
	}
}

// TestCommitment states the sums that each side will lock.
func TestCommitment(t *testing.T) {
	t.Parallel()
	a := sampleAgreement()
	for side, want := range map[trade.Role]trade.Message{
		trade.Consumer: {Key: trade.CommitsToPay, Args: trade.Args{Sum: 45_000, Deposit: 450}},
		trade.Producer: {Key: trade.CommitsToBond, Args: trade.Args{Bond: 900}},
	} {
		if got := trade.Commitment(&a, side); got != want {
			t.Errorf("%s: %+v, not %+v", side, got, want)
		}
	}
	a.Bond = 0
	if got := trade.Commitment(&a, trade.Producer); got != (trade.Message{Key: trade.CommitsToNoBond}) {
		t.Errorf("without a bond: %+v", got)
	}
}
