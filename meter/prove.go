package meter

import (
	"fmt"
	"slices"
)

// A Proof is the proven consumption of the registers by which one direction is billed, from signed records of one meter.
type Proof struct {
	Total
	Trades [][32]byte // the trades that the records say they are of, if they say so
}

// Prove returns the proof of OCMF records of one meter, or the first reason why they prove nothing: it is [Verify] for a caller
// that bills, such as a ledger, which knows the meter's serial number, the form by which it bills a direction (see
// [BillableForm]) and which way the energy goes. One key may sign for several meters, so the serial number counts.
func Prove(key Key, serial string, lines [][]byte, form []string, d Direction) (Proof, error) {
	var proof Proof
	records := make([]*Record, len(lines))
	for i, line := range lines {
		record, err := ParseOCMF(line)
		if err == nil {
			err = record.CheckSignature(key)
		}
		if err != nil {
			return proof, fmt.Errorf("record %d: %w", i+1, err)
		}
		if got := record.Payload.Serial(); got != serial {
			return proof, fmt.Errorf("record %d: %w", i+1, refuse(CodeSource, "it is of meter %.70q, not %.70q", got, serial))
		}
		records[i] = record
		if trade, named := record.Payload.TradeID(); named {
			proof.Trades = append(proof.Trades, trade)
		}
	}
	if _, err := Sequence(records); err != nil {
		return proof, err
	}
	measured, err := Measure(records)
	if err != nil {
		return proof, err
	}
	proof.Total, err = measured.Through(form, d)
	return proof, err
}

// ProveNative is [Prove] for records of a gateway of ours.
func ProveNative(key [32]byte, verify VerifyEd25519, lines [][]byte, form []string, d Direction) (Proof, error) {
	var proof Proof
	pages := make([]*sequencePage, len(lines))
	records := make([]*Native, len(lines))
	for i, line := range lines {
		record, _, err := verifyNativeRecord(key, verify, line)
		if err != nil {
			return proof, fmt.Errorf("record %d: %w", i+1, err)
		}
		records[i], pages[i] = record, record.sequencePage()
		if record.TradeID != [32]byte{} {
			proof.Trades = append(proof.Trades, record.TradeID)
		}
	}
	if _, err := judgeSequence(pages); err != nil {
		return proof, err
	}
	measured, err := measureNative(records)
	if err != nil {
		return proof, err
	}
	proof.Total, err = measured.Through(form, d)
	return proof, err
}

// Begins is the time of the earliest reading of records of either form, in Unix milliseconds, as they state it: nothing is
// proven. It is for a caller that looks for the slot which the records are of.
func Begins(lines [][]byte) (int64, error) {
	if len(lines) == 0 {
		return 0, refuse(CodeEmpty, "there is no record")
	}
	var begins []int64
	for i, line := range lines {
		if native, err := ParseNative(line); err == nil {
			begins = append(begins, native.From)
			continue
		}
		record, err := ParseOCMF(line)
		if err == nil {
			err = record.Payload.Fault
		}
		if err != nil {
			return 0, fmt.Errorf("record %d: %w", i+1, err)
		}
		for _, reading := range record.Payload.Readings {
			begins = append(begins, reading.Time)
		}
	}
	return slices.Min(begins), nil
}
