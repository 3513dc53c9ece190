package meter

import "fmt"

// A Proof is what signed records of one meter prove of one register.
type Proof struct {
	Total
	Trades [][32]byte // the trades that the records say they are of, if they say so
}

// Prove returns what OCMF records of one meter prove of one register, or the first reason why they prove nothing: it is
// [Verify] for a caller that bills, such as a ledger, whose trade names the register and which way the energy goes.
func Prove(key Key, lines [][]byte, register string, d Direction) (Proof, error) {
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
	proof.Total, err = measured.through(register, d)
	return proof, err
}

// ProveNative is [Prove] for records of a gateway of ours.
func ProveNative(key [32]byte, verify VerifyEd25519, lines [][]byte, register string, d Direction) (Proof, error) {
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
	proof.Total, err = measured.through(register, d)
	return proof, err
}

// through is the quantity of a register, if it counts in that direction. One whose identification says nothing counts in
// the direction that its owner named it for.
func (m *Measurement) through(register string, d Direction) (Total, error) {
	total, err := m.Of(register)
	if err == nil && total.Direction != d && total.Direction != Undirected {
		err = refuse(CodeRegister, "register %s counts %v, not %v", register, total.Direction, d)
	}
	return total, err
}
