package goods

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
	"lockstep/wallet"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNote(t *testing.T) {
	t.Parallel()
	n, err := NoteOf(write(t, "film.mp4", "a film"))
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("a film")))
	if n.String() != "sha256 "+sum+", 6 bytes, film.mp4" {
		t.Error(n)
	}
	for text, want := range map[string]Note{
		n.String():                                     n,
		"sha256 " + sum:                                {Sum: n.Sum},
		"sha256 " + sum + ", 6 bytes":                  {Sum: n.Sum, Size: 6},
		"sha256 " + sum + ", film.mp4":                 {Sum: n.Sum, Name: "film.mp4"},
		"sha256 " + sum + ", 6 bytes, ../../.ssh/keys": {Sum: n.Sum, Size: 6},
		"sha256 " + sum + ", 6 bytes, a, b":            {Sum: n.Sum, Size: 6, Name: "a, b"},
	} {
		if got, ok := ParseNote(text); !ok || got != want {
			t.Errorf("%q: %+v %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "a bag of apples", "sha256 " + sum[1:], "sha256 " + sum + "0", "sha256 x" + sum[1:], "sha256 " + sum + ", 99999999999999 bytes",
		"sha256 " + sum + ", -1 bytes"} {
		if n, ok := ParseNote(text); ok {
			t.Errorf("%q: %+v", text, n)
		}
	}
	if _, err := NoteOf(write(t, "empty", "")); types.CodeOf(err) != types.CodeGoods {
		t.Error(err)
	}
	if _, err := NoteOf(t.TempDir()); types.CodeOf(err) != types.CodeGoods {
		t.Error(err)
	}
	long := Note{Sum: n.Sum, Size: MaxSize, Name: strings.Repeat("n", maxFileName)}
	if len(long.String()) > types.MaxNote {
		t.Errorf("a note of %d bytes", len(long.String()))
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"film.mp4", "a", "key 7.txt", "Süßes.zip", "电影.mp4", "conical", "com10", strings.Repeat("n", 128)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", ".profile", "../film", "a/b", `a\b`, "/etc/passwd", `C:\film`, "a:stream", "-rf", "~root", "a\nb", "a\x00b", "a\u202eb", "\xff",
		"film.", "film ", " film", "NUL", "con.txt", "Com1", "lpt9.log", "what?", strings.Repeat("n", 129)} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

// FuzzParseNote: no note leads out of the folder that its reader chose.
func FuzzParseNote(f *testing.F) {
	f.Add("sha256 " + strings.Repeat("0", 64) + ", 6 bytes, film.mp4")
	f.Add("sha256 " + strings.Repeat("0", 64) + ", ../film.mp4")
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := ParseNote(text)
		if !ok {
			return
		}
		if name := n.FileName(types.TradeID{}); filepath.Base(name) != name || CheckName(name) != nil || n.Size > MaxSize {
			t.Errorf("%q: %+v", text, n)
		}
		if again, ok := ParseNote(n.String()); !ok || again != n {
			t.Errorf("%+v is read as %+v", n, again)
		}
	})
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	buyer, err := wallet.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "film.mp4", strings.Repeat("a film ", 30_000))
	agreed, err := NoteOf(path)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	sealed, opened := filepath.Join(folder, "sealed.age"), filepath.Join(folder, "film.mp4")
	if err := Seal(path, sealed, buyer.Key(), agreed); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte("a film")) || int64(len(content)) > sealedSize(int64(agreed.Size)) {
		t.Errorf("%d bytes, in clear: %t", len(content), bytes.Contains(content, []byte("a film")))
	}
	if err := Open(bytes.NewReader(content), opened, buyer, agreed); err != nil {
		t.Fatal(err)
	}
	if err := Open(bytes.NewReader(content), opened, buyer, agreed); wallet.ReasonOf(err) != wallet.ReasonExists {
		t.Errorf("a second time: %v", err)
	}
	if err := Seal(path, sealed, buyer.Key(), agreed); wallet.ReasonOf(err) != wallet.ReasonExists {
		t.Errorf("sealed a second time: %v", err)
	}
	larger, smaller, bare, otherSum := agreed, agreed, Note{Sum: agreed.Sum}, agreed
	larger.Size++
	smaller.Size--
	otherSum.Sum[0] ^= 1
	if err := Open(bytes.NewReader(content), filepath.Join(folder, "bare"), buyer, bare); err != nil {
		t.Errorf("without size and name: %v", err)
	}
	for name, note := range map[string]Note{"larger": larger, "smaller": smaller, "another sum": otherSum} {
		if err := Open(bytes.NewReader(content), filepath.Join(folder, "never"), buyer, note); wallet.ReasonOf(err) != wallet.ReasonSealed {
			t.Errorf("%s: %v", name, err)
		}
		if err := Seal(path, filepath.Join(folder, "never"), buyer.Key(), note); wallet.ReasonOf(err) != wallet.ReasonSealed {
			t.Errorf("seal, %s: %v", name, err)
		}
	}
	if err := Open(bytes.NewReader(content[:len(content)-1]), filepath.Join(folder, "never"), buyer, agreed); wallet.ReasonOf(err) != wallet.ReasonSealed {
		t.Errorf("cut off: %v", err)
	}
	if err := os.Symlink(filepath.Join(folder, "elsewhere"), filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Open(bytes.NewReader(content), filepath.Join(folder, "link"), buyer, agreed); wallet.ReasonOf(err) != wallet.ReasonExists {
		t.Errorf("through a link: %v", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 4 { // sealed, opened, bare, link: nothing half written stays
		t.Errorf("%v %v", entries, err)
	}
}

// tradeOf is a trade of a file in a phase.
func tradeOf(phase types.Phase, note, unit string) *types.Trade {
	return &types.Trade{
		Phase: phase,
		Agreement: types.Agreement{
			Producer: party.Key("seller"), Consumer: party.Key("buyer"), Price: 100, Deposit: 10, Bond: 10, Instalments: 1, Fallback: &types.Hold{},
			Goods:     types.Goods{Commodity: "film", Unit: unit, Quantity: 1, Note: note},
			Deadlines: types.Deadlines{PayBy: 100, DeliverBy: 200, ReadingBy: 300, ConfirmBy: 400},
		},
	}
}

// TestNext goes through every phase, side, kind of goods and finding. The seller hands over only paid goods, the buyer releases only
// a file that it found to be the agreed one, and no goods without a SHA-256 are judged by a program.
func TestNext(t *testing.T) {
	t.Parallel()
	file := "sha256 " + strings.Repeat("0", 64)
	for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
		for _, note := range []string{file, "a bag of apples"} {
			for _, unit := range []string{types.UnitItem, "kg"} {
				for _, stock := range []bool{false, true} {
					for _, handed := range []bool{false, true} {
						for seen := NotSeen; seen <= Other; seen++ {
							trade, named := tradeOf(phase, note, unit), note == file && unit == types.UnitItem
							view := View{stock, handed, seen}
							seller, buyer := Next(trade, 50, party.Key("seller"), view), Next(trade, 50, party.Key("buyer"), view)
							if got := Next(trade, 50, party.Key("another"), view); got != Wait {
								t.Errorf("a stranger: %s", got)
							}
							if want := phase == types.PhasePaid && named && stock; (seller == Deliver) != want {
								t.Errorf("%s %q %+v: the seller: %s", phase, note, view, seller)
							}
							after := phase == types.PhaseDelivered || phase == types.PhaseReleased
							if want := after && named && stock && !handed; (seller == Hand) != want {
								t.Errorf("%s %q %+v: the seller: %s", phase, note, view, seller)
							}
							if want := phase == types.PhaseDelivered && named && seen == Agreed; (buyer == Release) != want {
								t.Errorf("%s %q %+v: the buyer: %s", phase, note, view, buyer)
							}
							if want := phase == types.PhaseDelivered && named && seen == NotSeen; (buyer == Fetch) != want {
								t.Errorf("%s %q %+v: the buyer: %s", phase, note, view, buyer)
							}
							if want := phase == types.PhaseDelivered && (!named || seen == Other); (buyer == Ask) != want {
								t.Errorf("%s %q %+v: the buyer: %s", phase, note, view, buyer)
							}
							sellerAsks := phase == types.PhasePaid && !(named && stock) || phase == types.PhaseDelivered && !handed && !(named && stock)
							if (seller == Ask) != sellerAsks {
								t.Errorf("%s %q %+v: the seller: %s", phase, note, view, seller)
							}
							if phase > types.PhaseReleased && (seller != Done || buyer != Done) {
								t.Errorf("%s: %s %s", phase, seller, buyer)
							}
						}
					}
				}
			}
		}
	}
	late := tradeOf(types.PhasePaid, file, types.UnitItem)
	for clock, want := range map[types.Time]Step{200: Deliver, 201: Done} {
		if got := Next(late, clock, party.Key("seller"), View{Stock: true}); got != want {
			t.Errorf("at %d: %s", clock, got)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	trade := tradeOf(types.PhaseDelivered, "", "Wh")
	trade.Agreement.Instalments, trade.Agreement.Goods.Quantity, trade.Released = 10, 1000, 3
	for quantity, want := range map[uint64]uint16{0: 0, 399: 0, 400: 4, 999: 9, 1000: 10, 5000: 10} {
		if got := Due(trade, 250, party.Key("buyer"), quantity); got != want {
			t.Errorf("%d Wh: %d", quantity, got)
		}
		if got := Due(trade, 250, party.Key("seller"), quantity); got != 0 {
			t.Errorf("the seller releases %d", got)
		}
	}
	trade.Phase = types.PhasePaid
	if got := Due(trade, 150, party.Key("buyer"), 1000); got != 0 {
		t.Errorf("before the delivery: %d", got)
	}
}

// A file that can't be sold does not hold up the others.
func TestStock(t *testing.T) {
	t.Parallel()
	path := write(t, "film.mp4", "a film")
	large := filepath.Join(filepath.Dir(path), "a-large.bin")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, MaxSize+1); err != nil {
		t.Fatal(err)
	}
	s := &Shop{Stock: filepath.Dir(path)}
	for range 2 {
		if files, err := s.stock(); len(files) != 1 || err == nil || !strings.Contains(err.Error(), "a-large.bin") {
			t.Errorf("%v, %v", files, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if files, _ := s.stock(); len(files)+len(s.known) != 0 {
		t.Errorf("%v, %v", files, s.known)
	}
}

// A file whose note states no size is bounded.
func TestLimit(t *testing.T) {
	t.Parallel()
	for size, want := range map[uint64]int64{0: maxUnstated, 1: 1, MaxSize: MaxSize, MaxSize + 1: maxUnstated} {
		if got := limit(Note{Size: size}); got != want {
			t.Errorf("%d: %d", size, got)
		}
	}
}
