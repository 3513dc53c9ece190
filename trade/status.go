package trade

import "lockstep/types"

// Status answers a viewer's questions about a trade at one moment. It holds keys and arguments; package words turns them into
// English or Chinese. Command line, API and pages all show this status, so no two of them can disagree.
type Status struct {
	Phase   types.Phase `json:"phase" doc:"at the clock of the trade; a passed deadline counts"`
	Viewer  Role        `json:"viewer,omitzero" doc:"the viewer's role in the trade; absent for a stranger"`
	State   Message     `json:"state" doc:"where the trade stands, and which side let a deadline pass"`
	Turn    Turn        `json:"turn" doc:"the side that the trade waits for"`
	Else    []Message   `json:"else" nullable:"false" doc:"the consequences if nobody acts"`
	Options []Option    `json:"options" nullable:"false" doc:"every move that is possible now; the trade waits for the first"`
	Locked  []Held      `json:"locked" nullable:"false" doc:"the money in the trade, part by part"`
	Stages  []Stage     `json:"stages" nullable:"false" doc:"the steps of the trade: done, missed or still to come"`
	Over    bool        `json:"over" doc:"nothing is locked and no move is left"`
}

// Turn is the side that a trade waits for.
type Turn struct {
	Role  Role       `json:"role" enum:"producer,consumer,arbiter,both,anyone,nobody"`
	You   bool       `json:"you" doc:"it is the viewer's turn"`
	Move  Key        `json:"move,omitzero" doc:"the awaited move; absent when it is nobody's turn"`
	Until types.Time `json:"until,omitzero" doc:"the deadline, on the ledger clock; absent when there is none"`
}

// Option is a possible move with its effects.
type Option struct {
	Move    Key        `json:"move"`
	Role    Role       `json:"role" enum:"producer,consumer,arbiter,both,anyone"`
	You     bool       `json:"you" doc:"the viewer can make this move, or takes part in it"`
	Until   types.Time `json:"until,omitzero" doc:"the deadline, on the ledger clock; absent when there is none"`
	Effects []Message  `json:"effects" nullable:"false" doc:"the sums that the move locks, gives or divides, by side"`
}

// Held is one part of the money in a trade.
type Held struct {
	Part   types.Part   `json:"part"`
	Amount types.Amount `json:"amount"`
	Owner  Message      `json:"owner" doc:"the side that may spend it now"`
}

// StatusAt returns the status of a trade at a moment of the ledger clock, for the holder of a key; the zero key is a stranger's.
// The reading is the quantity that the readings so far allot to a trade under meter terms.
func StatusAt(t *types.Trade, clock types.Time, reading uint64, viewer types.PublicKey) Status {
	s := Status{
		Phase: PhaseAt(t, clock), Viewer: RoleOf(&t.Agreement, viewer), State: stateOf(t, clock),
		Turn: Turn{Role: Nobody}, Options: []Option{}, Locked: []Held{}, Stages: stagesOf(t, clock),
	}
	for _, move := range Moves(t, clock) {
		option := Option{
			Move: MoveKey(move.What), Role: Role(move.Role), Until: move.Until, Effects: effectsOf(t, move.What, reading),
		}
		option.You = viewer != types.PublicKey{} && s.takesPart(option.Role)
		s.Options = append(s.Options, option)
	}
	if len(s.Options) > 0 {
		first := s.Options[0]
		s.Turn = Turn{Role: first.Role, You: first.You, Move: first.Move, Until: first.Until}
	}
	for _, locked := range t.Locked {
		held := Held{Part: locked.Part, Amount: locked.Amount, Owner: Message{Key: OwnerNobody}}
		if owner, owned := Owner(t, locked.Part, clock); owned {
			held.Owner = Message{Key: OwnerRole, Args: Args{Role: RoleOf(&t.Agreement, owner)}}
		}
		s.Locked = append(s.Locked, held)
	}
	s.Over = len(s.Options) == 0 && len(s.Locked) == 0
	s.Else = otherwise(t, clock, reading)
	return s
}

// takesPart reports whether the viewer is among those of a role.
func (s *Status) takesPart(role Role) bool {
	switch role {
	case Anyone:
		return true
	case Both:
		return s.Viewer == Producer || s.Viewer == Consumer
	}
	return role == s.Viewer
}

// PriceOf states the sums of an agreement.
func PriceOf(a *types.Agreement) Message {
	return Message{Key: Price, Args: Args{Sum: a.Price, Deposit: a.Deposit, Bond: a.Bond}}
}

// Terms states the fallback terms: the end of a delivered trade without a release.
func Terms(fallback types.Fallback) Message {
	switch f := fallback.(type) {
	case *types.Hold:
		return Message{Key: TermsHold}
	case *types.Meter:
		return Message{Key: TermsMeter}
	case *types.Arbiter:
		return Message{Key: TermsArbiter, Args: Args{Arbiter: f.Key}}
	}
	return Message{}
}

func stateOf(t *types.Trade, clock types.Time) Message {
	a := &t.Agreement
	switch PhaseAt(t, clock) {
	case types.PhaseAgreed:
		return Message{Key: StateAgreed}
	case types.PhasePaid:
		if matched(t) {
			return Message{Key: StateMatched}
		}
		return Message{Key: StatePaid}
	case types.PhaseDelivered:
		if t.Released > 0 {
			return Message{Key: StatePartlyReleased, Args: Args{Released: t.Released, Instalments: a.Instalments}}
		}
		return Message{Key: StateDelivered}
	case types.PhaseReleased:
		if len(t.Locked) == 0 {
			return Message{Key: StateReleasedAndOver}
		}
		return Message{Key: StateReleased}
	case types.PhaseSplit:
		return Message{Key: StateSplit}
	case types.PhaseSettled:
		return Message{Key: StateSettled, Args: Args{Quantity: t.Allotted, Total: a.Goods.Quantity}}
	case types.PhaseAwarded:
		return Message{Key: StateAwarded}
	case types.PhaseRefunded:
		args := Args{Role: Producer, Until: a.Deadlines.DeliverBy}
		if len(t.Locked) == 0 {
			return Message{Key: StateRefunded, Args: args}
		}
		return Message{Key: StateRefundable, Args: args}
	case types.PhaseLapsed:
		return Message{Key: StateLapsed, Args: Args{Role: Consumer, Until: a.Deadlines.PayBy}}
	}
	return Message{}
}

// effectsOf lists the sums that a move locks, gives or divides.
func effectsOf(t *types.Trade, what string, reading uint64) []Message {
	a := &t.Agreement
	switch what {
	case "pay":
		return sums(EffectLocks, 0, a.Price+a.Deposit) // checked with the agreement: both fit
	case "deliver":
		return sums(EffectLocks, bondToLock(t), 0)
	case "release":
		return sums(EffectGives, held(t, types.PartPayment)+held(t, types.PartBond), held(t, types.PartReturn))
	case "collect":
		return sums(EffectGives, held(t, types.PartPayment)+held(t, types.PartBond), 0)
	case "take_bond":
		return sums(EffectGives, held(t, types.PartBond), 0)
	case "take_return":
		return sums(EffectGives, 0, held(t, types.PartReturn))
	case "refund":
		return sums(EffectGives, 0, held(t, types.PartPayment)+held(t, types.PartDeposit))
	case "settle":
		return settlement(t, reading)
	case "split", "award":
		return []Message{{Key: EffectDivides, Args: Args{Sum: t.LockedSum()}}}
	case "read":
		return []Message{{Key: EffectReads}}
	}
	return []Message{}
}

// sums lists an effect on each side whose sum is not zero.
func sums(key Key, producer, consumer types.Amount) []Message {
	messages := []Message{}
	if producer > 0 {
		messages = append(messages, Message{Key: key, Args: Args{Role: Producer, Sum: producer}})
	}
	if consumer > 0 {
		messages = append(messages, Message{Key: key, Args: Args{Role: Consumer, Sum: consumer}})
	}
	return messages
}

// settlement lists the sums that a settlement by a reading gives to each side.
func settlement(t *types.Trade, reading uint64) []Message {
	locked := t.LockedSum()
	producer := min(ProducerShare(&t.Agreement, t.Released, reading), locked)
	return sums(EffectGives, producer, locked-producer)
}

// otherwise lists the consequences if neither side acts any more.
func otherwise(t *types.Trade, clock types.Time, reading uint64) []Message {
	a := &t.Agreement
	switch PhaseAt(t, clock) {
	case types.PhaseAgreed:
		return []Message{{Key: ElseLapse, Args: Args{Until: a.Deadlines.PayBy}}}
	case types.PhasePaid:
		refund := []Message{{Key: ElseRefund, Args: Args{Until: a.Deadlines.DeliverBy}}}
		bond := held(t, types.PartBond)
		return onRecord(t, Producer, append(refund, sums(EffectGives, bond, t.LockedSum()-bond)...)...)
	case types.PhaseDelivered:
		return undecided(t, clock, reading)
	case types.PhaseReleased, types.PhaseRefunded:
		if len(t.Locked) > 0 {
			return []Message{{Key: ElseKeep}}
		}
	}
	return []Message{{Key: ElseNothing}}
}

// undecided lists the consequences of the fallback terms for a delivered trade.
func undecided(t *types.Trade, clock types.Time, reading uint64) []Message {
	a := &t.Agreement
	over := Passed(a.Deadlines.ConfirmBy, clock)
	switch a.Fallback.(type) {
	case *types.Hold: // nothing, as below
	case *types.Meter:
		args := Args{Quantity: reading, Total: a.Goods.Quantity}
		settle := Message{Key: ElseSettle}
		if over {
			settle.Key, args.Sum = ElseSettleSoon, t.LockedSum()
		} else {
			args.Until = a.Deadlines.ConfirmBy
		}
		settle.Args = args
		loser := Producer // short by the reading
		if reading >= a.Goods.Quantity {
			loser = Consumer // it withheld the release
		}
		return onRecord(t, loser, append([]Message{settle}, settlement(t, reading)...)...)
	case *types.Arbiter:
		if over {
			return []Message{{Key: ElseAwardSoon, Args: Args{Role: Arbiter, Sum: t.LockedSum()}}}
		}
		return []Message{{Key: ElseAward, Args: Args{Until: a.Deadlines.ConfirmBy, Role: Arbiter, Sum: t.LockedSum()}}}
	}
	return []Message{{Key: ElseLocked, Args: Args{Sum: t.LockedSum()}}}
}

// onRecord adds to the consequences of a match that they count against a party.
func onRecord(t *types.Trade, against Role, messages ...Message) []Message {
	if matched(t) {
		messages = append(messages, Message{Key: ElseOnRecord, Args: Args{Role: against}})
	}
	return messages
}

func matched(t *types.Trade) bool {
	_, matched := t.Step(types.StepMatched)
	return matched
}

// held returns the sum that a part of the trade has locked, zero if it has none.
func held(t *types.Trade, part types.Part) types.Amount {
	locked, _ := t.Find(part)
	return locked.Amount
}
