package trade_test

import (
	"fmt"

	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// roof is an agreement on a kilowatt-hour of solar power under hold terms.
func roof() *types.Agreement {
	agreement := sampleAgreement()
	agreement.Goods.Flow, agreement.Instalments = types.Flow{}, 1
	agreement.Price, agreement.Deposit, agreement.Bond = 300, 30, 30
	return &agreement
}

// The four steps of a trade (protocol section 1). The return is locked like the payment: one secret opens both.
func Example() {
	agreement, secret, clock := roof(), sampleSecret(), noon
	evidence := trade.Evidence{BlockTime: clock}
	t := trade.Begin(agreement, 1, evidence, clock)
	id := t.ID()
	for _, step := range []struct {
		name   string
		action types.Action
	}{
		{"E1", &types.Pay{Trade: id, Digest: secret.Digest(1)}},
		{"E2", &types.Deliver{Trade: id}},
		{"E3", &types.Release{Trade: id, Instalment: 1, Preimage: secret}},
	} {
		next, effect, err := trade.Apply(t, step.action, evidence, clock)
		if err != nil {
			fmt.Println(err)
			return
		}
		t = next
		fmt.Printf("%s: %s, %s more is locked\n", step.name, t.Phase, effect.Debit)
		for _, locked := range t.Locked {
			owner, owned := trade.Owner(t, locked.Part, clock)
			fmt.Printf("  %s %s", locked.Part, locked.Amount)
			if owned {
				fmt.Printf(", the %s's", trade.RoleOf(agreement, owner))
			}
			fmt.Println()
		}
	}
	// E4: the producer spends its payment like any other money.
	_, effect, err := trade.Spend(t, types.PartPayment, evidence, clock)
	fmt.Println("E4:", effect.Credit, "for the", trade.RoleOf(agreement, effect.Signer), err)
	// Output:
	// E1: paid, 330 more is locked
	//   payment 300
	//   deposit 30
	// E2: delivered, 30 more is locked
	//   payment 300
	//   return 30
	//   bond 30
	// E3: released, 0 more is locked
	//   payment 300, the producer's
	//   return 30, the consumer's
	//   bond 30, the producer's
	// E4: 300 for the producer <nil>
}

// A trade that is paid and never delivered, as its consumer sees it: the status follows the ledger clock, without a transaction.
func ExampleStatusAt() {
	agreement := roof()
	t := trade.Begin(agreement, 1, trade.Evidence{}, noon)
	pay := &types.Pay{Trade: t.ID(), Digest: sampleSecret().Digest(1)}
	t, _, err := trade.Apply(t, pay, trade.Evidence{}, noon)
	if err != nil {
		fmt.Println(err)
		return
	}
	w := words.Printer{
		Viewer: trade.Consumer, Money: func(a types.Amount) string { return a.String() + " ct" },
		Time: func(at types.Time) string { return at.Std().Format("15:04") },
	}
	for _, clock := range []types.Time{agreement.Deadlines.DeliverBy, agreement.Deadlines.DeliverBy + 1} {
		status := trade.StatusAt(t, clock, 0, agreement.Consumer)
		fmt.Println(status.Phase.String()+":", w.Text(status.State))
		fmt.Println("  turn:", w.Actor(status.Turn.Role), w.Key(status.Turn.Move), "| yours:", status.Turn.You)
		for _, option := range status.Options {
			fmt.Println("  can:", w.Key(option.Move)+",", w.List(option.Effects))
		}
		fmt.Println("  else:", w.List(status.Else))
	}
	// Output:
	// paid: payment and deposit are locked
	//   turn: producer deliver | yours: false
	//   can: deliver, locks 30 ct of the producer's
	//   can: split, divides 330 ct between the two sides
	//   else: after 12:14 payment and deposit go back, 330 ct to you
	// refunded: the producer did not deliver by 12:14; the refund is ready
	//   turn: you refund | yours: true
	//   can: refund, 330 ct to you
	//   else: each part stays with its owner; there is no deadline
}

// A move is possible in its window only; the refusal has a code.
func ExampleMay() {
	agreement := roof()
	t := trade.Begin(agreement, 1, trade.Evidence{}, noon)
	for _, clock := range []types.Time{agreement.Deadlines.PayBy, agreement.Deadlines.PayBy + 1} {
		fmt.Println(types.CodeOf(trade.May(t, trade.MovePay, clock)))
	}
	// Output:
	// ok
	// too_late
}

// Whose move it is: the trade waits for the first.
func ExampleMoves() {
	t := trade.Begin(roof(), 1, trade.Evidence{}, noon)
	for _, move := range trade.Moves(t, noon) {
		fmt.Println(move.Role, move.What, "by", move.Until.Std().Format("15:04"))
	}
	// Output:
	// consumer pay by 12:10
}

// The question before a step, with its risks, in two languages.
func ExampleConsentToPay() {
	agreement := roof()
	consent := trade.ConsentToPay(agreement, false)
	for _, language := range words.Languages() {
		w := words.Printer{Language: language, Viewer: trade.Consumer, Goods: "1 kWh", Money: func(a types.Amount) string { return a.String() + " ct" }}
		for _, risk := range consent.Risks {
			fmt.Println(w.Sentence(risk))
		}
		fmt.Println(w.Question(&consent))
	}
	// Output:
	// Hold: without a release everything stays locked, and nobody decides.
	// At worst you can lose 330 ct, if the goods don't come.
	// At worst the producer can lose 30 ct and the goods.
	// Pay for 1 kWh for 300 ct and a deposit of 30 ct
	// 锁定条款：不解锁则一直锁定，无人裁决。
	// 最坏情况下，商品未送达时您可能损失330 ct。
	// 最坏情况下，生产者可能损失30 ct和全部商品。
	// 为1 kWh付款：锁定货款300 ct和附加金30 ct
}
