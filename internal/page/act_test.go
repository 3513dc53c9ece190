package page_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

var (
	form  = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	field = regexp.MustCompile(`<(?:input|button)[^>]*name="([^"]+)"[^>]* value="([^"]*)"`)
)

// answer sends the form of a question as a browser does that presses its first button.
func (v *visitor) answer(text, action string, status int) string {
	v.t.Helper()
	for _, found := range form.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(found[1], `action="`+action+`"`) {
			continue
		}
		values := url.Values{}
		for _, one := range field.FindAllStringSubmatch(found[2], -1) {
			values.Set(one[1], html.UnescapeString(one[2]))
		}
		return v.post(action, values, status)
	}
	v.t.Fatalf("no form leads to %s: %s", action, heading(text))
	return ""
}

// join signs a visitor in as a member.
func (w *town) join(t *testing.T, name string) *visitor {
	t.Helper()
	server, enter := w.memberPage(name)
	v := newVisitor(t, server.URL)
	v.get(enter, http.StatusOK)
	return v
}

func (w *town) phase(id types.TradeID) types.Phase {
	w.t.Helper()
	t, err := w.api.Trade(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t.Phase
}

// TestTradeByTwoPages: pay, deliver and release, each after one question with the sums and both worst losses, without scripts.
func TestTradeByTwoPages(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	path := "/trades/" + id.String()
	for _, step := range []struct {
		by, other *visitor
		move      string
		shows     []string
		want      types.Phase
		head      string
	}{
		{loom, cedar, "pay", []string{"0.42<i>0000", "locks now", "loses at worst", "0.02<i>0000"}, types.PhasePaid, "Cedar delivers next"},
		{cedar, loom, "deliver", []string{"0.02<i>0000", "locks now", "loses at worst"}, types.PhaseDelivered, "Loom releases next"},
		{loom, cedar, "release", []string{"0.42<i>0000", "gets now", "can’t be undone"}, types.PhaseReleased, ""},
	} {
		if text := step.by.get(path, http.StatusOK); !strings.Contains(text, path+"/"+step.move) {
			t.Fatalf("the page does not offer to %s", step.move)
		}
		if text := step.other.get(path, http.StatusOK); strings.Contains(text, path+"/"+step.move) {
			t.Fatalf("the page offers the other side to %s", step.move)
		}
		step.other.get(path+"/"+step.move, http.StatusUnprocessableEntity)
		question := step.by.get(path+"/"+step.move, http.StatusOK)
		for _, text := range append(step.shows, "Not yet", "data-no autofocus") {
			if !strings.Contains(question, text) {
				t.Errorf("%s: the question lacks %q", step.move, text)
			}
		}
		if w.phase(id) == step.want {
			t.Fatalf("the question alone made the trade %s", step.want)
		}
		text := step.by.answer(question, path+"/"+step.move, http.StatusOK)
		if got := w.phase(id); got != step.want {
			t.Fatalf("after %s the trade is %s", step.move, got)
		}
		if other := step.other.get(path, http.StatusOK); !strings.Contains(heading(other), "You ") && step.head != "" {
			t.Errorf("after %s the other side reads %q", step.move, heading(other))
		}
		if !strings.Contains(heading(text), step.head) {
			t.Errorf("after %s: %q", step.move, heading(text))
		}
		if again := step.by.answer(question, path+"/"+step.move, http.StatusUnprocessableEntity); !strings.Contains(again, `role="alert"`) {
			t.Errorf("%s a second time: %s", step.move, heading(again))
		}
	}
}

// TestPaymentIsSentOnce: a form that is sent twice pays once; a form of another session pays nothing.
func TestPaymentIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom, hazel := w.join(t, "Loom"), w.members["Hazel"].Key()
	ask := "/send?" + url.Values{"to": {hazel.String()}, "amount": {"1.50"}, "asset": {w.euro.ID().String()}, "memo": {"for <bread>"}}.Encode()
	question := loom.get(ask, http.StatusOK)
	if !strings.Contains(question, "1.50<i>0000") || !strings.Contains(question, hazel.String()) || !strings.Contains(question, "for &lt;bread&gt;") {
		t.Errorf("the question does not show what is sent: %s", heading(question))
	}
	if text := loom.answer(question, "/send", http.StatusOK); !strings.Contains(heading(text), "On the ledger") {
		t.Errorf("after the payment: %s", heading(text))
	}
	if text := loom.answer(question, "/send", http.StatusUnprocessableEntity); !strings.Contains(text, "sent already") {
		t.Errorf("the second time: %s", text)
	}
	balances, err := w.api.BalancesOf(t.Context(), hazel, w.euro.ID())
	if err != nil || len(balances.Balances) != 1 || balances.Balances[0].Spendable != 21_500_000 {
		t.Fatalf("%+v, %v", balances, err)
	}
	stranger := w.join(t, "Birch")
	stranger.answer(question, "/send", http.StatusBadRequest)
}

// TestTypedPaymentStays: a payment that can't be sent leads back to the form with all that was typed.
func TestTypedPaymentStays(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom, hazel := w.join(t, "Loom"), w.members["Hazel"].Key().String()
	for amount, why := range map[string]string{
		"1,50": "decimal point", "a lot": "a lot", "0": "more than nothing", "21": "20", "1.1234567": "", "-1": "", "99999999999999999999999": "",
	} {
		text := loom.get("/send?"+url.Values{"to": {hazel}, "amount": {amount}, "asset": {w.euro.ID().String()}, "memo": {"bread"}}.Encode(), http.StatusUnprocessableEntity)
		if !strings.Contains(text, `role="alert"`) || !strings.Contains(text, why) || !strings.Contains(text, `value="`+amount+`"`) || !strings.Contains(text, `value="`+hazel+`"`) || !strings.Contains(text, `value="bread"`) {
			t.Errorf("%s: what was typed is lost, or there is no reason: %q", amount, alert(text))
		}
	}
	for _, to := range []string{"lk1nonsense", "", w.members["Loom"].Key().String(), hazel[:20]} {
		if text := loom.get("/send?"+url.Values{"to": {to}, "amount": {"1"}, "asset": {w.euro.ID().String()}}.Encode(), http.StatusUnprocessableEntity); alert(text) == "" {
			t.Errorf("to %q: no reason", to)
		}
	}
}

var alerts = regexp.MustCompile(`(?s)role="alert">(.*?)</p>`)

func alert(text string) string {
	if found := alerts.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// TestTakeOffer: an offer is taken in part; one in an asset of an unknown issuer only after its issuer is trusted.
func TestTakeOffer(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom := w.join(t, "Loom")
	euro := types.Asset{Issuer: w.members["Birch"].Key(), Code: "EUR", Decimals: 2}
	w.do("Loom", func(d *wallet.Draft) error { d.Accept(euro.ID()); return nil })
	w.do("Birch", func(d *wallet.Draft) error {
		return errors.Join(d.Issue(euro, 100_000), d.Send(w.members["Loom"].Key(), euro.ID(), 50_000))
	})
	post := func(asset types.AssetID, price uint64) (id types.OfferID) {
		now := w.clock()
		w.do("Birch", func(d *wallet.Draft) (err error) {
			id, err = d.Post(types.Offer{
				Asset: asset, Goods: types.Goods{Commodity: "apple juice", Unit: "litre", Quantity: 10}, Price: types.Rate{Mantissa: price}, Deposit: types.Rate{Mantissa: price / 10},
				Bond: types.Rate{Mantissa: price / 10}, MinFill: 1, Instalments: 1, Fallback: &types.Hold{},
				Deadlines: types.Deadlines{PayBy: now.Add(20 * minute), DeliverBy: now.Add(40 * minute), ReadingBy: now.Add(60 * minute), ConfirmBy: now.Add(80 * minute)},
			}, false)
			return err
		})
		return id
	}
	good, bad := post(w.euro.ID(), 400_000), post(euro.ID(), 40)
	if text := loom.get("/market", http.StatusOK); strings.Count(text, `href="/offers/`) != 2 {
		t.Error("the market does not list both offers")
	}
	path := "/offers/" + good.String()
	question := loom.get(path+"?quantity=2", http.StatusOK)
	if !strings.Contains(question, "0.88<i>0000") {
		t.Errorf("the question does not show what is locked: %s", heading(question))
	}
	text := loom.answer(question, path, http.StatusOK)
	if !strings.Contains(heading(text), "Paid") {
		t.Errorf("after the take: %s", heading(text))
	}
	for _, quantity := range []string{"0", "11", "two", "-1"} {
		if text := loom.get(path+"?quantity="+quantity, http.StatusBadRequest); alert(text) == "" {
			t.Errorf("%s of them: no reason", quantity)
		}
	}
	path = "/offers/" + bad.String()
	if text := loom.get(path+"?quantity=2", http.StatusOK); strings.Contains(text, `method="post" action="/offers`) {
		t.Error("an offer in an unknown asset can be taken")
	}
	settings := loom.get("/settings", http.StatusOK)
	values := url.Values{"csrf": {token.FindStringSubmatch(settings)[1]}, "number": {"1"}, "quantity": {"2"}}
	loom.post(path, values, http.StatusUnprocessableEntity)
	text = loom.get("/assets/"+euro.ID().String(), http.StatusOK)
	if !strings.Contains(text, "nobody here vouches") {
		t.Errorf("the asset of a stranger: %s", heading(text))
	}
	loom.post("/assets/"+euro.ID().String()+"/trust", url.Values{"csrf": values["csrf"], "label": {"Birch"}}, http.StatusOK)
	question = loom.get(path+"?quantity=2", http.StatusOK)
	if !strings.Contains(question, "EUR by @Birch") {
		t.Error("an asset of another issuer looks like that of the community")
	}
	loom.post("/assets/"+euro.ID().String()+"/trust", url.Values{"csrf": values["csrf"]}, http.StatusOK)
	if text := loom.get(path+"?quantity=2", http.StatusOK); !strings.Contains(text, "EUR by Birch") && !strings.Contains(text, "EUR by lk1") {
		t.Error("without a label, an asset of another issuer looks like that of the community")
	}
	loom.answer(question, path, http.StatusOK)
}

// TestSplitByTwoPages: one side signs a split; the other reads its meaning, signs it and sends it.
func TestSplitByTwoPages(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	path := "/trades/" + id.String() + "/split"
	if text := loom.get(path+"?to_producer=1", http.StatusBadRequest); !strings.Contains(alert(text), "0.44") {
		t.Errorf("more than there is: %q", alert(text))
	}
	question := loom.get(path+"?to_producer=0.30", http.StatusOK)
	if !strings.Contains(question, "0.30<i>0000") || !strings.Contains(question, "0.14<i>0000") {
		t.Errorf("the question lacks the shares: %s", heading(question))
	}
	signed := loom.answer(question, path, http.StatusOK)
	if w.phase(id) != types.PhaseDelivered {
		t.Fatal("one signature split the trade")
	}
	found := regexp.MustCompile(`(?s)<textarea readonly[^>]*>(.*?)</textarea>`).FindStringSubmatch(signed)
	if found == nil {
		t.Fatalf("no text for the other side: %s", heading(signed))
	}
	text := html.UnescapeString(found[1])
	csrf := token.FindStringSubmatch(cedar.get("/proposal", http.StatusOK))[1]
	cedar.post("/proposal", url.Values{"csrf": {csrf}, "proposal": {"nonsense"}}, http.StatusUnprocessableEntity)
	means := cedar.post("/proposal", url.Values{"csrf": {csrf}, "proposal": {text}}, http.StatusOK)
	if !strings.Contains(means, "0.300000") || w.phase(id) != types.PhaseDelivered {
		t.Errorf("the proposal is not explained: %s", heading(means))
	}
	done := cedar.answer(means, "/proposal/sign", http.StatusOK)
	if w.phase(id) != types.PhaseSplit || !strings.Contains(heading(done), "Split") {
		t.Errorf("the trade is %s: %s", w.phase(id), heading(done))
	}
	if again := loom.get(path, http.StatusUnprocessableEntity); !strings.Contains(again, "split") {
		t.Errorf("a split after the split: %s", heading(again))
	}
}

// TestInstalments: the consumer releases one instalment after the other, or all.
func TestInstalments(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 1_000_000, bond: 20_000, fallback: &types.Hold{}, parts: 4})
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	loom := w.join(t, "Loom")
	path := "/trades/" + id.String() + "/release"
	question := loom.get(path+"?k=1", http.StatusOK)
	if !strings.Contains(question, "0.25<i>0000") {
		t.Errorf("the question lacks the sum of an instalment: %s", heading(question))
	}
	if text := loom.answer(question, path, http.StatusOK); !strings.Contains(text, "1 of 4") {
		t.Errorf("after one instalment: %s", heading(text))
	}
	for _, k := range []string{"1", "0", "5", "x"} {
		loom.get(path+"?k="+k, http.StatusUnprocessableEntity)
	}
	question = loom.get(path, http.StatusOK)
	if !strings.Contains(question, "0.77<i>0000") { // the rest of the payment, and the bond
		t.Errorf("the question lacks the rest: %s", heading(question))
	}
	loom.answer(question, path, http.StatusOK)
	if w.phase(id) != types.PhaseReleased {
		t.Error(w.phase(id))
	}
}

// TestRefundByPage: the payment of goods that were not delivered in time is the consumer's again, and no side reads that it cancelled.
func TestRefundByPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}, payBy: 5_000, deliver: 300})
	w.pay("Loom", id)
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	path := "/trades/" + id.String()
	if text := loom.get(path, http.StatusOK); !strings.Contains(text, "data-until") || !strings.Contains(text, "payment and deposit go back") {
		t.Errorf("the refund has no time: %s", heading(text))
	}
	w.pass(w.trade(id).Agreement.Deadlines.DeliverBy)
	text := loom.get(path, http.StatusOK)
	if !strings.Contains(text, "Cedar did not deliver") || strings.Contains(text, "cancel") {
		t.Errorf("the consumer reads %q", heading(text))
	}
	if text := cedar.get(path, http.StatusOK); !strings.Contains(text, "You did not deliver") || strings.Contains(strings.ReplaceAll(text, path+"/receipt", ""), path+"/") {
		t.Errorf("the producer reads %q, or may act", heading(text))
	}
	loom.answer(loom.get(path+"/refund", http.StatusOK), path+"/refund", http.StatusOK)
	text = loom.get(path, http.StatusOK)
	if strings.Contains(text, path+"/refund") || strings.Contains(text, path+"/split") {
		t.Errorf("a trade that is over still offers a step: %s", heading(text))
	}
}
