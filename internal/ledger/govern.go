package ledger

import (
	"slices"

	"lockstep/types"
	"lockstep/types/canon"
)

// Operators decide together (ADR 0049): k of n sign a decision, and anyone submits it. Where k is 1, one operator can also do an action of
// operators in a transaction of its own. Each decision stays in the state and stands in the log, whole.

func governanceKey() key            { return kindKey(kindGovernance) }
func decisionKey(number uint64) key { return kindKey(kindDecision).withNumber(number) }
func decisionsKey() key             { return kindKey(kindDecisions) }

// decisionCount is the number of decisions so far.
type decisionCount struct{ Number uint64 }

// Fields is the stored form, see [canon.Value].
func (d *decisionCount) Fields(c *canon.Coder) {
	c.Array(1)
	canon.Number(c, "number", &d.Number)
}

// governance returns the entry that operators change, never nil. It is absent from a ledger whose validators no genesis file names, until a
// decision changes its parameters.
func (s *State) governance() *types.Governance {
	if g, known := get[types.Governance](s, governanceKey()); known {
		return g
	}
	return &types.Governance{Params: s.genesis}
}

// beginGovernance makes the entry, in the first block.
func (s *State) beginGovernance() {
	if len(s.facts.Validators) == 0 {
		return
	}
	g := &types.Governance{Params: s.params}
	for _, v := range s.facts.Validators {
		g.Validators = append(g.Validators, types.Seat{Validator: v})
	}
	slices.SortFunc(g.Validators, compareSeats)
	s.put(governanceKey(), g)
}

func compareSeats(a, b types.Seat) int { return types.CompareKeys(a.Validator.Key, b.Validator.Key) }

// needOperator lets an operator act: alone where one decides, or with the others in a decision, which names no operator.
func (x *execution) needOperator(operator types.PublicKey) error {
	switch {
	case x.deciding && operator != types.PublicKey{}:
		return types.Refuse(types.CodeDecision, "an act names the operator %s: in a decision it names none, those who sign it do it together", operator)
	case x.deciding:
		return nil
	case !slices.Contains(x.params.Operators, operator):
		return types.Refuse(types.CodeOperator, "%s is not an operator of this ledger", operator)
	case x.params.Needed() > 1:
		return types.Refuse(types.CodeOperator, "%d of the %d operators must sign this together, in a decision: on the command line, with --propose FILE", x.params.Needed(), len(x.params.Operators))
	}
	x.need(operator)
	return nil
}

// alone puts an act of a single operator on record.
func (x *execution) alone(operator types.PublicKey, act types.Act, err error) error {
	if err != nil || x.deciding {
		return err
	}
	x.record(types.Decision{ChainID: x.params.ChainID, ValidUntil: x.tx.Body.ValidUntil, Acts: []types.Act{act}}, []types.PublicKey{operator})
	return nil
}

// record keeps a decision in the state and in the log.
func (x *execution) record(d types.Decision, signers []types.PublicKey) {
	count := decisionCount{Number: 1}
	if before, some := get[decisionCount](x.State, decisionsKey()); some {
		count.Number = before.Number + 1
	}
	x.put(decisionsKey(), &count)
	x.put(decisionKey(count.Number), &types.Decided{Number: count.Number, Height: x.clock.Height, At: x.now, Tx: x.tx.ID(), Signers: signers, Decision: d})
	x.note(&types.Governed{Number: count.Number, Signers: signers, Decision: d})
	x.emit(types.EventDecided, types.Event{Tx: x.tx.ID()}, signers...)
}

// govern carries out a decision of the operators, all its acts or none.
func (x *execution) govern(a *types.Govern) error {
	d := &a.Decision
	if err := x.checkDecision(d); err != nil {
		return err
	}
	signers, err := x.checkSigned(a)
	if err != nil {
		return err
	}
	x.need(a.Submitter)
	done := rememberedKey(d.ValidUntil, d.ID())
	if _, again := get[mark](x.State, done); again {
		return types.Refuse(types.CodeReplay, "decision %s was carried out", d.ID())
	}
	x.put(done, &mark{})
	before := x.governance()
	x.deciding = true
	for i, act := range d.Acts {
		if err := x.decide(act); err != nil {
			return types.Refuse(types.CodeOf(err), "act %d of the decision: %s", i+1, detailOf(err))
		}
	}
	x.deciding = false
	if err := x.checkPower(before, d.Insist != 0); err != nil {
		return err
	}
	x.record(*d, signers)
	return nil
}

// detailOf is a refusal without the name of its code.
func detailOf(err error) string {
	if refusal, ok := err.(*types.Refusal); ok { //nolint:errorlint // the rules wrap no refusal
		return refusal.Detail
	}
	return err.Error()
}

// decide does one act of a decision.
func (x *execution) decide(act types.Act) error {
	switch a := act.(type) {
	case *types.SetValidator:
		return x.setValidator(a)
	case *types.SetParams:
		return x.setParams(a)
	case *types.SetMarket:
		return x.setMarket(a)
	case *types.Dismiss:
		return x.dismiss(a)
	case *types.Admit, *types.Enrol, *types.Exchange, *types.Retire, *types.Recognise, *types.Unrecognise:
		return x.act(act)
	}
	return types.Refuse(types.CodeMalformed, "an act is missing")
}

// maxActs bounds the acts of a decision.
const maxActs = 128

func (x *execution) checkDecision(d *types.Decision) error {
	now := x.clock.BlockTime
	switch {
	case d.ChainID != x.params.ChainID:
		return types.Refuse(types.CodeChain, "the decision is for another chain, this is %q", x.params.ChainID)
	case d.ValidUntil < now:
		return types.Refuse(types.CodeExpired, "the decision was valid until %s, the block is of %s: propose it again", d.ValidUntil, now)
	case d.ValidUntil > now.Add(types.DecisionValidity):
		return types.Refuse(types.CodeValidity, "the decision is valid until %s, more than %s ahead of the block of %s", d.ValidUntil, types.DecisionValidity, now)
	case len(d.Acts) == 0 || len(d.Acts) > maxActs:
		return types.Refuse(types.CodeDecision, "the decision has %d acts: 1 to %d are possible", len(d.Acts), maxActs)
	case d.Insist > 1:
		return types.Refuse(types.CodeDecision, "insist is %d: 0 and 1 are possible", d.Insist)
	}
	if size := len(types.Encode(d)); size > types.MaxDecisionBytes {
		return types.Refuse(types.CodeTooLarge, "the decision has %d bytes, at most %d are allowed: divide it into several", size, types.MaxDecisionBytes)
	}
	return nil
}

// checkSigned wants signatures of as many operators as decide, and of each operator that the decision adds, so that no key becomes an
// operator which nobody holds. It returns the operators that have signed.
func (x *execution) checkSigned(a *types.Govern) (signers []types.PublicKey, err error) {
	added := newOperators(&a.Decision, x.params.Operators)
	missing := len(added)
	for i := range a.Signatures {
		signer := a.Signatures[i].Key
		switch {
		case i > 0 && types.CompareKeys(a.Signatures[i-1].Key, signer) >= 0:
			return nil, types.Refuse(types.CodeDecision, "the signatures under the decision are out of order, or %s stands there twice", signer)
		case slices.Contains(x.params.Operators, signer):
			signers = append(signers, signer)
		case slices.Contains(added, signer):
			missing--
		default:
			return nil, types.Refuse(types.CodeOperator, "%s has signed the decision and is not an operator of this ledger", signer)
		}
	}
	switch {
	case len(signers) < int(x.params.Needed()):
		return nil, types.Refuse(types.CodeOperator, "%d of the %d operators have signed the decision, %d must", len(signers), len(x.params.Operators), x.params.Needed())
	case missing > 0:
		return nil, types.Refuse(types.CodeDecision, "%d operators to be have not signed the decision: each must, so that somebody holds its key", missing)
	}
	return signers, nil
}

// newOperators lists the keys that a decision makes operators.
func newOperators(d *types.Decision, now []types.PublicKey) (added []types.PublicKey) {
	for _, act := range d.Acts {
		set, ok := act.(*types.SetParams)
		if !ok {
			continue
		}
		for _, operator := range set.Change.Operators {
			if !slices.Contains(now, operator) && !slices.Contains(added, operator) {
				added = append(added, operator)
			}
		}
	}
	return added
}

// dismiss ends a membership. The entries of the member stay its own, and it can end them.
func (x *execution) dismiss(a *types.Dismiss) error {
	member, known := get[types.Member](x.State, memberKey(a.Member))
	if !known {
		return types.Refuse(types.CodeMember, "%s is not a member", a.Member)
	}
	x.remove(memberKey(a.Member))
	x.remove(nameKey(member.Name))
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, a.Member)
	return nil
}

// GovernanceKey is where the entry that operators change stands in the state.
func GovernanceKey() string { return string([]byte{kindGovernance}) }
