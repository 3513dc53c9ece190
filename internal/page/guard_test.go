package page_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// visitor is a browser without scripts.
type visitor struct {
	t      *testing.T
	client *http.Client
	base   string
}

func newVisitor(t *testing.T, base string) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar}, base}
}

// get loads a page and wants a status.
func (v *visitor) get(path string, status int) string {
	v.t.Helper()
	return v.do(http.MethodGet, path, nil, status)
}

// post sends a form and wants a status.
func (v *visitor) post(path string, form url.Values, status int) string {
	v.t.Helper()
	return v.do(http.MethodPost, path, form, status)
}

func (v *visitor) do(method, path string, form url.Values, status int, header ...string) string {
	v.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = v.base + path
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
	}
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
		v.t.Fatalf("%s %s: %d, not %d: %s", method, path, response.StatusCode, status, heading(string(text)))
	}
	return string(text)
}

var (
	head  = regexp.MustCompile(`(?s)<h1>(.*?)</h1>`)
	token = regexp.MustCompile(`name="csrf" value="([^"]+)"`)
)

func heading(text string) string {
	if found := head.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return text[:min(200, len(text))]
}

// TestHeaders: every answer forbids other code, frames and caches.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom, enter := w.memberPage("Loom")
	v := newVisitor(t, loom.URL)
	v.get(enter, http.StatusOK)
	for _, path := range []string{"/", "/trades", "/wallet", "/community", "/nothing", "/static/page.css", "/explorer?from=x"} {
		response, err := v.client.Get(loom.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
	text := v.get("/", http.StatusOK)
	if inline := regexp.MustCompile(`<script>|<style|\sstyle=|\son[a-z]+=|javascript:|https?://[^"]*"`).FindString(text); inline != "" {
		t.Errorf("the page has code or an address of its own: %q", inline)
	}
}

// TestOtherHosts: a name that another site lets point to this machine is refused.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom, enter := w.memberPage("Loom")
	v := newVisitor(t, loom.URL)
	v.get(enter, http.StatusOK)
	v.do(http.MethodGet, "/", nil, http.StatusMisdirectedRequest, "Host", "rebound.example")
	v.do(http.MethodPost, "/sign-out", url.Values{}, http.StatusForbidden, "Sec-Fetch-Site", "cross-site", "Origin", "https://other.example")
	v.do(http.MethodPost, "/sign-out", url.Values{}, http.StatusForbidden, "Origin", "https://other.example")
	v.get("/settings", http.StatusOK)
}

// TestFormTokens: a form without the token of its session does nothing.
func TestFormTokens(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom, enter := w.memberPage("Loom")
	v := newVisitor(t, loom.URL)
	v.get(enter, http.StatusOK)
	v.post("/sign-out", url.Values{}, http.StatusBadRequest)
	v.post("/sign-out", url.Values{"csrf": {"wrong"}}, http.StatusBadRequest)
	found := token.FindStringSubmatch(v.get("/settings", http.StatusOK))
	if found == nil {
		t.Fatal("the settings have no form with a token")
	}
	v.post("/sign-out", url.Values{"csrf": {found[1]}}, http.StatusUnauthorized) // and then the sign-in
	v.get("/settings", http.StatusUnauthorized)
}

// TestTickets: the printed link works once, and not at another time or with another token.
func TestTickets(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	loom, enter := w.memberPage("Loom")
	newVisitor(t, loom.URL).get("/", http.StatusUnauthorized)
	newVisitor(t, loom.URL).get("/enter?token=guess", http.StatusUnauthorized)
	newVisitor(t, loom.URL).get("/enter", http.StatusUnauthorized)
	newVisitor(t, loom.URL).get(enter, http.StatusOK)
	thief := newVisitor(t, loom.URL)
	thief.get(enter, http.StatusUnauthorized)
	thief.get("/wallet", http.StatusUnauthorized)
	thief.get("/live", http.StatusUnauthorized)
}

// TestSessionOver: after the idle time the page asks for the passphrase and goes on where the reader was. Requests of an open tab
// keep no session alive.
func TestSessionOver(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	now := time.Now()
	file := t.TempDir() + "/w.age"
	opened, err := wallet.Restore(file, seedOf(t, "Loom").Words(), passphrase, wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	loom, enter := w.serve(page.Config{Now: func() time.Time { return now }, Member: &page.Member{File: file, Unlocked: opened, Idle: time.Hour}})
	v := newVisitor(t, loom.URL)
	v.get(enter, http.StatusOK)
	now = now.Add(time.Hour)
	v.get("/trades?side=sold", http.StatusOK)
	now = now.Add(time.Hour)
	v.do(http.MethodGet, "/trades", nil, http.StatusOK, "X-Lockstep-Refresh", "1")
	now = now.Add(time.Millisecond)
	text := v.get("/trades?side=sold", http.StatusUnauthorized)
	if !strings.Contains(heading(text), "session is over") || !strings.Contains(text, `value="/trades?side=sold"`) {
		t.Fatalf("the page does not say that the session is over: %s", heading(text))
	}
	v.post("/sign-in", url.Values{"passphrase": {"wrong"}, "back": {"/trades?side=sold"}}, http.StatusUnauthorized)
	text = v.post("/sign-in", url.Values{"passphrase": {passphrase}, "back": {"/trades?side=sold"}}, http.StatusOK)
	if !strings.Contains(text, `aria-current="true">Sold`) {
		t.Errorf("the sign-in does not lead back: %s", heading(text))
	}
	for _, back := range []string{"https://other.example/", "//other.example", "/\\other.example", "javascript:alert(1)", ""} {
		if text := v.post("/sign-in", url.Values{"passphrase": {passphrase}, "back": {back}}, http.StatusOK); !strings.Contains(text, "Lockstep") {
			t.Errorf("the sign-in leads to %q", back)
		}
	}
}

// TestWrongPassphrases: after some tries the next one has to wait, even with the right passphrase.
func TestWrongPassphrases(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	now := time.Now()
	file := t.TempDir() + "/w.age"
	opened, err := wallet.Restore(file, seedOf(t, "Loom").Words(), passphrase, wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	opened.Close()
	loom, _ := w.serve(page.Config{Now: func() time.Time { return now }, Member: &page.Member{File: file}})
	v := newVisitor(t, loom.URL)
	for range 5 {
		v.post("/sign-in", url.Values{"passphrase": {"wrong"}}, http.StatusUnauthorized)
	}
	if text := v.post("/sign-in", url.Values{"passphrase": {passphrase}}, http.StatusUnauthorized); !strings.Contains(text, "2s") {
		t.Errorf("the page does not say how long to wait: %s", text)
	}
	now = now.Add(3 * time.Second)
	v.post("/sign-in", url.Values{"passphrase": {passphrase}}, http.StatusOK)
}

// TestForeignTexts: names, notes and codes of others are shown as text.
func TestForeignTexts(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const evil = `<img src=x onerror=alert(1)>`
	w.do("Operator", func(d *wallet.Draft) error {
		d.Admit(types.Member{Key: w.members["Cedar"].Key(), Name: `<b onclick=alert(1)>Cedar`})
		return nil
	})
	goods := juice()
	goods.Commodity, goods.Note = `"><script>alert(1)`, evil
	id, _ := w.agree("Cedar", "Loom", terms{goods: goods, price: 1000, fallback: &types.Hold{}})
	w.pay("Loom", id)
	w.do("Loom", func(d *wallet.Draft) error {
		if err := d.Send(w.members["Cedar"].Key(), w.euro.ID(), 5); err != nil {
			return err
		}
		return d.Memo(evil)
	})
	loom, enter := w.memberPage("Loom")
	v := newVisitor(t, loom.URL)
	v.get(enter, http.StatusOK)
	status, err := w.api.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/trades", "/trades/" + id.String(), "/trades/" + id.String()[:8], "/wallet", "/wallet?by=day", "/settings", "/evidence", "/community", "/community?day=" + url.QueryEscape(evil), "/trades/" + id.String() + "/readings", "/market", "/keys/" + w.members["Cedar"].Key().String(), "/search?q=" + url.QueryEscape(evil)}
	for height := status.Height; height > 0 && height+20 > status.Height; height-- {
		page, err := w.api.BlockTxs(t.Context(), height, pageOf(10))
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range page.Txs {
			paths = append(paths, "/transactions/"+tx.ID.String())
		}
	}
	for _, path := range paths {
		response, err := v.client.Get(loom.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range []string{"<img src=x", "<script>alert", "<b onclick"} {
			if strings.Contains(string(text), raw) {
				t.Errorf("%s has %s", path, raw)
			}
		}
	}
}

// TestReadOnlyPage: the community's page has no wallet, and nothing that changes anything.
func TestReadOnlyPage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := newVisitor(t, "http://"+w.address)
	for _, path := range []string{"/", "/community", "/trades", "/market", "/explorer", "/blocks/1"} {
		if text := v.get(path, http.StatusOK); strings.Contains(text, `href="/wallet"`) || strings.Contains(text, `name="csrf"`) {
			t.Errorf("%s offers a wallet", path)
		}
	}
	v.get("/trades/ffff", http.StatusNotFound)
	v.get("/blocks/99999999", http.StatusNotFound)
	v.get("/keys/lk1nonsense", http.StatusBadRequest)
	if text := v.get("/v1/status", http.StatusOK); !strings.Contains(text, `"chain_id":"town"`) {
		t.Errorf("the API is not beside the page: %s", text)
	}
	if text := v.do(http.MethodPost, "/look", url.Values{"language": {"zh"}, "back": {"/explorer"}}, http.StatusOK); !strings.Contains(text, `lang="zh-Hans"`) {
		t.Errorf("the language does not change")
	}
}
