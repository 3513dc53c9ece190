package ledger

import (
	"slices"

	"lockstep/meter"
	"lockstep/trade"
	"lockstep/types"
)

// read adds the signed records of a point's meter to the slot that they lie in. The point's owner posts them, up to reading-by.
func (x *execution) read(a *types.Reading) error {
	point, ok := get[types.Point](x.State, pointKey(a.Flow.Point))
	if !ok {
		return types.Refuse(types.CodeMeterUnknown, "connection point %s is not registered", a.Flow.Point)
	}
	x.need(point.Owner)
	if !x.signedBy(point.Owner) { // before the work that follows: whoever is not the owner can't cause it
		return types.Refuse(types.CodeSignatureKeys, "readings of point %s are posted by its owner %s", a.Flow.Point, point.Owner)
	}
	at := slotID(a.Flow, a.From)
	slot, ok := get[types.Slot](x.State, slotKey(at))
	if !ok {
		return types.Refuse(types.CodeSlot, "no trade was delivered on this point and direction in the slot of %s", a.From)
	}
	registered, ok := point.MeterAt(a.From)
	if !ok {
		return types.Refuse(types.CodeMeterUnknown, "connection point %s has no meter in the slot of %s", a.Flow.Point, a.From)
	}
	if err := x.checkWaiting(slot); err != nil {
		return err
	}
	proof, trades, err := prove(registered, a, x.facts.Verify)
	if err != nil {
		return err
	}
	if err := x.checkReading(slot, proof); err != nil {
		return err
	}
	for _, id := range trades {
		if !slices.ContainsFunc(slot.Claims, func(c types.Claim) bool { return c.Trade == id }) {
			return types.Refuse(types.CodeReading, "the records are of trade %x, which was not delivered in this slot", id)
		}
	}
	proof.At = x.now
	next := *slot
	next.Readings = append(append([]types.SlotReading{}, slot.Readings...), proof)
	x.putSlot(at, &next)
	x.emit(types.EventRead, types.Event{Tx: x.tx.ID()}, point.Owner)
	return nil
}

// checkWaiting wants a slot that takes a reading still, before the signatures of the records are checked.
func (x *execution) checkWaiting(slot *types.Slot) error {
	if len(slot.Readings) == types.MaxReadings {
		return types.Refuse(types.CodeSlot, "the slot has its %d readings", types.MaxReadings)
	}
	if !trade.AwaitsReading(slot, x.now) {
		return types.Refuse(types.CodeTooLate, "reading-by of every trade of the slot has passed")
	}
	return nil
}

// checkReading requires a span inside the slot that no other reading overlaps, so that each record counts once, in any form and
// on any page.
func (x *execution) checkReading(slot *types.Slot, proof types.SlotReading) error {
	switch {
	case proof.From < slot.From || proof.Until > slot.Until:
		return types.Refuse(types.CodeReading, "the records from %s until %s do not lie wholly inside the slot", proof.From, proof.Until)
	case proof.Until > x.clock.BlockTime:
		return types.Refuse(types.CodeTooEarly, "the records are from the future: until %s", proof.Until)
	}
	for _, known := range slot.Readings {
		if proof.From < known.Until && known.From < proof.Until {
			return types.Refuse(types.CodeReading, "the time from %s until %s was read already", known.From, known.Until)
		}
	}
	return nil
}

// prove verifies the records with package meter and returns their evidence of the flow: whole Wh, the time that they cover, and
// the trades that they name.
func prove(registered *types.PointMeter, a *types.Reading, verify meter.VerifyEd25519) (types.SlotReading, [][32]byte, error) {
	none := types.SlotReading{}
	if len(a.Records) < 1 || len(a.Records) > types.MaxRecords {
		return none, nil, types.Refuse(types.CodeReading, "%d records; 1 to %d are possible", len(a.Records), types.MaxRecords)
	}
	lines := make([][]byte, len(a.Records))
	for i, record := range a.Records {
		if lines[i] = record; len(record) > types.MaxRecordLength {
			return none, nil, types.Refuse(types.CodeReading, "record %d has %d bytes, at most %d are allowed", i, len(record), types.MaxRecordLength)
		}
	}
	proof, err := judge(registered, lines, a.Flow.Direction, verify)
	if err != nil {
		return none, nil, types.Refuse(types.CodeReading, "%v", err)
	}
	whole, fits := proof.Wh.Whole()
	switch {
	case !proof.TimeUsable || proof.Clock != meter.ClockSynchronised:
		return none, nil, types.Refuse(types.CodeReading, "the meter's clock was not synchronised, so its records belong to no slot")
	case proof.From < 0 || proof.Until <= proof.From || types.Time(proof.Until) > types.MaxTime:
		return none, nil, types.Refuse(types.CodeReading, "the records cover no time")
	case !fits || whole > types.MaxQuantity:
		return none, nil, types.Refuse(types.CodeReading, "%s Wh are more than a slot can hold", proof.Wh)
	}
	return types.SlotReading{From: types.Time(proof.From), Until: types.Time(proof.Until), Quantity: whole}, proof.Trades, nil
}

// judge asks for all three verdicts: signature, sequence, quantity.
func judge(registered *types.PointMeter, lines [][]byte, d types.Direction, verify meter.VerifyEd25519) (meter.Proof, error) {
	form := registered.Registers(d)
	if registered.Form == types.FormNative {
		if verify == nil {
			verify = verifyEd25519
		}
		return meter.ProveNative(nativeKey(registered.Key), verify, lines, form, meter.Direction(d))
	}
	key, err := meter.ParseKeyBytes(registered.Key)
	if err != nil {
		return meter.Proof{}, err
	}
	return meter.Prove(key, registered.Serial, lines, form, meter.Direction(d))
}

// mostRecordSignatures bounds the records that [RecordSignatures] looks at: twice those of a reading.
const mostRecordSignatures = 2 * types.MaxRecords

// RecordSignatures returns the signatures under the native records that a transaction carries, of the first ones if there are many. Nothing is checked. A node
// checks them beside the signatures of transactions, many in a batch, and not one by one while it executes a block.
func RecordSignatures(tx *types.Tx) (signed []types.SignedMessage) {
	looked := 0
	for _, action := range tx.Body.Actions {
		reading, ok := action.(*types.Reading)
		if !ok {
			continue
		}
		for _, line := range reading.Records {
			if looked++; looked > mostRecordSignatures {
				return signed
			}
			if record, err := meter.ParseNative(line); err == nil {
				signed = append(signed, types.SignedMessage{Key: record.Meter, Signature: record.Signature, Message: record.Bytes()})
			}
		}
	}
	return signed
}

func verifyEd25519(key [32]byte, message, signature []byte) bool {
	return types.VerifyEd25519(key, message, signature)
}
