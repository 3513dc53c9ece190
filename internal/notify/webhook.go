package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lockstep/types"
)

// Envelope is the body of a webhook, in the form of Standard Webhooks.
type Envelope struct {
	Type      Kind   `json:"type"`
	Timestamp string `json:"timestamp"` // when the matter was found
	Data      Notice `json:"data"`
}

// Secret signs webhooks.
type Secret []byte

const (
	secretPrefix = "whsec_"
	minSecret    = 24
	maxSecret    = 64
	maxAnswer    = 4 << 10
)

// NewSecret returns a new secret as text.
func NewSecret() string {
	drawn := make([]byte, 32)
	_, _ = rand.Read(drawn) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(drawn)
}

// ParseSecret reads a secret as Standard Webhooks writes it. Its errors don't quote it.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(text), secretPrefix)
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(secret) < minSecret || len(secret) > maxSecret {
		return nil, types.Refuse(types.CodeMalformed, "not the secret of a webhook: it is %s and %d to %d bytes in base64; make one with: lockstep notify secret FILE",
			secretPrefix, minSecret, maxSecret)
	}
	return secret, nil
}

// Sign returns the signature of a message: the HMAC-SHA256 of its id, its time in Unix seconds and its body.
func (s Secret) Sign(id string, at int64, body []byte) string {
	mac := hmac.New(sha256.New, s)
	fmt.Fprintf(mac, "%s.%d.", id, at)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Webhook posts notices to an address, signed by Standard Webhooks.
type Webhook struct {
	address *url.URL
	secret  Secret
	client  *http.Client
	now     func() time.Time
}

// NewWebhook returns the sink of an address. The address may hold a secret in its path, so only its host is ever logged.
func NewWebhook(address string, secret Secret) (*Webhook, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, types.Refuse(types.CodeMalformed, "the address of the webhook can't be read: write it as https://host/path")
	case u.User != nil:
		return nil, types.Refuse(types.CodeMalformed, "the address of the webhook has a password in it: receivers check the signature instead")
	}
	client := &http.Client{
		// A redirect would send the owner's affairs to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Webhook{u, secret, client, time.Now}, nil
}

// Name implements [Sink].
func (w *Webhook) Name() string { return "webhook" }

// Send implements [Sink]. An answer of 2xx means that the notice was taken; 410 that nothing more is to be sent there.
func (w *Webhook) Send(ctx context.Context, n Notice) error {
	at := w.now()
	body, err := json.Marshal(Envelope{Type: n.Kind, Timestamp: n.At.String(), Data: n})
	if err != nil {
		return errors.Join(ErrNever, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address.String(), bytes.NewReader(body))
	if err != nil {
		return errors.Join(ErrNever, w.hide(err))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "lockstep")
	request.Header.Set("Webhook-Id", n.ID)
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	request.Header.Set("Webhook-Signature", w.secret.Sign(n.ID, at.Unix(), body))
	response, err := w.client.Do(request)
	if err != nil {
		return w.hide(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // the answer's text means nothing; reading a little lets the connection be used again
	return w.judge(response)
}

// judge turns an answer into the result of a delivery.
func (w *Webhook) judge(response *http.Response) error {
	refused := fmt.Errorf("%s answers %d", w.address.Host, response.StatusCode)
	switch {
	case response.StatusCode/100 == 2:
		return nil
	case response.StatusCode == http.StatusGone:
		return fmt.Errorf("%w: %w", refused, ErrNever)
	}
	if wait := retryAfter(response.Header.Get("Retry-After"), w.now()); wait > 0 {
		return &RetryAfter{wait, refused}
	}
	return refused
}

// retryAfter reads the header of that name; zero when it says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second //nolint:gosec // 32 bits
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// hide removes the address from an error of net/http.
func (w *Webhook) hide(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("%s can't be reached: %w", w.address.Host, err)
}
