package page_test

import (
	"errors"
	"fmt"
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
	w.join(t, "Birch").fill("/start/trade", "/join", http.StatusOK, "name", "\u0421\u0435\u0501\u0430\u0433") // all Cyrillic
	if text := operator.get("/community", http.StatusOK); !strings.Contains(text, "each of its letters looks like one") || strings.Contains(text, "looks like that of the member") {
		t.Error("a name that is wholly in another alphabet is not marked, or is compared with newcomers")
	}
	operator.answer(text, "/admit", http.StatusOK)
	if text := operator.get("/community", http.StatusOK); strings.Count(text, "looks like that of the member Cedar") != 2 {
		t.Error("the two that imitate a member are not told from it")
	}
	w.admit("Hazel")
	w.do("Operator", func(d *wallet.Draft) error {
		d.Admit(types.Member{Key: w.members["Birch"].Key(), Name: "\u0421\u0435\u0501\u0430\u0433"})
		return nil
	})
	if text := operator.get("/keys/"+w.members["Birch"].Key().String(), http.StatusOK); !strings.Contains(heading(text), "\u0421\u0435\u0501\u0430\u0433\u00a0"+w.members["Birch"].Key().String()[:11]+"…") {
		t.Errorf("the name of the member that imitates another: %s", heading(text))
	}
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

// TestLabelsInFields: a label of the book of names stands for its key in each field that takes one, also with the wide mark of a Chinese keyboard; the fields
// complete it. An unknown one keeps the form's values and tells those that there are, and the beginning of a key receives no money.
func TestLabelsInFields(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	cedar := w.join(t, "Cedar")
	loom, hazel := w.members["Loom"].Key().String(), w.members["Hazel"].Key().String()
	send := func(to string, status int) string {
		t.Helper()
		return cedar.get("/send?amount=1.5&memo=a+crate&asset="+w.euro.ID().String()+"&to="+url.QueryEscape(to), status)
	}
	if text := send("@weaver", http.StatusUnprocessableEntity); !strings.Contains(text, "your book of names is empty") {
		t.Errorf("an empty book: %s", text)
	}
	cedar.fill("/keys/"+loom, "/keys/"+loom+"/name", http.StatusOK, "label", "Weaver")
	cedar.fill("/keys/"+hazel, "/keys/"+hazel+"/name", http.StatusOK, "label", "hazel-nut")
	for _, label := range []string{"@Weaver", "@weaver", " @WEAVER ", "\uff20weaver"} {
		if text := send(label, http.StatusOK); !strings.Contains(text, loom) || !strings.Contains(text, `name="to" value="`+loom+`"`) {
			t.Errorf("%q: no question about the key: %s", label, heading(text))
		}
		if text := cedar.get("/search?q="+url.QueryEscape(label), http.StatusOK); !strings.Contains(text, loom) || !strings.Contains(heading(text), "@Weaver") {
			t.Errorf("%q is not found: %s", label, heading(text))
		}
	}
	text := send("@weavr", http.StatusUnprocessableEntity)
	for _, want := range []string{"no key is called “@weavr”", "has @Weaver;", `value="@weavr"`, `value="1.5"`, `value="a crate"`, `list="names"`, `<option value="@Weaver">`} {
		if !strings.Contains(strings.ReplaceAll(text, "No key", "no key"), want) {
			t.Errorf("an unknown label: no %s", want)
		}
	}
	if text := send(loom[:20], http.StatusUnprocessableEntity); !strings.Contains(text, "paste the whole key") {
		t.Errorf("the beginning of a key: %s", text)
	}
	if text := cedar.get("/search?q=%40weavr", http.StatusNotFound); !strings.Contains(text, `value="@weavr"`) || !strings.Contains(text, "@Weaver") {
		t.Errorf("the search for an unknown label: %s", text)
	}
	if text := w.join(t, "Loom").get("/wallet", http.StatusOK); strings.Contains(text, "datalist") {
		t.Error("another member completes names")
	}
}

// TestBeginningsOfIDs: a unique beginning of an id is enough in an address and in the search; of several, the candidates are named.
func TestBeginningsOfIDs(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	seen := map[string]types.Asset{}
	var one, other string
	for n := 0; one == ""; n++ { // until two ids begin alike: some hundred tries
		asset := types.Asset{Issuer: w.members["Cedar"].Key(), Code: fmt.Sprintf("T%d", n), Decimals: 2}
		id := asset.ID().String()
		before, known := seen[id[:types.MinPrefix]]
		if seen[id[:types.MinPrefix]] = asset; !known {
			continue
		}
		one, other = before.ID().String(), id
		w.do("Cedar", func(d *wallet.Draft) error { return errors.Join(d.Issue(before, 100), d.Issue(asset, 100)) })
	}
	cedar := w.join(t, "Cedar")
	text := cedar.get("/assets/"+one[:types.MinPrefix], http.StatusBadRequest)
	if !strings.Contains(text, one) || !strings.Contains(text, other) {
		t.Errorf("the candidates are not named: %s", text)
	}
	if text := cedar.get("/search?q="+strings.ToUpper(one[:types.MinPrefix]), http.StatusOK); !strings.Contains(text, "/assets/"+one) || !strings.Contains(text, "/assets/"+other) {
		t.Errorf("the search lists no candidates: %s", text)
	}
	cedar.get("/assets/"+one[:16], http.StatusOK)
	if text := cedar.get("/search?q="+other[:16], http.StatusOK); !strings.Contains(text, other) {
		t.Errorf("the search goes to %s", heading(text))
	}
	if text := cedar.get("/search?q=abc", http.StatusNotFound); !strings.Contains(text, "write at least 4") {
		t.Errorf("a short text: %s", text)
	}
}
