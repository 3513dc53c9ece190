package sim

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// WriteText writes the report for people: what each household did, what the two broken words led to, and the books.
func (r *Report) WriteText(to io.Writer) error {
	w := bufio.NewWriter(to)
	r.writeHead(w)
	r.writeTable(w)
	r.writeDefault(w)
	r.writeWithholding(w)
	r.writeBooks(w)
	return w.Flush()
}

func (r *Report) writeHead(w io.Writer) {
	date := r.Date
	if day, err := time.Parse(time.DateOnly, r.Date); err == nil {
		date = day.Format("Monday, 2 January 2006")
	}
	fmt.Fprintf(w, "%s: %d quarter-hours of %d households on a ledger of their own\n\n", date, r.Slots, len(r.Households))
	fmt.Fprintf(w, "Energy  %s.\n", r.Source)
	fmt.Fprintf(w, "        What the households do not trade, the grid takes and gives: that is outside of this ledger.\n")
	fmt.Fprintf(w, "Terms   hold: nobody but the two parties. Deposit %d %% and bond %d %% of each price.\n\n", depositPercent, bondPercent)
}

const (
	rowFormat = "%-13s %8s %8s %8s %8s %11s %11s %11s %11s\n"
	rowLength = 13 + 4*9 + 4*12
)

func (r *Report) writeTable(w io.Writer) {
	fmt.Fprintf(w, rowFormat, "", "to spare", "sold", "in need", "bought", "in", "out", "locked", "has")
	fmt.Fprintf(w, rowFormat, "household", "Wh", "Wh", "Wh", "Wh", moneyCode, moneyCode, moneyCode, moneyCode)
	fmt.Fprintln(w, strings.Repeat("-", rowLength))
	all := Account{Name: "all"}
	for i := range r.Households {
		a := &r.Households[i]
		a.write(w)
		all.Spare, all.Sold, all.Need, all.Bought = all.Spare+a.Spare, all.Sold+a.Sold, all.Need+a.Need, all.Bought+a.Bought
		all.In, all.Out, all.Locked, all.Held = all.In+a.In, all.Out+a.Out, all.Locked+a.Locked, all.Held+a.Held
		all.Given += a.Given
	}
	fmt.Fprintln(w, strings.Repeat("-", rowLength))
	all.write(w)
	if all.Given > 0 {
		fmt.Fprintf(w, "%d Wh of what was bought are not among what was sold: they were delivered and not paid for.\n", all.Given)
	}
	fmt.Fprintf(w, "\n%s: %d delivered and released, %d refunded, %d delivered and still locked.\n",
		count(r.Trades, "trade"), r.Released, r.Refunded, r.Withheld)
	fmt.Fprintf(w, "Of the %s earned, %s had been spent on by the evening: as inputs of bonds and purchases.\n",
		money(all.In), money(r.Respent))
	if r.Missed > 0 {
		fmt.Fprintf(w, "%d transactions came after a deadline, as this machine was busy: those households went without.\n", r.Missed)
	}
}

func (a *Account) write(w io.Writer) {
	name := a.Name
	if a.Roof != NoRoof {
		name += ", " + string(a.Roof)
	}
	fmt.Fprintf(w, rowFormat, name, figure(a.Spare), figure(a.Sold), figure(a.Need), figure(a.Bought),
		sum(a.In), sum(a.Out), sum(a.Locked), sum(a.Held))
}

// figure and sum leave zeros out, so that a table shows what happened.
func figure(wh uint64) string {
	if wh == 0 {
		return "-"
	}
	return strconv.FormatUint(wh, 10)
}

func sum(amount uint64) string {
	if amount == 0 {
		return "-"
	}
	return euros(amount)
}

func (r *Report) writeDefault(w io.Writer) {
	b := r.Default
	if b == nil {
		return
	}
	fmt.Fprintf(w, "\n%s stops delivering at %s\n", b.Who, b.Since)
	say(w, "It goes on offering and is paid for %s: %d Wh for %s. It delivers nothing.", count(b.Trades, "trade"), b.Energy, money(b.Price))
	say(w, "It gains nothing: at the deadline price and deposit were the buyers' again. Nobody asked, nobody decided.")
	say(w, "It loses its market: a buyer leaves its offers alone after %d failures. By then it had earned %s,", patience, money(r.Households[b.Place].In))
	say(w, "and then nothing: the grid takes its energy, for what the grid pays. It loses no bond, because a bond is")
	say(w, "locked only by delivering.")
	say(w, "It hits %s. They lose no money, but time: up to %.1f s of the ledger clock, the deadline of", count(b.Others, "buyer"), b.LongestWait)
	say(w, "these offers, until theirs was back. Those %d Wh they had to take from the grid.", b.Energy)
}

func (r *Report) writeWithholding(w io.Writer) {
	b := r.Withholding
	if b == nil {
		return
	}
	fmt.Fprintf(w, "\n%s stops releasing at %s\n", b.Who, b.Since)
	say(w, "It gets %d Wh in %s and keeps the secrets.", b.Energy, count(b.Trades, "trade"))
	say(w, "It gains nothing: the price, %s, left its purse all the same, and with it the deposit,", money(b.Price))
	say(w, "%s. Both stay locked until it shows the secrets or the two agree on a split: %d %% for its energy.", money(b.Deposit), 100+depositPercent)
	say(w, "It harms %s: %d Wh are delivered and unpaid, and their bonds, %s, are frozen.", count(b.Others, "seller"), b.Energy, money(b.Bond))
	say(w, "This is griefing. Hold terms put a price on it; they can't undo it.")
	if s := r.Shunned; s != nil {
		say(w, "Whom it harmed delivers to it no more: %s (%d Wh) came back to it after up to %.1f s.",
			count(s.Trades, "later payment"), s.Energy, s.LongestWait)
		say(w, "But an open offer turns no buyer away beforehand, so nobody else could buy that energy.")
	}
}

// money is a sum with all its places and its code.
func money(amount uint64) string { return euros(amount) + " " + moneyCode }

// say writes a line of a story.
func say(w io.Writer, format string, args ...any) { fmt.Fprintf(w, "  "+format+"\n", args...) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (r *Report) writeBooks(w io.Writer) {
	fmt.Fprintf(w, "\nThe books, to the last millionth\n")
	say(w, "issued  %16s   once, in the morning", money(r.Issued))
	say(w, "held    %16s   what the keys can spend now, asked of the API key by key", money(r.Held))
	say(w, "locked  %16s   what is in trades and nobody's yet, counted in the whole state", money(r.Locked))
	if r.Conserved {
		say(w, "issued = held + locked. State, API, trades and each household's account agree.")
	}
	for _, fault := range r.Faults {
		say(w, "DOES NOT ADD UP: %s", fault)
	}
	fmt.Fprintf(w, "\n%d transactions in %d blocks, all in %.1f s.\n", r.Txs, r.Blocks, r.Seconds)
}
