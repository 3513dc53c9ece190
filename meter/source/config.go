package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lockstep/meter"
)

// A Config describes a source and its values. It is written in YAML; unknown keys are refused with their line.
type Config struct {
	Template string            `yaml:"template,omitempty"` // fills in the fields that are left out
	With     map[string]string `yaml:"with,omitempty"`     // the template's parameters

	Type string `yaml:"type,omitempty"` // mqtt, http, modbus, csv or ocmf

	Broker       string `yaml:"broker,omitempty"`  // mqtt://host:1883 or mqtts://host:8883
	Version      string `yaml:"version,omitempty"` // "5" or "3.1.1"
	ClientID     string `yaml:"client_id,omitempty"`
	Username     string `yaml:"username,omitempty"`
	PasswordFile string `yaml:"password_file,omitempty"`
	Keepalive    string `yaml:"keepalive_topic,omitempty"` // published empty every 30 s, for brokers that send nothing unasked

	URL       string        `yaml:"url,omitempty"`
	TokenFile string        `yaml:"token_file,omitempty"` // sent as a bearer token
	Every     time.Duration `yaml:"every,omitempty"`      // of http and modbus

	Address string `yaml:"address,omitempty"` // host:502
	Unit    uint8  `yaml:"unit,omitempty"`    // of a Modbus server

	File       string `yaml:"file,omitempty"`
	TimeColumn string `yaml:"time_column,omitempty"` // of csv
	Comma      string `yaml:"comma,omitempty"`

	MaxGap   time.Duration `yaml:"max_gap,omitempty"`
	MaxPower string        `yaml:"max_power,omitempty"` // in W: a register that rises faster is not believed at once

	Values []Value `yaml:"values,omitempty"`
}

// A Value is one measured value of a source.
type Value struct {
	Name      string    `yaml:"name"`
	Measures  Quantity  `yaml:"measures"`
	Direction Direction `yaml:"direction"`
	Unit      string    `yaml:"unit"`            // Wh, kWh, MWh, W, kW
	Scale     string    `yaml:"scale,omitempty"` // a decimal factor, such as -1 or 0.1

	Topic  string `yaml:"topic,omitempty"`
	Path   string `yaml:"path,omitempty"`   // in JSON; without it the payload is the number
	Serial string `yaml:"serial,omitempty"` // path of the meter's serial number
	Time   string `yaml:"time,omitempty"`   // path of the time: RFC 3339, or Unix seconds or milliseconds

	Register *Register `yaml:"register,omitempty"`
	SunSpec  string    `yaml:"sunspec,omitempty"` // a point of an inverter or meter model, such as TotWhImp
	Column   string    `yaml:"column,omitempty"`
	OBIS     string    `yaml:"obis,omitempty"` // of ocmf; by default the billed register

	scale meter.Decimal
	path  path
}

// A Register is a Modbus register.
type Register struct {
	Address uint16 `yaml:"address"`
	Table   string `yaml:"table,omitempty"` // holding or input
	Type    string `yaml:"type"`            // uint16, int16, uint32, int32, uint64, int64, float32, float64
	Words   string `yaml:"words,omitempty"` // high or low: the word that comes first
}

// A Quantity is the physical quantity of a value.
type Quantity string

// The quantities.
const (
	Energy Quantity = "energy" // a register that counts up
	Power  Quantity = "power"
)

// A Direction is the way of the energy, seen from the grid's customer.
type Direction string

// The directions.
const (
	Import Direction = "import"
	Export Direction = "export"
	Net    Direction = "net" // a power that is positive for import and negative for export
)

// Bounds and defaults.
const (
	maxValues      = 100
	maxConfig      = 1 << 20
	leastEvery     = time.Second
	defaultEvery   = 10 * time.Second
	defaultGap     = 5 * time.Minute
	defaultPower   = "100000"
	defaultVersion = "5"
)

// Load reads a configuration in YAML, fills in its template and checks it.
func Load(text []byte) (*Config, error) {
	c, err := decode(text)
	if err != nil {
		return nil, err
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return c, nil
}

// decode reads one document of YAML strictly.
func decode(text []byte) (*Config, error) {
	if len(text) > maxConfig {
		return nil, fmt.Errorf("a configuration of %d bytes; the limit is %d", len(text), maxConfig)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	c := new(Config)
	if err := decoder.Decode(c); errors.Is(err, io.EOF) {
		return nil, errors.New("the configuration is empty: name a template, or a type with its values")
	} else if err != nil {
		return nil, fmt.Errorf("the configuration can't be read: %w", err)
	}
	if err := decoder.Decode(new(Config)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the configuration has a second document: give one source a file")
	}
	return c, nil
}

// Check fills in the template and the defaults, and reports the first thing that can't work.
func (c *Config) Check() error {
	if err := c.applyTemplate(); err != nil {
		return err
	}
	c.setDefaults()
	if err := c.checkType(); err != nil {
		return err
	}
	if _, err := c.maxPower(); err != nil {
		return err
	}
	if len(c.Values) == 0 || len(c.Values) > maxValues {
		return fmt.Errorf("a source has 1 to %d values, this has %d", maxValues, len(c.Values))
	}
	names := map[string]bool{}
	for i := range c.Values {
		v := &c.Values[i]
		if v.Name == "" || names[v.Name] {
			return fmt.Errorf("value %d needs a name of its own, not %q", i+1, v.Name)
		}
		names[v.Name] = true
		if err := v.check(c.Type); err != nil {
			return fmt.Errorf("value %q: %w", v.Name, err)
		}
	}
	return nil
}

func (c *Config) setDefaults() {
	if c.Every == 0 {
		c.Every = defaultEvery
	}
	if c.MaxGap == 0 {
		c.MaxGap = defaultGap
	}
	if c.MaxPower == "" {
		c.MaxPower = defaultPower
	}
	if c.Version == "" {
		c.Version = defaultVersion
	}
	if c.Comma == "" {
		c.Comma = ","
	}
	if c.TimeColumn == "" {
		c.TimeColumn = "time"
	}
	if c.Unit == 0 {
		c.Unit = 1
	}
}

func (c *Config) checkType() error {
	switch {
	case c.Every < leastEvery || c.Every > time.Hour:
		return fmt.Errorf("every %s is not between %s and an hour", c.Every, leastEvery)
	case c.MaxGap < c.Every || c.MaxGap > 24*time.Hour:
		return fmt.Errorf("max_gap %s is not between every (%s) and a day", c.MaxGap, c.Every)
	}
	switch c.Type {
	case "mqtt":
		if c.Version != "5" && c.Version != "3.1.1" {
			return fmt.Errorf("version %q of MQTT is neither 5 nor 3.1.1", c.Version)
		}
		return checkURL("broker", c.Broker, "mqtt", "mqtts")
	case "http":
		return checkURL("url", c.URL, "http", "https")
	case "modbus":
		if host, port, ok := strings.Cut(c.Address, ":"); !ok || host == "" || port == "" {
			return fmt.Errorf("address %q is not host:port, as in 192.168.1.20:502", c.Address)
		}
	case "csv", "ocmf":
		if c.File == "" {
			return errors.New("file is not given")
		}
		if c.Type == "csv" && len([]rune(c.Comma)) != 1 {
			return fmt.Errorf("comma %q is not one character", c.Comma)
		}
	case "":
		return errors.New("type is not given: mqtt, http, modbus, csv or ocmf")
	default:
		return fmt.Errorf("type %q is none of mqtt, http, modbus, csv, ocmf", c.Type)
	}
	return nil
}

func checkURL(name, text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("%s %q is not an address as in %s://host", name, text, schemes[0])
	}
	if u.User != nil {
		return fmt.Errorf("%s has a password in it: name it by username and password_file", name)
	}
	return nil
}

// maxPower is the largest power that is believed, in W.
func (c *Config) maxPower() (meter.Decimal, error) {
	d, err := meter.ParseDecimal(c.MaxPower)
	if err != nil || d.Sign() <= 0 {
		return d, fmt.Errorf("max_power %q is not a number of W above zero", c.MaxPower)
	}
	return d, nil
}

// shifts are the decimal powers of the units of energy and power.
var shifts = map[Quantity]map[string]int{ //nolint:gochecknoglobals // a constant table
	Energy: {"Wh": 0, "kWh": 3, "MWh": 6},
	Power:  {"W": 0, "kW": 3},
}

func (v *Value) check(kind string) (err error) {
	units, known := shifts[v.Measures]
	if !known {
		return fmt.Errorf("measures %q is neither energy nor power", v.Measures)
	}
	shift, known := units[v.Unit]
	if !known {
		return fmt.Errorf("unit %q is none of %s", v.Unit, v.Measures)
	}
	switch {
	case v.Direction == Import || v.Direction == Export:
	case v.Direction == Net && v.Measures == Power:
	default:
		return fmt.Errorf("direction %q is neither import nor export; a power can be net too", v.Direction)
	}
	scale := v.Scale
	if scale == "" {
		scale = "1"
	}
	if v.scale, err = meter.ParseDecimal(scale); err != nil || v.scale.Sign() == 0 {
		return fmt.Errorf("scale %q is not a number other than zero", v.Scale)
	}
	v.scale = v.scale.Shift(shift)
	if v.path, err = parsePath(v.Path); err != nil {
		return err
	}
	for _, text := range []string{v.Serial, v.Time} {
		if _, err := parsePath(text); err != nil {
			return err
		}
	}
	return v.checkPlace(kind)
}

// checkPlace wants the place of the value in its kind of source.
func (v *Value) checkPlace(kind string) error {
	switch kind {
	case "mqtt":
		if v.Topic == "" || strings.ContainsAny(v.Topic, "\x00") || len(v.Topic) > 1000 {
			return errors.New("topic is not given")
		}
	case "http":
		if v.Path == "" {
			return errors.New("path is not given: where is the number in the JSON?")
		}
	case "modbus":
		if (v.Register == nil) == (v.SunSpec == "") {
			return errors.New("give either register or sunspec")
		}
		if v.Register != nil {
			return v.Register.check()
		}
		return checkPoint(v.SunSpec)
	case "csv":
		if v.Column == "" {
			return errors.New("column is not given")
		}
	}
	return nil
}

// number reads a number as the source writes it, in W or Wh.
func (v *Value) number(text string) (meter.Decimal, error) {
	d, err := meter.ParseDecimal(strings.TrimSpace(text))
	if err != nil {
		return d, fmt.Errorf("%.40q is not a number", text)
	}
	return d.Mul(v.scale), nil
}
