package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"lockstep/internal/browser"
	"lockstep/internal/page"
	"lockstep/types"
)

// TestPictures writes pictures of the pages into the folder that LOCKSTEP_PICTURES names: "make screenshots". It
// makes files and checks nothing; TestEveryPage checks the same pages in a browser in each run.
func TestPictures(t *testing.T) {
	folder := os.Getenv("LOCKSTEP_PICTURES")
	if folder == "" {
		t.Skip("this makes pictures and checks nothing, see TestEveryPage: run make screenshots")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	w.admit("Loom", "Cedar", "Hazel", "Birch", "Town")
	ids := w.phases()
	w.post("Birch", juiceByLitre(), 400_000)
	product := w.book()
	w.flowing()
	loom, enter := w.memberPage("Loom")
	newcomer, begin := w.serve(page.Config{Member: &page.Member{File: filepath.Join(t.TempDir(), "new.age")}})
	tab := browser.Open(t)
	look(t, tab, "sign in", chromedp.Navigate(enter), chromedp.WaitVisible(".who a"))
	trade := "/trades/" + ids["delivered"].String()
	addresses := map[string]string{
		"now": loom.URL + "/", "trades": loom.URL + "/trades", "trade": loom.URL + trade, "trade-ask": loom.URL + trade, "wallet": loom.URL + "/wallet", "community": "http://" + w.address + "/",
		"market": loom.URL + "/market/" + product.String(), "explorer": "http://" + w.address + "/explorer", "start": newcomer.URL + "/start",
		"settings": loom.URL + "/settings", "evidence": loom.URL + "/evidence", "readings": loom.URL + trade + "/readings",
		"trade-agreed": loom.URL + "/trades/" + ids["agreed"].String(), "trade-paid": loom.URL + "/trades/" + ids["paid"].String(), "trade-released": loom.URL + "/trades/" + ids["released"].String(),
		"trade-refunded":    loom.URL + "/trades/" + ids["refunded"].String(),
		"trade-instalments": loom.URL + "/trades/" + ids["partly"].String(),
	}
	shot := func(name, language, theme string, width int64, suffix string) {
		t.Helper()
		height := int64(900)
		if width < 800 {
			height = 844
		}
		look(t, tab, name, browser.Size(width, height), browser.Theme(theme), chromedp.Navigate(addresses[name]), chromedp.WaitReady("main"),
			chromedp.Evaluate(fmt.Sprintf(`document.cookie = "language=%s; path=/"`, language), nil), chromedp.Navigate(addresses[name]), chromedp.WaitReady("main"))
		if name == "settings" { // the place of a file of this test tells nothing
			look(t, tab, name, chromedp.Evaluate(`document.querySelector("dd.wrapany").textContent = "~/.lockstep/wallet.age"`, nil))
		}
		if name == "trade-ask" {
			look(t, tab, name, chromedp.Click("a[data-ask]"), chromedp.WaitVisible("dialog .ask"))
			browser.Window(t, tab, filepath.Join(folder, name+suffix+".webp"))
			return
		}
		browser.Picture(t, tab, filepath.Join(folder, name+suffix+".webp"))
	}
	look(t, tab, "a newcomer", chromedp.Navigate(begin), chromedp.WaitVisible(`a[href="/start/password"]`))
	for _, name := range []string{
		"now", "trades", "trade", "trade-ask", "wallet", "community", "market", "explorer", "settings", "evidence", "readings", "start",
		"trade-agreed", "trade-paid", "trade-released", "trade-refunded", "trade-instalments",
	} {
		shot(name, "en", "light", 1440, "")
	}
	for _, name := range []string{"now", "trades", "trade", "wallet", "community", "market", "explorer", "settings", "evidence", "start"} {
		shot(name, "zh", "dark", 390, "-narrow")
	}
	for _, name := range []string{"now", "trade", "wallet", "community", "market"} {
		shot(name, "zh", "light", 1440, "-zh")
		shot(name, "en", "dark", 1440, "-dark")
	}
}

// flowing makes trades whose slot is now, from Cedar and Birch to Loom.
func (w *town) flowing() {
	w.t.Helper()
	begin := (w.clock().Add(8_000)/types.Time(minute) + 1) * types.Time(minute)
	for _, sale := range []struct {
		seller   string
		quantity uint64
	}{{"Cedar", 184}, {"Birch", 96}} {
		goods := w.energy(sale.quantity, 0)
		goods.From, goods.Until = begin, begin.Add(15*minute)
		id, _ := w.agree(sale.seller, "Loom", terms{goods: goods, price: types.Amount(sale.quantity * 245), bond: 500, fallback: &types.Hold{}})
		w.pay("Loom", id)
		w.deliver(sale.seller, id)
	}
	w.pass(begin)
}
