package meter

// SequenceVerdict says whether records follow one another without a gap.
type SequenceVerdict string

// The verdicts on a sequence.
const (
	SequenceOK     SequenceVerdict = "ok"
	SequenceBroken SequenceVerdict = "broken"
	SequenceSingle SequenceVerdict = "single" // one record: nothing to follow
)

// Sequence judges the order of records of one meter as they are given; nil stands for one that couldn't be read. With
// [SequenceBroken] comes the first reason as an error: [CodeEmpty], [CodeRecordForm], [CodePage], [CodeSource],
// [CodePages], [CodeBackwards] or, for native records, [CodeTime].
func Sequence(records []*Record) (SequenceVerdict, error) {
	pages := make([]*sequencePage, len(records))
	for i, r := range records {
		if r != nil {
			pages[i] = newSequencePage(&r.Payload)
		}
	}
	return judgeSequence(pages)
}

// A sequencePage holds the fields of a record of either form that decide its order.
type sequencePage struct {
	page   Page
	fault  error
	source string
	spans  []span
}

// A span is a page's interval of one register.
type span struct {
	register    string
	read        bool // it can't fall, and first and last are its readings
	first, last Decimal
	from, until int64 // Unix milliseconds, both 0 where the clock is not to be relied on
}

func newSequencePage(p *Payload) *sequencePage {
	// "All data records must come from the same source (serial number)". Gateways that serve several meters count pages
	// for each, so both serials say which count this is.
	s := &sequencePage{page: p.Page, fault: p.PageFault, source: "gateway " + p.GatewaySerial + ", meter " + p.MeterSerial}
	for i := range p.Readings {
		r := &p.Readings[i]
		wh, ok := r.Energy()
		if !ok || !r.Register.lifetime {
			continue
		}
		if j := spanOf(s.spans, r.Register.Code); j >= 0 {
			s.spans[j].last = wh
		} else {
			s.spans = append(s.spans, span{register: r.Register.Code, read: true, first: wh, last: wh})
		}
	}
	return s
}

func spanOf(spans []span, register string) int {
	for i := range spans {
		if spans[i].register == register {
			return i
		}
	}
	return -1
}

func judgeSequence(pages []*sequencePage) (SequenceVerdict, error) {
	switch len(pages) {
	case 0:
		return SequenceBroken, refuse(CodeEmpty, "there is no record")
	case 1:
		return SequenceSingle, nil
	}
	counts := make(map[byte]*count)
	for i, p := range pages {
		if p == nil {
			return SequenceBroken, refuse(CodeRecordForm, "record %d can't be read, so its page is unknown", i+1)
		}
		if p.fault != nil {
			return SequenceBroken, p.fault
		}
		if p.source != pages[0].source {
			return SequenceBroken, refuse(CodeSource, "record %d is of %s, and record 1 of %s", i+1, p.source, pages[0].source)
		}
		c := counts[p.page.Context]
		if c == nil {
			c = &count{}
			counts[p.page.Context] = c
		} else if err := c.follows(p.page); err != nil {
			return SequenceBroken, err
		}
		if err := c.take(p); err != nil {
			return SequenceBroken, err
		}
	}
	return SequenceOK, nil
}

// A count is the state of one context's pagination.
type count struct {
	last  Page
	spans []span // of each register the last one seen
}

func (c *count) follows(p Page) error {
	switch {
	case p.Number > c.last.Number && p.Number-c.last.Number == 1:
		return nil
	case p == c.last:
		return refuse(CodePages, "page %v is given twice", p)
	case p.Number < c.last.Number:
		return refuse(CodePages, "page %v comes after page %v: give the records in page order", p, c.last)
	default:
		return refuse(CodePages, "pages are missing between %v and %v", c.last, p)
	}
}

func (c *count) take(p *sequencePage) error {
	for _, now := range p.spans {
		i := spanOf(c.spans, now.register)
		if i < 0 {
			c.spans = append(c.spans, now)
			continue
		}
		before := c.spans[i]
		if now.read && before.read && now.first.Cmp(before.last) < 0 {
			return refuse(CodeBackwards, "register %s runs backwards: %v Wh at page %v after %v Wh", now.register, now.first, p.page, before.last)
		}
		if now.from < before.until {
			return refuse(CodeTime, "page %v begins before the page before it ends", p.page)
		}
		if !now.read {
			now.read, now.last = before.read, before.last
		}
		c.spans[i] = now
	}
	c.last = p.page
	return nil
}
