package main

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// pageWidth is the width of the text unless a terminal has more room.
const pageWidth = 80

// fixedSpace is a space at which a cell is not broken.
const fixedSpace = "\x1f"

// gap is the number of spaces between the columns of a table.
const gap = 2

// page is text in aligned columns that fit the page: the cells of a table that is too wide are broken between words. Rows that
// follow each other are one table.
type page struct {
	out   io.Writer
	width int
	rows  [][]string
	err   error
}

func newPage(out io.Writer) *page {
	p := &page{out: out, width: pageWidth}
	if file, ok := terminal(out); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			p.width = max(width, pageWidth)
		}
	}
	return p
}

// row adds a row of cells to the current table.
func (p *page) row(row ...string) {
	for i, cell := range row {
		parts := strings.Split(cell, fixedSpace)
		for n := range parts {
			parts[n] = printable(parts[n])
		}
		row[i] = strings.Join(parts, fixedSpace)
	}
	p.rows = append(p.rows, row)
}

// line prints a line that belongs to no table.
func (p *page) line(format string, args ...any) {
	p.flush()
	p.print(fmt.Sprintf(format, args...))
}

func (p *page) print(line string) {
	if _, err := fmt.Fprintln(p.out, line); err != nil && p.err == nil {
		p.err = err
	}
}

// flush prints the current table.
func (p *page) flush() {
	widths := p.widths()
	for _, row := range p.rows {
		parts := make([][]string, len(row))
		lines := 1
		for i, cell := range row {
			parts[i] = broken(cell, widths[i])
			lines = max(lines, len(parts[i]))
		}
		for n := range lines {
			var line strings.Builder
			for i, cell := range parts {
				text := ""
				if n < len(cell) {
					text = cell[n]
				}
				line.WriteString(text)
				if i < len(parts)-1 {
					line.WriteString(strings.Repeat(" ", widths[i]-cells(text)+gap))
				}
			}
			p.print(strings.TrimRight(strings.ReplaceAll(line.String(), fixedSpace, " "), " "))
		}
	}
	p.rows = nil
}

// widths returns the widths of the columns. While they don't fit the page together, the widest that can be broken shrinks.
func (p *page) widths() []int {
	var widths, words []int // of a column: its longest cell, its longest word
	for _, row := range p.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths, words = append(widths, 0), append(words, 0)
			}
			widths[i] = max(widths[i], cells(cell))
			for word := range strings.FieldsSeq(cell) { // to which a fixed space is none
				for _, piece := range pieces(word) {
					words[i] = max(words[i], cells(piece))
				}
			}
		}
	}
	over := -p.width - gap
	for _, width := range widths {
		over += width + gap
	}
	for ; over > 0; over-- {
		widest := -1
		for i := range widths {
			if widths[i] > words[i] && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return widths
		}
		widths[widest]--
	}
	return widths
}

// broken breaks a cell into lines of a width: between words, and around the characters of a script that puts no spaces between them.
func broken(cell string, width int) []string {
	if cells(cell) <= width {
		return []string{cell}
	}
	lines := []string{""}
	for word := range strings.FieldsSeq(cell) {
		for i, piece := range pieces(word) {
			last := &lines[len(lines)-1]
			space := ""
			if i == 0 && *last != "" {
				space = " "
			}
			if *last == "" || cells(*last)+len(space)+cells(piece) <= width {
				*last += space + piece
				continue
			}
			lines = append(lines, piece)
		}
	}
	return lines
}

// pieces returns the parts of a word between which a line can end: each wide character is one, with the punctuation that follows
// it.
func pieces(word string) (parts []string) {
	open := false // the last part takes narrow characters
	for _, r := range word {
		switch {
		case len(parts) > 0 && strings.ContainsRune("，。；：）、", r):
			parts[len(parts)-1] += string(r)
			open = false
		case wide(r):
			parts = append(parts, string(r))
			open = false
		case open:
			parts[len(parts)-1] += string(r)
		default:
			parts = append(parts, string(r))
			open = true
		}
	}
	return parts
}

// cells returns the number of columns that a text takes on a terminal, where a Chinese character takes two.
func cells(text string) (n int) {
	for _, r := range text {
		n++
		if wide(r) {
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}

// padded fills a text up with spaces to a number of columns.
func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(columns-cells(text), 1))
}
