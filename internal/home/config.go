package home

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"lockstep/internal/broker"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

// Config names the values to publish and their broker. It is written in YAML; unknown keys are refused with their line.
type Config struct {
	broker.Config `yaml:",inline"`
	Key           string `yaml:"key"`                // whose trades are shown
	Asset         string `yaml:"asset"`              // in which energy is paid, by its code or its id
	Currency      string `yaml:"currency,omitempty"` // its currency in ISO 4217; by default the code of the asset
	Zone          string `yaml:"zone,omitempty"`
	Buy           string `yaml:"buy,omitempty"`  // reference prices for a kWh, such as 0.31
	Sell          string `yaml:"sell,omitempty"` //
	ID            string `yaml:"id,omitempty"`
	Name          string `yaml:"name,omitempty"`
	Prefix        string `yaml:"prefix,omitempty"`
	Language      string `yaml:"language,omitempty"`
}

const maxConfig = 1 << 20

// LoadConfig reads a configuration and checks it.
func LoadConfig(path string) (*Config, error) {
	text, err := plaintext.ReadFile(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &Config{ID: "lockstep", Name: "Energy community", Prefix: "homeassistant"}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, types.Refuse(types.CodeMalformed, "%s: %v", path, err)
	}
	if err := decoder.Decode(new(Config)); !errors.Is(err, io.EOF) {
		return nil, types.Refuse(types.CodeMalformed, "%s has a second document: one is read", path)
	}
	if c.PasswordFile != "" && !filepath.IsAbs(c.PasswordFile) {
		c.PasswordFile = filepath.Join(filepath.Dir(path), c.PasswordFile)
	}
	if err := c.check(); err != nil {
		return nil, types.Refuse(types.CodeMalformed, "%s: %v", path, err)
	}
	return c, nil
}

func (c *Config) check() error {
	if err := errors.Join(c.Config.Check(), CheckID(c.ID), CheckID(c.Prefix)); err != nil {
		return err
	}
	switch {
	case c.Key == "" || c.Asset == "":
		return errors.New("key and asset are needed: whose trades, paid in which asset?")
	case c.Language != "" && c.Language != "en" && c.Language != "zh":
		return errors.New("language is neither en nor zh")
	}
	return types.CheckText("name", c.Name, types.MaxNote)
}
