package meter

import (
	"cmp"
	"slices"
	"strings"
)

// A Measurement is the proven energy of each register. [Measurement.Best] says which of them to bill.
type Measurement struct {
	Registers []RegisterTotal // in the order of their first reading

	hasEnergy []bool // by record: the register that is billed must have been read in it
}

// A RegisterTotal is the energy that went through one register, or why it can't be told.
type RegisterTotal struct {
	Register    Register
	Wh          Decimal
	From, Until int64 // Unix milliseconds of the earliest and the latest reading
	Clock       Clock // the worst that a reading had
	TimeUsable  bool  // no reading is flagged as unusable for time (EF t)
	Fault       error // CodeTransaction, CodeBackwards or CodeTime; nil if Wh holds

	readIn []bool // by record
}

// A Total is a quantity to bill.
type Total struct {
	Wh          Decimal
	Register    string // the register's code; of several tariffs, all of them with " + " between
	Direction   Direction
	Compensated bool  // energy at the device, behind the loss of the cable
	From, Until int64 // Unix milliseconds
	Clock       Clock
	TimeUsable  bool
}

// Measure adds up records of one meter by the rules of the package comment. It judges neither their signatures nor
// whether one is missing. Its errors are those that leave no register good: [CodeEmpty], [CodeRecordForm] for a nil
// record, [CodePage], [CodeReadings], [CodeVersion], [CodeStatus] and [CodeErrorFlag].
func Measure(records []*Record) (*Measurement, error) { return measure(records, false) }

// Usable tells whether one record could be billed, in itself or with the rest of its transaction in other records. The
// error is one of [Measure] or of [Measurement.Best].
func (r *Record) Usable() error {
	m, err := measure([]*Record{r}, true)
	if err == nil {
		_, err = m.Best()
	}
	return err
}

func measure(records []*Record, fragment bool) (*Measurement, error) {
	if len(records) == 0 {
		return nil, refuse(CodeEmpty, "there is no record")
	}
	for i, r := range records {
		if r == nil {
			return nil, refuse(CodeRecordForm, "record %d can't be read", i+1)
		}
		if r.Payload.PageFault != nil && !fragment {
			return nil, r.Payload.PageFault // it can't be told whether it counts already
		}
		if err := r.Payload.sound(); err != nil {
			return nil, err
		}
	}
	records = countedRecords(records)
	m := &Measurement{hasEnergy: make([]bool, len(records))}
	var tallies []*tally
	for i, record := range records {
		for j := range record.Payload.Readings {
			r := &record.Payload.Readings[j]
			wh, ok := r.Energy()
			if !ok || !r.Register.Energy {
				continue
			}
			k := slices.IndexFunc(tallies, func(t *tally) bool { return t.register == r.Register })
			if k < 0 {
				k = len(tallies)
				tallies = append(tallies, newTally(r.Register, record.Payload.Page.Context, fragment, len(records)))
			}
			m.hasEnergy[i], tallies[k].readIn[i] = true, true
			tallies[k].take(r, wh)
		}
	}
	for _, t := range tallies {
		m.Registers = append(m.Registers, t.total())
	}
	return m, nil
}

// countedRecords returns the records that count, in page order: each page once, and of two contexts the transactions.
func countedRecords(records []*Record) []*Record {
	page := func(r *Record) Page { return r.Payload.Page }
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b *Record) int {
		// T comes before F: the context is compared backwards.
		return cmp.Or(cmp.Compare(page(b).Context, page(a).Context), cmp.Compare(page(a).Number, page(b).Number))
	})
	records = slices.CompactFunc(records, func(a, b *Record) bool { return page(a) == page(b) })
	if i := slices.IndexFunc(records, func(r *Record) bool { return page(r).Context != page(records[0]).Context }); i >= 0 {
		records = records[:i]
	}
	return records
}

// sound returns why nothing in the payload may be billed, or nil. It looks at each reading, also those of units and
// registers that are not billed: a meter that was not in order at one is not to be relied on at the others.
func (p *Payload) sound() error {
	if p.Fault != nil {
		return p.Fault
	}
	// The major version changes when "the format has changed fundamentally"; minor ones only add.
	if major, _, _ := strings.Cut(p.FormatVersion, "."); p.FormatVersion != "" && major != "0" && major != "1" {
		return refuse(CodeVersion, "page %v: format version %.20q is not known", p.Page, p.FormatVersion)
	}
	for i := range p.Readings {
		if err := p.Readings[i].sound(); err != nil {
			return refuse(err.Code, "page %v: %s", p.Page, err.Why)
		}
	}
	return nil
}

func (r *Reading) sound() *Error {
	if r.Status == "" {
		return refuse(CodeStatus, "a reading does not say the meter's status (ST)")
	}
	if r.Status != "G" {
		return refuse(CodeStatus, "the meter was not in order: status %.10q", r.Status)
	}
	// E is energy and t is time; a flag that the standard does not have might mean anything.
	if strings.Trim(r.ErrorFlags, "t") != "" {
		return refuse(CodeErrorFlag, "a reading is flagged as unusable for energy: EF %.10q", r.ErrorFlags)
	}
	// "Time and/or energy are no longer usable from this reading": the flags say which, and without flags it is both.
	if r.Reason == 'X' && r.ErrorFlags == "" {
		return refuse(CodeErrorFlag, "an exception (X) in the transaction makes its energy unusable")
	}
	return nil
}

// Best is the quantity that the package comment says to bill. Its errors are [CodeNoEnergy] and those of
// [Measurement.In].
func (m *Measurement) Best() (Total, error) {
	for _, d := range [...]Direction{Import, Export, Undirected} {
		if candidates := m.candidates(d); len(candidates) > 0 {
			return m.bill(candidates)
		}
	}
	return Total{}, refuse(CodeNoEnergy, "no register of energy in Wh or kWh was read")
}

// In is the quantity in one direction, for a caller whose trade says which way the energy goes. Its errors are
// [CodeNoEnergy], [CodeRegister], and the Fault of a register.
func (m *Measurement) In(d Direction) (Total, error) {
	if candidates := m.candidates(d); len(candidates) > 0 {
		return m.bill(candidates)
	}
	return Total{}, refuse(CodeNoEnergy, "no %v register of energy in Wh or kWh was read", d)
}

// Through is the quantity of a billable form in one direction: the registers that [BillableForm] names, each of which must have
// been read over the same time, in every record that reads energy. A register whose code says no direction counts in the one that
// it was named for. Its errors are [CodeNoEnergy], [CodeRegister] and the Fault of a register.
func (m *Measurement) Through(form []string, d Direction) (Total, error) {
	if len(form) == 0 {
		return Total{}, refuse(CodeNoEnergy, "no register counts %v", d)
	}
	parts := make([]RegisterTotal, len(form))
	for i, name := range form {
		register, err := m.named(name, d)
		if err != nil {
			return Total{}, err
		}
		parts[i] = register
		if register.From != parts[0].From || register.Until != parts[0].Until {
			return Total{}, refuse(CodeRegister, "registers %s and %s were not read over the same time, so their sum is of no time",
				parts[0].Register.Code, register.Register.Code)
		}
	}
	for i, has := range m.hasEnergy {
		for _, part := range parts {
			if has && !part.readIn[i] {
				return Total{}, refuse(CodeRegister, "register %s was not read in every record", part.Register.Code)
			}
		}
	}
	return m.sum(parts)
}

// named is the register of a name. Two spellings of one name in the same records could be two registers, so nothing is told then.
func (m *Measurement) named(name string, d Direction) (RegisterTotal, error) {
	var found []RegisterTotal
	for _, r := range m.Registers {
		if r.Register.name == name {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 0:
		return RegisterTotal{}, refuse(CodeNoEnergy, "no register of energy %.40q was read", name)
	case len(found) > 1:
		return RegisterTotal{}, refuse(CodeRegister, "the records write register %s in two ways, %.40q and %.40q: it can't be told which to bill",
			name, found[0].Register.Code, found[1].Register.Code)
	case found[0].Register.Direction != d && found[0].Register.Direction != Undirected:
		return RegisterTotal{}, refuse(CodeRegister, "register %.40q counts %v, not %v", found[0].Register.Code, found[0].Register.Direction, d)
	}
	return found[0], nil
}

// candidates are the ways to tell the energy in a direction, each a register or the tariffs whose sum it is.
func (m *Measurement) candidates(d Direction) [][]RegisterTotal {
	registers := slices.DeleteFunc(slices.Clone(m.Registers), func(r RegisterTotal) bool { return r.Register.Direction != d })
	if slices.ContainsFunc(registers, func(r RegisterTotal) bool { return r.Register.Compensated }) {
		registers = slices.DeleteFunc(registers, func(r RegisterTotal) bool { return !r.Register.Compensated })
	}
	var all [][]RegisterTotal
	for len(registers) > 0 {
		family := registers[0].Register.family
		var totals, tariffs, others []RegisterTotal
		for _, r := range registers {
			switch {
			case r.Register.family != family:
				others = append(others, r)
			case r.Register.tariff == "":
				totals = append(totals, r)
			default:
				tariffs = append(tariffs, r)
			}
		}
		for _, r := range totals {
			all = append(all, []RegisterTotal{r})
		}
		if len(totals) == 0 {
			all = append(all, tariffs)
		}
		registers = others
	}
	return all
}

// bill adds each candidate up and returns the first, if all agree.
func (m *Measurement) bill(candidates [][]RegisterTotal) (Total, error) {
	var best Total
	for i, parts := range candidates {
		t, err := m.sum(parts)
		if err != nil {
			return Total{}, err
		}
		if i == 0 {
			best = t
		} else if t.Wh.Cmp(best.Wh) != 0 {
			return Total{}, refuse(CodeRegister, "register %s says %v Wh and register %s %v Wh: it can't be told which to bill",
				best.Register, best.Wh, t.Register, t.Wh)
		}
	}
	return best, nil
}

func (m *Measurement) sum(parts []RegisterTotal) (Total, error) {
	first := parts[0]
	t := Total{
		Direction: first.Register.Direction, Compensated: first.Register.Compensated,
		From: first.From, Until: first.Until, Clock: first.Clock, TimeUsable: true,
	}
	codes := make([]string, len(parts))
	for i, r := range parts {
		if r.Fault != nil {
			return Total{}, r.Fault
		}
		codes[i] = r.Register.Code
		t.Wh = t.Wh.Add(r.Wh)
		t.From, t.Until = min(t.From, r.From), max(t.Until, r.Until)
		t.Clock, t.TimeUsable = t.Clock.worse(r.Clock), t.TimeUsable && r.TimeUsable
	}
	t.Register = strings.Join(codes, " + ")
	for i, has := range m.hasEnergy {
		if has && !slices.ContainsFunc(parts, func(r RegisterTotal) bool { return r.readIn[i] }) {
			return Total{}, refuse(CodeRegister, "register %s was not read in every record", t.Register)
		}
	}
	return t, nil
}
