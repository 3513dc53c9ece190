package flat

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Format is a form of a table.
type Format string

// The formats.
const (
	Parquet Format = "parquet" // sums as unsigned 64-bit integers, times as timestamps in ms
	CSV     Format = "csv"     // RFC 4180 with a header
	JSONL   Format = "jsonl"   // one object a line; sums are strings of digits, as in the API
)

// groupRows is the number of rows that a writer keeps before it writes them, a row group of Parquet.
const groupRows = 16 << 10

// Writer writes rows. It must be closed: a Parquet file has its directory at the end.
type Writer interface {
	Write(rows []Row) error
	Close() error
}

// NewWriter returns a writer of a table.
func NewWriter(format Format, to io.Writer) (Writer, error) {
	switch format {
	case Parquet:
		return &parquetWriter{w: parquet.NewGenericWriter[Row](to, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(groupRows),
			parquet.CreatedBy("lockstep", "", ""))}, nil
	case CSV:
		w := &csvWriter{w: csv.NewWriter(to)}
		return w, w.w.Write(names())
	case JSONL:
		buffer := bufio.NewWriter(to)
		return &jsonWriter{buffer, json.NewEncoder(buffer)}, nil
	}
	return nil, fmt.Errorf("%q is not a format of a table: parquet, csv or jsonl", format)
}

type parquetWriter struct {
	w *parquet.GenericWriter[Row]
}

func (p *parquetWriter) Write(rows []Row) error {
	_, err := p.w.Write(rows)
	return err
}

func (p *parquetWriter) Close() error { return p.w.Close() }

type jsonWriter struct {
	buffer *bufio.Writer
	w      *json.Encoder
}

func (j *jsonWriter) Write(rows []Row) error {
	for i := range rows {
		if err := j.w.Encode(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonWriter) Close() error { return j.buffer.Flush() }

type csvWriter struct {
	w     *csv.Writer
	cells []string
}

func (c *csvWriter) Write(rows []Row) error {
	for i := range rows {
		row := reflect.ValueOf(&rows[i]).Elem()
		c.cells = c.cells[:0]
		for field := range row.NumField() {
			c.cells = append(c.cells, cell(row.Field(field)))
		}
		if err := c.w.Write(c.cells); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvWriter) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// names are the names of the columns.
func names() (all []string) {
	for field := range reflect.TypeFor[Row]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// cell is a value as CSV has it: nothing for null.
func cell(value reflect.Value) string {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case time.Time:
		return v.Format("2006-01-02T15:04:05.000Z07:00")
	case string:
		return harmless(v)
	}
	return strconv.FormatUint(value.Uint(), 10)
}

// harmless puts an apostrophe before a text that a spreadsheet would take for a formula: members choose the names of goods and zones.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
