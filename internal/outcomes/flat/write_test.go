package flat_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"lockstep/internal/outcomes/flat"
	"lockstep/types"
)

const start = types.Time(1_780_000_000_123)

// outcome has an effect of each kind, sums near the largest, and texts that a spreadsheet could take for formulas.
func outcome() *types.Outcome {
	product := types.Product{Commodity: "=1+1", Unit: "@x", Zone: "-DE,\"BY\"\n", From: start, Until: start + 900_000, Asset: types.AssetID{7}}
	trade := &types.Trade{
		Phase: types.PhaseReleased, Height: 3, Released: 2, Locked: []types.Locked{},
		Steps: []types.Step{{Kind: types.StepAgreed, At: start}, {Kind: types.StepPaid, At: start + 1}, {Kind: types.StepDelivered, At: start + 2}, {Kind: types.StepReleased, At: start + 3}, {Kind: types.StepCollected, At: start + 4}},
		Agreement: types.Agreement{
			ChainID: "test", Producer: types.PublicKey{1}, Consumer: types.PublicKey{2}, Goods: product.Goods(1<<63+1, types.Flow{}), Asset: product.Asset,
			Price: types.MaxAmount, Deposit: 1<<53 + 1, Bond: 0, Instalments: 2, Fallback: &types.Hold{},
			Deadlines: types.Deadlines{PayBy: start + 10, DeliverBy: start + 20, ReadingBy: start + 30, ConfirmBy: start + 40},
		},
	}
	return &types.Outcome{Height: 9, At: start, Tx: types.TxID{5}, Effects: []types.Effect{
		&types.Begun{Params: types.Hash{1}},
		&types.Noted{Event: types.EventOffered.Number(), Subject: types.Hash{2}},
		&types.Noted{Event: types.EventIssued.Number()},
		&types.Stepped{Trade: types.TradeID{3}, Event: types.EventPaid.Number(), Phase: types.PhasePaid, Locked: []types.Locked{{Amount: 2}, {Amount: 1 << 60}}},
		&types.Matched{Product: product.ID(), Match: types.MatchTrade{Trade: types.TradeID{3}, Round: 1, Bid: 2, Offer: 3, Quantity: 4, Price: 5}},
		&types.Cleared{Product: product, Void: "+none", Orders: 6},
		&types.Ended{Event: types.EventCollected.Number(), Trade: trade},
	}}
}

// written writes rows in a format, in several calls.
func written(t *testing.T, format flat.Format, rows []flat.Row) []byte {
	t.Helper()
	var to bytes.Buffer
	w, err := flat.NewWriter(format, &to)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write([]flat.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}

// TestRoundTrip: each format gives the rows back as they were.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rows := flat.Rows(1<<40, outcome(), false)
	if len(rows) != 7 {
		t.Fatalf("%d rows", len(rows))
	}
	content := written(t, flat.Parquet, rows)
	read, err := parquet.Read[flat.Row](bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, read); diff != "" {
		t.Errorf("Parquet: %s", diff)
	}
	var fromJSON []flat.Row
	for decoder := json.NewDecoder(bytes.NewReader(written(t, flat.JSONL, rows))); decoder.More(); {
		var row flat.Row
		if err := decoder.Decode(&row); err != nil {
			t.Fatal(err)
		}
		fromJSON = append(fromJSON, row)
	}
	if diff := cmp.Diff(rows, fromJSON); diff != "" {
		t.Errorf("JSON: %s", diff)
	}
	table, err := csv.NewReader(bytes.NewReader(written(t, flat.CSV, rows))).ReadAll()
	if err != nil || len(table) != len(rows)+1 {
		t.Fatalf("%d lines, %v", len(table), err)
	}
	for i, line := range table[1:] {
		for column, cell := range line {
			if want := csvCell(reflect.ValueOf(rows[i]).Field(column)); cell != want {
				t.Errorf("line %d, %s: %q, want %q", i, table[0][column], cell, want)
			}
		}
	}
}

func csvCell(value reflect.Value) string {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case time.Time:
		return types.TimeOf(v).String()
	case string:
		if strings.IndexAny(v, "=+-@") == 0 {
			return "'" + v
		}
		return v
	}
	return strconv.FormatUint(value.Uint(), 10)
}

// TestStoriesAlone: of the trades that ended each has one row, with its whole story.
func TestStoriesAlone(t *testing.T) {
	t.Parallel()
	rows := flat.Rows(4, outcome(), true)
	if len(rows) != 1 || rows[0].Effect != "ended" || *rows[0].Price != uint64(types.MaxAmount) || *rows[0].DividedAt != (start+3).Std() || *rows[0].Locked != 0 || rows[0].Place != 6 {
		t.Errorf("%+v", rows)
	}
}

// TestUnfinishedParquet: a file that was not closed is no Parquet file.
func TestUnfinishedParquet(t *testing.T) {
	t.Parallel()
	whole := written(t, flat.Parquet, flat.Rows(0, outcome(), false))
	for _, cut := range []int{1, 8, len(whole) / 2} {
		if _, err := parquet.OpenFile(bytes.NewReader(whole[:len(whole)-cut]), int64(len(whole)-cut)); err == nil {
			t.Errorf("without the last %d bytes it is opened", cut)
		}
	}
}

// TestBoundedRows: a long table is written in pieces, so a writer keeps few rows.
func TestBoundedRows(t *testing.T) {
	t.Parallel()
	rows, counted := flat.Rows(0, outcome(), false), &counter{}
	w, err := flat.NewWriter(flat.Parquet, counted)
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		if err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
	}
	if counted.bytes == 0 {
		t.Error("35,000 rows were kept in memory")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

type counter struct{ bytes int }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)

// TestUnknownFormat wants the formats named.
func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	if _, err := flat.NewWriter("xlsx", io.Discard); err == nil || !strings.Contains(err.Error(), "parquet, csv or jsonl") {
		t.Error(err)
	}
}

// TestDocumentedColumns: the reference lists each column with its meaning, in order.
func TestDocumentedColumns(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/reference/outcomes-table.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [^|]+ \\| (.+) \\|$").FindAllStringSubmatch(string(text), -1)
	row := reflect.TypeFor[flat.Row]()
	if len(found) != row.NumField() {
		t.Fatalf("%d columns are documented, of %d", len(found), row.NumField())
	}
	for i, match := range found {
		field := row.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("parquet"), ",")
		if other, _, _ := strings.Cut(field.Tag.Get("json"), ","); match[1] != name || match[1] != other || match[2] != field.Tag.Get("doc") {
			t.Errorf("column %d is documented as %q: %q, and is %q or %q: %q", i, match[1], match[2], name, other, field.Tag.Get("doc"))
		}
	}
}
