package browser

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"lockstep/internal/component"
)

// patience bounds each wait of a test for a browser.
const patience = 30 * time.Minute

// Open returns the context of a tab in a browser, for the actions of chromedp. Tests that run at the same time share one browser, which takes seconds to start; each
// has cookies, storage and locks of its own. The test is skipped where there is no Chromium, and fails there if it runs in CI.
func Open(t testing.TB) context.Context {
	t.Helper()
	program := component.Find(t, "chromium", "chromium-browser", "google-chrome", "chrome")
	browser := shared.take(t, program)
	t.Cleanup(shared.leave)
	profile, err := newProfile(browser)
	if err != nil {
		t.Fatalf("open a window: %v", err)
	}
	t.Cleanup(func() {
		_ = onBrowser(browser, func(ctx context.Context) error { return target.DisposeBrowserContext(profile).Do(ctx) })
	}) // the browser may be gone
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithExistingBrowserContext(profile))
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx, emulation.SetFocusEmulationEnabled(true)); err != nil { // the tab lives as long as the context of its first action
		t.Fatalf("open a tab: %v", err)
	}
	return ctx
}

// newProfile makes a profile with cookies of its own in a browser, with an empty window: without one a browser opens no tab.
func newProfile(browser context.Context) (profile cdp.BrowserContextID, err error) {
	err = onBrowser(browser, func(ctx context.Context) (err error) {
		if profile, err = target.CreateBrowserContext().Do(ctx); err == nil {
			_, err = target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(ctx)
		}
		return err
	})
	return profile, err
}

// onBrowser runs commands of a whole browser.
func onBrowser(browser context.Context, do func(context.Context) error) error {
	return chromedp.Run(browser, chromedp.ActionFunc(func(ctx context.Context) error {
		return do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
	}))
}

// shared is the browser of the tests of this process.
var shared sharedBrowser //nolint:gochecknoglobals // one browser for a process

type sharedBrowser struct {
	mu     sync.Mutex
	users  int
	ctx    context.Context //nolint:containedctx // of the browser
	cancel func()
}

// take starts the browser for its first user.
func (s *sharedBrowser) take(t testing.TB, program string) context.Context {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		if err := s.start(program); err != nil {
			t.Fatalf("start %s: %v", program, err)
		}
	}
	s.users++
	return s.ctx
}

func (s *sharedBrowser) start(program string) error {
	folder, err := os.MkdirTemp("", "profile-")
	if err != nil {
		return err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(folder),
		// The sandbox needs rights that containers don't give, and the pages are our own.
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("lang", "en"), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-prefers-reduced-motion", true), // ribbons that drift keep a processor busy
	)
	allocator, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // events that the library does not know
	s.ctx, s.cancel = ctx, func() {
		end()
		free() // waits for the process
		_ = remove(folder)
	}
	if err := chromedp.Run(ctx); err != nil {
		s.cancel()
		return err
	}
	return nil
}

// leave ends the browser after its last user.
func (s *sharedBrowser) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.cancel()
	}
}

// profile makes the folder of a browser. Processes of the browser outlive it for a moment and still write there.
func profile(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "profile-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(folder); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// remove removes the folder of a browser.
func remove(folder string) (err error) {
	for range 100 {
		if err = os.RemoveAll(folder); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
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
	write(t, file, shot)
}
