package evidence

import (
	"crypto/sha256"

	"lockstep/meter"
)

// Bounds of the signatures that are checked for one file, which anybody may have written: a check costs much more time than the bytes of its
// record.
const (
	maxInvalid = 64    // records without a valid signature, after which the others are not checked
	maxVain    = 4_096 // checks without success, after which no form is tried but the usual ones
)

// CodeUnchecked: a record was not checked, since too many others of its file are invalid.
const CodeUnchecked meter.Code = "not-checked"

// effort counts the checks of a file. Its sessions share it.
type effort struct {
	checks, vain, invalid int

	form  int                     // that was valid last: a file changes all of its records in one way
	known map[[32]byte]*judgement // of records, by the bytes of the record and the key
}

func newEffort() *effort { return &effort{known: map[[32]byte]*judgement{}} }

// judgement is the result of the signature of a record.
type judgement struct {
	record *meter.Record
	line   []byte
	notes  []Verdict
	err    error
}

// check checks the signature of a record in its possible forms, unless the record is known, or the file has cost too much already. It returns the
// first form over which the signature is valid, or else the form of the file and the reason against it.
func (e *effort) check(r *Record, key *meter.Key) *judgement {
	hash := sha256.New()
	if key != nil {
		hash.Write(key.SPKI())
	}
	hash.Write(r.OCMF)
	id := [32]byte(hash.Sum(nil))
	if known := e.known[id]; known != nil {
		return known
	}
	found := e.try(r, key)
	e.known[id] = found
	return found
}

func (e *effort) try(r *Record, key *meter.Key) *judgement {
	var anyKey meter.Key
	if key != nil {
		anyKey = *key
	}
	if e.invalid >= maxInvalid {
		return &judgement{line: r.OCMF, err: refuse(CodeUnchecked, "not checked: %d records of the file have no valid signature already", e.invalid)}
	}
	all := forms(r.Place, r.OCMF, anyKey)
	first := &judgement{line: r.OCMF}
	for n, i := range e.order(len(all)) {
		form := &all[i]
		record, err := meter.ParseOCMF(form.line)
		if err == nil && key != nil {
			e.checks++
			err = record.CheckSignature(*key)
		}
		if err == nil {
			e.form = i
			return &judgement{record, form.line, form.notes, nil}
		}
		e.vain++
		if n == 0 {
			first.record, first.err = record, err
			if fault, ok := err.(*meter.Error); ok && fault.Code == meter.CodeCurve && len(form.notes) > 0 { //nolint:errorlint // package meter returns it bare
				first.err = refuse(fault.Code, "%s, since it has no SA field", fault.Why)
			}
		}
	}
	e.invalid++
	return first
}

// order lists the forms to try: that of the file, the one that was valid last, and the others.
func (e *effort) order(n int) []int {
	order := []int{0}
	if e.form > 0 && e.form < n {
		order = append(order, e.form)
	}
	for i := 1; i < n && e.vain < maxVain; i++ {
		if i != e.form {
			order = append(order, i)
		}
	}
	return order
}
