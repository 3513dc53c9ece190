package trade

import "lockstep/types"

// StageName names a stage of a trade.
type StageName string

// The stages. E1 to E4 are paid, delivered, released and collected.
const (
	StageAgreed       StageName = "agreed"
	StageMatched      StageName = "matched"
	StageLapsed       StageName = "lapsed"
	StagePaid         StageName = "paid"
	StageNotDelivered StageName = "not_delivered"
	StageRefund       StageName = "refund"
	StageDelivered    StageName = "delivered"
	StageSplit        StageName = "split"
	StageSettled      StageName = "settled"
	StageAwarded      StageName = "awarded"
	StageReleased     StageName = "released"
	StageCollected    StageName = "collected"
)

// Key is the key of the stage's name.
func (n StageName) Key() Key { return Key("stage." + string(n)) }

// StageRole returns the side that takes the step of a stage, empty where no single side does.
func StageRole(stage Key) Role {
	switch stage {
	case StagePaid.Key(), StageReleased.Key(), StageRefund.Key():
		return Consumer
	case StageDelivered.Key(), StageNotDelivered.Key(), StageCollected.Key():
		return Producer
	case StageLapsed.Key():
		return Consumer
	case StageSplit.Key():
		return Both
	case StageSettled.Key():
		return Anyone
	case StageAwarded.Key():
		return Arbiter
	}
	return ""
}

// StageMove returns the key of the move that makes a stage, for a stage to come; empty where none does.
func StageMove(stage Key) Key {
	switch stage {
	case StagePaid.Key():
		return MoveKey("pay")
	case StageDelivered.Key():
		return MoveKey("deliver")
	case StageReleased.Key():
		return MoveKey("release")
	case StageCollected.Key():
		return MoveKey("collect")
	case StageRefund.Key():
		return MoveKey("refund")
	}
	return ""
}

// Stage is one line of a trade's timeline.
type Stage struct {
	Stage  Key        `json:"stage"`
	Done   bool       `json:"done"`
	Missed bool       `json:"missed,omitzero" doc:"its deadline passed without it"`
	At     types.Time `json:"at,omitzero" doc:"when it was done or missed, on the ledger clock"`
	Until  types.Time `json:"until,omitzero" doc:"the deadline of a stage to come; absent when there is none"`
	Tx     types.TxID `json:"tx,omitzero" doc:"the transaction that did it"`
	Note   *Message   `json:"note,omitempty" doc:"its effect; absent for a stage to come"`
}

// stagesOf lists the stages of a trade: those done, then those that can still come, or the end of the trade.
func stagesOf(t *types.Trade, clock types.Time) []Stage {
	a, d := &t.Agreement, &t.Agreement.Deadlines
	first := stage(t, StageAgreed, types.StepAgreed, 0, Message{Key: NoteAgreed})
	if matched(t) {
		first = stage(t, StageMatched, types.StepMatched, 0, Message{Key: NoteMatched})
	}
	phase := PhaseAt(t, clock)
	if phase == types.PhaseLapsed {
		return []Stage{first, missed(StageLapsed, d.PayBy, Message{Key: NoteLapsed, Args: Args{Role: Consumer}})}
	}
	stages := []Stage{first, stage(t, StagePaid, types.StepPaid, d.PayBy, Message{Key: NotePaid, Args: Args{Sum: a.Price, Deposit: a.Deposit}})}
	if phase == types.PhaseRefunded {
		return append(stages, missed(StageNotDelivered, d.DeliverBy, Message{Key: NoteNotDelivered}),
			stage(t, StageRefund, types.StepRefunded, 0, Message{Key: NoteRefunded, Args: Args{Role: Consumer}}))
	}
	delivered := Message{Key: NoteDelivered}
	if a.Bond > 0 {
		delivered = Message{Key: NoteDeliveredBond, Args: Args{Sum: a.Bond}}
	}
	ended, end := endOf(t)
	if _, done := t.Step(types.StepDelivered); done || !ended {
		stages = append(stages, stage(t, StageDelivered, types.StepDelivered, d.DeliverBy, delivered))
	}
	if ended {
		return append(stages, end)
	}
	released := Message{Key: NoteReleased}
	if t.Released < a.Instalments {
		released = Message{Key: NotePartlyReleased, Args: Args{Released: t.Released, Instalments: a.Instalments, Sum: Due(a, t.Released)}}
	}
	return append(stages, stage(t, StageReleased, types.StepReleased, releaseBy(a), released),
		stage(t, StageCollected, types.StepCollected, 0, Message{Key: NoteCollected}))
}

// releaseBy is the deadline of the release; zero under terms that set none.
func releaseBy(a *types.Agreement) types.Time {
	w := windowOf(MoveRelease)
	return w.until(a, types.PhaseDelivered)
}

// endOf returns the stage that ended a trade by a division of its money.
func endOf(t *types.Trade) (ended bool, end Stage) {
	for _, way := range []struct {
		name StageName
		kind types.StepKind
		note Message
	}{
		{StageSplit, types.StepSplit, Message{Key: NoteSplit}},
		{StageSettled, types.StepSettled, Message{Key: NoteSettled, Args: Args{Quantity: t.Allotted, Total: t.Agreement.Goods.Quantity}}},
		{StageAwarded, types.StepAwarded, Message{Key: NoteAwarded}},
	} {
		if _, done := t.Step(way.kind); done {
			return true, stage(t, way.name, way.kind, 0, way.note)
		}
	}
	return false, Stage{}
}

// stage is a step that was done, with a note, or one to come, with its deadline.
func stage(t *types.Trade, name StageName, kind types.StepKind, until types.Time, note Message) Stage {
	if step, done := t.Step(kind); done {
		return Stage{Stage: name.Key(), Done: true, At: step.At, Tx: step.Tx, Note: &note}
	}
	return Stage{Stage: name.Key(), Until: until}
}

func missed(name StageName, deadline types.Time, note Message) Stage {
	return Stage{Stage: name.Key(), Missed: true, At: deadline, Note: &note}
}
