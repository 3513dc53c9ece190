package wallet_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"testing"

	"lockstep/types"
)

// An operator admits a member, enrols its connection point, exchanges the meter and retires the point.
func TestRegistry(t *testing.T) {
	t.Parallel()
	w, paul, _ := newParties(t)
	w.params.Operators = []types.PublicKey{w.bank.Key()}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	public, err := x509.MarshalPKIXPublicKey(key)
	must(t, err)
	meter := types.PointMeter{Form: types.FormNative, Key: public, Export: []string{"01-00:02.08.00*FF"}}

	draft := w.draft(w.bank)
	draft.Admit(types.Member{Key: paul.Key(), Name: "Paul's roof"})
	draft.Enrol(paul.Key(), types.PointID{}, meter)
	w.accept(draft.Sign())
	slot := types.Time(w.params.Slot)
	exchanged := meter
	exchanged.From, exchanged.Export, exchanged.Import = (w.time/slot+2)*slot, nil, []string{"01-00:01.08.00*FF"}
	draft = w.draft(w.bank)
	draft.Exchange(meter.ID(), exchanged)
	w.accept(draft.Sign())
	draft = w.draft(w.bank)
	draft.Retire(meter.ID())
	w.accept(draft.Sign())

	draft = w.draft(paul)
	draft.Read(types.Flow{Point: meter.ID(), Direction: types.DirectionExport}, w.time, types.HexBytes("not a record"))
	tx, err := draft.Sign()
	must(t, err)
	if code := w.block(tx)[0]; code != types.CodeSlot && code != types.CodeReading {
		t.Errorf("a reading that proves nothing: %s", code)
	}
}
