package chain

import (
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/types"
)

// meterRecord is a record of a meter, with so many Wh.
func meterRecord(name string, wh uint64) *meter.SignedNative {
	return party.Record(name, "01-00:02.08.00*FF", meter.Native{Direction: meter.Export, Until: 1000, Page: 1, Form: meter.FormQuantity, End: wh})
}

func reading(records ...*meter.SignedNative) *types.Reading {
	a := &types.Reading{}
	for _, record := range records {
		a.Records = append(a.Records, types.HexBytes(record.String()))
	}
	return a
}

// TestRecordsOfMeters: the signatures of meters are checked with those of transactions. Valid ones are remembered, bad ones are not, and neither changes the
// verdict on a transaction.
func TestRecordsOfMeters(t *testing.T) {
	t.Parallel()
	v := newVerifier(0, nil)
	good, bad, unseen := meterRecord("roof", 1000), meterRecord("roof", 2000), meterRecord("roof", 3000)
	bad.Signature[7] ^= 1
	signed := party.Sign(types.Body{ChainID: "test", Actions: []types.Action{reading(good, bad)}}, "peter")
	forged := types.NewTx(signed.Body, types.Signature{Key: party.Key("peter")})
	other := party.Sign(types.Body{ChainID: "test", Memo: "no reading"}, "peter")
	unsigned := types.NewTx(types.Body{ChainID: "test", Actions: []types.Action{reading(meterRecord("barn", 1))}})
	for i, valid := range v.Verify(signed, forged, other, unsigned) {
		if valid != (i != 1) {
			t.Errorf("transaction %d is valid: %t", i, valid)
		}
	}
	for name, c := range map[string]struct {
		tx    *types.Tx
		valid bool
	}{"without a signature": {unsigned, true}, "with one": {signed, true}, "with a forged one": {forged, false}, "without a reading": {other, true}} {
		if alone := v.Verify(c.tx); alone[0] != c.valid {
			t.Errorf("a transaction %s, alone, is valid: %t", name, alone[0])
		}
	}
	for name, c := range map[string]struct {
		record       *meter.SignedNative
		known, valid bool
	}{
		"a valid record":                         {good, true, true},
		"a record with a changed signature":      {bad, false, false},
		"a record that no transaction carried":   {unseen, false, true},
		"a record of a transaction by itself":    {meterRecord("barn", 1), true, true},
		"a record with a known one's signature":  {&meter.SignedNative{Native: unseen.Native, Signature: good.Signature}, false, false},
		"a record of another meter, so signed":   {meterRecord("shed", 1000), false, true},
		"a known record under another meter key": {&meter.SignedNative{Native: meterRecord("shed", 1000).Native, Signature: good.Signature}, false, false},
	} {
		if got := v.records.known(c.record.Meter, c.record.Bytes(), c.record.Signature[:]); got != c.known {
			t.Errorf("%s is known: %t", name, got)
		}
		if got := v.records.verify(c.record.Meter, c.record.Bytes(), c.record.Signature[:]); got != c.valid {
			t.Errorf("%s is valid: %t", name, got)
		}
	}
	moved := append([]byte{good.Signature[63]}, good.Bytes()...) // the same bytes in all, cut elsewhere
	if v.records.verify(good.Meter, moved, good.Signature[:63]) {
		t.Error("a signature of 63 bytes is valid")
	}
}

// TestRecordsAreForgotten: memory is bounded, and what was checked last is known.
func TestRecordsAreForgotten(t *testing.T) {
	t.Parallel()
	var r records
	signed := func(i int) []types.SignedMessage {
		return []types.SignedMessage{{Key: types.PublicKey{byte(i), byte(i >> 8), byte(i >> 16)}}}
	}
	const all = 3*rememberedRecords + 1
	for i := range all {
		r.add(signed(i), []bool{true})
	}
	for i, known := range map[int]bool{0: false, all - 2*rememberedRecords - 2: false, all - rememberedRecords: true, all - 1: true} {
		if s := signed(i)[0]; r.known(s.Key, s.Message, s.Signature[:]) != known {
			t.Errorf("signature %d of %d is known: %t", i, all, !known)
		}
	}
	if n := len(r.newest) + len(r.older); n > 2*rememberedRecords {
		t.Errorf("%d signatures are remembered", n)
	}
}

// TestSignaturesOfManyRecords: a transaction costs the batch so many signatures at most, and so many records are looked at, also of those that are none: thousands
// of empty ones fit into one transaction, and a block is only rejected for them once its signatures are checked.
func TestSignaturesOfManyRecords(t *testing.T) {
	t.Parallel()
	record := meterRecord("roof", 1)
	tx := types.NewTx(types.Body{Actions: []types.Action{
		&types.Issue{}, reading(record, record, record, record), reading(record, record), reading(record, record, record),
	}})
	if n := len(ledger.RecordSignatures(tx)); n != 2*types.MaxRecords {
		t.Errorf("%d signatures", n)
	}
	tx = types.NewTx(types.Body{Actions: []types.Action{&types.Reading{Records: []types.HexBytes{types.HexBytes("not a record"), types.HexBytes(record.String())}}}})
	if found := ledger.RecordSignatures(tx); len(found) != 1 || found[0].Key != record.Meter || string(found[0].Message) != string(record.Bytes()) || found[0].Signature != record.Signature {
		t.Errorf("%+v", found)
	}
	many := reading(record)
	many.Records = append(make([]types.HexBytes, 2*types.MaxRecords), many.Records...)
	if found := ledger.RecordSignatures(types.NewTx(types.Body{Actions: []types.Action{many}})); len(found) != 0 {
		t.Errorf("%d signatures behind %d records that are none", len(found), 2*types.MaxRecords)
	}
}
