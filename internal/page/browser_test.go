package page_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lockstep/internal/browser"
	"lockstep/internal/component"
	ours "lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

//go:embed testdata/accessible.js
var accessible string

// look runs actions in a tab, and fails the test with the text of the tab.
func look(t *testing.T, tab context.Context, what string, actions ...chromedp.Action) { //nolint:revive // the test comes first
	t.Helper()
	step, cancel := context.WithTimeout(tab, 90*time.Second)
	defer cancel()
	if err := chromedp.Run(step, actions...); err != nil {
		var text string
		_ = chromedp.Run(tab, chromedp.Text("body", &text))
		t.Fatalf("%s: %v\n%.3000s", what, err, text)
	}
}

// faults collects the complaints in a tab's console: exceptions, and breaches of the policy.
func faults(tab context.Context) (list func() []string) {
	var mu sync.Mutex
	var found []string
	chromedp.ListenTarget(tab, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			found = append(found, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError && !strings.Contains(e.Entry.Text, "Failed to load resource") {
				found = append(found, e.Entry.Text)
			}
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), found...)
	}
}

// contains waits until a page has a text, also while the tab goes from one page to the next.
func contains(text string) chromedp.Action {
	return eventually(fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// eventually waits until an expression is true on the page that the tab shows then.
func eventually(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var there bool
			if err := chromedp.Evaluate(expression, &there).Do(ctx); err == nil && there {
				return nil
			}
			if err := chromedp.Sleep(50 * time.Millisecond).Do(ctx); err != nil {
				return fmt.Errorf("%s: %w", expression, err)
			}
		}
	})
}

// TestLivePages: two tabs of one member follow a trade by themselves; while the node is away they say so, and come back with it.
func TestLivePages(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	loom, enter := w.memberPage("Loom")
	first := browser.Open(t)
	second := browser.Tab(t, first)
	wrong := faults(first)
	trade := loom.URL + "/trades/" + id.String()
	look(t, first, "sign in", log.Enable(), chromedp.Navigate(enter), chromedp.WaitVisible(".who a"), chromedp.Navigate(trade), contains("You pay next"))
	look(t, second, "the second tab", chromedp.Navigate(trade), contains("You pay next"))
	w.pay("Loom", id)
	look(t, first, "paid", contains("Cedar delivers next"))
	look(t, second, "paid, in the second tab", contains("Cedar delivers next"))
	w.deliver("Cedar", id)
	look(t, second, "delivered, in the second tab", contains("You release next"))
	look(t, first, "delivered", contains("You release next"))
	w.stop()
	look(t, first, "the node is away", contains("The node does not answer"), contains("You release next"))
	look(t, second, "a page is loaded meanwhile", chromedp.Reload(), contains("The node does not answer"))
	w.start()
	gone := eventually(`!document.querySelector(".off, .err")`)
	look(t, first, "the node is back", gone, contains("You release next"))
	look(t, second, "the node is back, in the second tab", gone, contains("You release next"))
	if found := wrong(); len(found) > 0 {
		t.Errorf("the console complains: %q", found)
	}
}

// TestSevenTabs: seven tabs of one browser follow their trades over HTTP/1.1, of which a browser opens six connections to a server.
func TestSevenTabs(t *testing.T) {
	t.Parallel()
	const tabs = 7
	w := newTown(t)
	w.admit("Cedar", "Loom")
	loom, enter := w.memberPage("Loom")
	first := browser.Open(t)
	look(t, first, "sign in", chromedp.Navigate(enter), chromedp.WaitVisible(".who a"))
	var open []context.Context
	var ids []types.TradeID
	for i := range tabs {
		id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: types.Amount(400_000 + i), bond: 20_000, fallback: &types.Hold{}})
		tab := first
		if i > 0 {
			tab = browser.Tab(t, first)
		}
		look(t, tab, "a tab", chromedp.Navigate(loom.URL+"/trades/"+id.String()), contains("You pay next"))
		open, ids = append(open, tab), append(ids, id)
	}
	for i, tab := range open {
		var protocol string
		look(t, tab, "still answers", chromedp.Evaluate(`performance.getEntriesByType("navigation")[0].nextHopProtocol`, &protocol))
		if protocol != "http/1.1" {
			t.Errorf("tab %d speaks %q", i, protocol)
		}
		w.pay("Loom", ids[i])
	}
	for i, tab := range open {
		look(t, tab, fmt.Sprintf("tab %d follows", i), contains("Cedar delivers next"))
	}
	look(t, open[tabs-1], "a further page loads", chromedp.Navigate(loom.URL+"/wallet"), contains("What moved"))
}

// TestPrint: a trade prints without the bars and buttons of the screen, in black on white, with its steps and sums.
func TestPrint(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", id)
	loom, enter := w.memberPage("Loom")
	tab := browser.Open(t)
	look(t, tab, "sign in", chromedp.Navigate(enter), chromedp.WaitVisible(".who a"))
	for _, theme := range []string{"light", "dark"} {
		var hidden, shown bool
		var ground, ink string
		var pdf []byte
		look(t, tab, "print", chromedp.Navigate(loom.URL+"/trades/"+id.String()), browser.Theme(theme), emulation.SetEmulatedMedia().WithMedia("print").WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
			chromedp.Evaluate(`[".nav", ".live", ".foot", ".acts"].every((s) => [...document.querySelectorAll(s)].every((e) => getComputedStyle(e).display === "none"))`, &hidden),
			chromedp.Evaluate(`["h1", ".steps", ".inter svg", ".dl"].every((s) => [...document.querySelectorAll(s)].some((e) => e.getBoundingClientRect().height > 0))`, &shown),
			chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &ground), chromedp.Evaluate(`getComputedStyle(document.querySelector(".inter text")).fill`, &ink),
			chromedp.ActionFunc(func(ctx context.Context) (err error) {
				pdf, _, err = page.PrintToPDF().WithPrintBackground(true).Do(ctx)
				return err
			}))
		if !hidden || !shown || ground != "rgb(255, 255, 255)" || ink != "rgb(20, 24, 29)" || !bytes.HasPrefix(pdf, []byte("%PDF")) {
			t.Errorf("%s: hidden %v, shown %v, %s on %s, %d bytes", theme, hidden, shown, ink, ground, len(pdf))
		}
	}
}

// TestRestoreInBrowser: on another machine the 24 words bring everything back: the money, the open trade, and the secret that releases it.
func TestRestoreInBrowser(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	words := seedOf(t, "Loom").Words()
	fresh, enter := w.serve(ours.Config{Member: &ours.Member{File: filepath.Join(t.TempDir(), "again.age"), Options: wallet.Options{Work: 10, Quick: true}}})
	tab := browser.Open(t)
	wrong := faults(tab)
	look(t, tab, "restore", log.Enable(), chromedp.Navigate(enter), chromedp.WaitVisible(`a[href="/start/restore"]`), chromedp.Click(`a[href="/start/restore"]`), chromedp.WaitVisible(`textarea[name=words]`))
	fill := func(text string) []chromedp.Action {
		return []chromedp.Action{
			chromedp.SetValue(`textarea[name=words]`, text), chromedp.SetValue(`input[name=passphrase]`, passphrase), chromedp.SetValue(`input[name=again]`, passphrase), chromedp.Click(`main form button`),
		}
	}
	look(t, tab, "wrong words", append(fill(strings.Replace(words, " ", " zebra ", 1)), chromedp.WaitVisible(`[role=alert]`))...)
	look(t, tab, "the words", append(fill(words), chromedp.WaitNotPresent(`textarea[name=words]`), contains("On which ledger"))...)
	look(t, tab, "the trade is there", chromedp.Navigate(fresh.URL+"/trades/"+id.String()), contains("You release next"), chromedp.Click(`a[data-ask]`), chromedp.WaitVisible("dialog .ask"), chromedp.Click("dialog button.btn"), chromedp.WaitVisible(".inter.open figcaption"))
	if w.phase(id) != types.PhaseReleased {
		t.Error(w.phase(id))
	}
	if found := wrong(); len(found) > 0 {
		t.Errorf("the console complains: %q", found)
	}
}

// TestKeyboard: a question is opened, refused and answered by the keyboard alone; the focus begins on the refusal and comes back.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	loom, enter := w.memberPage("Loom")
	tab := browser.Open(t)
	var focus string
	focused := chromedp.Evaluate(`document.activeElement.textContent.trim()`, &focus)
	look(t, tab, "sign in", chromedp.Navigate(enter), chromedp.WaitVisible(".who a"), chromedp.Navigate(loom.URL+"/trades/"+id.String()), contains("You pay next"))
	look(t, tab, "the first stop is the content", chromedp.KeyEvent(kb.Tab), focused)
	if focus != "To the content" {
		t.Errorf("the first stop is %q", focus)
	}
	find := func(want string) {
		t.Helper()
		for range 40 {
			look(t, tab, "tab", chromedp.KeyEvent(kb.Tab), focused)
			if strings.Contains(focus, want) {
				return
			}
		}
		t.Fatalf("no stop %q", want)
	}
	find("Pay: lock")
	look(t, tab, "the question", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("dialog .ask"), eventually(`document.activeElement.textContent === "Not yet"`))
	look(t, tab, "refuse it", chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent("dialog"), focused)
	if !strings.Contains(focus, "Pay: lock") {
		t.Errorf("the focus went to %q", focus)
	}
	look(t, tab, "refuse it by its button", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("dialog .ask"), chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent("dialog"))
	if w.phase(id) != types.PhaseAgreed {
		t.Fatal("a refusal paid")
	}
	look(t, tab, "answer it", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("dialog .ask"), eventually(`document.activeElement.textContent === "Not yet"`),
		chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(8)), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".inter.pend figcaption"))
	if w.phase(id) != types.PhasePaid {
		t.Error(w.phase(id))
	}
}

// view is how a reader sees a page.
type view struct {
	language, theme string
	width           int64
}

func (v view) String() string { return fmt.Sprintf("%s, %s, %d wide", v.language, v.theme, v.width) }

// viewsOf draws some views of a page: the narrowest, and a wide one, in either language and theme. "make pages" looks at each page in all of them. The draw is the same in each run of
// make, and another with RAPID_SEED=0, as for the random tests.
func viewsOf(place int) []view {
	if os.Getenv("LOCKSTEP_PAGES") == "all" {
		var all []view
		for _, language := range []string{"en", "zh"} {
			for _, theme := range []string{"light", "dark"} {
				for _, width := range []int64{320, 390, 768, 1280} {
					all = append(all, view{language, theme, width})
				}
			}
		}
		return all
	}
	seed, err := strconv.ParseInt(os.Getenv("RAPID_SEED"), 10, 64)
	if err != nil || seed == 0 {
		seed = time.Now().UnixNano()
	}
	draw := rand.New(rand.NewPCG(uint64(seed), uint64(place))) //nolint:gosec // no secret
	languages, themes := []string{"en", "zh"}, []string{"light", "dark"}
	first, theme := draw.IntN(2), draw.IntN(2)
	return []view{{languages[first], themes[theme], 320}, {languages[1-first], themes[1-theme], []int64{390, 768, 1280}[draw.IntN(3)]}}
}

// choose sets the language, the width and the theme of a tab that shows a page of the server.
func (v view) choose() chromedp.Action {
	return chromedp.Tasks{
		chromedp.Evaluate(fmt.Sprintf(`document.cookie = "language=%s; path=/"`, v.language), nil), browser.Size(v.width, 800), browser.Theme(v.theme),
	}
}

// TestEveryPage looks at every page at 320 pixels and on a wider screen, in both languages, light and dark: nothing reaches beyond the
// window, nothing breaks the policy, and labels and headings for a screen reader are there.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("each page at several widths in a browser, without -short")
	}
	w := newTown(t)
	w.admit("Cedar", "Loom")
	ids := w.phases()
	offer := w.post("Birch", juiceByLitre(), 400_000)
	loom, enter := w.memberPage("Loom")
	tab := browser.Open(t)
	wrong := faults(tab)
	look(t, tab, "sign in", log.Enable(), chromedp.Navigate(enter), chromedp.WaitVisible(".who a"))
	for place, path := range w.everyPath(ids, offer) {
		for _, view := range viewsOf(place) {
			var found []string
			look(t, tab, path, view.choose(), chromedp.Navigate(loom.URL+path), chromedp.WaitReady("main"), chromedp.Evaluate(accessible, &found))
			for _, fault := range found {
				t.Errorf("%s, %s: %s", path, view, fault)
			}
		}
	}
	if found := wrong(); len(found) > 0 {
		t.Errorf("the console complains: %q", found)
	}
}

// everyPath lists the addresses of a member's pages.
func (w *town) everyPath(ids map[string]types.TradeID, offer types.OfferID) []string {
	w.t.Helper()
	status, err := w.api.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	hazel := w.members["Hazel"].Key().String()
	product := "/market/" + w.book().String()
	paths := []string{
		"/", "/trades", "/trades?side=sold", "/wallet", "/wallet?by=day", "/community", "/market", product, product + "/order?side=bid&quantity=100&limit=24",
		"/offers/" + offer.String(), "/offers/" + offer.String() + "?quantity=2", "/explorer", "/evidence", "/docs", "/trades/" + ids["delivered"].String() + "/readings",
		fmt.Sprintf("/blocks/%d", status.Height), "/assets/" + w.euro.ID().String(), "/keys/" + hazel, "/settings", "/proposal", "/search?q=zzzz", "/nothing", "/start", "/start/ledger",
		"/send?to=" + hazel + "&amount=1&asset=" + w.euro.ID().String(), "/trades/" + ids["delivered"].String() + "/split", "/trades/" + ids["delivered"].String() + "/release",
	}
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		paths = append(paths, "/trades/"+ids[name].String())
	}
	return paths
}

// TestAxe lets axe-core look at every page: no finding that it calls serious or critical, and none of WCAG 2.2 AA.
func TestAxe(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(component.FindPackage(t, "axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	w.admit("Cedar", "Loom")
	ids := w.phases()
	paths := w.everyPath(ids, w.post("Birch", juiceByLitre(), 400_000))
	loom, enter := w.memberPage("Loom")
	tab := browser.Open(t)
	look(t, tab, "sign in", chromedp.Navigate(enter), chromedp.WaitVisible(".who a"))
	const run = `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((r) =>
		r.violations.map((v) => v.impact + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")))`
	awaited := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	for place, path := range paths {
		for _, view := range viewsOf(place)[1:] {
			var found []string
			look(t, tab, path, view.choose(), chromedp.Navigate(loom.URL+path), chromedp.WaitReady("main"), chromedp.Evaluate(string(axe)+";0", nil), chromedp.Evaluate(run, &found, awaited))
			for _, fault := range found {
				t.Errorf("%s, %s: %s", path, view, fault)
			}
		}
	}
}

// TestWeight: the first page with its style, script and font has less than 100 KB compressed.
func TestWeight(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	server, enter := w.memberPage("Loom")
	v := newVisitor(t, server.URL)
	v.get(enter, http.StatusOK)
	total := 0
	for _, path := range []string{"/", "/static/page.css", "/static/page.js", "/static/inter.woff2", "/static/icon.svg"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Encoding", "gzip") // so that the client does not unpack it
		response, err := v.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for buffer := make([]byte, 4096); ; {
			read, err := response.Body.Read(buffer)
			n += read
			if err != nil {
				break
			}
		}
		response.Body.Close()
		if path == "/" && n > 20_000 {
			t.Errorf("%s has %d bytes", path, n)
		}
		total += n
	}
	const most = 100_000
	if total > most {
		t.Errorf("the first page has %d bytes", total)
	}
	t.Logf("the first page has %d bytes", total)
}
