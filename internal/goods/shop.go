package goods

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// Shop sells the files of a folder. Everything that matters is derived from the ledger and the two folders, so a shop that was killed
// goes on where it stopped.
type Shop struct {
	Node    *client.Client
	Account *client.Account
	Stock   string // the folder of the files that are sold; folders within it are left out
	Sealed  string // the folder of the sealed files: TRADE.age for each trade
	// Prove wants a proof that a trade is as the node shows it, before the delivery is recorded and again before the file is shown; nil wants none.
	Prove func(ctx context.Context, t *wire.Trade, shows bool) error

	known map[string]stocked // by path
}

// stocked is a file of the stock with its sum, as long as it was not changed.
type stocked struct {
	note    Note
	size    int64
	changed time.Time
}

// Sale is the result of a step of the shop in a trade.
type Sale struct {
	Trade types.TradeID `json:"trade"`
	Step  Step          `json:"step"`
	File  string        `json:"file,omitempty"` // the sealed file
	Error error         `json:"-"`              // the step failed; the next pass tries it again
}

// SealedName is the name of the sealed file of a trade.
func SealedName(trade types.TradeID) string { return trade.String() + ".age" }

// maxStock bounds the files of a stock.
const maxStock = 10_000

// Pass takes the next step in each of the seller's trades: the delivery of a paid file and the sealing. A trade of other goods is
// reported with [Ask]. One that fails does not stop the others.
func (s *Shop) Pass(ctx context.Context) ([]Sale, error) {
	stock, failed := s.stock()
	var sales []Sale
	for t, err := range s.Node.AllTrades(ctx, s.Account.Key(), true) {
		if err != nil {
			return sales, errors.Join(failed, err)
		}
		if t.Trade.Agreement.Producer != s.Account.Key() || t.Trade.Agreement.Goods.Unit != types.UnitItem {
			continue
		}
		if sale, ok := s.serve(ctx, &t, stock); ok {
			sales = append(sales, sale)
		}
	}
	return sales, failed
}

// stock returns the files of the stock by their sums. The error is of files that can't be read: it does not hold up the sale of others.
func (s *Shop) stock() (map[[sha256.Size]byte]string, error) {
	entries, err := os.ReadDir(s.Stock)
	if err != nil {
		return nil, err
	}
	if len(entries) > maxStock {
		return nil, types.Refuse(types.CodeTooLarge, "%s has %d files, the limit of a stock is %d: use several folders", s.Stock, len(entries), maxStock)
	}
	if s.known == nil {
		s.known = map[string]stocked{}
	}
	files, present := map[[sha256.Size]byte]string{}, map[string]bool{}
	var failed error
	for _, entry := range entries {
		path := filepath.Join(s.Stock, entry.Name())
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || entry.Name()[0] == '.' {
			continue // it may have just been moved away
		}
		file, known := s.known[path]
		if !known || file.size != info.Size() || !file.changed.Equal(info.ModTime()) {
			note, err := NoteOf(path)
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			file = stocked{note, info.Size(), info.ModTime()}
			s.known[path] = file
		}
		files[file.note.Sum], present[path] = path, true
	}
	maps.DeleteFunc(s.known, func(path string, _ stocked) bool { return !present[path] })
	return files, failed
}

// serve takes the next step in a trade; false when there is none.
func (s *Shop) serve(ctx context.Context, t *wire.Trade, stock map[[sha256.Size]byte]string) (Sale, bool) {
	agreed, _ := ParseNote(t.Trade.Agreement.Goods.Note)
	path, stocked := stock[agreed.Sum]
	sale := Sale{Trade: t.ID, File: filepath.Join(s.Sealed, SealedName(t.ID))}
	_, err := os.Stat(sale.File)
	sale.Step = Next(&t.Trade, t.Clock, s.Account.Key(), View{Stock: stocked, Handed: err == nil})
	switch sale.Step {
	case Deliver: // seal first, so that no delivery is recorded whose file can't be sealed; show it afterwards
		if sale.Error = s.prove(ctx, t, false); sale.Error == nil {
			sale.Error = s.seal(path, t, agreed)
		}
		if sale.Error == nil {
			_, sale.Error = s.Account.Deliver(ctx, t.ID)
		}
		if sale.Error == nil {
			var now wire.Trade
			if now, sale.Error = s.Node.Trade(ctx, t.ID); sale.Error == nil {
				sale.Error = s.show(ctx, &now, sale.File)
			}
		}
		return sale, true
	case Hand:
		if sale.Error = s.seal(path, t, agreed); sale.Error == nil {
			sale.Error = s.show(ctx, t, sale.File)
		}
		return sale, true
	case Ask:
		sale.File = ""
		return sale, true
	}
	return sale, false
}

// show lets the sealed file of a delivered trade be fetched.
func (s *Shop) show(ctx context.Context, t *wire.Trade, file string) error {
	if err := s.prove(ctx, t, true); err != nil {
		return err
	}
	return os.Rename(s.hidden(t.ID), file)
}

func (s *Shop) prove(ctx context.Context, t *wire.Trade, shows bool) error {
	if s.Prove == nil {
		return nil
	}
	return s.Prove(ctx, t, shows)
}

// hidden is the sealed file of a trade before its delivery is recorded. No [Handler] serves it.
func (s *Shop) hidden(trade types.TradeID) string {
	return filepath.Join(s.Sealed, "."+SealedName(trade))
}

// seal seals the file of a trade at its hidden place, once more if a pass before was interrupted.
func (s *Shop) seal(path string, t *wire.Trade, agreed Note) error {
	if err := os.Remove(s.hidden(t.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := Seal(path, s.hidden(t.ID), t.Trade.Agreement.Consumer, agreed); err != nil {
		return fmt.Errorf("seal the file of trade %s: %w", t.ID, err)
	}
	return nil
}

// Handler serves the sealed files of a folder by their names. Each can be opened by its buyer alone, so it asks for no password.
func Handler(folder string) http.Handler {
	name := regexp.MustCompile(`^/[0-9a-f]{64}\.age$`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Method != http.MethodGet && r.Method != http.MethodHead) || !name.MatchString(r.URL.Path) {
			http.Error(w, "ask for /TRADE.age", http.StatusNotFound)
			return
		}
		file, info, err := openRegular(filepath.Join(folder, r.URL.Path[1:]))
		if err != nil {
			http.Error(w, "no file is sealed for this trade yet", http.StatusNotFound)
			return
		}
		defer file.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", info.ModTime(), file)
	})
}
