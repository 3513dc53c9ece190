package source

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	mqtt3 "github.com/eclipse/paho.mqtt.golang"
)

const (
	keepAlive      = 30 * time.Second
	connectTimeout = 10 * time.Second
	longestWait    = 30 * time.Second // between attempts to reach a broker
	maxPayload     = 1 << 20
)

// runMQTT subscribes to the topics of the values. A broker that goes away is tried again, at growing intervals of up to half a
// minute, and subscribed to again.
func (s *Source) runMQTT(ctx context.Context, take func(Reading)) error {
	password, err := secret(s.config.PasswordFile)
	if err != nil {
		return err
	}
	byFilter := map[string][]*Value{}
	var filters []string
	for _, v := range s.all() {
		if byFilter[v.Topic] == nil {
			filters = append(filters, v.Topic)
		}
		byFilter[v.Topic] = append(byFilter[v.Topic], v)
	}
	var lock sync.Mutex
	over := false
	handle := func(topic string, payload []byte, retained bool) {
		lock.Lock() // one reading after another, and none after the end
		defer lock.Unlock()
		if over || len(payload) > maxPayload {
			return
		}
		for _, filter := range filters {
			if matches(filter, topic) {
				s.message(byFilter[filter], payload, retained, take)
			}
		}
	}
	defer func() {
		lock.Lock()
		defer lock.Unlock()
		over = true
	}()
	b := broker{
		Config: s.config, password: password, filters: filters, handle: handle,
		warn: func(err error) { lock.Lock(); defer lock.Unlock(); s.warn("broker", "%v", err) },
		fine: func() {
			lock.Lock()
			defer lock.Unlock()
			s.fine("broker")
			s.log.Info("connected", "broker", s.config.Broker)
		},
	}
	if s.config.Version == "3.1.1" {
		return b.run3(ctx)
	}
	return b.run5(ctx)
}

// A broker is a connection to one.
type broker struct {
	*Config
	password string
	filters  []string
	handle   func(topic string, payload []byte, retained bool)
	warn     func(error)
	fine     func()
}

func (b *broker) id() string {
	if b.ClientID != "" {
		return b.ClientID
	}
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	return "lockstep-" + hex.EncodeToString(random)
}

// run5 speaks MQTT 5.
func (b *broker) run5(ctx context.Context) error {
	address, err := url.Parse(b.Broker)
	if err != nil {
		return err
	}
	subscriptions := make([]paho.SubscribeOptions, len(b.filters))
	for i, filter := range b.filters {
		subscriptions[i] = paho.SubscribeOptions{Topic: filter, QoS: 1}
	}
	config := autopaho.ClientConfig{
		ServerUrls: []*url.URL{address}, KeepAlive: uint16(keepAlive / time.Second), ConnectTimeout: connectTimeout,
		CleanStartOnInitialConnection: true, ReconnectBackoff: backoff,
		ConnectUsername: b.Username, ConnectPassword: []byte(b.password),
		OnConnectionUp: func(manager *autopaho.ConnectionManager, _ *paho.Connack) {
			go func() { // the callback must not block
				if _, err := manager.Subscribe(ctx, &paho.Subscribe{Subscriptions: subscriptions}); err != nil && ctx.Err() == nil {
					b.warn(fmt.Errorf("the broker refuses the subscription: %w", err))
					return
				}
				b.fine()
			}()
		},
		OnConnectionDown: func() bool { b.warn(fmt.Errorf("the connection to %s is lost: waiting for it", b.Broker)); return true },
		OnConnectError:   func(err error) { b.warn(err) },
		ClientConfig: paho.ClientConfig{
			ClientID: b.id(),
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(received paho.PublishReceived) (bool, error) {
				b.handle(received.Packet.Topic, received.Packet.Payload, received.Packet.Retain)
				return true, nil
			}},
		},
	}
	manager, err := autopaho.NewConnection(ctx, config)
	if err != nil {
		return err
	}
	b.keep(ctx, func() { _, _ = manager.Publish(ctx, &paho.Publish{Topic: b.Keepalive}) }) // a failure shows as a lost connection
	<-manager.Done()
	return ctx.Err()
}

// run3 speaks MQTT 3.1.1.
func (b *broker) run3(ctx context.Context) error {
	options := mqtt3.NewClientOptions()
	options.AddBroker(strings.NewReplacer("mqtts://", "ssl://", "mqtt://", "tcp://").Replace(b.Broker))
	options.SetProtocolVersion(4).SetClientID(b.id()).SetCleanSession(true).SetOrderMatters(true)
	options.SetUsername(b.Username).SetPassword(b.password)
	options.SetKeepAlive(keepAlive).SetConnectTimeout(connectTimeout)
	options.SetAutoReconnect(true).SetMaxReconnectInterval(longestWait).SetConnectRetry(true).SetConnectRetryInterval(time.Second)
	filters := map[string]byte{}
	for _, filter := range b.filters {
		filters[filter] = 1
	}
	options.SetOnConnectHandler(func(client mqtt3.Client) {
		token := client.SubscribeMultiple(filters, func(_ mqtt3.Client, m mqtt3.Message) { b.handle(m.Topic(), m.Payload(), m.Retained()) })
		if token.WaitTimeout(connectTimeout) && token.Error() != nil {
			b.warn(fmt.Errorf("the broker refuses the subscription: %w", token.Error()))
			return
		}
		b.fine()
	})
	options.SetConnectionLostHandler(func(_ mqtt3.Client, err error) { b.warn(fmt.Errorf("the connection to %s is lost: %w", b.Broker, err)) })
	options.SetConnectionAttemptHandler(nil)
	client := mqtt3.NewClient(options)
	client.Connect() // tries until it succeeds
	defer client.Disconnect(250)
	b.keep(ctx, func() { client.Publish(b.Keepalive, 0, false, "") })
	<-ctx.Done()
	return ctx.Err()
}

// keep publishes to the topic by which some brokers are kept talking.
func (b *broker) keep(ctx context.Context, publish func()) {
	if b.Keepalive == "" {
		return
	}
	go func() {
		ticker := time.NewTicker(keepAlive)
		defer ticker.Stop()
		for first := time.After(time.Second); ; {
			select {
			case <-ctx.Done():
				return
			case <-first:
			case <-ticker.C:
			}
			publish()
		}
	}()
}

// backoff is the wait before an attempt to connect.
func backoff(attempt int) time.Duration {
	if attempt <= 0 {
		return 0
	}
	return min(500*time.Millisecond<<min(attempt-1, 10), longestWait)
}

// matches tells whether a topic fits a filter of MQTT with the wildcards + and #.
func matches(filter, topic string) bool {
	filters, topics := strings.Split(filter, "/"), strings.Split(topic, "/")
	if strings.HasPrefix(topic, "$") && (filters[0] == "+" || filters[0] == "#") {
		return false
	}
	for i, f := range filters {
		if f == "#" {
			return true
		}
		if i >= len(topics) || f != "+" && f != topics[i] {
			return false
		}
	}
	return len(filters) == len(topics)
}
