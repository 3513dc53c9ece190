package browser

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The views of a contact sheet: widths in pixels, with the scale of their pictures and the part of a long page that is shown.
var views = []struct { //nolint:gochecknoglobals // a constant table
	width, height int64
	scale         float64
	most          float64
}{{1280, 900, 0.4, 3600}, {390, 844, 0.48, 5400}}

// sheetQuality is that of a contact sheet, in percent.
const sheetQuality = 30

// each names a folder into which every picture of a sheet is written by itself too, to be looked at.
const each = "LOCKSTEP_PICTURES_EACH"

// Sheet writes one picture of a page in all its views: English and Chinese, light and dark, wide and narrow. Load brings the page into a tab, in a language. A window shows what
// a window of the browser would, and not the whole page.
func Sheet(t testing.TB, ctx context.Context, file string, window bool, load func(language string)) { //nolint:revive // the test comes first in this package
	t.Helper()
	var shots strings.Builder
	for _, language := range []string{"en", "zh"} {
		load(language)
		shots.WriteString("<div>")
		for _, view := range views {
			for _, theme := range []string{"light", "dark"} {
				shot := shoot(t, ctx, view.width, view.height, view.scale, view.most, theme, window)
				fmt.Fprintf(&shots, `<img src="data:image/png;base64,%s">`, base64.StdEncoding.EncodeToString(shot))
				if folder := os.Getenv(each); folder != "" {
					write(t, filepath.Join(folder, fmt.Sprintf("%s-%s-%s-%d.png", strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), language, theme, view.width)), shot)
				}
			}
		}
		shots.WriteString("</div>")
	}
	sheet, cancel := chromedp.NewContext(ctx)
	defer cancel()
	const style = `body{margin:0;padding:12px;background:#8a8f96;width:max-content}div{display:flex;gap:12px;align-items:flex-start;margin-bottom:12px}img{display:block}`
	var picture []byte
	err := chromedp.Run(sheet, chromedp.EmulateViewport(1500, 400), chromedp.Navigate("about:blank"), chromedp.ActionFunc(func(ctx context.Context) error {
		tree, err := page.GetFrameTree().Do(ctx)
		if err != nil {
			return err
		}
		return page.SetDocumentContent(tree.Frame.ID, "<!doctype html><style>"+style+"</style><body>"+shots.String()).Do(ctx)
	}), chromedp.Evaluate(`Promise.all([...document.images].map((image) => image.decode())).then(() => true)`, nil, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
		page.BringToFront(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
			var size []float64
			if err = chromedp.Evaluate(`[document.body.offsetWidth, document.body.offsetHeight]`, &size).Do(ctx); err != nil {
				return err
			}
			picture, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatWebp).WithQuality(sheetQuality).WithCaptureBeyondViewport(true).
				WithClip(&page.Viewport{Width: size[0], Height: size[1], Scale: 1}).Do(ctx)
			return err
		}))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	write(t, file, picture)
}

// shoot takes a picture of the page that a tab shows.
func shoot(t testing.TB, ctx context.Context, width, height int64, scale, most float64, theme string, window bool) (shot []byte) { //nolint:revive // the test comes first in this package
	t.Helper()
	err := chromedp.Run(ctx, page.BringToFront(), Size(width, height), Theme(theme), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		whole := float64(height)
		if !window {
			if err = chromedp.Evaluate(`document.documentElement.scrollHeight`, &whole).Do(ctx); err != nil {
				return err
			}
			if whole = min(max(whole, float64(height)), most); whole > float64(height) { // so that a bar at the foot of the window stands at the foot of the page
				if err = Size(width, int64(whole)).Do(ctx); err != nil {
					return err
				}
			}
		}
		shot, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(&page.Viewport{Width: float64(width), Height: whole, Scale: scale}).Do(ctx)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	return shot
}

func write(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o644); err != nil { //nolint:gosec // a picture for the documentation
		t.Fatal(err)
	}
}
