package wallet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"lockstep/types"
	"lockstep/types/strict"
)

// Council is the part of the ledger by which operators judge a decision: the entry that operators change, as a node shows it.
type Council = types.Governance

// Motion is a decision that operators sign one after the other. It travels between them as a file, see [Motion.Encode]. Each signs the
// content that it is shown, never another's transaction. Anyone submits the file once enough have signed.
type Motion struct {
	decision   types.Decision
	signatures []types.Signature // in order of their keys
}

type motionFile struct {
	Lockstep   string            `json:"lockstep"`
	Decision   types.Decision    `json:"decision"`
	Signatures []types.Signature `json:"signatures"`
}

const (
	motionMark = "decision of operators"

	// MaxMotionBytes bounds the file of a decision.
	MaxMotionBytes = 256 << 10
)

// Move makes a decision of acts, which nobody has signed yet. It is valid for a span after the last block; insist accepts that validators
// which have signed no block yet could stop the ledger.
func (a *Account) Move(ctx Context, valid types.Duration, insist bool, acts ...types.Act) (*Motion, error) {
	if valid == 0 || valid > types.DecisionValidity {
		return nil, types.Refuse(types.CodeValidity, "a decision is valid for more than nothing and at most %s", types.DecisionValidity)
	}
	d := types.Decision{ValidUntil: ctx.BlockTime.Add(valid), Acts: acts}
	if insist {
		d.Insist = 1
	}
	if err := a.Draft(ctx).fill(&d.ChainID, &d.Nonce); err != nil {
		return nil, err
	}
	m := &Motion{decision: d}
	if len(m.Encode()) > MaxMotionBytes || len(types.Encode(&d)) > types.MaxDecisionBytes {
		return nil, types.Refuse(types.CodeTooLarge, "the decision is larger than the ledger takes: divide it into several")
	}
	return m, nil
}

// Encode writes the file that the next operator signs.
func (m *Motion) Encode() []byte {
	signatures := m.signatures
	if signatures == nil {
		signatures = []types.Signature{}
	}
	encoded, err := json.MarshalIndent(motionFile{motionMark, m.decision, signatures}, "", "  ")
	if err != nil {
		panic("wallet: a decision always encodes: " + err.Error())
	}
	return append(encoded, '\n')
}

// ParseMotion reads the output of [Motion.Encode] and refuses all other input; only white space may differ. All signatures in it are valid
// and of different keys.
func ParseMotion(file []byte) (*Motion, error) {
	bad := func(why string) (*Motion, error) {
		return nil, refuse(ReasonProposal, "this is not the file of a decision: %s", why)
	}
	if len(file) > MaxMotionBytes {
		return bad("it is too large to be one")
	}
	var fields motionFile
	if err := strict.Unmarshal(file, &fields); err != nil {
		return bad("it can't be read as one; pass on the file as it was made")
	}
	if fields.Lockstep != motionMark {
		return bad("it does not say that it is one")
	}
	if again, err := json.Marshal(fields); err != nil || !bytes.Equal(again, compact(file)) || slices.Contains(fields.Decision.Acts, nil) {
		return bad("it was changed; pass on the file as it was made")
	}
	m := &Motion{fields.Decision, fields.Signatures}
	message := m.decision.Message()
	for i, signature := range m.signatures {
		switch {
		case i > 0 && compareKeys(m.signatures[i-1], signature) >= 0:
			return nil, refuse(ReasonProposal, "it carries two signatures of %s, or its signatures are out of order", signature.Key)
		case !types.VerifyEd25519(signature.Key, message, signature.Bytes[:]):
			return nil, types.Refuse(types.CodeSignature, "the signature of %s under the decision is not good: the decision was changed after it was signed", signature.Key)
		}
	}
	return m, nil
}

// Decision is the content.
func (m *Motion) Decision() *types.Decision { return &m.decision }

// Signers lists the keys that have signed so far.
func (m *Motion) Signers() (keys []types.PublicKey) {
	for _, signature := range m.signatures {
		keys = append(keys, signature.Key)
	}
	return keys
}

// SignedBy reports whether a key has signed.
func (m *Motion) SignedBy(key types.PublicKey) bool { return slices.Contains(m.Signers(), key) }

// Missing returns how many operators must still sign, and the operators to be that must.
func (m *Motion) Missing(c *Council) (operators int, added []types.PublicKey) {
	operators = int(c.Params.Needed())
	for _, key := range m.Signers() {
		if slices.Contains(c.Params.Operators, key) {
			operators--
		}
	}
	for _, key := range m.added(c) {
		if !m.SignedBy(key) {
			added = append(added, key)
		}
	}
	return max(operators, 0), added
}

// added lists the keys that the decision makes operators.
func (m *Motion) added(c *Council) (added []types.PublicKey) {
	for _, act := range m.decision.Acts {
		if set, ok := act.(*types.SetParams); ok {
			for _, key := range set.Change.Operators {
				if !slices.Contains(c.Params.Operators, key) {
					added = append(added, key)
				}
			}
		}
	}
	return added
}

// check refuses a decision that the ledger would not carry out now.
func (m *Motion) check(ctx *Context) error {
	for _, act := range m.decision.Acts {
		if set, ok := act.(*types.SetParams); ok && ctx.Height > 0 && set.From <= ctx.Height+1 {
			return types.Refuse(types.CodeParams, "the parameters would change from block %d on, and the ledger is at block %d: propose it again for a later block, which leaves the others time to sign",
				set.From, ctx.Height)
		}
	}
	switch d := &m.decision; {
	case d.ChainID != ctx.Params.ChainID:
		return types.Refuse(types.CodeChain, "the decision is for chain %q, the node is on %q", d.ChainID, ctx.Params.ChainID)
	case d.ValidUntil < ctx.BlockTime:
		return types.Refuse(types.CodeExpired, "the decision was valid until %s: propose it again", ctx.moment(d.ValidUntil))
	case d.ValidUntil > ctx.BlockTime.Add(types.DecisionValidity):
		return types.Refuse(types.CodeValidity, "the decision is valid until %s, and none may be open for longer than %s", ctx.moment(d.ValidUntil), types.DecisionValidity)
	}
	return nil
}

// SignMotion adds the account's signature. Show the user [Motion.Explain] first.
func (a *Account) SignMotion(ctx Context, m *Motion, c *Council) (*Motion, error) {
	if err := m.check(&ctx); err != nil {
		return nil, err
	}
	switch {
	case m.SignedBy(a.key):
		return nil, refuse(ReasonProposal, "this account has signed it already")
	case !slices.Contains(c.Params.Operators, a.key) && !slices.Contains(m.added(c), a.key):
		return nil, refuse(ReasonNotOurs, "this account, %s, is no operator of the ledger, and the decision does not make it one", a.key)
	}
	signed := &Motion{m.decision, append(slices.Clone(m.signatures), a.signMessage(m.decision.Message()))}
	slices.SortFunc(signed.signatures, compareKeys)
	return signed, nil
}

// Govern carries out a decision that enough operators have signed. The account submits it; it need not be an operator, and pays no fee.
func (d *Draft) Govern(m *Motion, c *Council) error {
	if err := m.check(&d.ctx); err != nil {
		return err
	}
	if operators, added := m.Missing(c); operators > 0 || len(added) > 0 {
		return refuse(ReasonProposal, "%d more operators must sign it: pass the file on", operators+len(added))
	}
	d.act(&types.Govern{Decision: m.decision, Signatures: m.signatures, Submitter: d.account.key})
	d.until = m.decision.ValidUntil
	return nil
}

// Acts returns the draft's actions of operators, without the account's key, for a decision of several. It fails if the draft does anything else.
func (d *Draft) Acts() (acts []types.Act, err error) {
	for _, action := range d.actions {
		switch a := action.(type) { //nolint:gochecksumtype // every other action is refused
		case *types.Admit:
			acts = append(acts, &types.Admit{Member: a.Member})
		case *types.Enrol:
			acts = append(acts, &types.Enrol{Owner: a.Owner, Parent: a.Parent, Meter: a.Meter})
		case *types.Exchange:
			acts = append(acts, &types.Exchange{Point: a.Point, Meter: a.Meter})
		case *types.Retire:
			acts = append(acts, &types.Retire{Point: a.Point})
		case *types.Recognise:
			acts = append(acts, &types.Recognise{Asset: a.Asset, Least: a.Least})
		case *types.Unrecognise:
			acts = append(acts, &types.Unrecognise{Asset: a.Asset})
		default:
			return nil, refuse(ReasonProposal, "%s is no act of operators", types.ActionKind(action))
		}
	}
	return acts, nil
}

// Explain describes the decision for a person, from the content that is signed, against the ledger as a node shows it.
func (m *Motion) Explain(ctx Context, c *Council) []Row {
	var rows []Row
	add := func(name, format string, args ...any) { rows = append(rows, Row{name, fmt.Sprintf(format, args...)}) }
	for _, act := range m.decision.Acts {
		switch a := act.(type) {
		case *types.Admit:
			add("admit", "%q becomes a member, with the key %s", a.Member.Name, a.Member.Key)
		case *types.Dismiss:
			add("dismiss", "%s is no member any more; its money, trades and entries stay its own", a.Member)
		case *types.Enrol:
			add("enrol", "connection point %s of %s, with meter %q, which sells %s", a.Meter.ID(), a.Owner, a.Meter.Serial, sold(&a.Meter))
		case *types.Exchange:
			add("exchange", "connection point %s has meter %q from %s on, which sells %s", a.Point, a.Meter.Serial, ctx.moment(a.Meter.From), sold(&a.Meter))
		case *types.Retire:
			add("retire", "connection point %s makes no new agreements", a.Point)
		case *types.Recognise:
			add("recognise", "%s of %s (asset %s), with outputs of %s at least", a.Asset.Code, a.Asset.Issuer, a.Asset.ID(), a.Least.Format(a.Asset.Decimals))
		case *types.Unrecognise:
			add("unrecognise", "asset %s", a.Asset)
		case *types.SetValidator:
			rows = append(rows, explainValidator(a, c))
		case *types.SetParams:
			rows = append(rows, explainParams(a, c)...)
		case *types.SetMarket:
			add("market", "for slots that begin at %s or later; books that are open keep their numbers", ctx.moment(a.From))
			rows = append(rows, differences(*c.Params.MarketAt(types.MaxTime), a.Market, fromTo)...)
		}
	}
	if m.decision.Insist != 0 {
		add("warning", "the ledger would stand still if the validators that have signed no block yet do not run: the decision accepts that")
	}
	add("valid until", "%s", ctx.moment(m.decision.ValidUntil))
	return rows
}

func sold(m *types.PointMeter) string {
	var parts []string
	for _, d := range []types.Direction{types.DirectionExport, types.DirectionImport} {
		if registers := m.Registers(d); len(registers) > 0 {
			parts = append(parts, fmt.Sprintf("%s by %s", d, strings.Join(registers, " + ")))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

func explainValidator(a *types.SetValidator, c *Council) Row {
	at := slices.IndexFunc(c.Validators, func(s types.Seat) bool { return s.Validator.Key == a.Key })
	total, _ := c.Power()
	switch {
	case at < 0 && len(a.Consent) > 0:
		return Row{"validator", fmt.Sprintf("%s joins with a power of %d beside the %d of all others; its key signed block %d", a.Key, a.Power, total, a.Consent[0].At.Height)}
	case at < 0:
		return Row{"validator", fmt.Sprintf("%s joins with a power of %d, without its consent", a.Key, a.Power)}
	case a.Power == 0:
		return Row{"validator", fmt.Sprintf("%s, with a power of %d of %d, is removed", a.Key, c.Validators[at].Validator.Power, total)}
	}
	return Row{"validator", fmt.Sprintf("%s has a power of %d instead of %d, of %d in all before", a.Key, a.Power, c.Validators[at].Validator.Power, total)}
}

func explainParams(a *types.SetParams, c *Council) []Row {
	latest := c.Latest()
	before := latest.Changeable()
	rows := changes(a.From, before, &a.Change)
	if before.Hash() != a.Replaces {
		rows = slices.Insert(rows, 1, Row{"warning", "the parameters have changed since this was proposed: the ledger will refuse it"})
	}
	return rows
}

// InForce lists the parameters that operators can change, beside themselves, with their values for the next block.
func InForce(c *Council) (rows []Row) {
	now := c.Params.Changeable()
	now.Operators = nil
	return differences(types.ParamChange{Rules: now.Rules, Threshold: now.Threshold}, now, func(_, after any) string { return asJSON(after) })
}

// Coming describes the changes of parameters that wait for their block, each by its difference from the one before.
func Coming(c *Council) (rows []Row) {
	before := c.Params
	for i := range c.Scheduled {
		scheduled := &c.Scheduled[i]
		rows = append(rows, changes(scheduled.From, before.Changeable(), &scheduled.Change)...)
		before = before.With(&scheduled.Change)
	}
	return rows
}

// changes describes other parameters from a block on.
func changes(from uint64, before types.ParamChange, after *types.ParamChange) []Row {
	rows := []Row{{"parameters", fmt.Sprintf("from block %d on", from)}}
	if after.Rules != before.Rules {
		rows = append(rows, Row{"upgrade", fmt.Sprintf("from that block on every node needs a program with version %d of the rules, and others stop", after.Rules)})
	}
	for _, key := range after.Operators {
		if !slices.Contains(before.Operators, key) {
			rows = append(rows, Row{"new operator", key.String()})
		}
	}
	for _, key := range before.Operators {
		if !slices.Contains(after.Operators, key) {
			rows = append(rows, Row{"no operator", key.String()})
		}
	}
	before.Operators = after.Operators
	return append(rows, differences(before, *after, fromTo)...)
}

func fromTo(before, after any) string { return asJSON(before) + " -> " + asJSON(after) }

// differences lists the fields that differ between two values of a type, by their names in JSON.
func differences(before, after any, text func(before, after any) string) (rows []Row) {
	a, b := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range a.NumField() {
		field := a.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			continue
		}
		if field.Type == reflect.TypeFor[types.EntryParams]() {
			for _, row := range differences(a.Field(i).Interface(), b.Field(i).Interface(), text) {
				rows = append(rows, Row{name + "." + row.Name, row.Text})
			}
			continue
		}
		rows = append(rows, Row{name, text(a.Field(i).Interface(), b.Field(i).Interface())})
	}
	return rows
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.Trim(string(text), `"`)
}
