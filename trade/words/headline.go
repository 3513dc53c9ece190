package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"lockstep/trade"
)

// Headline states a trade in one line: its phase, and the side that it waits for with the move and the deadline. The turn is empty
// when the trade waits for nobody.
func (p *Printer) Headline(s *trade.Status) (phase, turn string) {
	phase = Upper(p.Key(trade.PhaseKey(s.Phase)))
	if s.Turn.Role == trade.Nobody || s.Turn.Move == "" {
		return phase, ""
	}
	turn = p.Turn(&s.Turn)
	if s.Turn.Until != 0 && p.Time != nil {
		turn += p.Key(separator) + p.Fill(By, p.Time(s.Turn.Until))
	}
	return phase, Upper(turn)
}

// Turn states the side and the move that a trade waits for: "you release", "the consumer releases".
func (p *Printer) Turn(t *trade.Turn) string { return p.Does(t.Role, t.Move) }

// Does states a side with a move: "you pay", "the consumer pays".
func (p *Printer) Does(role trade.Role, move trade.Key) string {
	form := theirs
	if role != "" && role == p.Viewer {
		form = mine
	}
	return p.Text(trade.Message{Key: form + move, Args: trade.Args{Role: role}})
}

// Upper returns a text with its first letter in upper case, to begin a sentence. A key keeps its letters.
func Upper(text string) string {
	if strings.HasPrefix(text, "lk1") {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// The forms of a move with its side: of the viewer, and of others.
const (
	mine   trade.Key = "mine."
	theirs trade.Key = "theirs."
)

// moves are the forms of each move as a predicate.
var moves = []text{ //nolint:gochecknoglobals // a constant table
	{mine + trade.MoveKey("pay"), "you pay next", "该您付款"},
	{theirs + trade.MoveKey("pay"), "{role} pays next", "等待{role}付款"},
	{mine + trade.MoveKey("deliver"), "you deliver next", "该您交货"},
	{theirs + trade.MoveKey("deliver"), "{role} delivers next", "等待{role}交货"},
	{mine + trade.MoveKey("release"), "you release next", "该您解锁"},
	{theirs + trade.MoveKey("release"), "{role} releases next", "等待{role}解锁"},
	{mine + trade.MoveKey("read"), "you post the reading next", "该您提交读数"},
	{theirs + trade.MoveKey("read"), "{role} posts the reading next", "等待{role}提交读数"},
	{mine + trade.MoveKey("settle"), "you can settle by the reading", "您可以按读数结算"},
	{theirs + trade.MoveKey("settle"), "{role} can settle by the reading", "{role}可以按读数结算"},
	{mine + trade.MoveKey("award"), "you divide it next", "该您裁决"},
	{theirs + trade.MoveKey("award"), "{role} divides it next", "等待{role}裁决"},
	{mine + trade.MoveKey("split"), "you can split it together", "您可以与对方一起分割"},
	{theirs + trade.MoveKey("split"), "{role} can split it together", "{role}可以分割"},
	{mine + trade.MoveKey("collect"), "payment and bond are yours", "货款和保证金归您所有"},
	{theirs + trade.MoveKey("collect"), "payment and bond are {role's}", "货款和保证金归{role}所有"},
	{mine + trade.MoveKey("take_return"), "the return is yours", "返回金归您所有"},
	{theirs + trade.MoveKey("take_return"), "the return is {role's}", "返回金归{role}所有"},
	{mine + trade.MoveKey("refund"), "the refund is yours", "退款归您所有"},
	{theirs + trade.MoveKey("refund"), "the refund is {role's}", "退款归{role}所有"},

	{named + trade.Key(trade.Both), "both", "双方"},
	{named + trade.Key(trade.Anyone), "anyone", "任何人"},
	{named + trade.Key(trade.Nobody), "nobody", "无人"},
}
