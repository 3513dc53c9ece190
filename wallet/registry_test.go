package wallet_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"testing"

	"lockstep/types"
)

// An operator admits a member, enrols its meter and retires it.
func TestRegistry(t *testing.T) {
	t.Parallel()
	w, paul, _ := newParties(t)
	w.params.Operators = []types.PublicKey{w.bank.Key()}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	public, err := x509.MarshalPKIXPublicKey(key)
	must(t, err)
	meter := types.RegisteredMeter{Form: types.FormNative, Key: public, Owner: paul.Key()}

	draft := w.draft(w.bank)
	draft.Admit(types.Member{Key: paul.Key(), Name: "Paul's roof"})
	draft.Enrol(meter)
	w.accept(draft.Sign())
	draft = w.draft(w.bank)
	draft.Retire(meter.ID())
	w.accept(draft.Sign())

	draft = w.draft(paul)
	draft.Read(types.Gauge{Meter: meter.ID(), Register: "1-0:2.8.0", Direction: types.DirectionExport}, types.HexBytes("not a record"))
	tx, err := draft.Sign()
	must(t, err)
	if code := w.block(tx)[0]; code != types.CodeSlot && code != types.CodeReading {
		t.Errorf("a reading that proves nothing: %s", code)
	}
}
