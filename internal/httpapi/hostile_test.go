package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestBadSubmissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.ledger.Issue(5, "alice")
	changed := bytes.Clone(good.Bytes())
	changed[len(changed)-1] ^= 1 // the last byte of the signature
	inBase64 := func(raw []byte) string { return `{"tx":"` + base64.StdEncoding.EncodeToString(raw) + `"}` }
	for name, c := range map[string]struct {
		body, kind string
		status     int
		code       types.Code
	}{
		"empty":              {"", "application/json", 400, types.CodeMalformed},
		"not JSON":           {"tx=1", "application/json", 400, types.CodeMalformed},
		"half JSON":          {`{"tx":"`, "application/json", 400, types.CodeMalformed},
		"JSON of other kind": {`[1,2]`, "application/json", 400, types.CodeMalformed},
		"null":               {`null`, "application/json", 400, types.CodeMalformed},
		"no tx":              {`{}`, "application/json", 400, types.CodeMalformed},
		"not base64":         {`{"tx":"***"}`, "application/json", 400, types.CodeMalformed},
		"name in capitals":   {strings.Replace(submission(good), `"tx"`, `"Tx"`, 1), "application/json", 400, types.CodeMalformed},
		"name twice":         {strings.Replace(submission(good), "{", `{"tx":"",`, 1), "application/json", 400, types.CodeMalformed},
		"unknown field":      {strings.Replace(submission(good), "{", `{"wait":1,`, 1), "application/json", 400, types.CodeMalformed},
		"two submissions":    {submission(good) + submission(good), "application/json", 400, types.CodeMalformed},
		"deep":               {strings.Repeat(`[`, 100_000), "application/json", 400, types.CodeMalformed},
		"not CBOR":           {"hello", wire.CBORType, 400, types.CodeMalformed},
		"trailing byte":      {string(good.Bytes()) + "\x00", wire.CBORType, 400, types.CodeMalformed},
		"no content type":    {submission(good), "", 415, types.CodeMalformed},
		"a form":             {submission(good), "application/x-www-form-urlencoded", 415, types.CodeMalformed},
		"plain text":         {submission(good), "text/plain", 415, types.CodeMalformed},
		"bad content type":   {submission(good), "/;;=", 415, types.CodeMalformed},
		"large transaction":  {inBase64(make([]byte, types.MaxTxBytes+1)), "application/json", 413, types.CodeTooLarge},
		"large body":         {strings.Repeat(" ", 10<<20), "application/json", 413, types.CodeTooLarge},
		"bad signature":      {inBase64(changed), "application/json", 422, types.CodeSignature},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			response, text := w.ask("POST", "/v1/transactions", strings.NewReader(c.body), "Authorization", "Bearer "+token, "Content-Type", c.kind)
			w.refused(response, text, c.status, c.code)
		})
	}
	if status := get[wire.Status](w, "/v1/status"); status.Height != 1 {
		t.Errorf("something was committed: %+v", status)
	}
}

// TestLargeBodies sends whole bodies, as simple clients do, before it reads the answer: a problem, not a broken connection.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		request string
		status  int
		code    types.Code
	}{
		"a transaction": {"POST /v1/transactions", http.StatusRequestEntityTooLarge, types.CodeTooLarge},
		"a batch":       {"POST /v1/transactions/batch", http.StatusRequestEntityTooLarge, types.CodeTooLarge},
		"no such path":  {"POST /v1/nothing", http.StatusNotFound, types.CodeNotFound},
		"no such way":   {"POST /v1/status", http.StatusMethodNotAllowed, types.CodeMalformed},
		"a stranger":    {"POST /v1/transactions", http.StatusUnauthorized, types.CodeToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.in(t)
			const size = 20 << 20
			connection, err := net.Dial("tcp", w.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			authorization := "Bearer " + token
			if c.code == types.CodeToken {
				authorization = "Bearer wrong"
			}
			head := fmt.Sprintf("%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Type: application/cbor\r\nContent-Length: %d\r\n\r\n",
				c.request, authorization, size)
			if _, err := io.WriteString(connection, head); err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(connection, zeros{}, size); err != nil {
				t.Fatalf("the body can't be sent whole: %v", err)
			}
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			if err != nil || !response.Close {
				t.Errorf("%v, closes: %t", err, response.Close)
			}
			w.refused(response, text, c.status, c.code)
		})
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// An endless body is read only up to the bound of draining, and a client that waits for "100 Continue" sends no body.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := &counted{}
	endless, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/v1/transactions", body)
	if err != nil {
		t.Fatal(err)
	}
	endless.Header.Set("Authorization", "Bearer "+token)
	endless.Header.Set("Content-Type", wire.CBORType)
	if response, err := w.server.Client().Do(endless); err == nil { // else it saw the connection break before the answer
		response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", response.StatusCode)
		}
	}
	if sent := body.sent.Load(); sent >= 2*maxDrain {
		t.Errorf("%d bytes were taken", sent)
	}
	asks, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/v1/transactions", zeros{})
	if err != nil {
		t.Fatal(err)
	}
	asks.Header.Set("Expect", "100-continue")
	transport := w.server.Client().Transport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = time.Minute
	refused, err := (&http.Client{Transport: transport}).Do(asks)
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Body.Close()
	if refused.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", refused.StatusCode)
	}
}

// counted is a body of chunks, without an announced length, that counts the bytes read from it.
type counted struct{ sent atomic.Int64 }

func (c *counted) Read(p []byte) (int, error) {
	if c.sent.Add(int64(len(p))) > 4*maxDrain {
		return 0, io.EOF
	}
	return len(p), nil
}

func TestToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := submission(w.ledger.Issue(5, "alice"))
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + token + "x", "Bearer" + token, "Basic " + token, token} {
		response, text := w.ask("POST", "/v1/transactions", strings.NewReader(tx), "Authorization", authorization, "Content-Type", "application/json")
		w.refused(response, text, http.StatusUnauthorized, types.CodeToken)
		if response.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: no challenge", authorization)
		}
	}
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		response, text := w.ask("POST", "/v1/transactions", strings.NewReader(submission(w.ledger.Issue(5, "alice", scheme))), "Authorization",
			scheme+token, "Content-Type", "application/json")
		if response.StatusCode != http.StatusOK {
			t.Errorf("%q: %s", scheme, text)
		}
	}
	if log := w.log.String(); strings.Contains(log, token) || strings.Contains(log, "wrong") || !strings.Contains(log, "path=/v1/transactions") {
		t.Errorf("the log shows a secret, or nothing:\n%s", log)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	l, log := ledgertest.New(t, "test"), slog.New(slog.DiscardHandler)
	for name, config := range map[string]Config{
		"nothing": {}, "no token": {Ledger: l, Logger: log}, "no ledger": {Logger: log, Token: "x"},
		"token and open": {Ledger: l, Logger: log, Token: "x", OpenSubmit: true},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(Config{Ledger: l, Logger: log, OpenSubmit: true}); err != nil {
		t.Error(err)
	}
}

func TestBadQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := party.Key("alice").String()
	zeros := strings.Repeat("0", 64)
	for path, want := range map[string]struct {
		status int
		code   types.Code
		says   string
	}{
		"/v1/keys/" + key[:20] + flip(key[20]) + key[21:] + "/balances": {400, types.CodeMalformed, "checksum"},
		"/v1/keys/lk1/balances":                                 {400, types.CodeMalformed, "58 more characters"},
		"/v1/keys/" + zeros + "/trades":                         {400, types.CodeMalformed, "not a key"},
		"/v1/keys/%00/trades":                                   {400, types.CodeMalformed, "not a key"},
		"/v1/keys/" + key + "/trades?limit=-1":                  {400, types.CodeMalformed, "limit"},
		"/v1/keys/" + key + "/trades?limit=0":                   {400, types.CodeMalformed, "limit"},
		"/v1/keys/" + key + "/trades?limit=501":                 {400, types.CodeMalformed, "limit"},
		"/v1/keys/" + key + "/trades?open=perhaps":              {400, types.CodeMalformed, "open"},
		"/v1/keys/" + key + "/trades?after=zzz":                 {400, types.CodeMalformed, "next"},
		"/v1/offers?limit=99999999999999999999":                 {400, types.CodeMalformed, "limit"},
		"/v1/offers?after=" + strings.Repeat("x", 300):          {400, types.CodeMalformed, "after"},
		"/v1/offers?limits=1":                                   {400, types.CodeMalformed, "limits"},
		"/v1/offers/" + zeros:                                   {404, types.CodeNotFound, "offer"},
		"/v1/offers/abc":                                        {400, types.CodeMalformed, "64 hexadecimal"},
		"/v1/trades/" + zeros:                                   {404, types.CodeNotFound, "trade"},
		"/v1/trades/" + strings.Repeat("g", 64):                 {400, types.CodeMalformed, "0-9 and a-f"},
		"/v1/transactions/" + zeros:                             {404, types.CodeNotFound, "transaction"},
		"/v1/transactions/" + zeros + "?wait=1h":                {400, types.CodeMalformed, "wait"},
		"/v1/transactions/" + zeros + "?wait=-1s":               {400, types.CodeMalformed, "wait"},
		"/v1/blocks/0":                                          {400, types.CodeMalformed, "latest"},
		"/v1/blocks/-1":                                         {400, types.CodeMalformed, "latest"},
		"/v1/blocks/99999999999999999999":                       {400, types.CodeMalformed, "latest"},
		"/v1/blocks/99":                                         {404, types.CodeNotFound, "block 99"},
		"/v1/events?key=lk1":                                    {400, types.CodeMalformed, "key"},
		"/v1/events?from=-1":                                    {400, types.CodeMalformed, "from"},
		"/v1/events?from=99":                                    {409, types.CodeAhead, "block 99 is ahead of this ledger, which is at block 1"},
		"/v1/outcomes?from=3":                                   {409, types.CodeAhead, "block 3 is ahead"},
		"/v1/offers?limit=1&limit=2":                            {400, types.CodeMalformed, "given 2 times"},
		"/v1/offers?Limit=1":                                    {400, types.CodeMalformed, "Limit"},
		"/v1/offers?limit=%zz":                                  {400, types.CodeMalformed, "query"},
		"/v1/offers?limit=1;after=2":                            {400, types.CodeMalformed, "query"},
		"/v1/keys/" + key + "/coins":                            {400, types.CodeMalformed, "asset"},
		"/v1/keys/" + key + "/coins?asset=" + zeros + "&sum=-1": {400, types.CodeMalformed, "sum"},
		"/v1/keys/" + key + "/balances?asset=" + zeros + ",x":   {400, types.CodeMalformed, "asset"},
		"/v1/keys/" + key + "/balances?asset=" + strings.Repeat(zeros+",", 100) + zeros: {400, types.CodeMalformed, "asset"},
		"/v1/outputs/" + zeros:                 {400, types.CodeMalformed, "colon"},
		"/v1/outputs/" + zeros + ":x":          {400, types.CodeMalformed, "colon"},
		"/v1/outputs/" + zeros + ":4294967296": {400, types.CodeMalformed, "colon"},
		"/v1/outputs/" + zeros + ":0":          {404, types.CodeNotFound, "output"},
		"/v1/outputs/" + zeros + ":2147483649": {404, types.CodeNotFound, "output"},
		"/v1/assets/" + zeros:                  {404, types.CodeNotFound, "asset"},
		"/v1/assets?after=x":                   {400, types.CodeMalformed, "not"},
		"/v1/blocks/1/events?after=-1":         {400, types.CodeMalformed, "next"},
		"/v1/blocks/1/transactions?limit=101":  {400, types.CodeMalformed, "limit"},
		"/v1/events?trade=1":                   {400, types.CodeMalformed, "trade"},
		"/v1/nothing":                          {404, types.CodeNotFound, "/docs"},
		"/":                                    {404, types.CodeNotFound, "/docs"},
		"/v1/ids/trade/abc":                    {400, types.CodeMalformed, "prefix"},
		"/v1/ids/trade/" + zeros + "0":         {400, types.CodeMalformed, "prefix"},
		"/v1/ids/trade/wxyz":                   {400, types.CodeMalformed, "may not stand in it"},
		"/v1/ids/secret/abcd":                  {400, types.CodeMalformed, "kind"},
	} {
		t.Run(strings.ReplaceAll(path, "/", " "), func(t *testing.T) {
			w := w.in(t)
			response, text := w.ask("GET", path, nil)
			if problem := w.refused(response, text, want.status, want.code); !strings.Contains(problem.Detail, want.says) {
				t.Errorf("%q does not say %q", problem.Detail, want.says)
			}
		})
	}
}

// flip returns another character of the bech32 alphabet.
func flip(c byte) string {
	if c == 'q' {
		return "p"
	}
	return "q"
}

func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{"PUT", "DELETE", "PATCH", "POST", "OPTIONS", "BREW"} {
		response, text := w.ask(method, "/v1/status", nil)
		w.refused(response, text, http.StatusMethodNotAllowed, types.CodeMalformed)
		if response.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("Allow: %q", response.Header.Get("Allow"))
		}
		for name := range response.Header {
			if strings.HasPrefix(name, "Access-Control") {
				t.Errorf("%s invites other sites", name)
			}
		}
	}
	for _, path := range []string{"/v1/status", "/v1/events", "/docs", "/metrics"} {
		if response, text := w.ask("HEAD", path, nil); response.StatusCode != http.StatusOK || len(text) > 0 {
			t.Errorf("HEAD %s: %d %q", path, response.StatusCode, text)
		}
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for host, known := range map[string]bool{
		"localhost": true, "localhost:80": true, "LOCALHOST": true, "LocalHost.:80": true, "127.0.0.1.": true, "127.0.0.1": true, "127.9.9.9:1": true, "[::1]": true, "[::1]:8080": true,
		"evil.example": false, "127.0.0.1.evil.example": false, "localhost.evil.example:80": false, "192.168.1.1": false,
	} {
		response, text := w.ask("GET", "/v1/status", nil, "Host", host)
		if known && response.StatusCode != http.StatusOK {
			t.Errorf("%s is refused: %s", host, text)
		}
		if !known {
			w.refused(response, text, http.StatusMisdirectedRequest, types.CodeMalformed)
		}
	}
	if response, _ := w.ask("GET", "/v1/status", nil); response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("the security headers are missing")
	}
}

// broken is a real ledger in which one question fails.
type broken struct{ *ledgertest.Ledger }

func (broken) Assets(context.Context, string, wire.Page) (wire.Assets, error) {
	panic("a defect of the test")
}
func (broken) Offers(context.Context, wire.Page) (wire.Offers, error) {
	return wire.Offers{}, errors.New("the disk says something secret")
}

func TestFailures(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	w := serve(t, l, broken{l})
	for _, path := range []string{"/v1/assets", "/v1/offers"} {
		response, text := w.ask("GET", path, nil)
		problem := w.refused(response, text, http.StatusInternalServerError, types.CodeInternal)
		if strings.Contains(problem.Detail, "defect") || strings.Contains(problem.Detail, "secret") {
			t.Errorf("%s shows what is inside: %s", path, problem.Detail)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "a defect of the test") || !strings.Contains(log, "hostile_test.go") || !strings.Contains(log, "the disk says") {
		t.Errorf("the log does not say what failed:\n%s", log)
	}
}

// For any input bytes the answer is HTTP and the server stays up.
func TestRawBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, raw := range []string{
		"GET /v1/status\r\n\r\n", "\x00\x01\x02\r\n\r\n", "GET /v1/keys/%zz/balances HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
	} {
		connection, err := net.Dial("tcp", w.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(connection, raw)
		line, _ := bufio.NewReader(connection).ReadString('\n')
		if !strings.HasPrefix(line, "HTTP/1.") || !strings.Contains(line, " 4") {
			t.Errorf("%.40q is answered with %q", raw, line)
		}
		connection.Close()
	}
	get[wire.Status](w, "/v1/status")
}

func FuzzSubmission(f *testing.F) {
	l := ledgertest.New(f, "test")
	tx := l.Issue(5, "alice")
	f.Add("application/json", []byte(submission(tx)))
	f.Add(wire.CBORType, tx.Bytes())
	f.Add("application/json; charset=utf-8", []byte(`{"tx":null}`))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		tx, err := decodeSubmission(contentType, body)
		if err == nil {
			again, err := types.DecodeTx(tx.Bytes())
			if err != nil || again.ID() != tx.ID() {
				t.Fatalf("what was accepted is not a transaction: %v", err)
			}
			return
		}
		var known *problem
		if code := types.CodeOf(err); code != types.CodeMalformed && code != types.CodeTooLarge && !errors.As(err, &known) {
			t.Fatalf("refused without a reason: %v", err)
		}
	})
}
