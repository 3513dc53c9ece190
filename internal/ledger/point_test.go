package ledger_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/trade"
	"lockstep/types"
)

const (
	importTotal = "01-00:01.08.00*FF"
	exportTotal = "01-00:02.08.00*FF"
	slotSpan    = 900 * second
)

// ocmfKey is a gateway that signs for several meters in OCMF.
func ocmfKey(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	seed := sha256.Sum256([]byte("a gateway called " + name))
	curve := elliptic.P256()
	d := new(big.Int).Mod(new(big.Int).SetBytes(seed[:]), new(big.Int).Sub(curve.Params().N, big.NewInt(1)))
	raw := d.Add(d, big.NewInt(1)).FillBytes(make([]byte, 32))
	key, err := ecdsa.ParseRawPrivateKey(curve, raw)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ocmfMeter is one of its meters, billed by registers as they are written.
func ocmfMeter(t testing.TB, key *ecdsa.PrivateKey, serial string, imports, exports []string) types.PointMeter {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	m := types.PointMeter{Form: types.FormOCMF, Key: spki, Serial: serial}
	if m.Import, m.Export, err = meter.BillableForms(imports, exports); err != nil {
		t.Fatal(err)
	}
	return m
}

// ocmfRecord is its record of a span of time: each register went up by so many Wh, "register=Wh".
func ocmfRecord(t testing.TB, key *ecdsa.PrivateKey, serial string, from, until types.Time, page int, registers ...string) types.HexBytes {
	t.Helper()
	var readings []string
	for _, at := range []types.Time{from, until} {
		for _, text := range registers {
			register, wh, _ := strings.Cut(text, "=")
			reason := "B"
			if at == from {
				wh = "0"
			} else {
				reason = "E"
			}
			when := time.UnixMilli(int64(at)).UTC().Format("2006-01-02T15:04:05,000-0700")
			readings = append(readings, fmt.Sprintf(`{"TM":"%s S","TX":"%s","RV":%s,"RI":"%s","RU":"Wh","ST":"G"}`, when, reason, wh, register))
		}
	}
	payload := fmt.Sprintf(`{"FV":"1.0","GS":"g","MS":"%s","PG":"T%d","RD":[%s]}`, serial, page, strings.Join(readings, ","))
	digest := sha256.Sum256([]byte(payload))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return types.HexBytes(fmt.Sprintf(`OCMF|%s|{"SA":"ECDSA-secp256r1-SHA256","SD":"%s"}`, payload, hex.EncodeToString(signature)))
}

// gatewayNamed is a meter of the native form.
func gatewayNamed(name string, imports, exports []string) types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key(name)), Import: imports, Export: exports}
}

// nativeRecord is a gateway's record of one register.
func nativeRecord(t testing.TB, name, register string, d meter.Direction, from, until types.Time, page, wh uint64) types.HexBytes {
	t.Helper()
	n := meter.Native{Direction: d, From: int64(from), Until: int64(until), Page: page, Form: meter.FormQuantity, End: wh}
	return types.HexBytes(party.Record(name, register, n).String())
}

func enrolAction(m types.PointMeter, parent types.PointID) *types.Enrol {
	return &types.Enrol{Operator: party.Key("operator"), Owner: party.Key("peter"), Parent: parent, Meter: m}
}

// enrol registers a point of peter's and returns its id.
func (w *world) enrol(m types.PointMeter, parent types.PointID) types.PointID {
	w.t.Helper()
	w.must(party.Sign(w.body(enrolAction(m, parent)), "operator"))
	return m.ID()
}

func exchangeAction(point types.PointID, m types.PointMeter, from types.Time) *types.Exchange {
	m.From = from
	return &types.Exchange{Operator: party.Key("operator"), Point: point, Meter: m}
}

// code is that of one transaction of an operator, on a copy of the world.
func (w *world) code(action types.Action) types.Code {
	w.t.Helper()
	return w.clone().try(second, party.Sign(w.body(action), "operator"))[0].Code
}

// on makes an agreement that of a flow.
func on(point types.PointID, d types.Direction) func(*types.Agreement) {
	return func(a *types.Agreement) {
		metered(a)
		a.Goods.Flow = types.Flow{Point: point, Direction: d}
	}
}

// sell records and delivers a trade of 1,000 Wh on a flow, and returns it.
func (s *stage) sell(nonce uint64, edit func(*types.Agreement)) types.TradeID {
	s.t.Helper()
	s.purse = s.mint(1000, "peter", "clara", "mallory")
	a := s.world.agreement()
	edit(&a)
	a.Deadlines.PayBy, a.Deadlines.DeliverBy = s.time.Add(60*second), s.time.Add(120*second)
	a.Nonce = nonce
	s.agreement, s.id = a, a.ID()
	s.must(s.agree(a, "peter", "clara"))
	s.must(s.payTx())
	s.must(s.deliverTx())
	return s.id
}

func (w *world) stage() *stage { return &stage{world: w} }

func (w *world) post(point types.PointID, d types.Direction, from types.Time, records ...types.HexBytes) types.Code {
	w.t.Helper()
	return w.try(second, party.Sign(w.body(&types.Reading{Flow: types.Flow{Point: point, Direction: d}, From: from, Records: records}), "peter"))[0].Code
}

// The three double sales of the issue: each once had two buyers pay in full for the same kWh.
func TestOneKilowattHourOnce(t *testing.T) {
	t.Parallel()
	from, until := start.Add(slotSpan), start.Add(2*slotSpan)
	key := ocmfKey(t, "shared")

	t.Run("a register without a direction, both ways", func(t *testing.T) {
		t.Parallel()
		w := newMeteredWorld(t)
		both := ocmfMeter(t, key, "m1", nil, nil)
		both.Import, both.Export = []string{"01-00"}, []string{"01-00"}
		if code := w.code(enrolAction(both, types.PointID{})); code != types.CodeMeterForm {
			t.Errorf("a register that says no direction is enrolled for both: %s", code)
		}
		point := w.enrol(ocmfMeter(t, key, "m1", nil, []string{"1-b"}), types.PointID{})
		s := w.stage()
		s.sell(1, on(point, types.DirectionExport))
		a := w.agreement()
		on(point, types.DirectionImport)(&a)
		if code := w.try(second, w.agree(a, "peter", "clara"))[0].Code; code != types.CodeMeterUnknown {
			t.Errorf("an agreement on its import: %s", code)
		}
		w.waitUntil(until.Add(second))
		record := ocmfRecord(t, key, "m1", from, until, 1, "1-b=1000")
		if code := w.post(point, types.DirectionExport, from, record); code != types.CodeOK {
			t.Errorf("a reading of its export: %s", code)
		}
		if code := w.post(point, types.DirectionImport, from, record); code != types.CodeSlot {
			t.Errorf("the same record as import: %s", code)
		}
	})

	t.Run("two registers of the same energy", func(t *testing.T) {
		t.Parallel()
		w := newMeteredWorld(t)
		m := ocmfMeter(t, key, "m1", nil, []string{"1-0:2.8.0"})
		for _, exports := range [][]string{
			{"01-00:02.08.00*FF", "01-00:C2.08.00*FF"}, {"01-00:02.08.00*FF", "01-00:02.08.01*FF"}, {"01-00:02.08.00*FF", "01-00:02.08.00*FF"},
			{"01-00:C2.08.01*FF", "01-00:02.08.02*FF"}, {"02.08.00"}, {"1-0:2.8.0"}, {"1-b:2.8.0"}, {"01-00:02.08.02*FF", "01-00:02.08.01*FF"},
			{"01-00:16.08.00*FF"}, {"01-00:22.08.00*FF"}, {""},
		} {
			spoiled := m
			spoiled.Export = exports
			if code := w.code(enrolAction(spoiled, types.PointID{})); code != types.CodeMeterForm {
				t.Errorf("%q: %s", exports, code)
			}
		}
		point := w.enrol(m, types.PointID{})
		s := w.stage()
		s.sell(1, on(point, types.DirectionExport))
		w.waitUntil(until.Add(second))
		record := ocmfRecord(t, key, "m1", from, until, 1, "02.08.00=9", "01-00:02.08.00=1000", "01-00:C2.08.00=1000")
		if code := w.post(point, types.DirectionExport, from, record); code != types.CodeOK {
			t.Errorf("the total beside other registers: %s", code)
		}
		if code := w.post(point, types.DirectionExport, from, record); code != types.CodeReading {
			t.Errorf("the same record again: %s", code)
		}
		slot, _ := w.reader().Slot(types.Flow{Point: point, Direction: types.DirectionExport}, from)
		if len(slot.Readings) != 1 || slot.Readings[0].Quantity != 1000 {
			t.Errorf("read: %+v", slot.Readings)
		}
	})

	t.Run("a total and its tariffs, natively", func(t *testing.T) {
		t.Parallel()
		w := newMeteredWorld(t)
		both := gatewayNamed("roof", nil, []string{exportTotal, "01-00:02.08.01*FF"})
		if code := w.code(enrolAction(both, types.PointID{})); code != types.CodeMeterForm {
			t.Errorf("a total beside its tariff is enrolled: %s", code)
		}
		point := w.enrol(gatewayNamed("roof", nil, []string{exportTotal}), types.PointID{})
		again := gatewayNamed("roof", nil, []string{"01-00:02.08.01*FF"})
		if code := w.code(enrolAction(again, types.PointID{})); code != types.CodeMeterExists {
			t.Errorf("the meter is enrolled again for its tariff: %s", code)
		}
		s := w.stage()
		s.sell(1, on(point, types.DirectionExport))
		w.waitUntil(until.Add(second))
		if code := w.post(point, types.DirectionExport, from, nativeRecord(t, "roof", "01-00:02.08.01*FF", meter.Export, from, until, 1, 1000)); code != types.CodeReading {
			t.Errorf("its tariff counts: %s", code)
		}
		if code := w.post(point, types.DirectionExport, from, nativeRecord(t, "roof", exportTotal, meter.Export, from, until, 2, 1000)); code != types.CodeOK {
			t.Errorf("its total: %s", code)
		}
	})
}

// Both directions of a point may be sold, each by its own register.
func TestBothDirections(t *testing.T) {
	t.Parallel()
	from, until := start.Add(slotSpan), start.Add(2*slotSpan)
	w := newMeteredWorld(t)
	key := ocmfKey(t, "both")
	point := w.enrol(ocmfMeter(t, key, "m1", []string{"1-0:1.8.0"}, []string{"1-0:2.8.1", "1-0:2.8.2"}), types.PointID{})
	s := w.stage()
	exported := s.sell(1, on(point, types.DirectionExport))
	imported := s.sell(2, on(point, types.DirectionImport))
	w.waitUntil(until.Add(second))
	record := ocmfRecord(t, key, "m1", from, until, 1, "1-0:1.8.0=400", "1-0:2.8.1=250", "1-0:2.8.2=350")
	short := ocmfRecord(t, key, "m1", from, until, 2, "1-0:1.8.0=400", "1-0:2.8.1=250")
	if code := w.post(point, types.DirectionExport, from, short); code != types.CodeReading {
		t.Errorf("one tariff of two: %s", code)
	}
	for d, want := range map[types.Direction]uint64{types.DirectionImport: 400, types.DirectionExport: 600} {
		if code := w.post(point, d, from, record); code != types.CodeOK {
			t.Fatalf("%s: %s", d, code)
		}
		id := exported
		if d == types.DirectionImport {
			id = imported
		}
		slot, _ := w.reader().Slot(types.Flow{Point: point, Direction: d}, from)
		if got := trade.Allot(slot, id); got != want {
			t.Errorf("%s: %d Wh allotted, want %d", d, got, want)
		}
	}
}

// One key signs for several meters: each is a point of its own, and its records count for it alone.
func TestSerialNumbers(t *testing.T) {
	t.Parallel()
	from, until := start.Add(slotSpan), start.Add(2*slotSpan)
	w := newMeteredWorld(t)
	key := ocmfKey(t, "flats")
	first := w.enrol(ocmfMeter(t, key, "m1", nil, []string{"1-0:2.8.0"}), types.PointID{})
	second := w.enrol(ocmfMeter(t, key, "m2", nil, []string{"1-0:2.8.0"}), types.PointID{})
	again := ocmfMeter(t, key, "m1", []string{"1-0:1.8.0"}, nil)
	if code := w.code(enrolAction(again, types.PointID{})); code != types.CodeMeterExists {
		t.Errorf("the same meter for its other direction: %s", code)
	}
	if code := w.code(exchangeAction(second, again, from)); code != types.CodeMeterExists {
		t.Errorf("the first meter at the second point: %s", code)
	}
	s := w.stage()
	s.sell(1, on(first, types.DirectionExport))
	s.sell(2, on(second, types.DirectionExport))
	w.waitUntil(until.Add(2 * 1000))
	record := ocmfRecord(t, key, "m1", from, until, 1, "1-0:2.8.0=1000")
	if code := w.post(second, types.DirectionExport, from, record); code != types.CodeReading {
		t.Errorf("the first meter's record for the second point: %s", code)
	}
	if code := w.post(first, types.DirectionExport, from, record); code != types.CodeOK {
		t.Errorf("the first meter's record for its own: %s", code)
	}
	use, known := w.reader().PointOf(&again)
	if !known || use != first {
		t.Errorf("the meter is at %s, %v", use, known)
	}
}

func TestExchangeRules(t *testing.T) {
	t.Parallel()
	next := start.Add(slotSpan)
	w := newMeteredWorld(t)
	point := gateway().ID()
	other := w.enrol(gatewayNamed("other", nil, []string{exportTotal}), types.PointID{})
	fresh := gatewayNamed("fresh", nil, []string{exportTotal})
	ocmf := ocmfMeter(t, ocmfKey(t, "exchanged"), "m1", nil, []string{exportTotal})
	for name, c := range map[string]struct {
		action types.Action
		want   types.Code
	}{
		"at the next slot":               {exchangeAction(point, fresh, next), types.CodeOK},
		"at the end of the horizon":      {exchangeAction(point, fresh, start.Add(w.params.Horizon)), types.CodeOK},
		"other registers of the meter":   {exchangeAction(point, gatewayNamed("gateway", []string{importTotal}, nil), next), types.CodeOK},
		"at once":                        {exchangeAction(point, fresh, 0), types.CodePoint},
		"at the slot that has begun":     {exchangeAction(point, fresh, start), types.CodePoint},
		"within a slot":                  {exchangeAction(point, fresh, next+1), types.CodePoint},
		"beyond the horizon":             {exchangeAction(point, fresh, start.Add(w.params.Horizon).Add(slotSpan)), types.CodePoint},
		"the meter of another point":     {exchangeAction(point, gatewayNamed("other", nil, []string{exportTotal}), next), types.CodeMeterExists},
		"of no point":                    {exchangeAction(types.PointID{9}, fresh, next), types.CodeMeterUnknown},
		"by nobody":                      {&types.Exchange{Operator: party.Key("mallory"), Point: point, Meter: fresh}, types.CodeOperator},
		"registers in another spelling":  {exchangeAction(point, gatewayNamed("fresh", nil, []string{"1-0:2.8.0"}), next), types.CodeMeterForm},
		"a key of anybody's":             {exchangeAction(point, types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey([32]byte{1})}, next), types.CodeWeakKey},
		"a native key of another prefix": {exchangeAction(point, withKey(fresh, make([]byte, len(fresh.Key))), next), types.CodeMeterForm},
		"a native key with a byte more":  {exchangeAction(point, withKey(fresh, append(slices.Clone(fresh.Key), 0)), next), types.CodeMeterForm},
		"a bare point":                   {exchangeAction(point, withKey(ocmf, ocmf.Key[len(ocmf.Key)-65:]), next), types.CodeMeterForm},
		"no key at all":                  {exchangeAction(point, withKey(ocmf, types.HexBytes("key")), next), types.CodeMeterForm},
		"enrolled from a slot on":        {enrolAction(withFrom(fresh, next), types.PointID{}), types.CodeOK},
		"enrolled within a slot":         {enrolAction(withFrom(fresh, next+1), types.PointID{}), types.CodePoint},
		"enrolled from the past on":      {enrolAction(withFrom(fresh, start), types.PointID{}), types.CodePoint},
		"enrolled with anybody's key":    {enrolAction(types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey([32]byte{})}, types.PointID{}), types.CodeWeakKey},
		"enrolled behind no point":       {enrolAction(fresh, types.PointID{9}), types.CodePoint},
		"enrolled behind itself":         {enrolAction(fresh, fresh.ID()), types.CodePoint},
	} {
		if code := w.code(c.action); code != c.want {
			t.Errorf("%s: %s, want %s", name, code, c.want)
		}
	}
	edge := w.clone() // whose next block is of the beginning of a slot
	edge.waitUntil(next - types.Time(second))
	for from, want := range map[types.Time]types.Code{
		next: types.CodePoint, next.Add(slotSpan): types.CodeOK,
		next.Add(w.params.Horizon): types.CodeOK, next.Add(w.params.Horizon).Add(slotSpan): types.CodePoint,
	} {
		if code := edge.code(exchangeAction(point, fresh, from)); code != want {
			t.Errorf("at %s, from %s on: %s, want %s", next, from, code, want)
		}
	}
	w.must(party.Sign(w.body(exchangeAction(point, fresh, next)), "operator"))
	if code := w.code(exchangeAction(point, gatewayNamed("third", nil, nil), next)); code != types.CodePoint {
		t.Errorf("twice at one moment: %s", code)
	}
	if code := w.code(enrolAction(*gateway(), types.PointID{})); code != types.CodeMeterExists {
		t.Errorf("the meter that was taken out, enrolled again: %s", code)
	}
	if code := w.code(exchangeAction(other, fresh, next)); code != types.CodeMeterExists {
		t.Errorf("the meter that was put in, at another point: %s", code)
	}
	w.must(party.Sign(w.body(&types.Retire{Operator: party.Key("operator"), Point: point}), "operator"))
	if code := w.code(exchangeAction(point, gatewayNamed("third", nil, nil), next.Add(slotSpan))); code != types.CodeMeterUnknown {
		t.Errorf("of a retired point: %s", code)
	}
}

func withKey(m types.PointMeter, key types.HexBytes) types.PointMeter {
	m.Key = key
	return m
}

func withFrom(m types.PointMeter, from types.Time) types.PointMeter {
	m.From = from
	return m
}

// A point has so many meters in all its time and no more.
func TestMostExchanges(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	for i := range types.MaxExchanges {
		m := *gateway()
		if i%2 == 0 {
			m.Export, m.Import = nil, []string{importTotal}
		}
		want := types.CodeOK
		if i == types.MaxExchanges-1 { // it began with one
			want = types.CodePoint
		}
		tx := party.Sign(w.body(exchangeAction(m.ID(), m, start.Add(slotSpan*types.Duration(i+1)))), "operator")
		if code := w.try(second, tx)[0].Code; code != want {
			t.Fatalf("exchange %d: %s, want %s", i+1, code, want)
		}
	}
}

// A meter exchange keeps the claims: each slot is read by the meter that the point had in it.
func TestExchangeKeepsClaims(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	point := gateway().ID()
	first, second := start.Add(slotSpan), start.Add(2*slotSpan)
	in := func(from types.Time) func(*types.Agreement) {
		return func(a *types.Agreement) {
			a.Goods.From, a.Goods.Until = from, from.Add(slotSpan)
			on(point, types.DirectionExport)(a)
			a.Deadlines.ReadingBy, a.Deadlines.ConfirmBy = start.Add(4*slotSpan), start.Add(5*slotSpan)
		}
	}
	s := w.stage()
	s.sell(1, in(first))
	before := s.sell(2, in(second))
	w.must(party.Sign(w.body(exchangeAction(point, gatewayNamed("fresh", nil, []string{exportTotal}), second)), "operator"))
	after := s.sell(3, in(second))
	w.waitUntil(second.Add(slotSpan).Add(1000))
	for _, c := range []struct {
		name string
		from types.Time
		want types.Code
	}{{"fresh", first, types.CodeReading}, {"gateway", second, types.CodeReading}, {"gateway", first, types.CodeOK}, {"fresh", second, types.CodeOK}} {
		record := nativeRecord(t, c.name, exportTotal, meter.Export, c.from, c.from.Add(slotSpan), 1, 1500)
		if code := w.post(point, types.DirectionExport, c.from, record); code != c.want {
			t.Errorf("a record of %s for the slot of %s: %s, want %s", c.name, c.from, code, c.want)
		}
	}
	slot, _ := w.reader().Slot(types.Flow{Point: point, Direction: types.DirectionExport}, second)
	if a, b := trade.Allot(slot, before), trade.Allot(slot, after); a != 1000 || b != 500 {
		t.Errorf("allotted %d and %d of 1,500, want 1,000 and 500", a, b)
	}
}

// An exchange for a meter without the direction ends the sale of it at the boundary, in new agreements and in readings.
func TestExchangeEndsADirection(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	point := gateway().ID()
	first, second := start.Add(slotSpan), start.Add(2*slotSpan)
	w.mint(1000, "clara")
	w.must(party.Sign(w.body(exchangeAction(point, gatewayNamed("fresh", []string{importTotal}, nil), second)), "operator"))
	for _, c := range []struct {
		d    types.Direction
		from types.Time
		want types.Code
	}{
		{types.DirectionExport, first, types.CodeOK}, {types.DirectionExport, second, types.CodeMeterUnknown},
		{types.DirectionImport, first, types.CodeMeterUnknown}, {types.DirectionImport, second, types.CodeOK},
	} {
		a := w.agreement()
		a.Goods.From, a.Goods.Until = c.from, c.from.Add(slotSpan)
		on(point, c.d)(&a)
		if code := w.clone().try(1000, w.agree(a, "peter", "clara"))[0].Code; code != c.want {
			t.Errorf("%s in the slot of %s: %s, want %s", c.d, c.from, code, c.want)
		}
	}
}

// A trade that is paid when an exchange ends its direction is not delivered: the consumer has its money back, and no bond is locked.
func TestExchangeUnderAPaidTrade(t *testing.T) {
	t.Parallel()
	s := newMeteredWorld(t).paid(metered)
	s.must(party.Sign(s.body(exchangeAction(gateway().ID(), gatewayNamed("fresh", []string{importTotal}, nil), s.agreement.Goods.From)), "operator"))
	if code := s.try(second, s.deliverTx())[0].Code; code != types.CodeMeterUnknown {
		t.Errorf("a delivery that no meter can prove: %s", code)
	}
	s.waitUntil(s.agreement.Deadlines.DeliverBy.Add(second))
	s.must(s.spendTx(types.PartPayment, "clara", "clara"), s.spendTx(types.PartDeposit, "clara", "clara"))
}

// TestPlaces: the parties can see the claims before a trade prior to their commitment, also claims without a delivery so far.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newMeteredWorld(t)
	flow, from := flow(), start.Add(slotSpan)
	places := func(from types.Time) []ledger.SlotPlaces {
		return w.reader().Places(flow, from, func(yield func(types.TradeID, *types.Trade) bool) {
			for trade := range w.reader().Trades() {
				if !yield(trade.ID(), trade) {
					return
				}
			}
		})
	}
	if got := places(from); len(got) != 0 {
		t.Errorf("nothing is sold, and %+v", got)
	}
	s := w.stage()
	delivered := s.sell(1, metered)
	a := w.agreement()
	metered(&a)
	a.Nonce, a.Goods.Quantity = 2, 700
	w.must(w.agree(a, "peter", "clara"))
	before, elsewhere := w, w.agreement()
	elsewhere.Nonce, elsewhere.Goods.From, elsewhere.Goods.Until = 3, from.Add(slotSpan), from.Add(2*slotSpan)
	metered(&elsewhere)
	elsewhere.Deadlines.DeliverBy = elsewhere.Goods.From
	w.must(w.agree(elsewhere, "peter", "clara"))
	paid := w.clone() // in another world it is paid for, and never delivered
	body := paid.body(&types.Pay{Trade: elsewhere.ID(), Digest: party.Secret("clara").Digest(1)})
	body.Inputs = paid.mint(1000, "clara")
	body.Outputs = []types.Output{party.Output("clara", 1000-elsewhere.Price-elsewhere.Deposit)}
	body.ValidUntil = paid.time.Add(paid.params.MaxValidity / 2)
	paid.must(party.Sign(body, "clara"))
	w = paid
	if got := places(elsewhere.Goods.From); len(got) != 1 || len(got[0].Places) != 1 || got[0].Places[0].Delivered {
		t.Errorf("of a trade that is paid: %+v", got)
	}
	w.waitUntil(elsewhere.Goods.From - types.Time(second))
	if got := places(elsewhere.Goods.From); len(got) != 1 {
		t.Errorf("just before its slot: %+v", got)
	}
	w.try(second)
	if deal, _ := w.reader().Trade(elsewhere.ID()); w.time != elsewhere.Goods.From || trade.PhaseAt(deal, w.clock()) != types.PhasePaid {
		t.Fatalf("at %s the trade is %s", w.time, trade.PhaseAt(deal, w.clock()))
	}
	if got := places(elsewhere.Goods.From); len(got) != 0 {
		t.Errorf("when its slot begins: %+v", got)
	}
	w = before
	if got := places(0); len(got) != 2 || got[0].From != from || got[1].From != from.Add(slotSpan) {
		t.Errorf("all slots: %+v", got)
	}
	got := places(from)
	if len(got) != 1 || len(got[0].Places) != 2 {
		t.Fatalf("one slot: %+v", got)
	}
	if p := got[0].Places; p[0].Trade != delivered || !p[0].Delivered || p[0].Quantity != 1000 || p[1].Trade != a.ID() || p[1].Delivered || p[1].Quantity != 700 {
		t.Errorf("places: %+v", p)
	}
	w.must(s.releaseTx(1)) // a claim keeps its place, however its trade ends
	w.wait(70 * second)    // and an agreement that was not paid has none
	got = places(from)
	if len(got) != 1 || len(got[0].Places) != 1 || got[0].Places[0].Trade != delivered {
		t.Errorf("after a release and a lapse: %+v", got)
	}
}
