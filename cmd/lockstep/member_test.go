package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"lockstep/internal/browser"
	"lockstep/wallet"
)

// openApp runs "lockstep app" on a free port until the test ends, and returns the links that it prints.
func openApp(t *testing.T, home string) (links pageAddress) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	a := &app{globals: &globals{Home: home, JSON: true, Language: "en"}, in: strings.NewReader(""), out: writer, err: io.Discard}
	command := &appCmd{workFlag: workFlag{Work: wallet.MinWork}, Listen: "127.0.0.1:0", Idle: time.Hour, NoBrowser: true}
	ended := make(chan error, 1)
	go func() {
		ended <- command.Run(ctx, a)
		_ = writer.Close()
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var text strings.Builder
	for lines := bufio.NewScanner(reader); lines.Scan(); {
		text.WriteString(lines.Text())
		if json.Unmarshal([]byte(text.String()), &links) == nil {
			return links
		}
	}
	t.Fatalf("the command prints no link: %q", text.String())
	return links
}

// TestFirstStart leads a newcomer from an empty folder to a finished trade, in a real browser: passphrase, words, check, practice ledger,
// pay, release. The page follows the ledger by itself.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	ctx := browser.Open(t)
	home := filepath.Join(t.TempDir(), "home")
	links := openApp(t, home)
	do := func(what string, actions ...chromedp.Action) {
		t.Helper()
		step, cancel := context.WithTimeout(ctx, 90*time.Second)
		defer cancel()
		if err := chromedp.Run(step, actions...); err != nil {
			var text string
			_ = chromedp.Run(ctx, chromedp.Text("body", &text))
			t.Fatalf("%s: %v\n%s", what, err, text)
		}
	}
	const passphrase = "seventeen lanterns over the harbour"
	var words []string
	do("sign in by the link", chromedp.Navigate(links.Enter), chromedp.WaitVisible(`a[href="/start/password"]`), chromedp.Click(`a[href="/start/password"]`))
	do("a weak passphrase", chromedp.WaitVisible(`[name=passphrase]`), chromedp.SendKeys(`[name=passphrase]`, "password1"), chromedp.SendKeys(`[name=again]`, "password1\n"),
		chromedp.WaitVisible(`[role=alert]`))
	do("a passphrase", chromedp.SendKeys(`[name=passphrase]`, passphrase), chromedp.SendKeys(`[name=again]`, passphrase+"\n"), chromedp.WaitVisible(`.hush summary`), // the words are hidden until they are asked for
		chromedp.Click(`.hush summary`), chromedp.WaitVisible(`.words`),
		chromedp.Evaluate(`[...document.querySelectorAll(".words li")].map((li) => li.lastChild.textContent)`, &words))
	if len(words) != wallet.WordCount {
		t.Fatalf("%d words", len(words))
	}
	if _, err := os.Lstat(filepath.Join(home, "wallet.age")); err == nil {
		t.Fatal("there is a wallet before its words are checked")
	}
	var names []string
	do("to the check", chromedp.Click(`a[href="/start/check"]`), chromedp.WaitVisible(`[name^=word]`),
		chromedp.Evaluate(`[...document.querySelectorAll("[name^=word]")].map((field) => field.name)`, &names))
	do("a wrong word", chromedp.SendKeys(`[name=`+names[0]+`]`, "wrong"), chromedp.SendKeys(`[name=`+names[1]+`]`, "wrong"), chromedp.SendKeys(`[name=`+names[2]+`]`, "wrong\n"),
		chromedp.WaitVisible(`[role=alert]`))
	for _, name := range names {
		var place int
		if _, err := fmt.Sscanf(name, "word%d", &place); err != nil {
			t.Fatal(err)
		}
		do("a word", chromedp.SendKeys(`[name=`+name+`]`, words[place-1]))
	}
	do("the check", chromedp.Click(`.chk .btn`), chromedp.WaitVisible(`form[action="/start/practice"]`))
	do("practise", chromedp.Click(`form[action="/start/practice"] .btn`), chromedp.WaitVisible(`a[data-ask]`))
	var focus, question string
	do("buy", chromedp.Click(`a[data-ask]`), chromedp.WaitVisible(`dialog .ask`), chromedp.Text(`dialog .ask`, &question),
		chromedp.Evaluate(`document.activeElement.textContent`, &focus))
	for _, want := range []string{"4.20 PLAY", "loses at worst", "0.40 PLAY"} {
		if !strings.Contains(strings.ReplaceAll(question, "\u00a0", " "), want) {
			t.Errorf("the question lacks %q: %s", want, question)
		}
	}
	if focus != "Not yet" {
		t.Errorf("the focus is on %q", focus)
	}
	do("pay", chromedp.Click(`dialog form .btn`), chromedp.WaitVisible(`.inter.lock figcaption`), chromedp.WaitVisible(`a[data-ask][href$="/release"]`))
	do("release", chromedp.Click(`a[data-ask][href$="/release"]`), chromedp.WaitVisible(`dialog .ask`), chromedp.Click(`dialog form .btn`), chromedp.WaitVisible(`.inter.open figcaption`))
	var head string
	do("the end", chromedp.Text(`h1`, &head))
	if !strings.Contains(head, "Released") {
		t.Errorf("the trade ends with %q", head)
	}
	made, err := wallet.Open(filepath.Join(home, "wallet.age"), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if made.Words() != strings.Join(words, " ") {
		t.Error("the wallet has other words than the page showed")
	}
	if _, used := made.Ledger(); used {
		t.Error("the practice ledger has bound the wallet")
	}
}
