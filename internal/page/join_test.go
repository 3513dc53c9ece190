package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

// fill sends fields with the session's token, which it finds on a page.
func (v *visitor) fill(from, action string, status int, fields ...string) string {
	v.t.Helper()
	found := token.FindStringSubmatch(v.get(from, http.StatusOK))
	if found == nil {
		v.t.Fatalf("%s has no form", from)
	}
	values := url.Values{"csrf": {found[1]}}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return v.post(action, values, status)
}

// TestJoinByPage: a newcomer to a members' ledger asks on the page, the operator admits by one click, and no other viewer sees the requests.
func TestJoinByPage(t *testing.T) {
	t.Parallel()
	w := newMembersTown(t)
	newcomer, operator := w.join(t, "Cedar"), w.join(t, "Operator")
	text := newcomer.get("/start/trade", http.StatusOK)
	if !strings.Contains(text, `action="/join"`) {
		t.Fatalf("a newcomer sees no form: %s", heading(text))
	}
	newcomer.fill("/start/trade", "/join", http.StatusOK, "name", "@Cedar")
	if text := newcomer.get("/start/trade", http.StatusOK); strings.Contains(text, `action="/join"`) || !strings.Contains(text, "Your request as") {
		t.Errorf("after it has asked: %s", text)
	}
	if text := newcomer.get("/community", http.StatusOK); strings.Contains(text, "/admit") {
		t.Error("the newcomer sees the requests")
	}
	text = operator.get("/community", http.StatusOK)
	if key := w.members["Cedar"].Key().String(); !strings.Contains(text, key) || strings.Contains(text, "@Cedar") {
		t.Errorf("the operator sees no key, or a name with the mark of its own labels")
	}
	if strings.Contains(text, "several alphabets") {
		t.Error("a plain name is marked")
	}
	w.join(t, "Hazel").fill("/start/trade", "/join", http.StatusOK, "name", "\u0421edar") // a Cyrillic letter
	if text := operator.get("/community", http.StatusOK); !strings.Contains(text, "several alphabets") {
		t.Error("a name that imitates another is not marked")
	}
	operator.answer(text, "/admit", http.StatusOK)
	member, err := w.api.Member(t.Context(), w.members["Cedar"].Key())
	if err != nil || member.Name != "Cedar" {
		t.Fatalf("%+v, %v", member, err)
	}
	if text := operator.get("/community", http.StatusOK); strings.Contains(text, w.members["Cedar"].Key().String()+`"><input type="hidden" name="name"`) {
		t.Error("the request still waits")
	}
	if text := newcomer.get("/start/trade", http.StatusOK); strings.Contains(text, `action="/join"`) {
		t.Error("a member is asked to join")
	}
	newcomer.fill("/settings", "/admit", http.StatusUnprocessableEntity, "key", w.members["Loom"].Key().String(), "name", "Loom")
}

// TestDeclineByPage: the operator declines a request with a reason, which the newcomer reads on Now and in the first start; a failed form keeps the typed name.
func TestDeclineByPage(t *testing.T) {
	t.Parallel()
	w := newMembersTown(t)
	newcomer, operator := w.join(t, "Cedar"), w.join(t, "Operator")
	const tooLong = "A name that is much longer than the thirty-two bytes of a member"
	if text := newcomer.fill("/start/trade", "/join", http.StatusUnprocessableEntity, "name", tooLong); !strings.Contains(text, `value="`+tooLong+`"`) || !strings.Contains(text, `role="alert"`) {
		t.Errorf("a name that is too long: %s", text)
	}
	newcomer.fill("/start/trade", "/join", http.StatusOK, "name", "Cedar")
	if text := newcomer.get("/", http.StatusOK); !strings.Contains(text, "Your request as Cedar waits") {
		t.Error("Now does not say that the request waits")
	}
	key := w.members["Cedar"].Key().String()
	newcomer.fill("/settings", "/decline-join", http.StatusUnprocessableEntity, "key", key, "reason", "I decline myself")
	operator.fill("/community", "/decline-join", http.StatusUnprocessableEntity, "key", key, "reason", " ")
	operator.fill("/community", "/decline-join", http.StatusOK, "key", key, "reason", "Which <house> is yours?")
	if text := operator.get("/community", http.StatusOK); strings.Contains(text, `action="/decline-join"`) {
		t.Error("the request still waits")
	}
	operator.fill("/settings", "/decline-join", http.StatusNotFound, "key", key, "reason", "Never.")
	for _, path := range []string{"/", "/start/trade"} {
		if text := newcomer.get(path, http.StatusOK); !strings.Contains(text, "has declined your request as Cedar") || !strings.Contains(text, "Which &lt;house&gt; is yours?") || !strings.Contains(text, `action="/join"`) {
			t.Errorf("%s does not tell the reason, or has no form: %s", path, text)
		}
	}
}

// TestAdmitAtAFee: where the ledger takes a fee, the operator pays it after a question only.
func TestAdmitAtAFee(t *testing.T) {
	t.Parallel()
	w := newTownWith(t, func(p *types.Params) { p.FeeAsset, p.MinFee = p.Genesis[0].Asset.ID(), 10 })
	w.do("Town", func(d *wallet.Draft) error { return d.Send(w.members["Operator"].Key(), w.euro.ID(), whole) })
	operator, key := w.join(t, "Operator"), w.members["Cedar"].Key()
	text := operator.fill("/settings", "/admit", http.StatusOK, "key", key.String(), "name", "Cedar")
	if _, err := w.api.Member(t.Context(), key); types.CodeOf(err) != types.CodeNotFound || !strings.Contains(text, "fee") || !strings.Contains(text, key.String()) {
		t.Fatalf("before the answer: %v, %s", err, text)
	}
	operator.answer(text, "/admit", http.StatusOK)
	if member, err := w.api.Member(t.Context(), key); err != nil || member.Name != "Cedar" {
		t.Errorf("%+v, %v", member, err)
	}
}

// TestNameByPage: a member's own label stands in place of a name everywhere, with its mark; it is nobody else's.
func TestNameByPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	cedar, loom := w.join(t, "Cedar"), w.join(t, "Loom")
	key := w.members["Loom"].Key()
	path := "/keys/" + key.String()
	if text := cedar.get(path, http.StatusOK); !strings.Contains(heading(text), "Loom") {
		t.Errorf("before: %s", heading(text))
	}
	cedar.fill(path, path+"/name", http.StatusOK, "label", "weaver")
	if text := cedar.get(path, http.StatusOK); !strings.Contains(heading(text), "@weaver") {
		t.Errorf("named: %s", heading(text))
	}
	if text := loom.get(path, http.StatusOK); strings.Contains(text, "weaver") || strings.Contains(text, `action="`+path+`/name"`) {
		t.Error("another member sees the label, or can name itself")
	}
	cedar.fill(path, path+"/name", http.StatusBadRequest, "label", "two words")
	cedar.fill(path, path+"/name", http.StatusOK, "label", "")
	if text := cedar.get(path, http.StatusOK); !strings.Contains(heading(text), "Loom") {
		t.Errorf("taken back: %s", heading(text))
	}
}
