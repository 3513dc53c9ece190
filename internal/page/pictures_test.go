package page_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"lockstep/internal/browser"
)

// TestPictures writes pictures of the pages into the folder that LOCKSTEP_PICTURES names: "make screenshots".
func TestPictures(t *testing.T) {
	folder := os.Getenv("LOCKSTEP_PICTURES")
	if folder == "" {
		t.Skip("run make screenshots")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	w := newTown(t)
	w.admit("Loom", "Cedar", "Hazel", "Birch", "Town")
	ids := w.phases()
	loom, enter := w.memberPage("Loom")
	ctx := browser.Open(t)
	shot := func(name, address string, width int64, actions ...chromedp.Action) {
		t.Helper()
		actions = append([]chromedp.Action{browser.Size(width, 900)}, actions...)
		actions = append(actions, chromedp.Navigate(address), chromedp.WaitReady("main"))
		if err := chromedp.Run(ctx, actions...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		browser.Picture(t, ctx, filepath.Join(folder, name+".png"))
	}
	shot("enter", enter, 1440, browser.Theme("light"))
	for _, phase := range []string{"agreed", "paid", "delivered", "released", "split", "refunded", "lapsed", "partly"} {
		shot("trade-"+phase, loom.URL+"/trades/"+ids[phase].String(), 1440)
	}
	for _, path := range []string{"now", "trades", "wallet", "community", "explorer", "market", "settings"} {
		address := loom.URL + "/" + path
		if path == "now" {
			address = loom.URL + "/"
		}
		shot(path, address, 1440)
		shot(path+"-narrow", address, 390)
	}
	shot("trade-narrow", loom.URL+"/trades/"+ids["delivered"].String(), 390)
	if err := chromedp.Run(ctx, browser.Theme("dark"), chromedp.Evaluate(`document.cookie="language=zh; path=/"`, nil)); err != nil {
		t.Fatal(err)
	}
	shot("trade-delivered-dark-zh", loom.URL+"/trades/"+ids["delivered"].String(), 1440, browser.Theme("dark"))
	shot("now-dark-zh", loom.URL+"/", 1440, browser.Theme("dark"))
}
