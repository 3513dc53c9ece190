package trade

import "lockstep/types"

// Consent is the information that a party needs before it makes a move: the question with its sums, the risks, and the report
// afterwards. Every program that asks its user asks by it.
type Consent struct {
	Ask   Message
	Gives []Message // the shares that the move pays out; none for a move that locks money
	Risks []Message
	Done  Message
}

// ConsentToPay is asked before an agreement is paid (E1), or an offer taken, which pays at once.
func ConsentToPay(a *types.Agreement, takes bool) Consent {
	ask := Message{Key: AskPay, Args: Args{Sum: a.Price, Deposit: a.Deposit}}
	if takes {
		ask.Key = AskTake
	}
	return Consent{Ask: ask, Risks: Risks(a, Consumer, Producer), Done: Message{Key: DonePaid}}
}

// ConsentToDeliver is asked before a delivery (E2). A bond that was staked with the offer is locked already.
func ConsentToDeliver(t *types.Trade) Consent {
	a, ask := &t.Agreement, AskDeliver
	if bondToLock(t) < a.Bond {
		ask = AskDeliverStaked
	}
	return Consent{
		Ask:   Message{Key: ask, Args: Args{Sum: a.Price, Bond: a.Bond}},
		Risks: Risks(a, Producer), Done: Message{Key: DoneDelivered},
	}
}

// ConsentToRelease is asked before the secret of instalment k leaves the consumer (E3). The ask is [AskRelease], [AskReleaseByKey] or
// [AskWriteKey].
func ConsentToRelease(t *types.Trade, k uint16, ask Key) Consent {
	a := &t.Agreement
	freed := Due(a, max(k, t.Released)) - Due(a, t.Released)
	done := Message{Key: DoneReleased}
	if ask == AskReleaseByKey {
		done = Message{Key: DoneReleasedByKey, Args: Args{Released: k}}
	}
	return Consent{
		Ask:   Message{Key: ask, Args: Args{Released: k, Instalments: a.Instalments, Sum: freed}},
		Risks: []Message{{Key: RiskRelease, Args: Args{Role: Consumer, Sum: freed}}}, Done: done,
	}
}

// ConsentToSpend is asked before a key spends its parts of a trade: the producer's payment and bond (E4), the return, or a refund.
func ConsentToSpend(t *types.Trade, key types.PublicKey, clock types.Time) Consent {
	c := Consent{Ask: Message{Key: AskCollect}, Done: Message{Key: DoneCollected}}
	if PhaseAt(t, clock) == types.PhaseRefunded {
		c.Ask.Key, c.Done.Key = AskRefund, DoneRefunded
	}
	var sum types.Amount
	for _, locked := range t.Locked {
		if owner, owned := Owner(t, locked.Part, clock); owned && owner == key {
			sum += locked.Amount
		}
	}
	c.Gives = []Message{{Key: EffectGives, Args: Args{Role: RoleOf(&t.Agreement, key), Sum: sum}}}
	return c
}

// ConsentToSettle is asked before a settlement by the reading.
func ConsentToSettle(t *types.Trade, reading uint64) Consent {
	return Consent{
		Ask: Message{Key: AskSettle}, Gives: settlement(t, reading),
		Risks: []Message{{Key: RiskFinal}}, Done: Message{Key: DoneSettled},
	}
}

// ConsentToAward is asked before an arbiter divides the locked money.
func ConsentToAward(toProducer, toConsumer types.Amount) Consent {
	return Consent{
		Ask: Message{Key: AskAward}, Gives: append(sums(EffectGives, toProducer, 0), sums(EffectGives, 0, toConsumer)...),
		Risks: []Message{{Key: RiskFinal}}, Done: Message{Key: DoneAwarded},
	}
}

// Risks states the fallback terms of an agreement, and the worst loss of each of the sides.
func Risks(a *types.Agreement, sides ...Role) []Message {
	risks := []Message{Terms(a.Fallback)}
	for _, side := range sides {
		if worst, err := WorstLoss(a, side); err == nil {
			risks = append(risks, worst.Message(side))
		}
	}
	return risks
}

// Commitment states the sums that an agreement will make a side lock.
func Commitment(a *types.Agreement, side Role) Message {
	switch {
	case side == Consumer:
		return Message{Key: CommitsToPay, Args: Args{Sum: a.Price, Deposit: a.Deposit}}
	case a.Bond == 0:
		return Message{Key: CommitsToNoBond}
	}
	return Message{Key: CommitsToBond, Args: Args{Bond: a.Bond}}
}

// Worst is the most money that a trade can cost a side that did its part (protocol section 5). It is that of
// hold terms, the widest: under meter terms a side that trusts the meter can lose less.
type Worst struct {
	Money types.Amount // in the agreement's asset
	Goods bool         // and the goods: a producer hands them over before it is paid for them
	// Instalments > 1: a producer that stops when one is not released loses at most one instalment of goods.
	Instalments uint16
}

// WorstLoss returns the most that a side of an agreement can lose. The consumer: price and deposit, when the goods don't come and it
// keeps the secret. The producer: its bond, when the consumer keeps the secret although they came, and the goods.
func WorstLoss(a *types.Agreement, side Role) (Worst, error) {
	if side == Producer {
		return Worst{Money: a.Bond, Goods: true, Instalments: a.Instalments}, nil
	}
	money, ok := a.Price.Add(a.Deposit)
	if !ok {
		return Worst{}, types.Refuse(types.CodeOverflow, "price %s and deposit %s", a.Price, a.Deposit)
	}
	return Worst{Money: money}, nil
}

// Message states the worst loss of a side.
func (w Worst) Message(side Role) Message {
	args := Args{Role: side, Sum: w.Money}
	switch {
	case !w.Goods:
		return Message{Key: RiskMoney, Args: args}
	case w.Instalments > 1:
		args.Instalments = w.Instalments
		return Message{Key: RiskInstalment, Args: args}
	}
	return Message{Key: RiskGoods, Args: args}
}
