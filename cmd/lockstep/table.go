package main

import (
	"io"
	"strings"

	"golang.org/x/term"

	"lockstep/internal/table"
)

// pageWidth is the width of the text unless a terminal has more room.
const pageWidth = 80

// fixedSpace is a space at which a cell is not broken.
const fixedSpace = table.FixedSpace

// page is text in aligned columns that fit the page. Rows that follow each other are one table.
type page struct{ *table.Writer }

func newPage(out io.Writer) *page {
	p := &page{table.New(out)}
	p.Page = pageWidth
	if file, ok := terminal(out); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			p.Page = max(width, pageWidth)
		}
	}
	return p
}

// row adds a row of cells to the current table. Characters that a terminal does not show are escaped.
func (p *page) row(row ...string) {
	for i, cell := range row {
		parts := strings.Split(cell, fixedSpace)
		for n := range parts {
			parts[n] = printable(parts[n])
		}
		row[i] = strings.Join(parts, fixedSpace)
	}
	p.Row(row...)
}

// line prints a line that belongs to no table.
func (p *page) line(format string, args ...any) { p.Line(format, args...) }
