package types

import (
	"bytes"
	"encoding/json"
)

// JSON is for people and programs that read the API; the wire and the ledger use [Encode]. A variant of a closed sum is
// an object whose "kind" names it.

// FallbackKind names fallback terms: "hold", "meter" or "arbiter".
func FallbackKind(f Fallback) string {
	switch f.(type) {
	case *Hold:
		return "hold"
	case *Meter:
		return "meter"
	case *Arbiter:
		return "arbiter"
	}
	return ""
}

func newFallback(kind string) Fallback {
	switch kind {
	case "hold":
		return &Hold{}
	case "meter":
		return &Meter{}
	case "arbiter":
		return &Arbiter{}
	}
	return nil
}

// sum reads and writes one variant of a closed sum S as JSON.
type sum[S any] struct {
	value S
	kind  string
	make  func(kind string) S
}

func (s sum[S]) MarshalJSON() ([]byte, error) {
	fields, err := json.Marshal(s.value)
	if err != nil || s.kind == "" {
		return []byte("null"), err
	}
	out := append([]byte(`{"kind":"`), s.kind...)
	out = append(out, '"')
	if len(fields) > len("{}") {
		out = append(out, ',')
	}
	return append(out, fields[1:]...), nil
}

func (s *sum[S]) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	var tag struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(text, &tag); err != nil {
		return Refuse(CodeMalformed, "can't read the kind: %v", err)
	}
	value := s.make(tag.Kind)
	if any(value) == nil {
		return Refuse(CodeMalformed, "%q is not a kind known here", clip(tag.Kind))
	}
	if err := json.Unmarshal(text, value); err != nil {
		return err
	}
	s.value, s.kind = value, tag.Kind
	return nil
}

const kindKey = "key"

type keyLockFields struct {
	Kind string    `json:"kind"`
	Key  PublicKey `json:"key"`
}

// MarshalJSON writes the lock with its kind.
func (l KeyLock) MarshalJSON() ([]byte, error) { return json.Marshal(keyLockFields{kindKey, l.Key}) }

// UnmarshalJSON reads the lock, which must be of its kind.
func (l *KeyLock) UnmarshalJSON(text []byte) error {
	var fields keyLockFields
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	if fields.Kind != kindKey {
		return Refuse(CodeLock, "the lock is of the kind %q; an output can only be locked to a %q", clip(fields.Kind), kindKey)
	}
	l.Key = fields.Key
	return nil
}

type agreementFields Agreement

// MarshalJSON writes the fallback terms with their kind.
func (a Agreement) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		agreementFields
		Fallback sum[Fallback] `json:"fallback"`
	}{agreementFields(a), sum[Fallback]{value: a.Fallback, kind: FallbackKind(a.Fallback)}})
}

// UnmarshalJSON reads the fallback terms by their kind.
func (a *Agreement) UnmarshalJSON(text []byte) error {
	fields := struct {
		*agreementFields
		Fallback sum[Fallback] `json:"fallback"`
	}{(*agreementFields)(a), sum[Fallback]{make: newFallback}}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	a.Fallback = fields.Fallback.value
	return nil
}

type offerFields Offer

// MarshalJSON writes the fallback terms with their kind.
func (o Offer) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		offerFields
		Fallback sum[Fallback] `json:"fallback"`
	}{offerFields(o), sum[Fallback]{value: o.Fallback, kind: FallbackKind(o.Fallback)}})
}

// UnmarshalJSON reads the fallback terms by their kind.
func (o *Offer) UnmarshalJSON(text []byte) error {
	fields := struct {
		*offerFields
		Fallback sum[Fallback] `json:"fallback"`
	}{(*offerFields)(o), sum[Fallback]{make: newFallback}}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	o.Fallback = fields.Fallback.value
	return nil
}

type orderFields Order

// MarshalJSON writes the fallback terms with their kind.
func (o Order) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		orderFields
		Fallback sum[Fallback] `json:"fallback"`
	}{orderFields(o), sum[Fallback]{value: o.Fallback, kind: FallbackKind(o.Fallback)}})
}

// UnmarshalJSON reads the fallback terms by their kind.
func (o *Order) UnmarshalJSON(text []byte) error {
	fields := struct {
		*orderFields
		Fallback sum[Fallback] `json:"fallback"`
	}{(*orderFields)(o), sum[Fallback]{make: newFallback}}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	o.Fallback = fields.Fallback.value
	return nil
}

type gridFields Grid

// MarshalJSON writes the fallback terms with their kind.
func (g Grid) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		gridFields
		Fallback sum[Fallback] `json:"fallback"`
	}{gridFields(g), sum[Fallback]{value: g.Fallback, kind: FallbackKind(g.Fallback)}})
}

// UnmarshalJSON reads the fallback terms by their kind.
func (g *Grid) UnmarshalJSON(text []byte) error {
	fields := struct {
		*gridFields
		Fallback sum[Fallback] `json:"fallback"`
	}{(*gridFields)(g), sum[Fallback]{make: newFallback}}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	g.Fallback = fields.Fallback.value
	return nil
}

// EffectKind names an effect of an outcome.
func EffectKind(e Effect) string {
	switch e.(type) {
	case *Begun:
		return "begun"
	case *Noted:
		return "noted"
	case *Stepped:
		return "stepped"
	case *Ended:
		return "ended"
	case *Matched:
		return "matched"
	case *Cleared:
		return "cleared"
	case *Governed:
		return "governed"
	}
	return ""
}

func effectOf(kind string) Effect {
	for tag := uint64(tagBegun); tag <= tagGoverned; tag++ {
		if effect := newEffect(tag); EffectKind(effect) == kind {
			return effect
		}
	}
	return nil
}

type outcomeFields struct {
	Height  uint64        `json:"height"`
	At      Time          `json:"at"`
	Tx      TxID          `json:"tx,omitzero"`
	Part    uint16        `json:"part,omitzero"`
	Effects []sum[Effect] `json:"effects"`
}

// MarshalJSON writes the effects with their kinds.
func (o Outcome) MarshalJSON() ([]byte, error) {
	fields := outcomeFields{o.Height, o.At, o.Tx, o.Part, make([]sum[Effect], len(o.Effects))}
	for i, effect := range o.Effects {
		fields.Effects[i] = sum[Effect]{value: effect, kind: EffectKind(effect)}
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads the effects by their kinds.
func (o *Outcome) UnmarshalJSON(text []byte) error {
	var fields struct {
		outcomeFields
		Effects []json.RawMessage `json:"effects"`
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	*o = Outcome{Height: fields.Height, At: fields.At, Tx: fields.Tx, Part: fields.Part}
	for _, raw := range fields.Effects {
		effect := sum[Effect]{make: effectOf}
		if err := json.Unmarshal(raw, &effect); err != nil {
			return err
		}
		o.Effects = append(o.Effects, effect.value)
	}
	return nil
}

type bodyFields Body

// MarshalJSON writes the actions with their kinds.
func (b Body) MarshalJSON() ([]byte, error) {
	actions := make([]sum[Action], len(b.Actions))
	for i, action := range b.Actions {
		actions[i] = sum[Action]{value: action, kind: ActionKind(action)}
	}
	return json.Marshal(struct {
		bodyFields
		Actions []sum[Action] `json:"actions"`
	}{bodyFields(b), actions})
}

// UnmarshalJSON reads the actions by their kinds.
func (b *Body) UnmarshalJSON(text []byte) error {
	fields := struct {
		*bodyFields
		Actions []json.RawMessage `json:"actions"`
	}{(*bodyFields)(b), nil}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	b.Actions = nil
	for _, raw := range fields.Actions {
		action := sum[Action]{make: newAction}
		if err := json.Unmarshal(raw, &action); err != nil {
			return err
		}
		b.Actions = append(b.Actions, action.value)
	}
	return nil
}

type decisionFields Decision

// MarshalJSON writes the acts with their kinds.
func (d Decision) MarshalJSON() ([]byte, error) {
	acts := make([]sum[Act], len(d.Acts))
	for i, act := range d.Acts {
		acts[i] = sum[Act]{value: act, kind: ActionKind(act)}
	}
	return json.Marshal(struct {
		decisionFields
		Acts []sum[Act] `json:"acts"`
	}{decisionFields(d), acts})
}

// UnmarshalJSON reads the acts by their kinds.
func (d *Decision) UnmarshalJSON(text []byte) error {
	fields := struct {
		*decisionFields
		Acts []json.RawMessage `json:"acts"`
	}{(*decisionFields)(d), nil}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	d.Acts = nil
	for _, raw := range fields.Acts {
		act := sum[Act]{make: newAct}
		if err := json.Unmarshal(raw, &act); err != nil {
			return err
		}
		d.Acts = append(d.Acts, act.value)
	}
	return nil
}

// newAct returns an empty act, or nil for any other kind.
func newAct(kind string) Act {
	act, _ := newAction(kind).(Act)
	return act
}

type txFields struct {
	Body       Body        `json:"body"`
	Signatures []Signature `json:"signatures"`
}

// UnmarshalJSON puts the transaction together again as [NewTx] does, so that it has its bytes and its ID.
func (t *Tx) UnmarshalJSON(text []byte) error {
	var fields txFields
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	*t = *NewTx(fields.Body, fields.Signatures...)
	return nil
}
