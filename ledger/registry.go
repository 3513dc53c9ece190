package ledger

import (
	"bytes"
	"slices"

	"lockstep/meter"
	"lockstep/types"
)

// The registry says which meter is whose. It is the one thing in the ledger that rests on somebody's word: an operator's,
// named in the parameters. Trades without a meter don't need it.

func (x *execution) needOperator(operator types.PublicKey) error {
	if !slices.Contains(x.params.Operators, operator) {
		return types.Refuse(types.CodeOperator, "%s is not an operator of this ledger", operator)
	}
	x.need(operator)
	return nil
}

// admit makes a key a member.
func (x *execution) admit(a *types.Admit) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	if err := types.CheckText("name", a.Member.Name, types.MaxName); err != nil {
		return err
	}
	if _, known := get[types.Member](x.State, memberKey(a.Member.Key)); known || a.Member.Name == "" {
		return types.Refuse(types.CodeMember, "%s is a member already, or has no name", a.Member.Key)
	}
	member := a.Member
	x.put(memberKey(member.Key), &member)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, member.Key)
	return nil
}

// enrol registers a meter: once, ever. It stays registered when it is retired, so that nobody can enrol it again.
func (x *execution) enrol(a *types.Enrol) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	if err := checkMeterKey(&a.Meter); err != nil {
		return err
	}
	if _, member := get[types.Member](x.State, memberKey(a.Meter.Owner)); !member {
		return types.Refuse(types.CodeMember, "%s is not a member", a.Meter.Owner)
	}
	id := a.Meter.ID()
	if _, known := get[types.RegisteredMeter](x.State, meterKey(id)); known {
		return types.Refuse(types.CodeMeterExists, "meter %s", id)
	}
	registered := a.Meter
	x.put(meterKey(id), &registered)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, a.Meter.Owner)
	return nil
}

// retire keeps a meter out of agreements recorded from now on. Slots with a recorded agreement go on as they are.
func (x *execution) retire(a *types.Retire) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	registered, known := get[types.RegisteredMeter](x.State, meterKey(a.Meter))
	if !known || registered.RetiredAt != 0 {
		return types.Refuse(types.CodeMeterUnknown, "meter %s is not in use", a.Meter)
	}
	next := *registered
	next.RetiredAt = x.now
	x.put(meterKey(a.Meter), &next)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, registered.Owner)
	return nil
}

// ed25519SPKI is what stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const ed25519SPKI = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

// NativeMeterKey is the canonical form of a gateway's Ed25519 key.
func NativeMeterKey(key [32]byte) types.HexBytes { return append([]byte(ed25519SPKI), key[:]...) }

// nativeKey is the key in its canonical form.
func nativeKey(spki []byte) [32]byte { return [32]byte(spki[len(ed25519SPKI):]) }

// checkMeterKey wants the one canonical form of a key, so that no key can be enrolled twice in two forms.
func checkMeterKey(m *types.RegisteredMeter) error {
	if err := m.Check(); err != nil {
		return err
	}
	canonical := false
	switch m.Form {
	case types.FormNative:
		canonical = len(m.Key) == len(ed25519SPKI)+32 && bytes.HasPrefix(m.Key, []byte(ed25519SPKI))
	case types.FormOCMF:
		key, err := meter.ParseKeyBytes(m.Key)
		canonical = err == nil && bytes.Equal(key.SPKI(), m.Key)
	}
	if !canonical {
		return types.Refuse(types.CodeMeterForm, "the key of %d bytes is not canonical", len(m.Key))
	}
	return nil
}
