package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// pageWidth is how wide text is printed unless a terminal has more room.
const pageWidth = 80

// fixedSpace is a space in a cell at which the cell is not broken.
const fixedSpace = "\x1f"

// gap stands between the columns of a table.
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

// row writes cells that line up with those of the rows around it.
func (p *page) row(cells ...string) {
	for i, cell := range cells {
		parts := strings.Split(cell, fixedSpace)
		for n := range parts {
			parts[n] = printable(parts[n])
		}
		cells[i] = strings.Join(parts, fixedSpace)
	}
	p.rows = append(p.rows, cells)
}

// line writes a line that lines up with nothing.
func (p *page) line(format string, args ...any) {
	p.flush()
	p.print(fmt.Sprintf(format, args...))
}

func (p *page) print(line string) {
	if _, err := fmt.Fprintln(p.out, line); err != nil && p.err == nil {
		p.err = err
	}
}

// flush writes the rows that wait.
func (p *page) flush() {
	widths := p.widths()
	for _, row := range p.rows {
		cells := make([][]string, len(row))
		lines := 1
		for i, cell := range row {
			cells[i] = broken(cell, widths[i])
			lines = max(lines, len(cells[i]))
		}
		for n := range lines {
			var line strings.Builder
			for i, cell := range cells {
				text := ""
				if n < len(cell) {
					text = cell[n]
				}
				line.WriteString(text)
				if i < len(cells)-1 {
					line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+gap))
				}
			}
			p.print(strings.TrimRight(strings.ReplaceAll(line.String(), fixedSpace, " "), " "))
		}
	}
	p.rows = nil
}

// widths are those of the columns. While they don't fit the page together, the widest that can be broken gives way.
func (p *page) widths() []int {
	var widths, words []int // of a column: its longest cell, its longest word
	for _, row := range p.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths, words = append(widths, 0), append(words, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			for word := range strings.FieldsSeq(cell) { // to which a fixed space is none
				words[i] = max(words[i], utf8.RuneCountInString(word))
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

// broken breaks a cell between words into lines of a width.
func broken(cell string, width int) []string {
	if utf8.RuneCountInString(cell) <= width {
		return []string{cell}
	}
	lines := []string{""}
	for word := range strings.FieldsSeq(cell) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
