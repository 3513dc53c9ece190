// Package table writes rows of text in aligned columns. A wide character, such as a Chinese one, takes two places.
package table

import (
	"fmt"
	"io"
	"strings"
)

// FixedSpace is a space at which a cell is not broken.
const FixedSpace = "\x1f"

// Column describes a column. The zero value is aligned to the left and as wide as its longest cell.
type Column struct {
	Right bool // aligned to the right
	Width int  // at least
}

// Writer writes text and tables. Rows that follow each other are one table.
type Writer struct {
	Columns []Column // of the next tables; further columns are like the zero value
	Gap     int      // spaces between columns
	Page    int      // the cells of a wider table are broken between words; zero: no limit

	out  io.Writer
	rows [][]string // nil: a rule
	err  error
}

// New returns a writer of tables with a gap of two spaces.
func New(out io.Writer, columns ...Column) *Writer {
	return &Writer{Columns: columns, Gap: 2, out: out}
}

// Row adds a row of cells to the current table.
func (w *Writer) Row(cells ...string) { w.rows = append(w.rows, append([]string{}, cells...)) }

// Rule adds a line of dashes to the current table.
func (w *Writer) Rule() { w.rows = append(w.rows, nil) }

// Line ends the current table and writes a line of text.
func (w *Writer) Line(format string, args ...any) {
	w.End()
	w.print(fmt.Sprintf(format, args...))
}

// Flush ends the current table. It returns the first error of the output.
func (w *Writer) Flush() error {
	w.End()
	return w.err
}

func (w *Writer) print(line string) {
	if _, err := fmt.Fprintln(w.out, line); err != nil && w.err == nil {
		w.err = err
	}
}

// End ends the current table: the next row begins another one.
func (w *Writer) End() {
	widths := w.widths()
	total := -w.Gap
	for _, width := range widths {
		total += width + w.Gap
	}
	for _, row := range w.rows {
		if row == nil {
			w.print(strings.Repeat("-", max(total, 0)))
			continue
		}
		w.writeRow(row, widths)
	}
	w.rows = nil
}

// writeRow writes a row, which takes several lines when a cell of it is broken.
func (w *Writer) writeRow(row []string, widths []int) {
	cells, lines := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = broken(cell, widths[i])
		lines = max(lines, len(cells[i]))
	}
	for n := range lines {
		var line strings.Builder
		for i, parts := range cells {
			text := ""
			if n < len(parts) {
				text = parts[n]
			}
			room := strings.Repeat(" ", widths[i]-Width(text))
			if i > 0 {
				line.WriteString(strings.Repeat(" ", w.Gap))
			}
			if w.column(i).Right {
				line.WriteString(room + text)
			} else {
				line.WriteString(text + room)
			}
		}
		w.print(strings.TrimRight(strings.ReplaceAll(line.String(), FixedSpace, " "), " "))
	}
}

func (w *Writer) column(i int) Column {
	if i < len(w.Columns) {
		return w.Columns[i]
	}
	return Column{}
}

// widths returns the widths of the columns. While they don't fit the page together, the widest that can be broken shrinks.
func (w *Writer) widths() []int {
	var widths, words []int // of a column: its longest cell, its longest word
	for _, row := range w.rows {
		for i, cell := range row {
			if i == len(widths) {
				least := w.column(i).Width
				widths, words = append(widths, least), append(words, least)
			}
			widths[i] = max(widths[i], Width(cell))
			for word := range strings.FieldsSeq(cell) { // a fixed space separates no words
				for _, piece := range pieces(word) {
					words[i] = max(words[i], Width(piece))
				}
			}
		}
	}
	if w.Page == 0 {
		return widths
	}
	over := -w.Page - w.Gap
	for _, width := range widths {
		over += width + w.Gap
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
