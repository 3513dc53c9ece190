package source

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/internal/broker/mosquitto"
)

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
}

// reach waits until a port takes connections.
func reach(t testing.TB, port int) {
	t.Helper()
	for range 400 {
		if connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = connection.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nothing listens on port %d", port)
}

// A source survives a broker that dies and comes back, in both versions of the protocol, and subscribes again.
func TestMQTT(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"5", "3.1.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			broker := mosquitto.New(t)
			broker.Publish("tele/house/SENSOR", `{"SML":{"Total_in":1}}`, true)
			c := load(t, fmt.Sprintf("template: tasmota\nwith: {device: house, broker: '%s'}\nversion: '%s'\nkeepalive_topic: R/house/keepalive\n", broker.URL(), version))
			readings := make(chan Reading, 1000)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- Open(c, quiet()).Run(ctx, func(r Reading) { readings <- r }) }()
			next := func() Reading {
				select {
				case r := <-readings:
					return r
				case <-time.After(30 * time.Second):
					t.Fatal("no reading comes")
					return Reading{}
				}
			}
			if r := next(); r.Value != "import" || r.Number.String() != "1000" || !r.Retained {
				t.Fatalf("the retained message: %+v", r)
			}
			broker.Publish("tele/house/SENSOR", "rubbish", false)
			broker.Publish("tele/other/SENSOR", `{"SML":{"Total_in":9}}`, false)
			broker.Publish("tele/house/SENSOR", `{"SML":{"Total_in":2.25,"Power_curr":-300}}`, false)
			energy, power := next(), next()
			if energy.Number.String() != "2250" || energy.Retained || power.Value != "power" || power.Number.String() != "-300" {
				t.Fatalf("%+v %+v", energy, power)
			}
			broker.Stop()
			broker.Start()
			// The source finds the broker again: messages are published until one arrives.
			for deadline := time.Now().Add(60 * time.Second); ; {
				broker.Publish("tele/house/SENSOR", `{"SML":{"Total_in":3}}`, false)
				select {
				case r := <-readings:
					if r.Number.String() != "3000" || r.Steady <= energy.Steady {
						t.Fatalf("%+v", r)
					}
				case <-time.After(100 * time.Millisecond):
					if time.Now().After(deadline) {
						t.Fatal("no reading comes after the broker was away")
					}
					continue
				}
				break
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// A source waits for a broker that is not there yet, and ends when it is told to.
func TestMQTTWithoutBroker(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"5", "3.1.1"} {
		c := load(t, fmt.Sprintf("template: evcc\nwith: {broker: 'mqtt://127.0.0.1:%d'}\nversion: '%s'\n", freePort(t), version))
		ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := Open(c, quiet()).Run(ctx, func(r Reading) { t.Errorf("%+v", r) }); err != nil {
			t.Error(err)
		}
		stop()
	}
	c := load(t, "template: evcc\npassword_file: "+filepath.Join(t.TempDir(), "nothing")+"\n")
	if err := Open(c, quiet()).Run(t.Context(), func(Reading) {}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

// Each template reads the messages of its product from a real broker, in both versions of the protocol, and no values of others.
func TestTemplatesAtABroker(t *testing.T) {
	t.Parallel()
	for i, name := range Templates() {
		template, err := ReadTemplate(name)
		if err != nil {
			t.Fatal(err)
		}
		if template.Config.Type != "mqtt" {
			continue
		}
		version := []string{"5", "3.1.1"}[i%2]
		t.Run(name+" "+version, func(t *testing.T) {
			t.Parallel()
			broker := mosquitto.New(t)
			with := ""
			for parameter, value := range template.Parameters {
				if value == "" {
					with += parameter + ": example, "
				}
			}
			c := load(t, fmt.Sprintf("template: %s\nbroker: '%s'\nversion: '%s'\nwith: {%s}\n", name, broker.URL(), version, with))
			readings := make(chan Reading, 1000)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- Open(c, quiet()).Run(ctx, func(r Reading) { readings <- r }) }()
			want := map[string]bool{}
			for _, example := range template.Examples {
				for value, number := range example.Means {
					want[value+" "+number] = true
				}
			}
			got := map[string]bool{}
			for deadline := time.Now().Add(60 * time.Second); len(got) < len(want); {
				if time.Now().After(deadline) {
					t.Fatalf("read %v, want %v", got, want)
				}
				for _, example := range template.Examples {
					broker.Publish(example.Topic, example.Message, false)
					broker.Publish(example.Topic+"/other", "1", false)
				}
				for wait := time.After(100 * time.Millisecond); wait != nil; {
					select {
					case r := <-readings:
						got[r.Value+" "+r.Number.String()] = true
					case <-wait:
						wait = nil
					}
				}
			}
			for reading := range got {
				if !want[reading] {
					t.Errorf("read %s, which no message means", reading)
				}
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
