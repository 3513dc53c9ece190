// Package broker publishes messages to an MQTT broker that comes and goes. It speaks MQTT 3.1.1, which every broker of home software takes.
// Nothing that a broker sends or fails to send blocks a caller for longer than its context allows.
package broker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"lockstep/internal/plaintext"
	"lockstep/types"
)

// Config names a broker. It has no place for a password, only for the file of one.
type Config struct {
	Broker       string `yaml:"broker"` // mqtt://host:1883 or mqtts://host:8883
	Username     string `yaml:"username,omitempty"`
	PasswordFile string `yaml:"password_file,omitempty"`
	ClientID     string `yaml:"client_id,omitempty"`
}

const (
	keepAlive      = 30 * time.Second
	connectTimeout = 10 * time.Second
	longestWait    = 30 * time.Second // between attempts to reach a broker
	publishTimeout = 15 * time.Second
	maxPassword    = 4096
	maxReceived    = 64 << 10 // bytes of a message from the broker
)

// Check refuses an address that can't be a broker's.
func (c *Config) Check() error {
	u, err := url.Parse(c.Broker)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts":
		return types.Refuse(types.CodeMalformed, "broker %.200q is not an address: write it as mqtt://host:1883 or mqtts://host:8883", redacted(c.Broker))
	case u.User != nil:
		return types.Refuse(types.CodeMalformed, "the address of the broker has a password in it: name it by username and password_file")
	}
	return nil
}

// redacted removes a password from an address for an error.
func redacted(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return "…" + address[at:]
	}
	return address
}

// Message is a message to publish.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
}

// Options are the parts of a connection besides its broker.
type Options struct {
	Will      *Message                           // published by the broker when the connection is lost
	Connected func()                             // called, in a goroutine of its own, after each connection
	Subscribe string                             // a topic whose messages are passed to Received
	Received  func(topic string, payload []byte) // must not block; longer messages than 64 KiB are dropped
	Log       *slog.Logger
}

// Connection is a connection that is made again whenever it is lost.
type Connection struct{ client mqtt.Client }

// Open begins to connect, and goes on until the connection is closed.
func Open(c *Config, o Options) (*Connection, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	password := ""
	if c.PasswordFile != "" {
		var err error
		if password, err = plaintext.ReadPrivate(c.PasswordFile, maxPassword); err != nil {
			return nil, err
		}
	}
	options := mqtt.NewClientOptions()
	options.AddBroker(strings.NewReplacer("mqtts://", "ssl://", "mqtt://", "tcp://").Replace(c.Broker))
	options.SetProtocolVersion(4).SetClientID(c.clientID()).SetCleanSession(true)
	options.SetUsername(c.Username).SetPassword(password)
	options.SetKeepAlive(keepAlive).SetConnectTimeout(connectTimeout).SetWriteTimeout(publishTimeout)
	options.SetAutoReconnect(true).SetMaxReconnectInterval(longestWait).SetConnectRetry(true).SetConnectRetryInterval(time.Second)
	if o.Will != nil {
		options.SetBinaryWill(o.Will.Topic, o.Will.Payload, 1, o.Will.Retained)
	}
	options.SetOnConnectHandler(func(client mqtt.Client) {
		o.Log.Info("connected", "broker", c.Broker)
		if o.Subscribe != "" {
			token := client.Subscribe(o.Subscribe, 1, func(_ mqtt.Client, m mqtt.Message) {
				if len(m.Payload()) <= maxReceived {
					o.Received(m.Topic(), m.Payload())
				}
			})
			go func() {
				if token.WaitTimeout(connectTimeout) && token.Error() != nil {
					o.Log.Warn("the broker refuses a subscription", "topic", o.Subscribe, "why", token.Error())
				}
			}()
		}
		if o.Connected != nil {
			go o.Connected()
		}
	})
	options.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		o.Log.Warn("the connection to the broker is lost", "broker", c.Broker, "why", err)
	})
	connection := &Connection{mqtt.NewClient(options)}
	connection.client.Connect() // tries until it succeeds
	return connection, nil
}

func (c *Config) clientID() string {
	if c.ClientID != "" {
		return c.ClientID
	}
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	return "lockstep-" + hex.EncodeToString(random)
}

// ErrAway is the error of a broker that is not connected.
var ErrAway = errors.New("the broker is away")

// Publish sends messages in their order and waits until the broker has all of them (quality of service 1). Without a connection it fails
// at once.
func (c *Connection) Publish(ctx context.Context, messages ...Message) error {
	ctx, stop := context.WithTimeout(ctx, publishTimeout)
	defer stop()
	for _, m := range messages {
		if !c.client.IsConnectionOpen() {
			return ErrAway
		}
		token := c.client.Publish(m.Topic, 1, m.Retained, m.Payload)
		select {
		case <-token.Done():
			if err := token.Error(); err != nil {
				return fmt.Errorf("publish to %s: %w", m.Topic, err)
			}
		case <-ctx.Done():
			return fmt.Errorf("publish to %s: the broker does not answer: %w", m.Topic, ctx.Err())
		}
	}
	return nil
}

// Close ends the connection after messages that are on their way, for a quarter of a second at most.
func (c *Connection) Close() { c.client.Disconnect(250) }
