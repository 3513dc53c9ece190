package page_test

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"lockstep/internal/browser"
	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// sheets makes pictures of pages into a folder.
type sheets struct {
	t      *testing.T
	folder string
	tab    context.Context //nolint:containedctx // of the browser
	base   string          // the address of the page that is looked at
}

// on begins a session on a page.
func (s *sheets) on(server *httptest.Server, enter string) {
	s.t.Helper()
	s.base = server.URL
	look(s.t, s.tab, "sign in", chromedp.Navigate(enter), chromedp.WaitReady("main"), chromedp.Navigate(server.URL+"/explorer"), chromedp.WaitReady("main"))
}

// make writes the sheet of a page; the actions bring it into its state.
func (s *sheets) make(name, path string, actions ...chromedp.Action) {
	s.t.Helper()
	window := name == "question" || name == "question-order"
	browser.Sheet(s.t, s.tab, filepath.Join(s.folder, name+".webp"), window, func(language string) {
		look(s.t, s.tab, name, append([]chromedp.Action{
			chromedp.Evaluate(fmt.Sprintf(`document.cookie = "language=%s; path=/"`, language), nil), chromedp.Navigate(s.base + path), chromedp.WaitReady("main"),
		}, actions...)...)
	})
}

// typed fills in the fields of a form, and sends it.
func typed(form string, fields ...string) chromedp.Action {
	var tasks chromedp.Tasks
	for i := 0; i+1 < len(fields); i += 2 {
		tasks = append(tasks, chromedp.SetValue(form+" [name="+fields[i]+"]", fields[i+1]))
	}
	return append(tasks, chromedp.Click(form+" button.btn"), chromedp.WaitReady("main"))
}

// TestPictures writes a sheet of each page in all its views into the folder that LOCKSTEP_PICTURES names: "make screenshots". It
// makes files and checks nothing; TestEveryPage checks the same pages in a browser in each run.
func TestPictures(t *testing.T) {
	folder := os.Getenv("LOCKSTEP_PICTURES")
	if folder == "" {
		t.Skip("this makes pictures and checks nothing, see TestEveryPage: run make screenshots")
	}
	s := &sheets{t: t, folder: filepath.Join(folder, "sheets"), tab: browser.Open(t)}
	if err := os.MkdirAll(s.folder, 0o755); err != nil { //nolint:gosec // pictures for the documentation
		t.Fatal(err)
	}
	t.Run("first start", s.firstStart)
	t.Run("members", s.members)
	t.Run("meter", s.meter)
	t.Run("empty", s.empty)
	t.Run("town", s.town)
	t.Run("session", s.session)
}

// town makes the pages of a member, of a visitor, and those of a node that is away.
func (s *sheets) town(t *testing.T) {
	s.t = t
	t.Chdir(t.TempDir()) // so that the settings name a short file
	w := newTown(t)
	w.admit("Loom", "Cedar", "Hazel", "Birch", "Town")
	ids := w.phases()
	offer := w.post("Birch", juiceByLitre(), 400_000).String()
	product := "/market/" + w.book().String()
	w.flowing()
	loom, enter := w.serve(page.Config{Member: &page.Member{File: "wallet.age", Unlocked: restored(t, "wallet.age", "Loom")}})
	s.on(loom, enter)
	trade := "/trades/" + ids["delivered"].String()
	s.make("now", "/")
	look(t, s.tab, "single pictures", chromedp.Evaluate(`document.cookie = "language=en; path=/"`, nil), browser.Size(1440, 900), browser.Theme("light"), chromedp.Navigate(loom.URL+trade), chromedp.WaitReady("main"))
	browser.Picture(t, s.tab, filepath.Join(filepath.Dir(s.folder), "trade.webp"))
	for _, phase := range slices.Sorted(maps.Keys(ids)) {
		s.make("trade-"+phase, "/trades/"+ids[phase].String())
	}
	hazel := w.members["Hazel"].Key().String()
	s.make("question", trade, chromedp.Click("a[data-ask]"), chromedp.WaitVisible("dialog .ask"))
	s.make("question-order", product+"/order?side=bid&quantity=100&limit=24")
	s.make("trades", "/trades")
	s.make("wallet", "/wallet")
	s.make("wallet-fault", "/send?to=%40nobody&amount=1.5&asset="+w.euro.ID().String())
	s.make("market", product)
	s.make("offer", "/offers/"+offer)
	s.make("sell", "/sell")
	s.make("split", trade+"/split")
	s.make("proposal", "/proposal")
	s.make("settings", "/settings")
	s.make("key", "/keys/"+hazel)
	s.make("receipt", trade+"/receipt")
	s.make("evidence", "/evidence")
	s.make("error", "/trades/"+hazel)
	visitor, _ := w.serve(page.Config{})
	s.base = visitor.URL
	s.make("community", "/community")
	s.make("explorer", "/explorer")
	s.make("search", "/search?q=zzzz")
	s.make("block", fmt.Sprintf("/blocks/%d", w.height()-2))
	s.make("asset", "/assets/"+w.euro.ID().String())
	s.make("docs", "/docs", chromedp.Click("details summary"))
	s.base = loom.URL
	w.stop()
	s.make("away", trade)
}

// session makes the page that asks for the passphrase.
func (s *sheets) session(t *testing.T) {
	s.t = t
	w := newTown(t)
	s.on(w.memberPage("Loom"))
	look(t, s.tab, "sign out", chromedp.Navigate(s.base+"/settings"), chromedp.WaitVisible(`form[action="/sign-out"]`), chromedp.Click(`form[action="/sign-out"] button`), chromedp.WaitVisible("[name=passphrase]"))
	s.make("signed-out", "/")
}

// height is the height of the ledger.
func (w *town) height() uint64 {
	w.t.Helper()
	status, err := w.api.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return status.Height
}

// practice is a choice of ledgers in which the town is the practice ledger.
type practice struct {
	w     *town
	begun bool
}

func (p *practice) Practice(context.Context) error { p.begun = true; return nil }
func (p *practice) Welcome(context.Context, types.PublicKey) (types.OfferID, error) {
	return p.w.post("Birch", types.Goods{Commodity: "honey", Unit: types.UnitItem, Quantity: 1, Note: "one jar"}, 400_000), nil
}
func (p *practice) Connect(context.Context, string) error {
	return types.Refuse(types.CodeUnavailable, "the node at https://town.example does not answer")
}
func (p *practice) Practising() bool { return p.begun }
func (p *practice) Address() string  { return "http://127.0.0.1:9080" }

// firstStart makes the steps of a newcomer.
func (s *sheets) firstStart(t *testing.T) {
	s.t = t
	w := newTown(t)
	w.admit("Birch")
	file := filepath.Join(t.TempDir(), "new.age")
	s.on(w.serve(page.Config{Member: &page.Member{File: file, Options: wallet.Options{Work: 10, Quick: true}, Ledgers: &practice{w: w}}}))
	s.make("start", "/start")
	s.make("start-restore", "/start/restore")
	s.make("start-passphrase", "/start/password")
	s.make("start-passphrase-fault", "/start/password", typed("main form", "passphrase", "one", "again", "two"))
	look(t, s.tab, "a passphrase", chromedp.Navigate(s.base+"/start/password"), typed("main form", "passphrase", passphrase, "again", passphrase), chromedp.WaitVisible(".hush"))
	s.make("start-words", "/start/words", chromedp.Click(".hush summary"))
	s.make("start-check", "/start/check")
	var words []string
	var places []string
	look(t, s.tab, "check", chromedp.Navigate(s.base+"/start/words"), chromedp.Evaluate(`[...document.querySelectorAll(".words li")].map((li) => li.lastChild.textContent)`, &words),
		chromedp.Navigate(s.base+"/start/check"), chromedp.Evaluate(`[...document.querySelectorAll("main form input:not([type=hidden])")].map((field) => field.name)`, &places))
	var fields []string
	for _, place := range places {
		var n int
		if _, err := fmt.Sscanf(place, "word%d", &n); err != nil {
			t.Fatal(err)
		}
		fields = append(fields, place, words[n-1])
	}
	look(t, s.tab, "check", typed("main form", fields...), chromedp.WaitVisible(`form[action="/start/practice"]`))
	s.make("start-ledger", "/start/ledger")
	look(t, s.tab, "practise", chromedp.Click(`form[action="/start/practice"] button`), chromedp.WaitVisible("main .panel .dl"))
	s.make("start-trade", "/start/trade")
}

// members makes the pages of a newcomer to a members' ledger and of its operator.
func (s *sheets) members(t *testing.T) {
	s.t = t
	w := newMembersTown(t)
	w.admit("Hazel")
	ask := func(name, called string) {
		known, err := w.members[name].Context(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		request, err := w.members[name].Wallet().JoinRequest(known, called, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.api.Join(t.Context(), &request); err != nil {
			t.Fatal(err)
		}
		if called != "Cedar" {
			return
		}
		decline, err := w.members["Operator"].Wallet().JoinDecline(known, &request, "Which house is yours? Ask again as “Cedar, house 7”.")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.api.DeclineJoin(t.Context(), &decline); err != nil {
			t.Fatal(err)
		}
	}
	ask("Cedar", "Cedar")
	ask("Loom", "Loom")
	ask("Birch", "H\u0430zel") // with a Cyrillic letter
	s.on(w.memberPage("Operator"))
	s.make("community-operator", "/community")
	s.on(w.memberPage("Cedar"))
	s.make("newcomer-declined", "/start/trade")
	s.on(w.memberPage("Loom"))
	s.make("newcomer-waits", "/")
}

// meter makes the pages of a trade that a meter settled, and of auctions that were held.
func (s *sheets) meter(t *testing.T) {
	s.t = t
	w := newTown(t, quickMarket)
	w.admit("Cedar", "Loom", "Hazel", "Birch")
	id, goods := w.metered(16_000)
	w.pass(goods.Until.Add(500))
	w.read("Cedar", &goods, 60)
	w.pass(w.trade(id).Agreement.Deadlines.ConfirmBy)
	if _, err := w.api.Submit(t.Context(), types.NewSettle(w.trade(id).Agreement.ChainID, id)); err != nil {
		t.Fatal(err)
	}
	held := w.auctions(3)
	agent := &trader{state: page.AgentState{
		Asset: w.euro.ID(), SellAt: &types.Rate{Mantissa: 96}, BuyAt: &types.Rate{Mantissa: 343}, MayPay: 2 * whole, Paid: 151_885, Power: &page.Power{At: w.clock(), Own: 3_500, House: 520, ToOutside: 2_980},
		Meters: []page.MeterValue{{Name: "roof", Watts: -2_980, At: w.clock()}, {Name: "heat pump", Trouble: page.TroubleSilent}},
		Plan:   []page.PlannedSlot{{From: goods.From, Until: goods.Until, Side: types.Sell, Quantity: 663, Limit: types.Rate{Mantissa: 96}}},
	}}
	asked, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", asked)
	w.deliver("Cedar", asked)
	t.Chdir(t.TempDir())
	s.on(w.serve(page.Config{Member: &page.Member{File: "wallet.age", Unlocked: restored(t, "wallet.age", "Loom"), Agent: agent}}))
	s.make("trade-settled", "/trades/"+id.String())
	s.make("readings", "/trades/"+id.String()+"/readings")
	s.make("market-held", "/market/"+held.String())
	s.make("trade-word", "/trades/"+asked.String())
	s.make("now-agent", "/")
	s.make("settings-agent", "/settings")
}

// restored writes the wallet of a member into a file.
func restored(t *testing.T, file, name string) *wallet.Wallet {
	t.Helper()
	opened, err := wallet.Restore(file, seedOf(t, name).Words(), passphrase, wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// empty makes the pages of a member who has nothing yet, on a ledger on which nothing has happened.
func (s *sheets) empty(t *testing.T) {
	s.t = t
	w := newTownWith(t)
	s.on(w.memberPage("Loom"))
	for _, name := range []string{"now", "market", "trades", "wallet", "community"} {
		path := "/" + name
		if name == "now" {
			path = "/"
		}
		s.make("empty-"+name, path)
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
