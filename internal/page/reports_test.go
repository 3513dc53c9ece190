package page_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// The tests of this file are reports of users of other systems for trading between peers, each as a test of ours. The numbers are those of the
// issues of DCRDEX (decred/dcrdex), RoboSats (RoboSats/robosats) and Mostro (MostroP2P/mostro).

// plainOf takes the marks off a page.
func plainOf(text string) string {
	text = regexp.MustCompile(`(?s)<head>.*?</head>|<[^>]*>`).ReplaceAllString(text, "")
	return strings.NewReplacer("\u00a0", " ", "&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(text)
}

// row finds the row of a trade in a list.
func row(text, id string) string {
	for _, found := range regexp.MustCompile(`(?s)<tr class="go">.*?</tr>`).FindAllString(text, -1) {
		if strings.Contains(found, id) {
			return plainOf(found)
		}
	}
	return ""
}

// TestSameStatusInAllViews (DCRDEX 1945: three views of a match had three statuses): the list of trades, the trade's page and the API name the same
// phase and the same side whose turn it is.
func TestSameStatusInAllViews(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom", "Hazel")
	ids := w.phases()
	for _, name := range []string{"Loom", "Cedar"} {
		v := w.join(t, name)
		list := v.get("/trades", http.StatusOK)
		for phase, id := range ids {
			wired, err := w.api.Trade(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			a := &wired.Trade.Agreement
			status := trade.StatusAt(&wired.Trade, wired.Clock, wired.Reading, w.members[name].Key())
			p := &words.Printer{Language: words.English, Viewer: status.Viewer, Names: map[trade.Role]string{trade.Producer: "Cedar", trade.Consumer: "Loom", trade.Arbiter: "Hazel"}}
			kind, turn := p.Headline(&trade.Status{Phase: status.Phase, Turn: trade.Turn{Role: status.Turn.Role, Move: status.Turn.Move}})
			page := plainOf(v.get("/trades/"+id.String(), http.StatusOK))
			in := row(list, id.String())
			if in == "" || !strings.Contains(in, kind) || !strings.Contains(page, kind) {
				t.Errorf("%s, %s: %q in the list %q or on the page", name, phase, kind, in)
			}
			if trade.Running(status.Phase) && (!strings.Contains(strings.ToLower(in), strings.ToLower(turn)) || !strings.Contains(strings.ToLower(page), strings.ToLower(turn))) {
				t.Errorf("%s, %s: the turn is %q, the list says %q", name, phase, turn, in)
			}
			if served := wired.Status; served.Phase != status.Phase || a.Producer == a.Consumer {
				t.Errorf("%s, %s: the API says %v", name, phase, served.Phase)
			}
		}
	}
}

// TestStepsInLedgerOrder (DCRDEX 1790: a match listed my steps first, and left out those to come): both sides see E1 to E4 in the order of the ledger,
// those to come with their deadlines.
func TestStepsInLedgerOrder(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, a := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", id)
	steps := regexp.MustCompile(`(?s)<ol class="steps.*?</ol>`)
	for _, name := range []string{"Loom", "Cedar"} {
		text := plainOf(steps.FindString(w.join(t, name).get("/trades/"+id.String(), http.StatusOK)))
		at := -1
		for _, code := range []string{"E1", "E2", "E3", "E4"} {
			next := strings.Index(text, code)
			if next <= at {
				t.Errorf("%s: %s is missing or out of order in %q", name, code, text)
			}
			at = next
		}
		deadline := regexp.MustCompile(`by (\w+ \d+ \w+, )?` + a.Deadlines.DeliverBy.Std().UTC().Format("15:04")) // with its day when that is tomorrow
		if !deadline.MatchString(text) {
			t.Errorf("%s: no deadline %q of the delivery in %q", name, deadline, text)
		}
	}
}

// TestRefundHasItsTime (DCRDEX 1947: "refund pending" without a time): before the deadline both sides read when the money goes back, and after it that it did.
func TestRefundHasItsTime(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, a := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}, payBy: 6_000, deliver: 300})
	w.pay("Loom", id)
	at := a.Deadlines.DeliverBy.Std().UTC().Format(time.TimeOnly)
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	for _, v := range []*visitor{loom, cedar} {
		if text := plainOf(v.get("/trades/"+id.String(), http.StatusOK)); !strings.Contains(text, "After "+at) {
			t.Errorf("no time of the refund, %s: %.600s", at, text)
		}
	}
	w.pass(a.Deadlines.DeliverBy)
	for _, v := range []*visitor{loom, cedar} {
		if text := plainOf(v.get("/trades/"+id.String(), http.StatusOK)); strings.Contains(text, "pending") || !strings.Contains(text, "Refunded") {
			t.Errorf("after the deadline: %.600s", text)
		}
	}
}

// TestRefundedIsSaidOnce (DCRDEX 1769: a match that was not refunded was shown as refunded, and the reverse): a trade is called refunded from its deadline on, not
// before, and one that was delivered never is.
func TestRefundedIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	ids := w.phases()
	for _, name := range []string{"Loom", "Cedar"} {
		v := w.join(t, name)
		list := v.get("/trades", http.StatusOK)
		for phase, id := range ids {
			if said := strings.Contains(row(list, id.String()), "Refunded"); said != (phase == "refunded") {
				t.Errorf("%s, %s: called refunded: %v", name, phase, said)
			}
		}
	}
}

// TestWayBackToAnOrder (RoboSats 1930: no way back to a live order): a member that placed an order finds it from the first page, in a new session too.
func TestWayBackToAnOrder(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Loom")
	product := w.book()
	path := "/market/" + product.String()
	for range 2 { // sessions
		loom := w.join(t, "Loom")
		if text := loom.get("/", http.StatusOK); !strings.Contains(text, `href="`+path+`"`) || !strings.Contains(plainOf(text), "You buy 283 Wh at 31.00 ct/kWh or less") {
			t.Error("the first page does not lead to the order")
		}
		if text := loom.get(path, http.StatusOK); !strings.Contains(text, path+"/withdraw/0") {
			t.Error("the market offers no way to withdraw the order")
		}
	}
}

// TestLockedMoneyMovesOn (RoboSats 2758: money was locked, and the page stood at step 1 of 4): once the payment is on the ledger, the page of either side shows it
// done and the next step, and the wallet leads to the trade that holds the money.
func TestLockedMoneyMovesOn(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	path := "/trades/" + id.String()
	loom.answer(loom.get(path+"/pay", http.StatusOK), path+"/pay", http.StatusOK)
	for _, v := range []*visitor{loom, cedar} {
		text := v.get(path, http.StatusOK)
		first := regexp.MustCompile(`(?s)<li class="done">.*?</li>\s*<li class="done">.*?</li>\s*<li class="turn">.*?</li>`).FindString(text)
		if plain := plainOf(first); !strings.Contains(plain, "E1") || !strings.Contains(plain, "E2") {
			t.Errorf("the steps: %q", plain)
		}
	}
	if text := loom.get("/wallet", http.StatusOK); strings.Count(text, `href="`+path+`"`) < 2 {
		t.Error("the wallet does not lead to the trade that locks its money")
	}
}

// TestBadInputIsNoDeadEnd (RoboSats 2482: a bad input ended in a page without a way on): every form that refuses an input shows the reason, the typed
// values, and the form again.
func TestBadInputIsNoDeadEnd(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	ids := w.phases()
	offer := w.post("Birch", juiceByLitre(), 400_000)
	product := "/market/" + w.book().String()
	loom := w.join(t, "Loom")
	euro := w.euro.ID().String()
	for path, action := range map[string]string{
		"/send?to=lk1nonsense&amount=1&asset=" + euro:                                  "/send#send",
		"/send?to=" + w.members["Cedar"].Key().String() + "&amount=lots&asset=" + euro: "/send#send",
		"/offers/" + offer.String() + "?quantity=many":                                 "/offers/" + offer.String(),
		"/offers/" + offer.String() + "?quantity=11":                                   "/offers/" + offer.String(),
		product + "/order?side=bid&quantity=100&limit=cheap":                           product + "/order#order",
		product + "/order?side=bid&quantity=100&limit=24.55":                           product + "/order#order",
		"/sell?goods=juice&price=free&asset=" + euro:                                   "/sell",
		"/trades/" + ids["delivered"].String() + "/split?to_producer=everything":       "/trades/" + ids["delivered"].String() + "/split",
	} {
		response, err := loom.client.Get(loom.base + path)
		if err != nil {
			t.Fatal(err)
		}
		text := body(t, response)
		if response.StatusCode < 400 || response.StatusCode >= 500 || alert(text) == "" {
			t.Errorf("%s: %d without a reason: %s", path, response.StatusCode, heading(text))
		}
		if !strings.Contains(text, `action="`+action+`"`) {
			t.Errorf("%s: no form to try again", path)
		}
		if _, id, below := strings.Cut(action, "#"); below && !strings.Contains(text, `id="`+id+`"`) {
			t.Errorf("%s: a long page does not open at its form", path)
		}
	}
	for _, path := range []string{"/trades/zz", "/trades/" + strings.Repeat("0", 64), "/market/zz", "/offers/zz", "/nothing"} {
		response, err := loom.client.Get(loom.base + path)
		if err != nil {
			t.Fatal(err)
		}
		if text := body(t, response); response.StatusCode < 400 || !strings.Contains(text, "Back") || !strings.Contains(text, `class="nav"`) {
			t.Errorf("%s: %d, a dead end: %s", path, response.StatusCode, heading(text))
		}
	}
}

// TestOutageIsNoBreach (RoboSats 2632: an outage of the coordinator counted as a breach of the taker): a deadline that passes while the ledger stands still is named as such, and
// counts against nobody.
func TestOutageIsNoBreach(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, a := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}, payBy: 3_000, deliver: 300})
	w.pay("Loom", id)
	w.stop()
	time.Sleep(time.Until(a.Deadlines.DeliverBy.Std()) + 500*time.Millisecond)
	w.start()
	w.pass(a.Deadlines.DeliverBy)
	loom := w.join(t, "Loom")
	for deadline := time.Now().Add(30 * time.Second); ; {
		text := plainOf(loom.get("/community", http.StatusOK))
		if strings.Contains(text, "Cedar did not deliver") && strings.Contains(text, "counts against nobody") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the community blames Cedar: %.1500s", text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestTimeoutNamesWhoMissed (Mostro 532: "you cancelled" when the other side had timed out): a trade that ended by the clock names the side that missed its step, to
// both sides, and calls nothing cancelled.
func TestTimeoutNamesWhoMissed(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	ids := w.phases()
	for name, says := range map[string][2]string{"Loom": {"you did not pay", "Cedar did not deliver"}, "Cedar": {"Loom did not pay", "you did not deliver"}} {
		v := w.join(t, name)
		for i, phase := range []string{"lapsed", "refunded"} {
			text := strings.ToLower(plainOf(v.get("/trades/"+ids[phase].String(), http.StatusOK)))
			if strings.Contains(text, "cancel") || !strings.Contains(text, strings.ToLower(says[i])) {
				t.Errorf("%s, %s: no %q in %.700s", name, phase, says[i], text)
			}
		}
	}
}

// TestNoDisputeAfterTheEnd (Mostro 674: a finished trade still offered a dispute): a trade that is over offers no step but to collect the viewer's own money, and the
// steps of a dispute are refused by their address too.
func TestNoDisputeAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom", "Hazel")
	ids := w.phases()
	for _, name := range []string{"Loom", "Cedar", "Hazel"} {
		v := w.join(t, name)
		for _, phase := range []string{"released", "split", "refunded", "lapsed"} {
			path := "/trades/" + ids[phase].String()
			text := v.get(path, http.StatusOK)
			for _, move := range []string{"pay", "deliver", "release", "split", "settle", "award"} {
				if strings.Contains(text, `href="`+path+"/"+move) {
					t.Errorf("%s, %s: the page offers to %s", name, phase, move)
				}
				response, err := v.client.Get(v.base + path + "/" + move)
				if err != nil {
					t.Fatal(err)
				}
				if text := body(t, response); response.StatusCode < 400 || strings.Contains(text, `name="number"`) {
					t.Errorf("%s, %s: %s can be asked for: %d", name, phase, move, response.StatusCode)
				}
			}
		}
	}
}

// TestNoticesHaveTheirCause (Mostro 734: a notification without its cause): each event of a member's trade comes with the status that explains it: the phase, whose turn it is,
// and the consequence, in sentences that name the sums.
func TestNoticesHaveTheirCause(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	kinds := map[types.EventKind]bool{}
	for event, err := range w.api.Events(t.Context(), client.EventsOptions{From: 1, Key: w.members["Loom"].Key()}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Trade != id {
			continue
		}
		kinds[event.Kind] = true
		if event.Status == nil {
			t.Fatalf("%s has no status", event.Kind)
		}
		p := &words.Printer{Language: words.English, Viewer: event.Status.Status.Viewer, Money: func(a types.Amount) string { return a.String() + " sum" }}
		phase, turn := p.Headline(&event.Status.Status)
		if text := p.List(event.Status.Status.Else); phase == "" || turn == "" || !strings.Contains(text, "sum") {
			t.Errorf("%s: %q, %q, %q", event.Kind, phase, turn, text)
		}
		if event.Kind == types.EventDelivered {
			break
		}
	}
	if !kinds[types.EventPaid] || !kinds[types.EventDelivered] {
		t.Errorf("%v", kinds)
	}
}

// TestArbiterDispute: without a release the arbiter divides the money after confirm-by, on a page of its own, and both sides read how.
func TestArbiterDispute(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom", "Hazel")
	id, a := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Arbiter{Key: w.members["Hazel"].Key()}, payBy: 4_000, deliver: 4_000})
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	path := "/trades/" + id.String()
	hazel := w.join(t, "Hazel")
	if text := hazel.get(path, http.StatusOK); strings.Contains(text, path+"/award") {
		t.Error("the arbiter can divide before its time")
	}
	w.pass(a.Deadlines.ConfirmBy)
	if text := hazel.get(path, http.StatusOK); !strings.Contains(text, path+"/award") {
		t.Fatalf("the arbiter can't divide: %s", heading(text))
	}
	if text := w.join(t, "Loom").get(path, http.StatusOK); strings.Contains(text, path+"/award") {
		t.Error("a side can divide")
	}
	question := hazel.get(path+"/award?to_producer=0.10", http.StatusOK)
	if !strings.Contains(question, "0.10") || !strings.Contains(question, "0.34") {
		t.Errorf("the question: %s", heading(question))
	}
	hazel.answer(question, path+"/award", http.StatusOK)
	if w.phase(id) != types.PhaseAwarded {
		t.Fatal(w.phase(id))
	}
	for _, name := range []string{"Loom", "Cedar"} {
		if text := plainOf(w.join(t, name).get(path, http.StatusOK)); !strings.Contains(text, "Awarded") || !strings.Contains(text, "0.340000") || !strings.Contains(text, "0.100000") {
			t.Errorf("%s: %.800s", name, text)
		}
	}
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	var out strings.Builder
	buffer := make([]byte, 8192)
	for {
		n, err := response.Body.Read(buffer)
		out.Write(buffer[:n])
		if err != nil {
			return out.String()
		}
	}
}
