package ledger_test

import (
	"slices"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestRegistryRules(t *testing.T) {
	t.Parallel()
	operator := party.Key("operator")
	do := func(action types.Action, by string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newMeteredWorld(t)
			return w, party.Sign(w.body(action), by)
		}
	}
	enrol := func(edit func(e *types.Enrol)) types.Action {
		e := &types.Enrol{Operator: operator, Owner: party.Key("peter"), Meter: *gateway()}
		e.Meter.Key = ledger.NativeMeterKey(party.Key("another gateway"))
		edit(e)
		return e
	}
	check(t, []row{
		{"admit", types.CodeOK, do(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara"), Name: "Clara"}}, "operator")},
		{"admit twice", types.CodeMember, do(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("peter"), Name: "Pete"}}, "operator")},
		{"admit without a name", types.CodeMemberName, do(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara")}}, "operator")},
		{"admit by a stranger", types.CodeOperator, do(&types.Admit{Operator: party.Key("mallory"), Member: types.Member{Key: party.Key("clara"), Name: "C"}}, "mallory")},
		{"admit in an operator's name", types.CodeSignatureKeys, do(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara"), Name: "C"}}, "mallory")},
		{"admit under a member's name", types.CodeMemberName, do(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara"), Name: " ＰETER "}}, "operator")},
		{"admit a key of anybody's", types.CodeWeakKey, do(&types.Admit{Operator: operator, Member: types.Member{Name: "Clara"}}, "operator")},
		{"admit a name that is not seen", types.CodeText, do(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara"), Name: "Pe\u200bter"}}, "operator")},
		{"enrol", types.CodeOK, do(enrol(func(*types.Enrol) {}), "operator")},
		{"enrol for a stranger", types.CodeMember, do(enrol(func(e *types.Enrol) { e.Owner = party.Key("mallory") }), "operator")},
		{"enrol twice", types.CodeMeterExists, do(&types.Enrol{Operator: operator, Owner: party.Key("peter"), Meter: *gateway()}, "operator")},
		{"enrol under another form", types.CodeMeterForm, do(enrol(func(e *types.Enrol) { e.Meter.Form, e.Meter.Serial = types.FormOCMF, "1" }), "operator")},
		{"enrol a bare key", types.CodeMeterForm, do(enrol(func(e *types.Enrol) { e.Meter.Key = e.Meter.Key[12:] }), "operator")},
		{"enrol by a stranger", types.CodeSignatureKeys, do(enrol(func(*types.Enrol) {}), "mallory")},
		{"retire", types.CodeOK, do(&types.Retire{Operator: operator, Point: gateway().ID()}, "operator")},
		{"retire what is not there", types.CodeMeterUnknown, do(&types.Retire{Operator: operator}, "operator")},
		{"a retired meter can't be enrolled again", types.CodeMeterExists, func(t *testing.T) (*world, *types.Tx) {
			w := newMeteredWorld(t)
			w.must(party.Sign(w.body(&types.Retire{Operator: operator, Point: gateway().ID()}), "operator"))
			return w, party.Sign(w.body(&types.Enrol{Operator: operator, Owner: party.Key("peter"), Meter: *gateway()}), "operator")
		}},
		{"a retired meter can't be named", types.CodeMeterUnknown, func(t *testing.T) (*world, *types.Tx) {
			w := newMeteredWorld(t)
			w.mint(1000, "clara")
			w.must(party.Sign(w.body(&types.Retire{Operator: operator, Point: gateway().ID()}), "operator"))
			a := w.agreement()
			metered(&a)
			return w, w.agree(a, "peter", "clara")
		}},
		{"somebody else's meter can't be named", types.CodeMeterUnknown, func(t *testing.T) (*world, *types.Tx) {
			w := newMeteredWorld(t)
			w.mint(1000, "clara")
			a := w.agreement()
			metered(&a)
			a.Producer = party.Key("mallory")
			return w, w.agree(a, "mallory", "clara")
		}},
	})
}

// A meter that is retired under a recorded agreement is still that trade's: delivery, reading and settlement go on.
func TestRetireTouchesNoRecordedTrade(t *testing.T) {
	t.Parallel()
	s := newMeteredWorld(t).paid(metered)
	s.must(party.Sign(s.body(&types.Retire{Operator: party.Key("operator"), Point: gateway().ID()}), "operator"))
	s.must(s.deliverTx())
	s.readAndSettle(1000)
	if got := s.spendable("peter"); got != 1000+100+10 {
		t.Errorf("peter has %d", got)
	}
}

// readAndSettle lets the slot pass, posts a reading of it and settles after confirm-by.
func (s *stage) readAndSettle(quantity uint64) {
	s.t.Helper()
	s.waitUntil(s.agreement.Goods.Until.Add(second))
	s.must(s.readTx(record(s.t, s.agreement.Goods.From, s.agreement.Goods.Until, 1, quantity)))
	s.waitUntil(s.agreement.Deadlines.ConfirmBy)
	s.must(types.NewSettle(s.params.ChainID, s.id))
}

func (w *world) waitUntil(at types.Time) { w.wait(at.Since(w.time)) }

// spendable returns the sum of the outputs of a party's key.
func (w *world) spendable(name string) (total types.Amount) {
	for _, out := range w.reader().Holdings() {
		if out.Trade == nil && out.Key == party.Key(name) {
			total += out.Amount
		}
	}
	return total
}

func TestMeteredDeliveryRules(t *testing.T) {
	t.Parallel()
	check(t, []row{
		{"before the slot", types.CodeOK, func(t *testing.T) (*world, *types.Tx) {
			s := newMeteredWorld(t).paid(metered)
			return s.world, s.deliverTx()
		}},
		{"when block time is past the slot's begin, though the ledger clock is not at deliver-by", types.CodeTooLate, func(t *testing.T) (*world, *types.Tx) {
			s := newMeteredWorld(t).paid(metered)
			s.try(900 * second) // an outage: the ledger clock counts one cap of it
			return s.world, s.deliverTx()
		}},
	})
}

func TestReadingRules(t *testing.T) {
	t.Parallel()
	reading := func(make func(s *stage) *types.Tx) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := newMeteredWorld(t).delivered(metered)
			s.waitUntil(s.agreement.Goods.Until.Add(second))
			return s.world, make(s)
		}
	}
	from, until := start.Add(900*second), start.Add(1800*second)
	of := func(from, until types.Time) func(*testing.T) (*world, *types.Tx) {
		return reading(func(s *stage) *types.Tx { return s.readTx(record(s.t, from, until, 1, 600)) })
	}
	spoil := func(edit func(r *types.Reading)) func(*testing.T) (*world, *types.Tx) {
		return reading(func(s *stage) *types.Tx {
			r := &types.Reading{Flow: flow(), From: from, Records: []types.HexBytes{record(s.t, from, until, 1, 600)}}
			edit(r)
			return party.Sign(s.body(r), "peter")
		})
	}
	after := func(first func(s *stage) *types.Tx, second func(s *stage) *types.Tx) func(*testing.T) (*world, *types.Tx) {
		return reading(func(s *stage) *types.Tx { s.must(first(s)); return second(s) })
	}
	half := from.Add(450 * second)
	check(t, []row{
		{"of the whole slot", types.CodeOK, of(from, until)},
		{"of a part of it", types.CodeOK, of(from, half)},
		{"two records that follow each other", types.CodeOK, reading(func(s *stage) *types.Tx {
			return s.readTx(record(s.t, from, half, 1, 300), record(s.t, half, until, 2, 300))
		})},
		{"a page is missing between two records", types.CodeReading, reading(func(s *stage) *types.Tx {
			return s.readTx(record(s.t, from, half, 1, 300), record(s.t, half, until, 3, 300))
		})},
		{"until after the slot", types.CodeReading, of(from, until+1)},
		{"from before the slot", types.CodeReading, of(from-1, until)},
		{"signature spoiled", types.CodeReading, spoil(func(r *types.Reading) { r.Records[0][30] ^= 1 })},
		{"no records", types.CodeReading, spoil(func(r *types.Reading) { r.Records = nil })},
		{"too many records", types.CodeReading, spoil(func(r *types.Reading) { r.Records = slices.Repeat(r.Records, types.MaxRecords+1) })},
		{"not a record", types.CodeReading, spoil(func(r *types.Reading) { r.Records[0] = []byte("OCMF|") })},
		{"long record", types.CodeReading, spoil(func(r *types.Reading) { r.Records[0] = make([]byte, types.MaxRecordLength+1) })},
		{"other slot", types.CodeSlot, spoil(func(r *types.Reading) { r.From = from - types.Time(900*second) })},
		{"other beginning", types.CodeSlot, spoil(func(r *types.Reading) { r.From++ })},
		{"other direction", types.CodeSlot, spoil(func(r *types.Reading) { r.Flow.Direction = types.DirectionImport })},
		{"unknown meter", types.CodeMeterUnknown, spoil(func(r *types.Reading) { r.Flow.Point[0] ^= 1 })},
		{"posted by a stranger", types.CodeSignatureKeys, reading(func(s *stage) *types.Tx {
			return party.Sign(s.readTx(record(s.t, from, until, 1, 600)).Body, "mallory")
		})},
		{"of this trade by name", types.CodeOK, reading(func(s *stage) *types.Tx {
			return s.readTx(recordOf(s.t, s.id, from, until, 1, 600))
		})},
		{"of another trade by name", types.CodeReading, reading(func(s *stage) *types.Tx {
			return s.readTx(recordOf(s.t, types.TradeID{1}, from, until, 1, 600))
		})},
		{"again", types.CodeReading, after(
			func(s *stage) *types.Tx { return s.readTx(record(s.t, from, until, 1, 600)) },
			func(s *stage) *types.Tx { return s.readTx(record(s.t, from, until, 1, 600)) })},
		{"the same time on another page", types.CodeReading, after(
			func(s *stage) *types.Tx { return s.readTx(record(s.t, from, half+1, 1, 300)) },
			func(s *stage) *types.Tx { return s.readTx(record(s.t, half, until, 2, 300)) })},
		{"the rest of the slot", types.CodeOK, after(
			func(s *stage) *types.Tx { return s.readTx(record(s.t, from, half, 1, 300)) },
			func(s *stage) *types.Tx { return s.readTx(record(s.t, half, until, 2, 300)) })},
		{"from the future", types.CodeTooEarly, func(t *testing.T) (*world, *types.Tx) {
			s := newMeteredWorld(t).delivered(metered)
			return s.world, s.readTx(record(t, from, until, 1, 600))
		}},
		{"after reading-by", types.CodeTooLate, func(t *testing.T) (*world, *types.Tx) {
			s := newMeteredWorld(t).delivered(metered)
			s.waitUntil(s.agreement.Deadlines.ReadingBy)
			return s.world, s.readTx(record(t, from, until, 1, 600))
		}},
	})
}

func TestSettleRules(t *testing.T) {
	t.Parallel()
	settle := func(make func(t *testing.T) *stage, until func(s *stage) types.Time) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := make(t)
			s.waitUntil(until(s))
			return s.world, types.NewSettle(s.params.ChainID, s.id)
		}
	}
	confirmBy := func(s *stage) types.Time { return s.agreement.Deadlines.ConfirmBy }
	delivered := func(t *testing.T) *stage { return newMeteredWorld(t).delivered(metered) }
	check(t, []row{
		{"after confirm-by", types.CodeOK, settle(delivered, confirmBy)},
		{"at confirm-by", types.CodeTooEarly, settle(delivered, func(s *stage) types.Time { return confirmBy(s) - types.Time(second) })},
		{"not delivered", types.CodePhase, settle(func(t *testing.T) *stage { return newMeteredWorld(t).paid(metered) }, confirmBy)},
		{"released", types.CodePhase, settle(func(t *testing.T) *stage { return newMeteredWorld(t).released(metered) }, confirmBy)},
		{"under hold", types.CodePhase, settle(func(t *testing.T) *stage { return newMeteredWorld(t).delivered() }, confirmBy)},
		{"unknown trade", types.CodeTradeUnknown, func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			w.mint(1, "clara")
			return w, types.NewSettle(w.params.ChainID, types.TradeID{1})
		}},
		{"release after confirm-by", types.CodeTooLate, func(t *testing.T) (*world, *types.Tx) {
			s := delivered(t)
			s.waitUntil(confirmBy(s))
			return s.world, s.releaseTx(1)
		}},
		{"release at confirm-by", types.CodeOK, func(t *testing.T) (*world, *types.Tx) {
			s := delivered(t)
			s.waitUntil(confirmBy(s) - types.Time(second))
			return s.world, s.releaseTx(1)
		}},
	})
}

func TestAwardRules(t *testing.T) {
	t.Parallel()
	award := func(edit func(*types.Agreement), after types.Duration, producer, consumer types.Amount, by ...string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).delivered(edit)
			s.wait(after)
			return s.world, party.Sign(s.body(&types.Award{Trade: s.id, ToProducer: producer, ToConsumer: consumer}), by...)
		}
	}
	const confirmed = 238 * second
	check(t, []row{
		{"after confirm-by", types.CodeOK, award(arbitrated, confirmed, 75, 40, "judy")},
		{"all to one", types.CodeOK, award(arbitrated, confirmed, 0, 115, "judy")},
		{"before confirm-by has passed", types.CodeTooEarly, award(arbitrated, confirmed-2*second, 75, 40, "judy")},
		{"one unit too many", types.CodeSplit, award(arbitrated, confirmed, 76, 40, "judy")},
		{"by a party", types.CodeSignatureKeys, award(arbitrated, confirmed, 115, 0, "peter")},
		{"by a stranger", types.CodeSignatureKeys, award(arbitrated, confirmed, 115, 0, "mallory")},
		{"under hold", types.CodeArbiter, award(func(*types.Agreement) {}, confirmed, 75, 40, "judy")},
		{"not delivered", types.CodePhase, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid(arbitrated)
			s.wait(confirmed)
			return s.world, party.Sign(s.body(&types.Award{Trade: s.id, ToConsumer: 110}), "judy")
		}},
	})
}

// TestSettlement checks both shares of a settlement: price 100, deposit 10, bond 5, 1,000 Wh sold.
func TestSettlement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		instalments uint16
		released    uint16
		read        uint64
		producer    types.Amount // of its 1,000, bond included
	}{
		{"nothing read", 1, 0, 0, 995},
		{"one Wh of a thousand", 1, 0, 1, 995},
		{"half", 1, 0, 500, 995 + 50 + 2},
		{"one Wh short", 1, 0, 999, 995 + 99 + 4},
		{"all", 1, 0, 1000, 995 + 100 + 5 + 10},
		{"more than all", 1, 0, 1500, 995 + 100 + 5 + 10},
		{"half, and 3 of 4 instalments released", 4, 3, 500, 995 + 75 + 2},
		{"all, and 3 of 4 instalments released", 4, 3, 1000, 995 + 100 + 5 + 10},
		{"nothing, and 3 of 4 instalments released", 4, 3, 0, 995 + 75},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newMeteredWorld(t).delivered(metered, func(a *types.Agreement) { a.Instalments = c.instalments })
			if c.released > 0 {
				s.must(s.releaseTx(c.released))
			}
			s.readAndSettle(c.read)
			if got := s.spendable("peter"); got != c.producer {
				t.Errorf("peter has %d, want %d", got, c.producer)
			}
			if got := s.spendable("clara") + s.spendable("peter"); got != 2000 {
				t.Errorf("the two have %d, want 2000", got)
			}
		})
	}
}
