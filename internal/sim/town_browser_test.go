package sim_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"lockstep/internal/browser"
	"lockstep/internal/page"
)

// see runs actions in a tab, and fails the test with the text of the tab.
func see(t *testing.T, tab context.Context, what string, actions ...chromedp.Action) { //nolint:revive // the test comes first
	t.Helper()
	step, cancel := context.WithTimeout(tab, 90*time.Second)
	defer cancel()
	if err := chromedp.Run(step, actions...); err != nil {
		var text string
		last, stop := context.WithTimeout(tab, 5*time.Second)
		_ = chromedp.Run(last, chromedp.Text("body", &text))
		stop()
		t.Fatalf("%s: %v\n%.3000s", what, err, text)
	}
}

// remember lets the tab keep the lines of all that its pages show after a press. A state of the town can pass between two looks of a test that is slow.
func remember() chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := cdppage.AddScriptToEvaluateOnNewDocument(`new MutationObserver(() => {
			if (!document.body) return;
			const shown = new Set((sessionStorage.getItem("shown") || "").split("\n"));
			for (const line of document.body.innerText.split("\n")) shown.add(line);
			sessionStorage.setItem("shown", [...shown].join("\n"));
		}).observe(document, {childList: true, subtree: true, characterData: true})`).Do(ctx)
		return err
	})
}

// says waits until a page has a text, or has had it since the last press, also while the tab goes from one page to the next.
func says(text string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var there bool
			script := fmt.Sprintf(`document.body.innerText.includes(%q) || (sessionStorage.getItem("shown") || "").includes(%[1]q)`, text)
			if err := chromedp.Evaluate(script, &there).Do(ctx); err == nil && there {
				return nil
			}
			if err := chromedp.Sleep(100 * time.Millisecond).Do(ctx); err != nil {
				return fmt.Errorf("the page does not say %q: %w", text, err)
			}
		}
	})
}

// press clicks a button or a link of a page that renders itself anew again and again: it is found and clicked in one step, as a person does. Lines of earlier
// pages are forgotten.
func press(selector string) chromedp.Action {
	return once(selector, fmt.Sprintf(`sessionStorage.removeItem("shown"); document.querySelector(%q).click()`, selector))
}

// enter writes into a field and presses a button, in one step.
func enter(field, value, button string) chromedp.Action {
	return once(field, fmt.Sprintf(`document.querySelector(%q).value = %q; document.querySelector(%q).click()`, field, value, button))
}

// once runs a script as soon as the page has an element.
func once(selector, script string) chromedp.Action {
	script = fmt.Sprintf(`(() => { if (!document.querySelector(%q)) return false; %s; return true })()`, selector, script)
	byPerson := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithUserGesture(true) } // else a link opens no tab
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			var done bool
			if err := chromedp.Evaluate(script, &done, byPerson).Do(ctx); err == nil && done {
				return nil
			}
			if err := chromedp.Sleep(100 * time.Millisecond).Do(ctx); err != nil {
				return fmt.Errorf("the page has no %s: %w", selector, err)
			}
		}
	})
}

// TestTownInBrowser: a person watches the town, switches a cheat on, kills the node and brings it back, and opens a household; the open
// page follows by itself, and reads well on a phone, in both languages.
func TestTownInBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a town of its own beside a browser: the race detector would distort its time")
	}
	tab := browser.Open(t)
	accessible, err := os.ReadFile(filepath.Join("..", "page", "testdata", "accessible.js"))
	if err != nil {
		t.Fatal(err)
	}
	town := openTown(t, nil)
	address, way := serveTown(t, town)
	see(t, tab, "sign in", remember(), chromedp.Navigate(way), says("in the town"), says("to neighbours"))
	birch := house(new(town.Scene()), "Birch").Place
	see(t, tab, "cheat", press(fmt.Sprintf(`#house-%d .switches form:first-child button`, birch)), says("Birch sells on, and feeds nothing in"), says("Birch fed in nothing of"))
	see(t, tab, "kill", press(`form[action="/town/node"] button`), says("The node was killed"), says("Bring the node back"), says("The node does not answer"))
	shoot(t, tab, "town-killed", address+"/")
	see(t, tab, "bring it back", press(`form[action="/town/node"] button`), says("The node is back after"), says("to neighbours"))
	see(t, tab, "a cloud", press(`form[action="/town/cloud"] button`), says("A cloud comes over all roofs"), says("It stands over all roofs until"))
	await(t, town, "flows", func(s *page.TownScene) bool { return len(s.Flows) > 0 && len(s.Prices) > 3 })
	see(t, tab, "look again", chromedp.Navigate(address+"/"), says("in the town"))
	shoot(t, tab, "town", address+"/")
	cedar := house(new(town.Scene()), "Cedar").Place
	see(t, tab, "open Cedar", press(fmt.Sprintf(`#house-%d .home a`, cedar)))
	own, cancel := chromedp.NewContext(tab, chromedp.WithTargetID(openedTab(t, tab, address)))
	defer cancel()
	see(t, own, "Cedar's page", browser.Size(1200, 900), chromedp.WaitVisible(".who a"), says("Cedar"), press(`a[href="/town"]`), says("This household"),
		enter(`input[name="ask"]`, "31.5", `.ord button`), chromedp.WaitVisible(`input[name="ask"][value="31.5"]`))
	link, err := town.Enter(t.Context(), cedar)
	if err != nil {
		t.Fatal(err)
	}
	see(t, tab, "Cedar again", browser.Size(390, 844), chromedp.Navigate(link), chromedp.WaitVisible(".who a"), chromedp.Navigate(link[:strings.Index(link, "/enter")]+"/town"), chromedp.WaitVisible(".ord"))
	shoot(t, tab, "town-household", link[:strings.Index(link, "/enter")]+"/town")
	for _, view := range []struct {
		language, theme string
		width           int64
	}{{"zh", "dark", 390}, {"en", "light", 320}} {
		var found []string
		see(t, tab, view.language, chromedp.Evaluate(fmt.Sprintf(`document.cookie = "language=%s; path=/"`, view.language), nil), browser.Size(view.width, 844), browser.Theme(view.theme),
			chromedp.Navigate(address+"/"), chromedp.WaitReady("main .homes"), chromedp.Evaluate(string(accessible), &found))
		for _, fault := range found {
			t.Errorf("%s, %d wide: %s", view.language, view.width, fault)
		}
	}
}

// openedTab waits for a tab that shows a page of another server.
func openedTab(t *testing.T, tab context.Context, address string) target.ID { //nolint:revive // the test comes first
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(100 * time.Millisecond) {
		targets, err := chromedp.Targets(tab)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range targets {
			if one.Type == "page" && strings.HasPrefix(one.URL, "http://127.0.0.1:") && !strings.HasPrefix(one.URL, address) && !strings.Contains(one.URL, "/enter") {
				return one.TargetID
			}
		}
	}
	t.Fatal("no tab has opened")
	return ""
}

// shoot writes a sheet of a page in all its views into the folder that LOCKSTEP_PICTURES names, and brings the tab back to where it was.
func shoot(t *testing.T, tab context.Context, name, address string) { //nolint:revive // the test comes first
	t.Helper()
	folder := os.Getenv("LOCKSTEP_PICTURES")
	if folder == "" {
		return
	}
	open := func(language string) {
		see(t, tab, name, chromedp.Evaluate(fmt.Sprintf(`document.cookie = "language=%s; path=/"`, language), nil), chromedp.Navigate(address), chromedp.WaitReady("main"))
	}
	browser.Sheet(t, tab, filepath.Join(folder, "sheets", name+".webp"), false, open)
	open("en")
	see(t, tab, name, browser.Size(1440, 900), browser.Theme("light"))
	if name == "town" {
		browser.Picture(t, tab, filepath.Join(folder, name+".webp"))
	}
}
