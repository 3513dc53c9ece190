package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/internal/broker"
	"lockstep/internal/broker/mosquitto"
	"lockstep/types"
)

var quiet = slog.New(slog.DiscardHandler)

// The example of the Standard Webhooks specification.
func TestSign(t *testing.T) {
	t.Parallel()
	secret, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := secret.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`)); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	if secret, err := ParseSecret(NewSecret()); err != nil || len(secret) != 32 {
		t.Errorf("a new secret of %d bytes: %v", len(secret), err)
	}
	for _, text := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "whsec_?", "whsec_" + strings.Repeat("AAAA", 22)} {
		if _, err := ParseSecret(text); types.CodeOf(err) != types.CodeMalformed || text != "" && strings.Contains(err.Error(), text+"x") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// receiver is an owner's server: it checks signatures and drops ids that it has seen, as receivers of Standard Webhooks do.
type receiver struct {
	t      *testing.T
	secret Secret
	answer func(r *http.Request, attempt int) int

	mu    sync.Mutex
	tries map[string]int
	seen  map[string]string // body by id
}

func newReceiver(t *testing.T, answer func(*http.Request, int) int) (*receiver, string) {
	t.Helper()
	secret, err := ParseSecret(NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, secret: secret, answer: answer, tries: map[string]int{}, seen: map[string]string{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, server.URL + "/hook/topsecret"
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(request.Body)
	id := request.Header.Get("webhook-id")
	at, bad := strconv.ParseInt(request.Header.Get("webhook-timestamp"), 10, 64)
	if err != nil || bad != nil || request.Header.Get("webhook-signature") != r.secret.Sign(id, at, body) {
		r.t.Errorf("a bad message %q: %v %v %v", id, err, bad, request.Header)
	}
	if age := time.Since(time.Unix(at, 0)); age < -time.Minute || age > time.Minute {
		r.t.Errorf("a message of %s ago", age)
	}
	var envelope Envelope
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Data.ID != id || envelope.Type != envelope.Data.Kind || envelope.Timestamp == "" || envelope.Data.Cause == "" {
		r.t.Errorf("%v: %s", err, body)
	}
	r.tries[id]++
	status := r.answer(request, r.tries[id])
	if status == 0 {
		panic(http.ErrAbortHandler) // the receiver dies
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	if status/100 == 2 || status == http.StatusGone {
		r.seen[id] = string(body)
	}
	w.WriteHeader(status)
	_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000)) // more than anybody reads
}

func (r *receiver) ids() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

func quick(int) time.Duration { return time.Millisecond }

// await waits for a condition.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2400 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("does not come: " + what)
}

func start(t *testing.T, c *Courier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Failed deliveries are tried again, one that fails does not hold up the others, and no log has the path of the address.
func TestCourier(t *testing.T) {
	t.Parallel()
	answers := []int{500, 0, 302, 429, 204}
	receiver, address := newReceiver(t, func(r *http.Request, attempt int) int {
		if r.Header.Get("webhook-id") == "stuck" && attempt < 20 {
			return 400
		}
		return answers[min(attempt-1, len(answers)-1)]
	})
	webhook, err := NewWebhook(address, receiver.secret)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	q := openQueue(t, t.TempDir(), "webhook")
	add(t, q, "stuck", true)
	add(t, q, "first", true)
	stop := start(t, &Courier{Queue: q, Sink: webhook, Log: slog.New(slog.NewTextHandler(&log, nil)), Wait: quick})
	await(t, "the first notice", func() bool { return receiver.ids() >= 1 })
	add(t, q, "second", true) // it wakes the courier
	await(t, "all notices", func() bool { return receiver.ids() == 3 && len(q.Pending()) == 0 })
	stop()
	if receiver.tries["first"] != 5 || receiver.tries["second"] != 5 || receiver.tries["stuck"] < 20 {
		t.Errorf("%v", receiver.tries)
	}
	if strings.Contains(log.String(), "topsecret") || !strings.Contains(log.String(), "answers 500") {
		t.Errorf("the log:\n%.2000s", log.String())
	}
}

// A receiver that is gone for ever is not asked again; one that never answers does not hold the program.
func TestCourierGone(t *testing.T) {
	t.Parallel()
	receiver, address := newReceiver(t, func(*http.Request, int) int { return http.StatusGone })
	webhook, err := NewWebhook(address, receiver.secret)
	if err != nil {
		t.Fatal(err)
	}
	q := openQueue(t, t.TempDir(), "webhook")
	add(t, q, "a", true)
	stop := start(t, &Courier{Queue: q, Sink: webhook, Log: quiet, Wait: quick})
	await(t, "the end", func() bool { return len(q.Pending()) == 0 })
	stop()
	if receiver.tries["a"] != 1 {
		t.Errorf("%v", receiver.tries)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	if webhook, err = NewWebhook(silent.URL+"/topsecret", receiver.secret); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := webhook.Send(ctx, notice("b")); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Error(err)
	}
	for _, address := range []string{"", "host/path", "ftp://host", "https://user:hush@host", "https://\x00hush"} {
		if _, err := NewWebhook(address, receiver.secret); types.CodeOf(err) != types.CodeMalformed || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, most := range map[int]time.Duration{0: firstBackoff, 1: firstBackoff, 2: 2 * firstBackoff, 9: 256 * firstBackoff, 11: lastBackoff, 1000: lastBackoff} {
		for range 100 {
			if wait := backoff(attempt); wait < most/2 || wait > most {
				t.Errorf("after %d: %s", attempt, wait)
			}
		}
	}
	c := &Courier{}
	for asked, want := range map[time.Duration]time.Duration{0: time.Second, time.Minute: time.Minute, 24 * time.Hour: lastBackoff} {
		if got := c.after(1, &RetryAfter{asked, errors.New("busy")}); got != want {
			t.Errorf("%s: %s", asked, got)
		}
	}
	now := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "Fri, 27 Nov 2026 08:01:00 GMT": time.Minute, "Fri, 27 Nov 2026 07:00:00 GMT": 0} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestTopic(t *testing.T) {
	t.Parallel()
	server := mosquitto.New(t)
	box := server.Subscribe("lockstep/#")
	connection, err := broker.Open(&broker.Config{Broker: server.URL()}, broker.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	q := openQueue(t, t.TempDir(), "mqtt")
	add(t, q, "a", true)
	stop := start(t, &Courier{Queue: q, Sink: &Topic{connection, DefaultTopic}, Log: quiet, Wait: quick})
	defer stop()
	m := box.Await(DefaultTopic, func([]byte) bool { return true })
	var envelope Envelope
	if err := json.Unmarshal(m.Payload(), &envelope); err != nil || envelope.Data.ID != "a" || envelope.Type != YourTurn || m.Retained() {
		t.Errorf("%v: %s", err, m.Payload())
	}
	await(t, "an empty queue", func() bool { return len(q.Pending()) == 0 })
}

// killedEnv names the address of the receiver in the process that is killed.
const killedEnv = "LOCKSTEP_NOTIFY_KILLED"

// TestKilled kills a process that queues and delivers notices, at random moments, with a receiver that fails now and then. Each notice arrives, and
// no notice is queued twice: a receiver that drops ids it has seen has each of them once.
func TestKilled(t *testing.T) {
	t.Parallel()
	receiver, address := newReceiver(t, func(_ *http.Request, attempt int) int { return []int{503, 200}[min(attempt-1, 1)] })
	folder := t.TempDir()
	const notices = 60
	killed := 0
	for round := 0; receiver.ids() < notices || round < 5; round++ {
		if round > 200 {
			t.Fatalf("%d of %d notices after %d rounds", receiver.ids(), notices, round)
		}
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), killedEnv+"="+address, "SECRET="+secretText(receiver.secret), "FOLDER="+folder, fmt.Sprint("NOTICES=", notices))
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadFull(output, make([]byte, 1)) // it begins
		time.Sleep(time.Duration(round%7) * 9 * time.Millisecond)
		if err := command.Process.Kill(); err == nil {
			killed++
		}
		_ = command.Wait() // killed
	}
	q := openQueue(t, folder, "webhook")
	for _, n := range q.Pending() {
		t.Logf("%s was taken, and the process was killed before it noted so", n.ID)
	}
	if len(q.seen) != notices || receiver.ids() != notices || killed == 0 {
		t.Errorf("%d queued, %d received, %d times killed", len(q.seen), receiver.ids(), killed)
	}
}

func secretText(s Secret) string {
	text, _ := json.Marshal([]byte(s))
	return secretPrefix + strings.Trim(string(text), `"`)
}

// TestMain runs the process that [TestKilled] kills, where its environment asks for it.
func TestMain(m *testing.M) {
	address := os.Getenv(killedEnv)
	if address == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, queueAndSend(address))
	os.Exit(1)
}

// queueAndSend queues the notices and sends them, until it is killed.
func queueAndSend(address string) error {
	secret, err := ParseSecret(os.Getenv("SECRET"))
	if err != nil {
		return err
	}
	webhook, err := NewWebhook(address, secret)
	if err != nil {
		return err
	}
	var q *Queue
	for range 100 { // until the lock of the killed process is free
		if q, err = OpenQueue(os.Getenv("FOLDER"), "webhook"); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	notices, err := strconv.Atoi(os.Getenv("NOTICES"))
	if err != nil {
		return err
	}
	fmt.Print(".")
	go func() { _ = (&Courier{Queue: q, Sink: webhook, Log: quiet, Wait: quick}).Run(context.Background()) }()
	for i := range notices {
		if _, err := q.Add(notice(fmt.Sprint("n", i))); err != nil {
			return err
		}
	}
	select {} // until it is killed
}

func TestLoadConfig(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	load := func(text string) (*Config, error) {
		path := filepath.Join(folder, "notify.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return LoadConfig(path)
	}
	c, err := load("webhook: {url: 'https://host/hook', secret_file: hook.secret}\nmqtt: {broker: 'mqtt://host', username: me, password_file: /etc/pw}\n")
	if err != nil || c.Remind != DefaultRemind || c.State != filepath.Join(folder, "notices") || c.Webhook.SecretFile != filepath.Join(folder, "hook.secret") ||
		c.MQTT.Topic != DefaultTopic || c.MQTT.PasswordFile != "/etc/pw" || c.MQTT.Broker != "mqtt://host" {
		t.Fatalf("%+v %v", c, err)
	}
	for text, says := range map[string]string{
		"":                                 "is empty",
		"remind: 10m\n":                    "nothing says where notices go",
		"colour: red\n":                    "line 1: field colour not found",
		"webhook: {url: 'https://host'}\n": "secret_file is not given",
		"webhook: {secret_file: a}\n":      "either url or url_file",
		"webhook: {url: a, url_file: b, secret_file: a}\n":                    "either url or url_file",
		"mqtt: {broker: 'host'}\n":                                            "mqtt://host:1883",
		"mqtt: {broker: 'mqtt://a:hush@host'}\n":                              "has a password in it",
		"mqtt: {broker: 'mqtt://host', topic: 'a/#'}\n":                       "name one topic",
		"mqtt: {broker: 'mqtt://host'}\nlanguage: fr\n":                       "neither en nor zh",
		"mqtt: {broker: 'mqtt://host'}\nremind: -1s\n":                        "remind",
		"mqtt: {broker: 'mqtt://host'}\n---\nmqtt: {broker: 'mqtt://host'}\n": "second document",
		"mqtt: [\n": "did not find",
	} {
		if _, err := load(text); types.CodeOf(err) != types.CodeMalformed || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if c, err = load("webhook: {url_file: hook.url, secret_file: hook.secret}\n"); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"hook.url": "https://host/topsecret\n", "hook.secret": NewSecret()} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if sinks, stop, err := c.Sinks(quiet); err != nil || len(sinks) != 1 || sinks[0].Name() != "webhook" {
		t.Errorf("%v %v", sinks, err)
	} else {
		stop()
	}
	if err := os.Chmod(filepath.Join(folder, "hook.secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Sinks(quiet); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if err := c.CheckSecrets(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
}
