package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"lockstep/client"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// TestOfferByPage: a member posts an offer after one question, and withdraws it.
func TestOfferByPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	cedar := w.join(t, "Cedar")
	form := url.Values{
		"goods": {"apple juice"}, "quantity": {"10"}, "unit": {"litre"}, "price": {"0.40"}, "asset": {w.euro.ID().String()}, "note": {"pressed <today>"}, "deposit": {"5"}, "bond": {"10"},
		"pay": {"60"}, "deliver": {"120"},
	}
	for name, value := range map[string]string{"price": "cheap", "quantity": "0", "deposit": "x", "bond": "-1", "pay": "0", "deliver": "99999999999"} {
		wrong := url.Values{}
		for field := range form {
			wrong.Set(field, form.Get(field))
		}
		wrong.Set(name, value)
		text := cedar.get("/sell?"+wrong.Encode(), http.StatusUnprocessableEntity)
		if alert(text) == "" || !strings.Contains(text, `value="apple juice"`) {
			t.Errorf("%s %q: no reason, or what was typed is lost", name, value)
		}
	}
	question := cedar.get("/sell?"+form.Encode(), http.StatusOK)
	if !strings.Contains(question, "0.40") || !strings.Contains(question, "0.40<i>0000") {
		t.Errorf("the question lacks the price or the bond of all: %s", heading(question))
	}
	text := cedar.answer(question, "/sell", http.StatusOK)
	var offer types.OfferID
	offers, err := w.api.Offers(t.Context(), client.Page{})
	if err != nil || len(offers.Offers) != 1 {
		t.Fatalf("%+v, %v", offers, err)
	}
	offer = offers.Offers[0].ID
	if o := offers.Offers[0].Offer; o.Goods.Quantity != 10 || o.Price.Mantissa != 400_000 || o.Deposit.Mantissa != 20_000 || o.Bond.Mantissa != 40_000 || o.Goods.Note != "pressed <today>" {
		t.Errorf("%+v", o)
	}
	if !strings.Contains(text, "/offers/"+offer.String()) {
		t.Error("the market does not list the offer")
	}
	path := "/cancel/" + offer.String()
	w.join(t, "Loom").get(path, http.StatusUnprocessableEntity)
	cedar.answer(cedar.get(path, http.StatusOK), path, http.StatusOK)
	if offers, err := w.api.Offers(t.Context(), client.Page{}); err != nil || len(offers.Offers) != 0 {
		t.Errorf("%+v, %v", offers, err)
	}
}

// TestOrderByPage: a member places an order and withdraws it; its price is read as the page writes prices.
func TestOrderByPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	product := w.book()
	loom := w.join(t, "Loom")
	path := "/market/" + product.String()
	for _, wrong := range []string{"quantity=0&limit=20", "quantity=5&limit=x", "quantity=5&limit=", "quantity=x&limit=20"} {
		if text := loom.get(path+"/order?side=bid&"+wrong, http.StatusUnprocessableEntity); alert(text) == "" || !strings.Contains(text, `action="`+path+`/order#order"`) {
			t.Errorf("%s: no reason, or no way to try again: %s", wrong, heading(text))
		}
	}
	for _, minus := range []string{"-", "%E2%88%92"} {
		if text := loom.get(path+"/order?side=offer&quantity=5&limit="+minus+"5", http.StatusUnprocessableEntity); !strings.Contains(alert(text), "auction of intake") {
			t.Errorf("a limit below zero: %s", alert(text))
		}
	}
	question := loom.get(path+"/order?side=bid&quantity=200&limit=24.5", http.StatusOK)
	if !strings.Contains(heading(question), "24.50") {
		t.Errorf("the question: %s", heading(question))
	}
	if off := loom.get(path+"/order?side=bid&quantity=200&limit=24.55", http.StatusUnprocessableEntity); !strings.Contains(off, "24.50") || !strings.Contains(off, "24.60") {
		t.Error("a limit off the grid is refused without the nearest ones")
	}
	text := loom.answer(question, path+"/order", http.StatusOK)
	if !strings.Contains(text, "You buy 200") {
		t.Error("the market does not list the order")
	}
	orders, err := w.api.KeyOrders(t.Context(), w.members["Loom"].Key(), client.Page{})
	if err != nil || len(orders.Orders) != 2 || orders.Orders[1].Order.Limit != 245 {
		t.Fatalf("%+v, %v", orders, err)
	}
	loom.answer(loom.get(path+"/withdraw/1", http.StatusOK), path+"/withdraw/1", http.StatusOK)
	if orders, err := w.api.KeyOrders(t.Context(), w.members["Loom"].Key(), client.Page{}); err != nil || len(orders.Orders) != 1 {
		t.Errorf("%+v, %v", orders, err)
	}
}

// TestOneStatus holds the page of a trade against the status of the API and the one catalogue, for each phase, each viewer and both
// languages: phase, turn, stages, options and consequences.
func TestOneStatus(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom", "Hazel", "Birch")
	ids := w.phases()
	for _, name := range []string{"Loom", "Cedar", "Hazel", "Birch"} {
		v := w.join(t, name)
		key := w.members[name].Key()
		for _, language := range words.Languages() {
			v.post("/look", url.Values{"language": {string(language)}, "back": {"/"}}, http.StatusOK)
			for phase, id := range ids {
				text := v.get("/trades/"+id.String(), http.StatusOK)
				text = strings.NewReplacer("<i>", "", "</i>", "", "\u00a0", " ").Replace(text)
				wired, err := w.api.Trade(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				a := &wired.Trade.Agreement
				status := trade.StatusAt(&wired.Trade, wired.Clock, wired.Reading, key)
				p := &words.Printer{
					Language: language, Viewer: trade.RoleOf(a, key),
					Names: map[trade.Role]string{trade.Producer: "Cedar", trade.Consumer: "Loom", trade.Arbiter: "Hazel"},
				}
				want := []string{words.Upper(p.Key(trade.PhaseKey(status.Phase)))}
				if status.Turn.Move != "" {
					want = append(want, words.Upper(p.Turn(&status.Turn)))
				}
				for _, option := range status.Options {
					want = append(want, words.Upper(p.Actor(option.Role))+"</b> "+p.Key(option.Move))
					offered := strings.Contains(text, `href="/trades/`+id.String()+"/"+strings.TrimPrefix(string(option.Move), "move."))
					if offered != option.You {
						t.Errorf("%s of %s, %s: the page offers %s: %v", phase, name, language, option.Move, offered)
					}
				}
				for _, stage := range status.Stages {
					if stage.Done || stage.Missed {
						_, after, found := strings.Cut(p.Key(stage.Stage), " ")
						if !found {
							after = p.Key(stage.Stage)
						}
						want = append(want, after)
					}
				}
				for _, part := range want {
					if !strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
						t.Errorf("%s of %s, %s: the page lacks %q", phase, name, language, part)
					}
				}
			}
		}
	}
}
