// Package mosquitto runs a real MQTT broker, for tests only.
package mosquitto

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"lockstep/internal/component"
)

// Server is a broker on a port of its own.
type Server struct {
	t       testing.TB
	program string
	config  string
	port    int
	process *exec.Cmd
}

// New starts a broker that ends with the test. Without mosquitto the test is skipped.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, program: component.Find(t, "mosquitto", "/usr/sbin/mosquitto"), port: freePort(t)}
	s.config = filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n", s.port)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// URL is the address of the broker.
func (s *Server) URL() string { return fmt.Sprintf("mqtt://127.0.0.1:%d", s.port) }

// Start starts the broker and waits until it takes connections.
func (s *Server) Start() {
	s.t.Helper()
	s.process = exec.Command(s.program, "-c", s.config)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 400 {
		if connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
			_ = connection.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("mosquitto does not listen on port %d", s.port)
}

// Stop kills the broker: the end of a test, or a broker that dies.
func (s *Server) Stop() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

func (s *Server) connect(id string) mqtt.Client {
	s.t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", s.port)).SetClientID(id))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		s.t.Fatal(token.Error())
	}
	return client
}

// Publish sends a message.
func (s *Server) Publish(topic, message string, retained bool) {
	s.t.Helper()
	client := s.connect("publisher")
	defer client.Disconnect(100)
	if token := client.Publish(topic, 1, retained, message); token.Wait() && token.Error() != nil {
		s.t.Fatal(token.Error())
	}
}

// Box collects messages.
type Box struct {
	t        testing.TB
	mu       sync.Mutex
	messages []mqtt.Message
}

// Subscribe collects the messages of a topic filter until the test ends.
func (s *Server) Subscribe(filter string) *Box {
	s.t.Helper()
	box := &Box{t: s.t}
	client := s.connect(fmt.Sprintf("subscriber-%p", box))
	s.t.Cleanup(func() { client.Disconnect(0) })
	token := client.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) {
		box.mu.Lock()
		defer box.mu.Unlock()
		box.messages = append(box.messages, m)
	})
	if token.Wait() && token.Error() != nil {
		s.t.Fatal(token.Error())
	}
	return box
}

// All returns the messages so far.
func (b *Box) All() []mqtt.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]mqtt.Message(nil), b.messages...)
}

// Await waits for a message of a topic that a condition accepts.
func (b *Box) Await(topic string, accept func(payload []byte) bool) mqtt.Message {
	b.t.Helper()
	for range 1200 {
		for _, m := range b.All() {
			if m.Topic() == topic && accept(m.Payload()) {
				return m
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	b.t.Fatalf("no such message on %s", topic)
	return nil
}
