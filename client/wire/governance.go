package wire

import "lockstep/types"

// Governance is the operators of the ledger, the signatures that a decision needs, and the changes that wait.
type Governance struct {
	Height     uint64            `json:"height"`
	Governance types.Governance  `json:"governance"`
	Decisions  uint64            `json:"decisions" doc:"the number of decisions so far"`
	Checkpoint *types.Checkpoint `json:"checkpoint,omitempty" doc:"the newest block that a newcomer among the validators can sign; absent before the first"`
}

// Decision is a decision of operators that was carried out.
type Decision struct {
	ID      types.Hash    `json:"id"`
	Decided types.Decided `json:"decided"`
}

// Decisions is a page of decisions, newest first.
type Decisions struct {
	Height    uint64     `json:"height"`
	Decisions []Decision `json:"decisions" nullable:"false"`
	Next      string     `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}
