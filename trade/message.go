package trade

import "lockstep/types"

// Role is a side of a trade, or the group of those that may act in it.
type Role string

// The roles. A viewer that has none of the first three is a stranger to the trade, with the empty role.
const (
	Producer Role = "producer"
	Consumer Role = "consumer"
	Arbiter  Role = "arbiter"
	Both     Role = "both"   // producer and consumer together
	Anyone   Role = "anyone" // no signature is needed
	Nobody   Role = "nobody"
)

// RoleOf returns the role of a key under an agreement, empty for a stranger.
func RoleOf(a *types.Agreement, key types.PublicKey) Role {
	arbiter, named := a.Fallback.(*types.Arbiter)
	switch {
	case key == types.PublicKey{}:
		return ""
	case key == a.Producer:
		return Producer
	case key == a.Consumer:
		return Consumer
	case named && key == arbiter.Key:
		return Arbiter
	}
	return ""
}

// Key names a message. Package words holds its text in each language.
type Key string

// Message is one statement about a trade: a key with its arguments, without any text.
type Message struct {
	Key  Key  `json:"key" doc:"names the statement; more may be added"`
	Args Args `json:"args,omitzero" doc:"its arguments; an absent one is zero"`
}

// Args are the arguments of a message. [Keys] lists those that each key has; the others are zero.
type Args struct {
	Role        Role            `json:"role,omitzero" doc:"the side that the statement is about"`
	Until       types.Time      `json:"until,omitzero" doc:"a deadline of the trade, on the ledger clock"`
	Sum         types.Amount    `json:"sum,omitzero" doc:"in smallest units of the trade's asset"`
	Deposit     types.Amount    `json:"deposit,omitzero" doc:"in smallest units of the trade's asset"`
	Bond        types.Amount    `json:"bond,omitzero" doc:"in smallest units of the trade's asset"`
	Quantity    uint64          `json:"quantity,omitzero" doc:"in units of the trade's goods"`
	Total       uint64          `json:"total,omitzero" doc:"the quantity of the trade's goods"`
	Released    uint16          `json:"released,omitzero" doc:"instalments released so far"`
	Instalments uint16          `json:"instalments,omitzero" doc:"instalments of the trade"`
	Arbiter     types.PublicKey `json:"arbiter,omitzero" doc:"the key of the arbiter"`
}

// Named is one argument by its name, as a text of the catalogue refers to it.
type Named struct {
	Name  string
	Value any
}

// All lists the arguments with their names, in a fixed order.
func (a Args) All() []Named {
	return []Named{
		{"role", a.Role},
		{"until", a.Until},
		{"sum", a.Sum},
		{"deposit", a.Deposit},
		{"bond", a.Bond},
		{"quantity", a.Quantity},
		{"total", a.Total},
		{"released", a.Released},
		{"instalments", a.Instalments},
		{"arbiter", a.Arbiter},
	}
}

// The messages of a status. Each group answers one question.
const (
	// The state of the trade, and the side that brought it there.
	StateAgreed          Key = "state.agreed"
	StateMatched         Key = "state.matched"
	StatePaid            Key = "state.paid"
	StateDelivered       Key = "state.delivered"
	StatePartlyReleased  Key = "state.partly_released"
	StateReleased        Key = "state.released"
	StateReleasedAndOver Key = "state.released_and_over"
	StateSplit           Key = "state.split"
	StateSettled         Key = "state.settled"
	StateAwarded         Key = "state.awarded"
	StateRefundable      Key = "state.refundable" // deliver-by has passed; the money is still in the trade
	StateRefunded        Key = "state.refunded"   // the consumer has spent its refund
	StateLapsed          Key = "state.lapsed"

	// The consequences if neither side acts.
	ElseLapse      Key = "else.lapse"
	ElseRefund     Key = "else.refund"
	ElseLocked     Key = "else.locked" // hold: no end
	ElseSettle     Key = "else.settle"
	ElseSettleSoon Key = "else.settle_now" // confirm-by has passed
	ElseAward      Key = "else.award"
	ElseAwardSoon  Key = "else.award_now"
	ElseKeep       Key = "else.keep" // each part stays with its owner, without a deadline
	ElseNothing    Key = "else.nothing"
	ElseOnRecord   Key = "else.on_record" // of a match: it counts against a party

	// The effect of a move on the money.
	EffectLocks   Key = "effect.locks"
	EffectGives   Key = "effect.gives"
	EffectDivides Key = "effect.divides"
	EffectReads   Key = "effect.reads"

	// The owner of a locked part.
	OwnerNobody Key = "owner.nobody"
	OwnerRole   Key = "owner.role"

	// The meaning of the fallback terms.
	TermsHold    Key = "terms.hold"
	TermsMeter   Key = "terms.meter"
	TermsArbiter Key = "terms.arbiter"

	// The sums of the agreement.
	Price Key = "price"

	// The question before a move, see [Consent].
	AskTake          Key = "ask.take"
	AskPay           Key = "ask.pay"
	AskDeliver       Key = "ask.deliver"
	AskDeliverStaked Key = "ask.deliver_staked" // the bond is locked already
	AskRelease       Key = "ask.release"
	AskReleaseByKey  Key = "ask.release_by_key" // by a key that the consumer handed over
	AskWriteKey      Key = "ask.write_key"
	AskCollect       Key = "ask.collect"
	AskRefund        Key = "ask.refund"
	AskSettle        Key = "ask.settle"
	AskAward         Key = "ask.award"

	// The report after a move.
	DonePaid          Key = "done.paid"
	DoneDelivered     Key = "done.delivered"
	DoneReleased      Key = "done.released"
	DoneReleasedByKey Key = "done.released_by_key"
	DoneCollected     Key = "done.collected"
	DoneRefunded      Key = "done.refunded"
	DoneSettled       Key = "done.settled"
	DoneAwarded       Key = "done.awarded"

	// The risks of a move, and the sums that an agreement will lock.
	RiskMoney       Key = "risk.money"
	RiskGoods       Key = "risk.goods"
	RiskInstalment  Key = "risk.instalment"
	RiskRelease     Key = "risk.release"
	RiskFinal       Key = "risk.final"
	RiskRecord      Key = "risk.record" // of a match
	CommitsToPay    Key = "commits.pay"
	CommitsToBond   Key = "commits.bond"
	CommitsToNoBond Key = "commits.no_bond"

	// The event of a stage.
	NoteAgreed         Key = "note.agreed"
	NoteMatched        Key = "note.matched"
	NotePaid           Key = "note.paid"
	NoteLapsed         Key = "note.lapsed"
	NoteNotDelivered   Key = "note.not_delivered"
	NoteRefunded       Key = "note.refunded"
	NoteDelivered      Key = "note.delivered"
	NoteDeliveredBond  Key = "note.delivered_bond"
	NoteSplit          Key = "note.split"
	NoteSettled        Key = "note.settled"
	NoteAwarded        Key = "note.awarded"
	NoteReleased       Key = "note.released"
	NotePartlyReleased Key = "note.partly_released"
	NoteCollected      Key = "note.collected"
)

// PhaseKey is the key of a phase's name.
func PhaseKey(p types.Phase) Key { return Key("phase." + p.String()) }

// PartKey is the key of the name of a part.
func PartKey(p types.Part) Key { return Key("part." + p.String()) }

// MoveKey is the key of a move's name.
func MoveKey(what string) Key { return Key("move." + what) }

// RoleKey is the key of a role's name.
func RoleKey(r Role) Key { return Key("role." + string(r)) }

// EventKey is the key of an event: one short sentence.
func EventKey(kind types.EventKind) Key { return Key("event." + string(kind)) }

// KeyInfo is a key with the names of its arguments.
type KeyInfo struct {
	Key  Key
	Args []string
}

// Keys lists every key that this package returns, with the names of its arguments. The argument goods is not part of a message: a program
// describes the goods of an agreement in its own way.
func Keys() []KeyInfo {
	list := []KeyInfo{
		{StateAgreed, nil}, {StateMatched, nil}, {StatePaid, nil}, {StateDelivered, nil},
		{StatePartlyReleased, []string{"released", "instalments"}},
		{StateReleased, nil}, {StateReleasedAndOver, nil}, {StateSplit, nil},
		{StateSettled, []string{"quantity", "total"}},
		{StateAwarded, nil},
		{StateRefundable, []string{"role", "until"}}, {StateRefunded, []string{"role", "until"}}, {StateLapsed, []string{"role", "until"}},

		{ElseLapse, []string{"until"}}, {ElseRefund, []string{"until"}}, {ElseLocked, []string{"sum"}},
		{ElseSettle, []string{"until", "quantity", "total"}}, {ElseSettleSoon, []string{"sum", "quantity", "total"}},
		{ElseAward, []string{"until", "role", "sum"}}, {ElseAwardSoon, []string{"role", "sum"}},
		{ElseKeep, nil}, {ElseNothing, nil}, {ElseOnRecord, []string{"role"}},

		{EffectLocks, []string{"role", "sum"}}, {EffectGives, []string{"role", "sum"}}, {EffectDivides, []string{"sum"}}, {EffectReads, nil},
		{Price, []string{"sum", "deposit", "bond"}},
		{OwnerNobody, nil}, {OwnerRole, []string{"role"}},
		{TermsHold, nil}, {TermsMeter, nil}, {TermsArbiter, []string{"arbiter"}},

		{AskTake, []string{"goods", "sum", "deposit"}}, {AskPay, []string{"goods", "sum", "deposit"}}, {AskDeliver, []string{"goods", "sum", "bond"}},
		{AskDeliverStaked, []string{"goods", "sum", "bond"}},
		{AskRelease, []string{"released", "instalments", "sum"}}, {AskReleaseByKey, []string{"released", "instalments", "sum"}},
		{AskWriteKey, []string{"released", "instalments", "sum"}}, {AskCollect, nil}, {AskRefund, nil}, {AskSettle, nil}, {AskAward, nil},
		{DonePaid, nil}, {DoneDelivered, nil}, {DoneReleased, nil}, {DoneReleasedByKey, []string{"released"}}, {DoneCollected, nil}, {DoneRefunded, nil},
		{DoneSettled, nil}, {DoneAwarded, nil},
		{RiskMoney, []string{"role", "sum"}}, {RiskGoods, []string{"role", "sum"}}, {RiskInstalment, []string{"role", "sum", "instalments"}},
		{RiskRelease, []string{"role", "sum"}}, {RiskFinal, nil}, {RiskRecord, nil},
		{CommitsToPay, []string{"sum", "deposit"}}, {CommitsToBond, []string{"bond"}}, {CommitsToNoBond, nil},

		{NoteAgreed, nil}, {NoteMatched, nil}, {NotePaid, []string{"sum", "deposit"}}, {NoteLapsed, []string{"role"}}, {NoteNotDelivered, nil},
		{NoteRefunded, []string{"role"}}, {NoteDelivered, nil}, {NoteDeliveredBond, []string{"sum"}}, {NoteSplit, nil},
		{NoteSettled, []string{"quantity", "total"}}, {NoteAwarded, nil}, {NoteReleased, nil},
		{NotePartlyReleased, []string{"released", "instalments", "sum"}}, {NoteCollected, nil},
	}
	for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
		list = append(list, KeyInfo{Key: PhaseKey(phase)})
	}
	for part := types.PartPayment; part <= types.PartBond; part++ {
		list = append(list, KeyInfo{Key: PartKey(part)})
	}
	for move := MovePay; move <= lastMove; move++ {
		list = append(list, KeyInfo{Key: MoveKey(move.String())})
	}
	for _, role := range []Role{Producer, Consumer, Arbiter, Both, Anyone, Nobody} {
		list = append(list, KeyInfo{Key: RoleKey(role)})
	}
	for _, stage := range []StageName{
		StageAgreed, StageMatched, StageLapsed, StagePaid, StageNotDelivered, StageRefund, StageDelivered, StageSplit, StageSettled, StageAwarded,
		StageReleased, StageCollected,
	} {
		list = append(list, KeyInfo{Key: stage.Key()})
	}
	for _, kind := range []types.EventKind{
		types.EventIssued, types.EventRedeemed, types.EventTransferred, types.EventOffered, types.EventOfferClosed, types.EventOrdered,
		types.EventWithdrawn, types.EventCleared, types.EventMatched, types.EventAgreed, types.EventPaid, types.EventDelivered, types.EventReleased,
		types.EventSplit, types.EventLapsed, types.EventCollected, types.EventRefunded, types.EventReturned, types.EventSettled, types.EventAwarded,
		types.EventRead, types.EventRegistered,
	} {
		list = append(list, KeyInfo{Key: EventKey(kind)})
	}
	return list
}
