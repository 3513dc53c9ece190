package broker_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/internal/broker"
	"lockstep/internal/broker/mosquitto"
	"lockstep/types"
)

var quiet = slog.New(slog.DiscardHandler)

// send publishes within a second: a message on its way into a broker that dies is not waited for.
func send(t *testing.T, c *broker.Connection, messages ...broker.Message) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	return c.Publish(ctx, messages...)
}

func publish(t *testing.T, c *broker.Connection, messages ...broker.Message) {
	t.Helper()
	for range 1200 {
		if send(t, c, messages...) == nil {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("the broker takes nothing")
}

// A connection is made again after the broker died, keeps its subscription, and leaves its will.
func TestConnection(t *testing.T) {
	t.Parallel()
	server := mosquitto.New(t)
	received := make(chan string, 100)
	c, err := broker.Open(&broker.Config{Broker: server.URL()}, broker.Options{
		Will: &broker.Message{Topic: "lockstep/test/online", Payload: []byte("offline"), Retained: true}, Log: quiet,
		Subscribe: "homeassistant/status", Received: func(topic string, payload []byte) { received <- topic + " " + string(payload) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		box := server.Subscribe("lockstep/#")
		publish(t, c, broker.Message{Topic: "lockstep/test/a", Payload: []byte("1")}, broker.Message{Topic: "lockstep/test/b", Payload: []byte("2"), Retained: true})
		box.Await("lockstep/test/a", func(p []byte) bool { return string(p) == "1" })
		box.Await("lockstep/test/b", func(p []byte) bool { return string(p) == "2" })
		for ok := false; !ok; { // until the subscription stands
			server.Publish("homeassistant/status", strings.Repeat("x", 65<<10), false)
			server.Publish("homeassistant/status", "online", false)
			select {
			case got := <-received:
				if ok = got == "homeassistant/status online"; !ok {
					t.Fatalf("received %.60q", got)
				}
			case <-time.After(200 * time.Millisecond):
			}
		}
		server.Stop()
		for range 400 {
			if errors.Is(send(t, c, broker.Message{Topic: "lockstep/test/a"}), broker.ErrAway) {
				break
			}
			time.Sleep(25 * time.Millisecond)
		}
		server.Start()
	}
	publish(t, c, broker.Message{Topic: "lockstep/test/a"})
	c.Close()
}

func TestConfig(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	open, closed := filepath.Join(folder, "open"), filepath.Join(folder, "closed")
	if err := errors.Join(os.WriteFile(open, []byte("secret\n"), 0o600), os.WriteFile(closed, []byte("secret\n"), 0o600), os.Chmod(open, 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []broker.Config{{}, {Broker: "host:1883"}, {Broker: "http://host"}, {Broker: "mqtt://"}, {Broker: "mqtt://user:secret@host"},
		{Broker: "\x00://user:secret@host"}, {Broker: "mqtt://host", PasswordFile: open}} {
		_, err := broker.Open(&c, broker.Options{Log: quiet})
		if types.CodeOf(err) != types.CodeMalformed || strings.Contains(err.Error(), "user:secret") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := broker.Open(&broker.Config{Broker: "mqtt://host", PasswordFile: filepath.Join(folder, "none")}, broker.Options{Log: quiet}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	c, err := broker.Open(&broker.Config{Broker: "mqtt://127.0.0.1:1", PasswordFile: closed}, broker.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(t.Context(), broker.Message{Topic: "a"}); !errors.Is(err, broker.ErrAway) {
		t.Error(err)
	}
	c.Close()
}
