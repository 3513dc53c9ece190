package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// Kind is the kind of a notice.
type Kind string

// The kinds.
const (
	YourTurn Kind = "trade.your_turn" // a step waits for the owner
	Deadline Kind = "trade.deadline"  // it still waits, and its deadline is near
	Ended    Kind = "trade.ended"     // a trade ended in another way than by a release
	Trouble  Kind = "trouble"         // the node is away or stands still, or a program of the owner has failed
	Test     Kind = "test"
)

// Notice tells the owner of one matter. Its texts are in the owner's language; the other fields are for programs.
type Notice struct {
	ID           string         `json:"id"` // the same for the same matter, also after a restart
	Kind         Kind           `json:"kind"`
	At           types.Time     `json:"at"`              // ledger clock, or this machine's for a trouble
	Trade        *types.TradeID `json:"trade,omitempty"` // absent for a trouble
	Phase        string         `json:"phase,omitempty"`
	Move         string         `json:"move,omitempty"`     // the step that waits for the owner
	Deadline     types.Time     `json:"deadline,omitzero"`  // of the step, on the ledger clock
	Headline     string         `json:"headline"`           // one line for a small screen
	Status       string         `json:"status,omitempty"`   // where the trade stands
	Consequences []string       `json:"consequences"`       // if nobody acts
	Cause        string         `json:"cause"`              // never empty
	Dropped      int            `json:"dropped,omitempty"`  // notices that the full queue lost before this one
	Attempts     int            `json:"attempts,omitempty"` // failed ones before
}

// View is a trade as its owner sees it.
type View struct {
	Trade  types.TradeID
	Clock  types.Time
	Status *trade.Status // for the owner as the viewer
}

// Policy chooses the notices.
type Policy struct {
	// Remind is how long before a deadline the owner is told once more.
	Remind types.Duration
	// Agent says that an agent takes the owner's steps. Then a step is told only when it still waits near its deadline.
	Agent bool
}

// Of returns the notice that a status calls for; false when nothing needs the owner.
func Of(v View, policy Policy, p *words.Printer) (Notice, bool) {
	s := v.Status
	kind, move := matter(v, policy)
	if kind == "" {
		return Notice{}, false
	}
	p.Viewer = s.Viewer
	n := Notice{
		ID: idOf(string(kind), v.Trade.String(), s.Phase.String(), string(move), string(s.Viewer), released(s)), Kind: kind, At: v.Clock, Trade: &v.Trade, Phase: s.Phase.String(),
		Status: p.Sentence(s.State), Consequences: []string{}, Cause: cause(s, p),
	}
	n.Headline = n.Status
	if kind != Ended {
		n.Move, n.Deadline = strings.TrimPrefix(string(move), string(trade.MoveKey(""))), s.Turn.Until
		_, n.Headline = p.Headline(s)
	}
	for _, message := range s.Else {
		n.Consequences = append(n.Consequences, p.Sentence(message))
	}
	return n, true
}

// matter returns the kind of the matter that needs the owner, and the step that waits; an empty kind for none.
func matter(v View, policy Policy) (Kind, trade.Key) {
	s := v.Status
	if s.Viewer == "" {
		return "", ""
	}
	switch s.Phase {
	case types.PhaseRefunded, types.PhaseAwarded:
		if s.Viewer == trade.Arbiter { // it has nothing to do with the one, and did the other itself
			return "", ""
		}
		return Ended, ""
	case types.PhaseLapsed:
		if s.Viewer == trade.Consumer { // it missed the deadline; nothing was locked
			return Ended, ""
		}
		return "", ""
	case types.PhaseSettled:
		short := s.State.Args.Quantity < s.State.Args.Total
		if s.Viewer == trade.Consumer || s.Viewer == trade.Producer && short { // in full, the consumer has lost its deposit
			return Ended, ""
		}
		return "", ""
	case types.PhaseReleased, types.PhaseSplit:
		return "", "" // as both sides wanted; each part has its owner, and none has a deadline
	}
	if !s.Turn.You {
		return "", ""
	}
	switch s.Turn.Move {
	case trade.MoveKey("pay"), trade.MoveKey("deliver"), trade.MoveKey("release"), trade.MoveKey("read"), trade.MoveKey("settle"), trade.MoveKey("award"):
	default:
		return "", ""
	}
	switch near := s.Turn.Until != 0 && s.Turn.Until <= v.Clock.Add(policy.Remind); {
	case near:
		return Deadline, s.Turn.Move
	case policy.Agent && s.Turn.Until != 0:
		return "", "" // the agent has time
	}
	return YourTurn, s.Turn.Move
}

// released distinguishes the instalments of a trade, each of which waits for a release of its own.
func released(s *trade.Status) string {
	return strconv.Itoa(int(s.State.Args.Released))
}

// cause is the last step that was taken, or the deadline that was missed.
func cause(s *trade.Status, p *words.Printer) string {
	for i := len(s.Stages) - 1; i >= 0; i-- {
		stage := &s.Stages[i]
		if !stage.Done && !stage.Missed {
			continue
		}
		text := words.Upper(p.Key(stage.Stage))
		if stage.Note != nil {
			text += p.Key(words.Colon) + p.Text(*stage.Note)
		}
		return p.Full(text)
	}
	return p.Sentence(s.State)
}

// idOf names a matter.
func idOf(parts ...string) string {
	sum := sha256.Sum256([]byte("lockstep notice\x00" + strings.Join(parts, "\x00")))
	return "ntc_" + hex.EncodeToString(sum[:16])
}

// NewTrouble returns the notice of a trouble that is no trade's: its beginning names it, so one trouble is told once.
func NewTrouble(about, began, headline, cause string, consequences ...string) Notice {
	return Notice{
		ID: idOf(string(Trouble), about, began), Kind: Trouble, At: types.Time(time.Now().UnixMilli()), //nolint:gosec // after 1970
		Headline: headline, Cause: cause, Consequences: append([]string{}, consequences...),
	}
}

// NewTest returns a notice by which an owner tries the ways.
func NewTest(now time.Time) Notice {
	return Notice{
		ID: idOf(string(Test), now.UTC().Format(time.RFC3339Nano)), Kind: Test, At: types.Time(now.UnixMilli()), //nolint:gosec // after 1970
		Headline: "This is a test: nothing needs you", Cause: "You asked for a test.", Consequences: []string{},
	}
}
