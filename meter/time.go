package meter

import "strings"

// maxZone is the furthest that a zone's time is from UTC, in minutes.
const maxZone = 14 * 60

// parseTime reads a TM: a time of ISO 8601 with its zone, then a space and the clock's state (table 7). It returns Unix
// milliseconds.
//
// The standard has one form, 2018-07-24T13:22:04,000+0200 S. Meters in the field write others of ISO 8601 and RFC 3339, and
// those that have one meaning are read: a point for the comma; no fraction, or one of 1 to 9 digits, of which those beyond
// the milliseconds are cut off, so that no reading moves into the next slot; the zone as +hhmm, +hh:mm, +hh or Z; t and z
// as small letters. Without a zone or a state a time has no one meaning, and is refused; so are a leap second and 24:00.
//
// The standard library's time is left out of this package on purpose: its zones and its clock are not for a ledger.
func parseTime(tm string) (ms int64, clock Clock, ok bool) {
	r := timeReader{text: tm, ok: true}
	year := r.number(4)
	r.expect("-")
	month := r.number(2)
	r.expect("-")
	day := r.number(2)
	r.expect("Tt")
	hour := r.number(2)
	r.expect(":")
	minute := r.number(2)
	r.expect(":")
	second := r.number(2)
	milli := r.fraction()
	zone := r.zone()
	r.expect(" ")
	clock = Clock(r.expect(clocksWorstFirst))
	if !r.ok || r.text != "" || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, false
	}
	minutes := (daysSince1970(year, month, day)*24+hour)*60 + minute - zone
	return (minutes*60+second)*1000 + milli, clock, true
}

// timeReader takes a time apart from its front. After the first fault ok is false, and the rest means nothing.
type timeReader struct {
	text string
	ok   bool
}

// at tells whether the next byte is one of those given.
func (r *timeReader) at(bytes string) bool {
	return r.text != "" && strings.IndexByte(bytes, r.text[0]) >= 0
}

// expect takes a byte, which must be one of those given.
func (r *timeReader) expect(bytes string) byte {
	if !r.at(bytes) {
		r.ok = false
		return 0
	}
	taken := r.text[0]
	r.text = r.text[1:]
	return taken
}

const digits = "0123456789"

// number takes a number of so many digits.
func (r *timeReader) number(places int) int64 {
	n := int64(0)
	for range places {
		n = 10*n + int64(r.expect(digits)) - '0'
	}
	return n
}

// fraction takes the fraction of a second, if there is one, and returns its milliseconds.
func (r *timeReader) fraction() (milli int64) {
	if !r.at(",.") {
		return 0
	}
	r.expect(",.")
	unit, places := int64(100), 0
	for ; r.at(digits) || places == 0 && r.ok; places++ {
		milli += unit * (int64(r.expect(digits)) - '0')
		unit /= 10
	}
	r.ok = r.ok && places <= 9
	return milli
}

// zone takes the zone and returns its minutes ahead of UTC.
func (r *timeReader) zone() (minutes int64) {
	if r.at("Zz") {
		r.expect("Zz")
		return 0
	}
	sign := r.expect("+-")
	minutes = 60 * r.number(2)
	if colon := r.at(":"); colon || r.at(digits) {
		if colon {
			r.expect(":")
		}
		past := r.number(2)
		r.ok = r.ok && past <= 59
		minutes += past
	}
	r.ok = r.ok && minutes <= maxZone
	if sign == '-' {
		return -minutes
	}
	return minutes
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in the Gregorian calendar. Years are made to begin in March, so that the leap day comes last.
func daysSince1970(year, month, day int64) int64 {
	if month < 3 {
		year, month = year-1, month+12
	}
	leapDays := floorDiv(year, 4) - floorDiv(year, 100) + floorDiv(year, 400)
	const marchTo1970 = 719_469 // days from the begin of this count to 1 January 1970, plus one for days that count from 1
	return 365*year + leapDays + (153*(month-3)+2)/5 + day - marchTo1970
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
