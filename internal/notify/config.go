package notify

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lockstep/internal/broker"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

// Config says where notices go. It is written in YAML; unknown keys are refused with their line. Relative paths are from its folder.
type Config struct {
	Key      string         `yaml:"key,omitempty"`      // whose trades are watched
	State    string         `yaml:"state,omitempty"`    // folder of the queue
	Language string         `yaml:"language,omitempty"` // en or zh
	Remind   time.Duration  `yaml:"remind,omitempty"`   // before a deadline
	Agent    bool           `yaml:"agent,omitempty"`    // an agent takes the steps: tell only those that still wait near their deadline
	Metrics  string         `yaml:"metrics,omitempty"`  // host:port of the metrics for Prometheus
	Journal  string         `yaml:"journal,omitempty"`  // folder of the daily journals and monthly statements
	Webhook  *WebhookConfig `yaml:"webhook,omitempty"`
	MQTT     *TopicConfig   `yaml:"mqtt,omitempty"`
}

// WebhookConfig names a receiver. Give the address in a file of its own when it holds a secret.
type WebhookConfig struct {
	URL        string `yaml:"url,omitempty"`
	URLFile    string `yaml:"url_file,omitempty"`
	SecretFile string `yaml:"secret_file"`
}

// TopicConfig names a topic at a broker.
type TopicConfig struct {
	broker.Config `yaml:",inline"`
	Topic         string `yaml:"topic,omitempty"`
}

// Defaults and bounds.
const (
	DefaultRemind = 10 * time.Minute
	DefaultTopic  = "lockstep/notices"
	maxConfig     = 1 << 20
	maxTopic      = 200
	maxSecretFile = 4096
)

// LoadConfig reads a configuration and checks it.
func LoadConfig(path string) (*Config, error) {
	text, err := plaintext.ReadFile(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &Config{Remind: DefaultRemind, State: "notices"}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); errors.Is(err, io.EOF) {
		return nil, types.Refuse(types.CodeMalformed, "%s is empty: name a webhook or an MQTT topic", path)
	} else if err != nil {
		return nil, types.Refuse(types.CodeMalformed, "%s: %v", path, err)
	}
	if err := decoder.Decode(new(Config)); !errors.Is(err, io.EOF) {
		return nil, types.Refuse(types.CodeMalformed, "%s has a second document: one is read", path)
	}
	c.locate(filepath.Dir(path))
	if err := c.check(); err != nil {
		return nil, types.Refuse(types.CodeMalformed, "%s: %v", path, err)
	}
	return c, nil
}

// locate makes relative paths start at a folder.
func (c *Config) locate(folder string) {
	paths := []*string{&c.State, &c.Journal}
	if c.Webhook != nil {
		paths = append(paths, &c.Webhook.URLFile, &c.Webhook.SecretFile)
	}
	if c.MQTT != nil {
		paths = append(paths, &c.MQTT.PasswordFile)
	}
	for _, path := range paths {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
}

func (c *Config) check() error {
	switch {
	case c.Language != "" && c.Language != "en" && c.Language != "zh":
		return errors.New("language is neither en nor zh")
	case c.Remind < 0 || c.Remind > 7*24*time.Hour:
		return errors.New("remind is not between 0 and 168h")
	case c.Webhook == nil && c.MQTT == nil:
		return errors.New("nothing says where notices go: name a webhook, or mqtt")
	}
	if w := c.Webhook; w != nil {
		if (w.URL == "") == (w.URLFile == "") {
			return errors.New("webhook: give either url or url_file")
		}
		if w.SecretFile == "" {
			return errors.New("webhook: secret_file is not given; make one with: lockstep notify secret FILE")
		}
	}
	if m := c.MQTT; m != nil {
		if m.Topic == "" {
			m.Topic = DefaultTopic
		}
		if strings.ContainsAny(m.Topic, "+#\x00") || len(m.Topic) > maxTopic {
			return errors.New("mqtt: the topic has + or #, or is too long: name one topic")
		}
		if err := m.Check(); err != nil {
			return err
		}
	}
	return nil
}

// CheckSecrets reads the secrets of the ways, so that a program refuses to start without them.
func (c *Config) CheckSecrets() error {
	if c.Webhook != nil {
		if _, err := c.Webhook.sink(); err != nil {
			return err
		}
	}
	if c.MQTT != nil && c.MQTT.PasswordFile != "" {
		_, err := plaintext.ReadPrivate(c.MQTT.PasswordFile, maxSecretFile)
		return err
	}
	return nil
}

// Sinks opens the ways of the configuration. The caller closes them by the result.
func (c *Config) Sinks(log *slog.Logger) (sinks []Sink, closeAll func(), err error) {
	closeAll = func() {}
	if c.Webhook != nil {
		webhook, err := c.Webhook.sink()
		if err != nil {
			return nil, closeAll, err
		}
		sinks = append(sinks, webhook)
	}
	if c.MQTT != nil {
		connection, err := broker.Open(&c.MQTT.Config, broker.Options{Log: log})
		if err != nil {
			return nil, closeAll, err
		}
		closeAll = connection.Close
		sinks = append(sinks, &Topic{connection, c.MQTT.Topic})
	}
	return sinks, closeAll, nil
}

func (w *WebhookConfig) sink() (*Webhook, error) {
	address := w.URL
	if w.URLFile != "" {
		text, err := plaintext.ReadPrivate(w.URLFile, maxSecretFile)
		if err != nil {
			return nil, err
		}
		address = text
	}
	text, err := plaintext.ReadPrivate(w.SecretFile, maxSecretFile)
	if err != nil {
		return nil, err
	}
	secret, err := ParseSecret(text)
	if err != nil {
		return nil, err
	}
	return NewWebhook(address, secret)
}
