package main

import (
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"lockstep/trade/words"
	"lockstep/types"
)

// Times are shown in the local time zone (TZ), with the name of the zone. JSON has them in UTC.
const (
	dayLayout    = time.DateOnly
	minuteLayout = "15:04"
	stampLayout  = time.DateTime + " MST"
)

// local converts a moment to local time.
func local(t types.Time) time.Time { return t.Std().Local() }

// stamp formats a moment.
func stamp(t types.Time) string { return local(t).Format(stampLayout) }

// soon formats a moment without its date, if it is less than a day away.
func soon(t, clock types.Time) string {
	if t.Since(clock) < almostADay && clock.Since(t) < almostADay {
		return local(t).Format(time.TimeOnly + " MST")
	}
	return stamp(t)
}

const almostADay = types.Duration(20 * 60 * 60 * 1000)

// slotText formats the time of goods: the day and the zone once, if both ends have them in common.
func slotText(w *words.Printer, g *types.Goods) string {
	if g.From == 0 && g.Until == 0 {
		return "-"
	}
	from, until, clock := local(g.From), local(g.Until), minuteLayout
	if g.Until.Since(g.From)%60_000 != 0 || g.From%60_000 != 0 {
		clock = time.TimeOnly
	}
	begin, end := from.Format(dayLayout+" "+clock), until.Format(clock)
	if from.Format(dayLayout) != until.Format(dayLayout) {
		end = until.Format(dayLayout + " " + clock)
	}
	if zone := from.Format("MST"); zone != until.Format("MST") {
		begin += " " + zone
	}
	return begin + w.Fill(words.SlotTo, end+until.Format(" MST"))
}

// slotBegin formats the begin of the slot of goods for a table: in one piece.
func slotBegin(g *types.Goods) string {
	if g.From == 0 && g.Until == 0 {
		return "-"
	}
	clock := minuteLayout
	if g.From%60_000 != 0 {
		clock = time.TimeOnly
	}
	return local(g.From).Format(dayLayout + fixedSpace + clock + fixedSpace + "MST")
}

// remaining formats the time left on the ledger clock.
func remaining(until, clock types.Time) string {
	return remainingText(&words.Printer{}, until, clock)
}

// remainingText is [remaining] in the language of a printer.
func remainingText(w *words.Printer, until, clock types.Time) string {
	if clock > until {
		return w.Key(words.DeadlinePassed)
	}
	return w.Fill(words.TimeLeft, w.Span(until.Since(clock).Std().Round(time.Second)))
}

// about is [remainingText] for a table: in whole minutes as long as there are some, and in one piece.
func about(w *words.Printer, until, clock types.Time) string {
	text := remainingText(w, until, clock)
	if left := until.Since(clock).Std(); clock <= until && left >= 2*time.Minute {
		text = w.Fill(words.TimeLeft, w.Span(left.Round(time.Minute)))
	}
	return strings.ReplaceAll(text, " ", fixedSpace)
}

// leastSkew is the smallest lag of the ledger clock that is reported.
const leastSkew = types.Duration(60_000)

// behind reports whether the ledger clock, which decides deadlines, lags because the chain stood still for a while.
func (s *session) behind() bool { return s.status.Skew >= leastSkew }

// deadline formats a moment of the ledger clock, and the time left while the ledger clock lags.
func (s *session) deadline(w *words.Printer, t, clock types.Time) string {
	if s.behind() {
		return w.Fill(words.LedgerTime, stamp(t)) + w.Fill(words.Aside, remainingText(w, t, clock))
	}
	return stamp(t)
}

// skewNote prints the lag of the ledger clock, if it is reported.
func (s *session) skewNote(p *page, w *words.Printer) {
	if s.behind() {
		p.line("%s", w.Fill(words.ClockBehind, w.Span(s.status.Skew.Std())))
	}
}

// momentMapper parses the moments among the arguments.
type momentMapper struct{}

// Decode parses a moment, see [parseMoment].
func (momentMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("time", &text); err != nil {
		return err
	}
	moment, err := parseMoment(text)
	if err != nil {
		return err
	}
	target.SetUint(uint64(moment))
	return nil
}

// parseMoment parses a moment as the program formats it: in UTC or with an offset, as 2026-06-21T12:15:00Z, or in local time, as
// "2026-06-21 14:15". A local time that occurs twice needs the name of its zone, as "2026-10-25 02:30 CET".
func parseMoment(text string) (types.Time, error) {
	var moment types.Time
	if err := moment.UnmarshalText([]byte(text)); err == nil {
		if moment == 0 {
			return 0, types.Refuse(types.CodeMalformed, "%q is before any ledger", text)
		}
		return moment, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime} {
		day, zone := text, ""
		if len(day) > len(dayLayout) && day[len(dayLayout)] == 'T' {
			day = day[:len(dayLayout)] + " " + day[len(dayLayout)+1:]
		}
		if len(day) > len(layout) && day[len(layout)] == ' ' {
			day, zone = day[:len(layout)], day[len(layout)+1:]
		}
		if found := readings(layout, day, zone); len(found) == 1 {
			return types.TimeOf(found[0]), nil
		} else if len(found) > 1 {
			return 0, types.Refuse(types.CodeMalformed, "the clocks show %q twice here: write it as %s or %s", text, found[0].Format(layout+" MST"), found[1].Format(layout+" MST"))
		}
	}
	return 0, types.Refuse(types.CodeMalformed, "%q is not a time: write it as 2026-06-21T12:15:00Z, or in local time as \"2026-06-21 14:15\"", text)
}

// readings returns the moments at which a local clock, or one in UTC, shows a text.
func readings(layout, text, zone string) (found []time.Time) {
	if zone == "UTC" || zone == "Z" {
		if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			found = append(found, at)
		}
		return found
	}
	guess, err := time.ParseInLocation(layout, text, time.Local)
	if err != nil {
		return nil
	}
	for shift := -3 * time.Hour; shift <= 3*time.Hour; shift += 15 * time.Minute { // no clock is put forward or back by more
		at := guess.Add(shift)
		if at.Format(layout) == text && (zone == "" || at.Format("MST") == zone) {
			found = append(found, at)
		}
	}
	return found
}
