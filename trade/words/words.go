// Package words renders the messages of package trade: one catalogue of English and Chinese texts, and the only one.
package words

import (
	"fmt"
	"strings"
	"time"

	"lockstep/trade"
	"lockstep/types"
)

// Language is a language of the catalogue.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Languages lists the languages of the catalogue.
func Languages() []Language { return []Language{English, Chinese} }

// Of returns the language of a locale in POSIX form, such as zh_CN.UTF-8; English for any language that the catalogue lacks.
func Of(locale string) Language {
	if name, _, _ := strings.Cut(strings.ToLower(locale), "_"); name == "zh" || strings.HasPrefix(name, "zh.") || strings.HasPrefix(name, "zh-") {
		return Chinese
	}
	return English
}

// Printer formats messages for one viewer of one trade. Its functions format values in the way of the calling program.
type Printer struct {
	Language Language
	Viewer   trade.Role            // a side with this role is called "you"
	Names    map[trade.Role]string // of the sides, where they are known
	Money    func(types.Amount) string
	Time     func(types.Time) string
	Quantity func(uint64) string
	Goods    string // the goods of the trade
}

// Text formats a message. A key that the catalogue lacks, as a newer node may send it, is returned unchanged.
func (p *Printer) Text(m trade.Message) string {
	text, known := lookUp(p.Language, m.Key)
	if !known {
		return string(m.Key)
	}
	pairs := []string{}
	for _, arg := range m.Args.All() {
		if !strings.Contains(text, "{"+arg.Name) {
			continue
		}
		if role, ok := arg.Value.(trade.Role); ok {
			pairs = append(pairs, "{role}", p.Name(role), "{role's}", p.possessive(role))
			continue
		}
		pairs = append(pairs, "{"+arg.Name+"}", p.value(arg))
	}
	pairs = append(pairs, "{goods}", p.Goods)
	return strings.NewReplacer(pairs...).Replace(text)
}

// Key formats a message without arguments.
func (p *Printer) Key(key trade.Key) string { return p.Text(trade.Message{Key: key}) }

// Fill formats a text of the catalogue that has one value, such as [By].
func (p *Printer) Fill(key trade.Key, value string) string {
	return strings.ReplaceAll(p.Key(key), "{value}", value)
}

// Sentence formats a message as a sentence: with a capital letter and a full stop.
func (p *Printer) Sentence(m trade.Message) string { return p.Full(Upper(p.Text(m))) }

// Full ends a text with a full stop.
func (p *Printer) Full(text string) string { return p.Fill(fullStop, text) }

// Question formats the question before a move, without its mark.
func (p *Printer) Question(c *trade.Consent) string {
	text := Upper(p.Text(c.Ask))
	if len(c.Gives) > 0 {
		text += p.Key(Colon) + p.List(c.Gives)
	}
	return text
}

// Span formats a length of time in hours, minutes and seconds.
func (p *Printer) Span(span time.Duration) string {
	if p.Language != Chinese {
		text := span.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	}
	var parts []string
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"小时", time.Hour}, {"分钟", time.Minute}, {"秒", time.Second}} {
		if n := span / unit.size; n > 0 || unit.size == time.Second && len(parts) == 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
		}
		span %= unit.size
	}
	return strings.Join(parts, " ")
}

// List joins several messages into one text.
func (p *Printer) List(messages []trade.Message) string {
	texts := make([]string, len(messages))
	for i, message := range messages {
		texts[i] = p.Text(message)
	}
	return strings.Join(texts, p.Key(separator))
}

// Flow names the flow that a meter counts.
func (p *Printer) Flow(flow types.Flow) string {
	if flow.Direction == types.DirectionExport {
		return p.Fill(FlowExport, flow.Point.String())
	}
	return p.Fill(FlowImport, flow.Point.String())
}

// Name returns a role as a subject or an object: "you", or "the producer".
func (p *Printer) Name(role trade.Role) string {
	if role != "" && role == p.Viewer {
		return p.Key(you)
	}
	if name := p.Names[role]; name != "" {
		return name
	}
	return p.Key(named + trade.Key(role))
}

// Actor returns a role for a table: "you", or "producer".
func (p *Printer) Actor(role trade.Role) string {
	if role != "" && role == p.Viewer {
		return p.Key(you)
	}
	if name := p.Names[role]; name != "" {
		return name
	}
	return p.Key(trade.RoleKey(role))
}

func (p *Printer) possessive(role trade.Role) string {
	if role != "" && role == p.Viewer {
		return p.Key(yours)
	}
	if name := p.Names[role]; name != "" {
		if p.Language == Chinese { // the texts have the particle where they need it
			return name
		}
		return name + "’s"
	}
	return p.Key(owned + trade.Key(role))
}

func (p *Printer) value(arg trade.Named) string {
	switch v := arg.Value.(type) {
	case types.Amount:
		return p.Money(v)
	case types.PublicKey: // of the arbiter
		if name := p.Names[trade.Arbiter]; name != "" {
			return name
		}
	case types.Time:
		return p.Time(v)
	case uint64:
		return p.Quantity(v)
	}
	return fmt.Sprint(arg.Value)
}

// The catalogue's own keys: the forms of a role, and the words of a page around the messages.
const (
	you       trade.Key = "you"
	yours     trade.Key = "yours"
	named     trade.Key = "named." // followed by a role
	owned     trade.Key = "owned."
	separator trade.Key = "separator"

	LabelTrade    trade.Key = "label.trade"
	LabelGoods    trade.Key = "label.goods"
	LabelPrice    trade.Key = "label.price"
	LabelProducer trade.Key = "label.producer"
	LabelConsumer trade.Key = "label.consumer"
	LabelTerms    trade.Key = "label.terms"
	LabelPhase    trade.Key = "label.phase"
	LabelLocked   trade.Key = "label.locked"
	LabelNext     trade.Key = "label.next"
	LabelCan      trade.Key = "label.can"
	LabelElse     trade.Key = "label.else"
	LabelYou      trade.Key = "label.you" // beside a key that is the viewer's

	ColumnPhase trade.Key = "column.phase"
	ColumnYou   trade.Key = "column.you_are"
	ColumnGoods trade.Key = "column.goods"
	ColumnPrice trade.Key = "column.price"
	ColumnNext  trade.Key = "column.next"
	ColumnTrade trade.Key = "column.trade"

	FieldSlot        trade.Key = "field.slot"
	FieldZone        trade.Key = "field.zone"
	FieldMeter       trade.Key = "field.meter"
	FieldNote        trade.Key = "field.note"
	FieldLedger      trade.Key = "field.ledger"
	FieldAsset       trade.Key = "field.asset"
	FieldIssuer      trade.Key = "field.issuer"
	FieldInstalments trade.Key = "field.instalments"
	FieldPayBy       trade.Key = "field.pay_by"
	FieldDeliverBy   trade.Key = "field.deliver_by"
	FieldReadingBy   trade.Key = "field.reading_by"
	FieldConfirmBy   trade.Key = "field.confirm_by"
	FieldTerms       trade.Key = "field.terms"
	FieldLocked      trade.Key = "field.locked"
	FieldYouGet      trade.Key = "field.you_get"
	FieldTheyGet     trade.Key = "field.they_get"
	FieldSignedBy    trade.Key = "field.signed_by"
	FieldOpenUntil   trade.Key = "field.open_until"

	// The parts of a description of goods, with a value.
	OneItem    trade.Key = "text.one_item"
	Energy     trade.Key = "text.energy"
	QuantityOf trade.Key = "text.of"
	SlotTo     trade.Key = "text.to"
	FlowExport trade.Key = "text.export"
	FlowImport trade.Key = "text.import"
	NoMeter    trade.Key = "text.no_meter"
	WithNote   trade.Key = "text.note"

	// The sentences about a signature under a proposal.
	AgreeToSell      trade.Key = "text.agree_to_sell"
	AgreeToBuy       trade.Key = "text.agree_to_buy"
	AgreeToEnd       trade.Key = "text.agree_to_end"
	Instalments      trade.Key = "text.instalments" // with a value
	UnknownIssuer    trade.Key = "text.unknown_issuer"
	OfConsumer       trade.Key = "text.of_consumer"
	OfProducer       trade.Key = "text.of_producer"
	WithoutSplit     trade.Key = "text.without_split"
	FromNow          trade.Key = "text.from_now" // with a value
	UntilThen        trade.Key = "text.until_then"
	AskSign          trade.Key = "text.sign"
	AskSignAgreement trade.Key = "text.sign_agreement"
	AskSignSplit     trade.Key = "text.sign_split"
	AskSignSend      trade.Key = "text.sign_send"
	AskSignPay       trade.Key = "text.sign_send_pay"
	AskSend          trade.Key = "text.send"
	AskSendPay       trade.Key = "text.send_pay"
	SignedAndSent    trade.Key = "text.signed_and_sent"

	// The words of a question.
	Fee      trade.Key = "text.fee"
	Total    trade.Key = "text.total"
	YesOrNo  trade.Key = "text.yes_or_no"
	fullStop trade.Key = "text.full_stop"
	MeterToo trade.Key = "text.meter_too" // how to have meter terms

	// An event in a list, by the object that it is about.
	AboutTrade   trade.Key = "text.about_trade"
	AboutOffer   trade.Key = "text.about_offer"
	AboutProduct trade.Key = "text.about_product"
	AboutTx      trade.Key = "text.about_tx"
	Now          trade.Key = "text.now"

	Separator      trade.Key = separator
	LedgerTime     trade.Key = "text.ledger_time"
	ClockBehind    trade.Key = "text.clock_behind"
	Colon          trade.Key = "colon"
	NothingLocked  trade.Key = "text.nothing_locked"
	TradeIsOver    trade.Key = "text.over"
	NoTrades       trade.Key = "text.no_trades"
	AnyTime        trade.Key = "text.any_time" // no deadline
	By             trade.Key = "text.by"       // a deadline, with a value
	TimeLeft       trade.Key = "text.left"     // until a deadline, with a value
	Aside          trade.Key = "aside"         // in parentheses, with a value
	DeadlinePassed trade.Key = "text.passed"
)
