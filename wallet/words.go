package wallet

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// byteOrderMark is put in front of a text by some editors.
const byteOrderMark = "\ufeff"

// numberedWord is a word with its place before it: "7 word", "7. word", "7) word", "7: word", "#7 word".
var numberedWord = regexp.MustCompile(`([0-9]{1,3})[^0-9\pL]*(\pL+)`)

// splitWords finds the words of a seed in a text. They may stand in one line or several, in capitals, with spaces, commas or
// quotes between, or each with its number before it, as [WordTable] writes them and as paper forms have them. Numbers decide
// the order, so a table may be read by rows or by columns; lines without a numbered word are then left out, so that the whole
// output of "lockstep wallet new" can be given.
func splitWords(text string) ([]string, error) {
	text = strings.ToLower(norm.NFKC.String(strings.TrimPrefix(text, byteOrderMark)))
	if words, err := numberedWords(text); words != nil || err != nil {
		return words, err
	}
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }), nil
}

// numberedWords are the words of the lines that hold nothing but numbers and words in turn, in the order of the numbers. It is nil when
// there is no such line.
func numberedWords(text string) ([]string, error) {
	byNumber := map[int]string{}
	highest := 0
	for line := range strings.Lines(text) {
		pairs := numberedWord.FindAllStringSubmatch(line, -1)
		if len(pairs) == 0 || strings.IndexFunc(numberedWord.ReplaceAllLiteralString(line, ""), isLetterOrDigit) >= 0 {
			continue
		}
		for _, pair := range pairs {
			number, err := strconv.Atoi(pair[1])
			if err != nil || number < 1 || number > WordCount {
				return nil, refuse(ReasonWords, "a word has the number %s: the numbers of a seed's words go from 1 to %d", pair[1], WordCount)
			}
			if _, twice := byNumber[number]; twice {
				return nil, refuse(ReasonWords, "two words have the number %d: compare them with what was written down", number)
			}
			byNumber[number] = pair[2]
			highest = max(highest, number)
		}
	}
	if highest == 0 {
		return nil, nil
	}
	words := make([]string, 0, highest)
	for number := range highest {
		word, there := byNumber[number+1]
		if !there {
			return nil, refuse(ReasonWords, "word %d is missing: there is a word with the number %d", number+1, highest)
		}
		words = append(words, word)
	}
	return words, nil
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// WordTable writes words in rows of six, each with its number: the form to write down.
func WordTable(words string) string {
	var table strings.Builder
	number := 0
	for row := range slices.Chunk(strings.Fields(words), 6) {
		var line strings.Builder
		for _, word := range row {
			number++
			fmt.Fprintf(&line, "%2d %-10s", number, word)
		}
		table.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return table.String()
}
