package page_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// TestFirstTradeOnALedger: a newcomer to a members' ledger on which an offer waits follows the page from nothing to a finished trade, without scripts: passphrase, words, check, request, then
// the offer, one question to pay, one to release. Each page has the way to the next.
func TestFirstTradeOnALedger(t *testing.T) {
	t.Parallel()
	w := newMembersTown(t)
	w.admit("Birch", "Town")
	w.do("Town", func(d *wallet.Draft) error { return d.Send(w.members["Birch"].Key(), w.euro.ID(), whole) }) // for its bond
	offer := w.post("Birch", juiceByLitre(), 400_000).String()
	server, enter := w.serve(page.Config{Member: &page.Member{File: filepath.Join(t.TempDir(), "new.age"), Options: wallet.Options{Work: 10, Quick: true}}})
	v := newVisitor(t, server.URL)
	v.get(enter, http.StatusOK)
	leads := func(text, way string) {
		t.Helper()
		if !strings.Contains(text, `="`+way) {
			t.Fatalf("%s does not lead to %s", heading(text), way)
		}
	}
	text := v.get("/", http.StatusOK)
	leads(text, "/start/password")
	text = v.fill("/start/password", "/start/password", http.StatusOK, "passphrase", passphrase, "again", passphrase)
	words := regexp.MustCompile(`<li><i>\d+</i>([a-z]+)</li>`).FindAllStringSubmatch(text, -1)
	if len(words) != wallet.WordCount || !strings.Contains(text, "<details") {
		t.Fatalf("%d words, or they are not hidden until they are asked for", len(words))
	}
	leads(text, "/start/check")
	var fields []string
	for _, found := range regexp.MustCompile(`name="word(\d+)"`).FindAllStringSubmatch(v.get("/start/check", http.StatusOK), -1) {
		var n int
		if _, err := fmt.Sscan(found[1], &n); err != nil {
			t.Fatal(err)
		}
		fields = append(fields, "word"+found[1], words[n-1][1])
	}
	text = v.fill("/start/check", "/start/check", http.StatusOK, fields...)
	leads(text, "/start/trade")
	text = v.get("/start/trade", http.StatusOK)
	leads(text, "/join")
	text = v.answer(text, "/join", http.StatusUnprocessableEntity) // without a name
	if alert(text) == "" {
		t.Error("a request without a name has no reason")
	}
	v.fill("/start/trade", "/join", http.StatusOK, "name", "Newcomer")
	w.join(t, "Operator").answer(w.join(t, "Operator").get("/community", http.StatusOK), "/admit", http.StatusBadRequest) // of another session
	operator := w.join(t, "Operator")
	operator.answer(operator.get("/community", http.StatusOK), "/admit", http.StatusOK)
	text = v.get("/start/trade", http.StatusOK)
	if !strings.Contains(text, "One offer waits") {
		t.Errorf("admitted: %s", heading(text))
	}
	leads(text, "/market")
	found := regexp.MustCompile(`data-copy="(lk1[a-z0-9]+)"`).FindStringSubmatch(text)
	if found == nil {
		t.Fatal("the newcomer can't tell its key")
	}
	key, err := types.ParseKey(found[1])
	if err != nil {
		t.Fatal(err)
	}
	w.do("Town", func(d *wallet.Draft) error { return d.Send(key, w.euro.ID(), 2*whole) })
	text = v.get("/market", http.StatusOK)
	leads(text, "/offers/"+offer)
	leads(v.get("/offers/"+offer, http.StatusOK), "/offers/"+offer)
	text = v.answer(v.get("/offers/"+offer+"?quantity=2", http.StatusOK), "/offers/"+offer, http.StatusOK)
	if !strings.Contains(heading(text), "Paid") {
		t.Fatalf("bought: %s", heading(text))
	}
	path := regexp.MustCompile(`action="/trades/([0-9a-f]{64})|href="/trades/([0-9a-f]{64})/`).FindStringSubmatch(text)
	trades, err := w.api.Trades(t.Context(), key, true, pageOf(2))
	if err != nil || len(trades.Trades) != 1 || path == nil {
		t.Fatalf("%+v, %v", trades, err)
	}
	id := trades.Trades[0].ID
	w.deliver("Birch", id)
	text = v.get("/", http.StatusOK)
	leads(text, "/trades/"+id.String())
	release := "/trades/" + id.String() + "/release"
	leads(v.get("/trades/"+id.String(), http.StatusOK), release)
	if text := v.answer(v.get(release, http.StatusOK), release, http.StatusOK); !strings.Contains(heading(text), "Released") || w.phase(id) != types.PhaseReleased {
		t.Errorf("the end: %s", heading(text))
	}
}
