// Package words renders the messages of package trade: one catalogue of English and Chinese texts, and the only one.
package words

import (
	"fmt"
	"strings"

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
	return strings.NewReplacer(pairs...).Replace(text)
}

// Key formats a message without arguments.
func (p *Printer) Key(key trade.Key) string { return p.Text(trade.Message{Key: key}) }

// Fill formats a text of the catalogue that has one value, such as [By].
func (p *Printer) Fill(key trade.Key, value string) string {
	return strings.ReplaceAll(p.Key(key), "{value}", value)
}

// List joins several messages into one text.
func (p *Printer) List(messages []trade.Message) string {
	texts := make([]string, len(messages))
	for i, message := range messages {
		texts[i] = p.Text(message)
	}
	return strings.Join(texts, p.Key(separator))
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
