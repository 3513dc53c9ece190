package browser

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"lockstep/internal/component"
)

// patience bounds each wait of a test for a browser.
const patience = 8 * time.Minute

// Open starts a browser and returns the context of its first tab, for the actions of chromedp. The test is skipped where there is no
// Chromium, and fails there if it runs in CI.
func Open(t testing.TB) context.Context {
	t.Helper()
	program := component.Find(t, "chromium", "chromium-browser", "google-chrome", "chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(profile(t)),
		// The sandbox needs rights that containers don't give, and the pages are our own.
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("lang", "en"), chromedp.Flag("hide-scrollbars", true),
	)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf)) // events that the library does not know
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return ctx
}

// profile makes the folder of a browser. Processes of the browser outlive it for a moment and still write there.
func profile(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "profile-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := os.RemoveAll(folder)
		for tries := 0; err != nil && tries < 100; tries++ {
			time.Sleep(100 * time.Millisecond)
			err = os.RemoveAll(folder)
		}
		if err != nil {
			t.Error(err)
		}
	})
	return folder
}

// Tab opens another tab of a browser.
func Tab(t testing.TB, ctx context.Context) context.Context { //nolint:revive // the test comes first in this package
	t.Helper()
	tab, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Run(tab); err != nil { // the tab lives as long as the context of its first action
		t.Fatal(err)
	}
	return tab
}

// Size sets the size of a tab's window.
func Size(width, height int64) chromedp.Action {
	return chromedp.EmulateViewport(width, height)
}

// Theme chooses the colours of the system, light or dark.
func Theme(theme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}})
}

// quality is that of the pictures, in percent.
const quality = 80

// Picture writes a picture of a whole page to a file, in the form WebP.
func Picture(t testing.TB, ctx context.Context, file string) { //nolint:revive // the test comes first in this package
	t.Helper()
	picture(t, ctx, file, true)
}

// Window writes a picture of the part of a page that its window shows.
func Window(t testing.TB, ctx context.Context, file string) { //nolint:revive // the test comes first in this package
	t.Helper()
	picture(t, ctx, file, false)
}

func picture(t testing.TB, ctx context.Context, file string, all bool) { //nolint:revive // the test comes first in this package
	t.Helper()
	var shot []byte
	err := chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		shot, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatWebp).WithQuality(quality).WithCaptureBeyondViewport(all).Do(ctx)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, shot, 0o644); err != nil { //nolint:gosec // a picture for the documentation
		t.Fatal(err)
	}
}
