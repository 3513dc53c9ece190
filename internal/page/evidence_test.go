package page_test

import (
	"bytes"
	"encoding/csv"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// vector is the record and the key of the guide on meter records: a test vector of other people.
func vector(t *testing.T) (record, key string) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/how-to/verify-a-meter-record.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(name string) string {
		found := regexp.MustCompile("(?s)```text " + name + "\n(.*?)\n```").FindSubmatch(guide)
		if found == nil {
			t.Fatalf("the guide has no block %s", name)
		}
		return string(found[1])
	}
	return block("record.ocmf"), block("key")
}

// upload sends a form with a file.
func (v *visitor) upload(path, name string, content []byte, fields map[string]string, status int) string {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for key, value := range fields {
		_ = form.WriteField(key, value)
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		v.t.Fatal(err)
	}
	_, _ = part.Write(content)
	_ = form.Close()
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.base+path, &body)
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if response.StatusCode != status {
		v.t.Fatalf("%s: %d, not %d: %s", path, response.StatusCode, status, heading(string(text)))
	}
	return string(text)
}

// TestEvidenceByPage: anybody can have a meter record judged, pasted or as a file; a changed one fails with its reason. A text
// without a record is refused, and stays in its field.
func TestEvidenceByPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	server, _ := w.serve(page.Config{})
	v := newVisitor(t, server.URL)
	record, key := vector(t)
	if text := v.get("/explorer", http.StatusOK); !strings.Contains(text, `href="/evidence"`) {
		t.Error("the explorer does not lead to the page")
	}
	changed := strings.Replace(record, "3.12961", "9.12961", 1)
	for _, one := range []struct {
		name, text, key string
		status          int
		says            []string
	}{
		{"good", record, key, 200, []string{"It holds", "2372.34\u00a0Wh", "1-b"}},
		{"with its own key", "\n" + record + "\n", "", 422, nil},
		{"changed", changed, key, 200, []string{"It does not hold", "was changed since", "disagrees"}},
		{"not a key", record, "zz", 422, []string{"is not a meter’s public key", "zz"}},
		{"nothing", " ", "", 422, []string{"neither a file nor a text"}},
		{"prose", "hello <b>there</b>", "", 422, []string{"hello &lt;b&gt;there"}},
	} {
		if one.says == nil { // a file of records without a key names none
			one.status = 200
		}
		text := html.UnescapeString(v.post("/evidence", url.Values{"text": {one.text}, "key": {one.key}}, one.status))
		for _, part := range one.says {
			part = html.UnescapeString(strings.ReplaceAll(part, "’", "'"))
			if !strings.Contains(strings.ReplaceAll(text, "’", "'"), part) {
				t.Errorf("%s: no %q in %.300s", one.name, part, heading(text)+alert(text))
			}
		}
	}
	if text := v.upload("/evidence", "a.ocmf", []byte(record), map[string]string{"key": key}, 200); !strings.Contains(text, "It holds") {
		t.Errorf("as a file: %s", heading(text))
	}
	if text := v.upload("/evidence", "<i>.txt", []byte("nonsense"), nil, 422); strings.Contains(text, "<i>.txt") || !strings.Contains(text, "&lt;i&gt;.txt") {
		t.Errorf("the name of a file: %s", alert(text))
	}
	large := bytes.Repeat([]byte("x"), 512<<10+1)
	if text := v.upload("/evidence", "large.txt", large, nil, 422); !strings.Contains(text, "512 KB") {
		t.Errorf("a large file: %s", alert(text))
	}
	huge := bytes.Repeat(large, 2)
	v.upload("/evidence", "huge.txt", huge, nil, 400)
	hidden := strings.Replace(record, `"ID":"79A94A26862469"`, `"ID":"<script>alert(1)</script>"`, 1)
	if text := v.post("/evidence", url.Values{"text": {hidden}}, 200); strings.Contains(text, "<script>alert") {
		t.Error("a field of a record is code of the page")
	}
}

// TestRecomputedAuctions: the market computes each auction again, and shows its book and its rounds.
func TestRecomputedAuctions(t *testing.T) {
	t.Parallel()
	w := newTown(t, quickMarket)
	held := w.auctions(2)
	loom := w.join(t, "Loom")
	for deadline := time.Now().Add(30 * time.Second); ; { // a look recomputes as many as it has time for
		if strings.Count(loom.get("/market", http.StatusOK), "recomputed</span>") == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the auctions are not recomputed")
		}
	}
	text := loom.get("/market/"+held.String(), http.StatusOK)
	for _, part := range []string{"is over", "26.00", "Round 1", "4 signed orders", "<svg"} {
		if !strings.Contains(text, part) {
			t.Errorf("the auction lacks %q: %s", part, heading(text))
		}
	}
	if text := newVisitor(t, "http://"+w.address).get("/community", http.StatusOK); !strings.Contains(text, "Neighbours covered") || !strings.Contains(text, "25.00\u201326.00") {
		t.Errorf("the community: %s", heading(text))
	}
	product := w.nextProduct()
	path := "/market/" + product.ID().String()
	w.do("Hazel", func(d *wallet.Draft) error {
		_, err := d.Place(types.Order{Product: product, Side: types.Sell, Quantity: 100, Limit: 250}, nil)
		return err
	})
	question := loom.get(path+"/order?side=bid&quantity=100&limit=2.4", http.StatusOK)
	for _, part := range []string{"is far from", "2.40", `name="odd"`, "loses at worst", "0.00<i>3400"} {
		if !strings.Contains(question, part) {
			t.Errorf("the question of an odd price lacks %q", part)
		}
	}
	unsaid := loom.do(http.MethodPost, path+"/order", url.Values{
		"csrf": {token.FindStringSubmatch(question)[1]}, "number": {"n1"}, "side": {"bid"}, "quantity": {"100"}, "limit": {"2.4"},
	}, http.StatusUnprocessableEntity)
	if !strings.Contains(unsaid, "Nothing was signed") {
		t.Errorf("an odd price without consent: %s", heading(unsaid))
	}
	if orders, err := w.api.ProductOrders(t.Context(), product.ID(), pageOf(10)); err != nil || len(orders.Orders) != 1 {
		t.Errorf("%d orders, %v", len(orders.Orders), err)
	}
	loom.answer(question, path+"/order", http.StatusOK)
	if orders, err := w.api.ProductOrders(t.Context(), product.ID(), pageOf(10)); err != nil || len(orders.Orders) != 2 {
		t.Errorf("%d orders, %v", len(orders.Orders), err)
	}
	if usual := loom.get(path+"/order?side=bid&quantity=100&limit=25", http.StatusOK); strings.Contains(usual, `name="odd"`) {
		t.Error("a usual price is called odd")
	}
}

// TestStatement: the statement of a wallet has each movement with the balance after it, and comes to nothing before the first; the file for
// spreadsheets has the same, with times in a zone, and no text that a spreadsheet would run.
func TestStatement(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	w.phases()
	w.do("Hazel", func(d *wallet.Draft) error {
		if err := d.Send(w.members["Loom"].Key(), w.euro.ID(), 70_000); err != nil {
			return err
		}
		return d.Memo("=1+1")
	})
	w.do("Loom", func(d *wallet.Draft) error { return d.Send(w.members["Hazel"].Key(), w.euro.ID(), 5_000) })
	for _, name := range []string{"Loom", "Cedar"} {
		v := w.join(t, name)
		text := v.get("/wallet", http.StatusOK)
		for deadline := time.Now().Add(20 * time.Second); strings.Contains(text, "still being read") || strings.Contains(text, "Before that"); text = v.get("/wallet", http.StatusOK) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the payments are not there", name)
			}
		}
		for _, part := range []string{"released", "refunded", "split", "Received from", `href="/wallet/statement.csv?asset=` + w.euro.ID().String()} {
			if name == "Cedar" && part == "refunded" {
				continue
			}
			if !strings.Contains(text, part) {
				t.Errorf("the statement of %s lacks %q", name, part)
			}
		}
		for _, by := range []string{"day", "month"} {
			if text := v.get("/wallet?by="+by, http.StatusOK); !strings.Contains(text, "movements") {
				t.Errorf("by %s: %s", by, heading(text))
			}
		}
		balance, err := w.api.Balance(t.Context(), w.members[name].Key(), w.euro.ID())
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(v.get("/wallet/statement.csv?asset="+w.euro.ID().String(), http.StatusOK))).ReadAll()
		if err != nil || len(rows) < 5 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		sum := types.Amount(0)
		for i := len(rows) - 1; i > 0; i-- {
			if _, err := time.Parse(time.RFC3339, rows[i][0]); err != nil {
				t.Errorf("%s, row %d: %v", name, i, err)
			}
			in, e1 := types.ParseAmount(rows[i][3], 6)
			out, e2 := types.ParseAmount(rows[i][4], 6)
			after, e3 := types.ParseAmount(rows[i][5], 6)
			if e1 != nil || e2 != nil || e3 != nil || sum+in-out != after {
				t.Fatalf("%s, row %d: %s and %v: %v, %v, %v", name, i, sum, rows[i], e1, e2, e3)
			}
			sum = after
			if strings.HasPrefix(rows[i][12], "=") {
				t.Errorf("a memo is a formula: %v", rows[i])
			}
		}
		if sum != balance.Spendable+balance.InOrders {
			t.Errorf("the statement of %s ends at %s, its balance is %s", name, sum, balance.Spendable)
		}
	}
}
