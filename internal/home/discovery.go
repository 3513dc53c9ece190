package home

import (
	"encoding/json"
	"math/big"
	"strings"

	"lockstep/internal/broker"
	"lockstep/types"
)

// Device names the device in Home Assistant.
type Device struct {
	ID      string // letters, digits, - and _: it names topics and entities
	Name    string // as people see it
	Prefix  string // of the discovery topics; Home Assistant's default is homeassistant
	Version string // of this program
}

// Values are the present values of a household.
type Values struct {
	Currency  string // ISO 4217, as Home Assistant's energy dashboard expects
	Decimals  uint8  // of the asset
	BuyPrice  *float64
	SellPrice *float64 // of this slot, in whole money for a kWh; nil while they are not known
	Totals    Totals
	Spendable types.Amount
	Locked    types.Amount // in trades and orders
	Open      int          // trades that have not ended
	Waiting   int          // of them, those that wait for the owner
	Last      []LastTrade  // newest first
}

// LastTrade is the state of a trade in words.
type LastTrade struct {
	Trade types.TradeID `json:"trade"`
	Role  string        `json:"role"`
	Goods string        `json:"goods"`
	Sum   string        `json:"sum"`
	State string        `json:"state"`
	Next  string        `json:"next,omitempty"`
}

// CheckID refuses an id that Home Assistant would not take in a topic.
func CheckID(id string) error {
	if id == "" || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return types.Refuse(types.CodeText, "%.80q is not an id for Home Assistant: 1 to 64 letters, digits, - and _ are needed", id)
	}
	return nil
}

// The topics of a device.
func (d *Device) base() string         { return "lockstep/" + d.ID }
func (d *Device) state() string        { return d.base() + "/state" }
func (d *Device) trades() string       { return d.base() + "/trades" }
func (d *Device) availability() string { return d.base() + "/availability" }

// ConfigTopic is the topic of the device's discovery.
func (d *Device) ConfigTopic() string { return d.Prefix + "/device/" + d.ID + "/config" }

// BirthTopic is where Home Assistant says that it has started.
func (d *Device) BirthTopic() string { return d.Prefix + "/status" }

// Online and Offline are the messages of the device's availability; the second is the will of the connection.
func (d *Device) Online() broker.Message {
	return broker.Message{Topic: d.availability(), Payload: []byte("online"), Retained: true}
}

// Offline is the counterpart of [Device.Online].
func (d *Device) Offline() broker.Message {
	return broker.Message{Topic: d.availability(), Payload: []byte("offline"), Retained: true}
}

// component is an entity of the device, in the words of Home Assistant.
type component struct {
	Platform      string `json:"platform"`
	UniqueID      string `json:"unique_id"`
	Name          string `json:"name"`
	ValueTemplate string `json:"value_template"`
	DeviceClass   string `json:"device_class,omitempty"`
	StateClass    string `json:"state_class,omitempty"`
	Unit          string `json:"unit_of_measurement,omitempty"`
	Precision     *int   `json:"suggested_display_precision,omitempty"`
	Icon          string `json:"icon,omitempty"`
	PayloadOn     string `json:"payload_on,omitempty"`
	PayloadOff    string `json:"payload_off,omitempty"`
	Attributes    string `json:"json_attributes_topic,omitempty"`
}

// discovery is the message by which Home Assistant learns of the device.
type discovery struct {
	Device struct {
		Identifiers  []string `json:"identifiers"`
		Name         string   `json:"name"`
		Manufacturer string   `json:"manufacturer"`
		Model        string   `json:"model"`
		Version      string   `json:"sw_version,omitempty"`
	} `json:"device"`
	Origin struct {
		Name    string `json:"name"`
		Version string `json:"sw_version,omitempty"`
	} `json:"origin"`
	Components        map[string]component `json:"components"`
	StateTopic        string               `json:"state_topic"`
	AvailabilityTopic string               `json:"availability_topic"`
	QoS               int                  `json:"qos"`
}

// state is the message with all values. Numbers are exact decimals.
type state struct {
	BuyPrice  *float64    `json:"buy_price"`
	SellPrice *float64    `json:"sell_price"`
	Bought    json.Number `json:"bought"`
	Sold      json.Number `json:"sold"`
	Paid      json.Number `json:"paid"`
	Earned    json.Number `json:"earned"`
	Spendable json.Number `json:"spendable"`
	Locked    json.Number `json:"locked"`
	Open      int         `json:"open"`
	NeedsYou  string      `json:"needs_you"`
	Last      string      `json:"last"`
}

// components lists the entities of the device.
func (d *Device) components(currency string) map[string]component {
	precision := func(n int) *int { return &n }
	all := map[string]component{
		"buy_price":  {Name: "Buy price", Unit: currency + "/kWh", StateClass: "measurement", Icon: "mdi:cash-minus", Precision: precision(4)},
		"sell_price": {Name: "Sell price", Unit: currency + "/kWh", StateClass: "measurement", Icon: "mdi:cash-plus", Precision: precision(4)},
		"bought":     {Name: "Bought energy", DeviceClass: "energy", StateClass: "total_increasing", Unit: "kWh", Precision: precision(2)},
		"sold":       {Name: "Sold energy", DeviceClass: "energy", StateClass: "total_increasing", Unit: "kWh", Precision: precision(2)},
		"paid":       {Name: "Paid for energy", DeviceClass: "monetary", StateClass: "total", Unit: currency, Precision: precision(2)},
		"earned":     {Name: "Earned with energy", DeviceClass: "monetary", StateClass: "total", Unit: currency, Precision: precision(2)},
		"spendable":  {Name: "Spendable money", DeviceClass: "monetary", StateClass: "total", Unit: currency, Precision: precision(2)},
		"locked":     {Name: "Locked money", DeviceClass: "monetary", StateClass: "total", Unit: currency, Precision: precision(2)},
		"open":       {Name: "Open trades", StateClass: "measurement", Icon: "mdi:handshake"},
		"last":       {Name: "Last trade", Icon: "mdi:history", Attributes: d.trades()},
		"needs_you":  {Platform: "binary_sensor", Name: "Needs you", DeviceClass: "problem", PayloadOn: "ON", PayloadOff: "OFF"},
	}
	for key, c := range all { // any order: each is by itself
		if c.Platform == "" {
			c.Platform = "sensor"
		}
		c.UniqueID, c.ValueTemplate = "lockstep_"+d.ID+"_"+key, "{{ value_json."+key+" }}"
		all[key] = c
	}
	return all
}

// Discovery is the message by which Home Assistant learns of the device: retained, and published again when Home Assistant has started.
func Discovery(d *Device, currency string) (broker.Message, error) {
	var message discovery
	message.Device.Identifiers, message.Device.Name = []string{"lockstep_" + d.ID}, d.Name
	message.Device.Manufacturer, message.Device.Model, message.Device.Version = "Lockstep", "Energy community", d.Version
	message.Origin.Name, message.Origin.Version = "lockstep", d.Version
	message.Components, message.StateTopic, message.AvailabilityTopic, message.QoS = d.components(currency), d.state(), d.availability(), 1
	payload, err := json.Marshal(message)
	return broker.Message{Topic: d.ConfigTopic(), Payload: payload, Retained: true}, err
}

// maxState is the longest state that Home Assistant takes, in bytes.
const maxState = 255

// States are the messages with the values, retained, so that a start of Home Assistant finds them.
func States(d *Device, v *Values) ([]broker.Message, error) {
	s := state{
		BuyPrice: v.BuyPrice, SellPrice: v.SellPrice, Bought: decimal(v.Totals.Bought.Big(), 3), Sold: decimal(v.Totals.Sold.Big(), 3),
		Paid: decimal(v.Totals.Paid, v.Decimals), Earned: decimal(v.Totals.Earned, v.Decimals),
		Spendable: json.Number(v.Spendable.Format(v.Decimals)), Locked: json.Number(v.Locked.Format(v.Decimals)), Open: v.Open, NeedsYou: "OFF", Last: "none",
	}
	if v.Waiting > 0 {
		s.NeedsYou = "ON"
	}
	if len(v.Last) > 0 {
		s.Last = clip(v.Last[0].Role + ": " + v.Last[0].State)
	}
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	trades, err := json.Marshal(map[string]any{"trades": append([]LastTrade{}, v.Last...)})
	if err != nil {
		return nil, err
	}
	return []broker.Message{{Topic: d.state(), Payload: payload, Retained: true}, {Topic: d.trades(), Payload: trades, Retained: true}}, nil
}

// Messages are all messages of a device, in the order in which they are published.
func Messages(d *Device, v *Values) ([]broker.Message, error) {
	config, err := Discovery(d, v.Currency)
	if err != nil {
		return nil, err
	}
	states, err := States(d, v)
	return append([]broker.Message{config, d.Online()}, states...), err
}

// clip shortens a text to the longest state, at a whole character.
func clip(text string) string {
	if len(text) <= maxState {
		return text
	}
	text = text[:maxState-len("…")]
	return strings.ToValidUTF8(text, "") + "…"
}

// decimal formats a number of smallest units with decimal places.
func decimal(n *big.Int, places uint8) json.Number {
	if n == nil {
		n = new(big.Int)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	return json.Number(new(big.Rat).SetFrac(n, scale).FloatString(int(places)))
}
