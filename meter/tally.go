package meter

import "strings"

// A tally follows one register through the records, in page order, and adds up its energy.
type tally struct {
	register Register
	fiscal   bool
	fragment bool   // the records are part of a sequence: a transaction may have begun before them and end after
	readIn   []bool // by record

	taken       int // readings
	open        bool
	begin, last sample
	done        map[[2]sampleKey]bool // begin and end of each transaction
	wh          Decimal
	from, until int64
	clock       Clock
	timeUsable  bool
	fault       error
}

// A sample is the part of a reading that matters.
type sample struct {
	wh       Decimal
	time     int64
	reliable bool // the time, for an order of readings
}

func (s sample) same(t sample) bool { return s.time == t.time && s.wh.Cmp(t.wh) == 0 }

// A sampleKey is a sample as a key of a map, equal for those that are the same.
type sampleKey struct {
	wh   string
	time int64
}

func (s sample) key() sampleKey { return sampleKey{s.wh.String(), s.time} }

func newTally(r Register, context byte, fragment bool, records int) *tally {
	return &tally{
		register: r, fiscal: context == Fiscal, fragment: fragment,
		readIn: make([]bool, records), done: make(map[[2]sampleKey]bool), timeUsable: true,
	}
}

// take adds a reading of wh to the tally. After a fault it only keeps it.
func (t *tally) take(r *Reading, wh Decimal) {
	flagged := strings.Contains(r.ErrorFlags, "t")
	s := sample{wh: wh, time: r.Time, reliable: !flagged && r.Clock != ClockUnsynchronised}
	switch {
	case t.fault != nil:
	case t.fiscal:
		t.fault = t.fiscalReading(s, r.Reason)
	default:
		t.fault = t.transactionReading(s, r.Reason)
	}
	if t.taken++; t.taken == 1 {
		t.from, t.until, t.clock = s.time, s.time, r.Clock
	}
	t.from, t.until, t.clock = min(t.from, s.time), max(t.until, s.time), t.clock.worse(r.Clock)
	t.timeUsable = t.timeUsable && !flagged
}

// fiscalReading takes a reading that belongs to no transaction (standard, table 2, context F).
func (t *tally) fiscalReading(s sample, reason byte) error {
	if reason != 0 {
		return refuse(CodeTransaction, "a fiscal reading names a reason of a transaction (%c)", reason)
	}
	if t.taken == 0 {
		t.begin, t.last = s, s
	}
	if err := t.rise(s); err != nil {
		return err
	}
	t.wh = s.wh.Sub(t.begin.wh)
	return nil
}

// rise makes s the last sample, if the register has not fallen and time has not gone back.
func (t *tally) rise(s sample) error {
	if s.wh.Cmp(t.last.wh) < 0 {
		return refuse(CodeBackwards, "register %s falls from %v Wh to %v Wh", t.register.Code, t.last.wh, s.wh)
	}
	if s.reliable && t.begin.reliable && s.time < t.begin.time {
		return refuse(CodeTime, "register %s has a reading from before the begin", t.register.Code)
	}
	t.last = s
	return nil
}

// transactionReading takes a reading with a reason of table 7.
func (t *tally) transactionReading(s sample, reason byte) error {
	switch {
	case reason == 0:
		return refuse(CodeTransaction, "a reading on a page of transactions has no reason (TX)")
	case reason == 'B' && !t.open:
		t.open, t.begin, t.last = true, s, s
		return nil
	case reason == 'B' && t.begin.same(s) && t.last.same(s):
		return nil // a meter that sends its begin alone, and then begin and end together
	case reason == 'B':
		return refuse(CodeTransaction, "register %s begins a transaction within another: the end of the first is missing", t.register.Code)
	case !t.open && t.fragment && t.taken == 0:
		t.open, t.begin, t.last = true, s, s // begun on a page that is not here
	case !t.open:
		return refuse(CodeTransaction, "register %s has a reading with reason %c and no begin before it", t.register.Code, reason)
	}
	if err := t.rise(s); err != nil {
		return err
	}
	if strings.IndexByte("ELRAP", reason) >= 0 {
		t.end(s)
	}
	return nil
}

func (t *tally) end(s sample) {
	t.open = false
	if id := [2]sampleKey{t.begin.key(), s.key()}; !t.done[id] { // else it is stated a second time
		t.done[id] = true
		t.wh = t.wh.Add(s.wh.Sub(t.begin.wh))
	}
}

func (t *tally) total() RegisterTotal {
	r := RegisterTotal{
		Register: t.register, Wh: t.wh, From: t.from, Until: t.until,
		Clock: t.clock, TimeUsable: t.timeUsable, Fault: t.fault, readIn: t.readIn,
	}
	switch {
	case t.fault != nil || t.fragment:
	case t.open:
		r.Fault = refuse(CodeTransaction, "register %s has a begin and no end: add the record with the end", t.register.Code)
	case t.fiscal && t.taken < 2:
		r.Fault = refuse(CodeTransaction, "register %s has one fiscal reading, and a quantity needs two", t.register.Code)
	}
	if r.Fault != nil || t.fragment {
		r.Wh = Decimal{} // nothing that is not proven, and of a fragment nothing at all
	}
	return r
}
