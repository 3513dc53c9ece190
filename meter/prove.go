package meter

import "fmt"

// Prove returns what OCMF records of one meter prove of one register, or the first reason why they prove nothing: it is
// [Verify] for a caller that bills, such as a ledger, whose trade names the register and which way the energy goes.
func Prove(key Key, lines [][]byte, register string, d Direction) (Total, error) {
	records := make([]*Record, len(lines))
	for i, line := range lines {
		record, err := ParseOCMF(line)
		if err == nil {
			err = record.CheckSignature(key)
		}
		if err != nil {
			return Total{}, fmt.Errorf("record %d: %w", i+1, err)
		}
		records[i] = record
	}
	if _, err := Sequence(records); err != nil {
		return Total{}, err
	}
	measured, err := Measure(records)
	if err != nil {
		return Total{}, err
	}
	return measured.through(register, d)
}

// ProveNative is [Prove] for records of a gateway of ours. Its clock counts as synchronised: a gateway that can't tell the
// time doesn't sign.
func ProveNative(key [32]byte, verify VerifyEd25519, lines [][]byte, register string, d Direction) (Total, error) {
	pages := make([]*sequencePage, len(lines))
	records := make([]*Native, len(lines))
	for i, line := range lines {
		record, _, err := verifyNativeRecord(key, verify, line)
		if err != nil {
			return Total{}, fmt.Errorf("record %d: %w", i+1, err)
		}
		records[i], pages[i] = record, record.sequencePage()
	}
	if _, err := judgeSequence(pages); err != nil {
		return Total{}, err
	}
	measured, err := measureNative(records)
	if err != nil {
		return Total{}, err
	}
	total, err := measured.through(register, d)
	total.Clock = ClockSynchronised
	return total, err
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
