package home

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/internal/books"
	"lockstep/internal/broker"
	"lockstep/internal/broker/mosquitto"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/ledgertest/served"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

var quiet = slog.New(slog.DiscardHandler)

func device() Device {
	return Device{ID: "lockstep_town", Name: "Energy community", Prefix: "homeassistant", Version: "test"}
}

// TestDiscovery holds the message against Home Assistant's description of device discovery: device with identifiers, origin with a name,
// components with platform and unique id, only documented keys, and units and state classes that fit the device classes.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	d := device()
	message, err := Discovery(&d, "EUR")
	if err != nil || message.Topic != "homeassistant/device/lockstep_town/config" || !message.Retained {
		t.Fatalf("%+v %v", message, err)
	}
	var config map[string]json.RawMessage
	if err := json.Unmarshal(message.Payload, &config); err != nil {
		t.Fatal(err)
	}
	documented := []string{"device", "origin", "components", "state_topic", "availability_topic", "qos"}
	for key := range config {
		if !slices.Contains(documented, key) {
			t.Errorf("Home Assistant knows no key %q", key)
		}
	}
	var parts struct {
		Device struct {
			Identifiers []string
			Name        string
		}
		Origin     struct{ Name string }
		Components map[string]map[string]any
	}
	if err := json.Unmarshal(message.Payload, &parts); err != nil {
		t.Fatal(err)
	}
	if len(parts.Device.Identifiers) != 1 || parts.Device.Name == "" || parts.Origin.Name == "" {
		t.Errorf("%+v", parts)
	}
	sensorKeys := []string{"platform", "unique_id", "name", "value_template", "device_class", "state_class", "unit_of_measurement", "suggested_display_precision", "icon",
		"json_attributes_topic", "payload_on", "payload_off"}
	units := map[string]string{"energy": "kWh", "monetary": "EUR"}
	classes := map[string]string{"energy": "total_increasing", "monetary": "total"} // monetary values may be totals alone
	template, ids := regexp.MustCompile(`^\{\{ value_json\.([a-z_]+) \}\}$`), map[any]bool{}
	_, state := statesOf(t, &Values{})
	for name, c := range parts.Components {
		for key := range c {
			if !slices.Contains(sensorKeys, key) {
				t.Errorf("%s: no key %q", name, key)
			}
		}
		class, _ := c["device_class"].(string)
		if platform := c["platform"]; platform != "sensor" && platform != "binary_sensor" || c["unique_id"] == nil || ids[c["unique_id"]] || c["name"] == "" {
			t.Errorf("%s: %v", name, c)
		}
		ids[c["unique_id"]] = true
		if want, known := units[class]; known && (c["unit_of_measurement"] != want || c["state_class"] != classes[class]) {
			t.Errorf("%s: %v", name, c)
		}
		found := template.FindStringSubmatch(c["value_template"].(string))
		if found == nil {
			t.Errorf("%s: %v", name, c)
		} else if _, there := state[found[1]]; !there {
			t.Errorf("%s: the state has no %s", name, found[1])
		}
	}
	for name, want := range map[string]string{"bought": "total_increasing", "sold": "total_increasing", "paid": "total", "earned": "total", "locked": "total", "buy_price": "measurement"} {
		if parts.Components[name]["state_class"] != want {
			t.Errorf("%s is %v", name, parts.Components[name]["state_class"])
		}
	}
	if parts.Components["buy_price"]["unit_of_measurement"] != "EUR/kWh" {
		t.Errorf("%v", parts.Components["buy_price"])
	}
}

// statesOf returns the state as Home Assistant reads it.
func statesOf(t *testing.T, v *Values) (text string, values map[string]any) {
	t.Helper()
	d := device()
	messages, err := States(&d, v)
	if err != nil || len(messages) != 2 || messages[0].Topic != "lockstep/lockstep_town/state" || !messages[0].Retained || !messages[1].Retained {
		t.Fatalf("%+v %v", messages, err)
	}
	if err := json.Unmarshal(messages[0].Payload, &values); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(messages[1].Payload) {
		t.Errorf("%s", messages[1].Payload)
	}
	return string(messages[0].Payload), values
}

func TestStates(t *testing.T) {
	t.Parallel()
	price := 0.285
	text, _ := statesOf(t, &Values{
		Decimals: 6, BuyPrice: &price, Spendable: 9_007_199_254_740_993, Locked: 1, Open: 2, Waiting: 1,
		Totals: Totals{Bought: types.TotalOf(uint64(1_234_567)), Paid: big.NewInt(1_500_000), Earned: big.NewInt(-5)},
		Last:   []LastTrade{{Role: "consumer", State: strings.Repeat("一", 200)}},
	})
	for _, want := range []string{`"buy_price":0.285`, `"sell_price":null`, `"bought":1234.567`, `"sold":0.000`, `"paid":1.500000`, `"earned":-0.000005`, `"spendable":9007199254.740993`,
		`"locked":0.000001`, `"open":2`, `"needs_you":"ON"`} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s: %s", want, text)
		}
	}
	if _, values := statesOf(t, &Values{Last: []LastTrade{{State: strings.Repeat("一", 200)}}}); len(values["last"].(string)) > maxState || !strings.HasSuffix(values["last"].(string), "一…") {
		t.Errorf("a state of %d bytes", len(values["last"].(string)))
	}
	for _, id := range []string{"", "a/b", "a+", "#", "ü", strings.Repeat("a", 65), "a b"} {
		if CheckID(id) == nil {
			t.Errorf("%q is an id", id)
		}
	}
}

// Energy that is bought or sold counts once, also of an intake, whose producer takes the energy.
func TestTotals(t *testing.T) {
	t.Parallel()
	euro := party.Euro()
	entry := func(role trade.Role, commodity string, came uint64, in, out types.Amount) *books.Entry {
		return &books.Entry{Role: role, Came: came, PutIn: in, GotBack: out, Product: types.Product{Commodity: commodity, Unit: "Wh", Asset: euro.ID()}}
	}
	var first, second Totals
	first.Add(entry(trade.Consumer, "energy", 1000, 33, 3), euro.ID()) // bought for 30
	first.Add(entry(trade.Producer, "energy", 500, 5, 25), euro.ID())  // sold for 20
	second.Add(entry(trade.Producer, "intake", 100, 1, 5), euro.ID())  // paid 4 to take it: bought for -4
	second.Add(entry(trade.Consumer, "intake", 10, 2, 0), euro.ID())   // sold for -2
	second.Add(entry(trade.Consumer, "energy", 7, 9, 0), types.AssetID{})
	other := entry(trade.Consumer, "film", 1, 9, 0)
	other.Product.Unit = types.UnitItem
	second.Add(other, euro.ID())
	unknown := entry(trade.Consumer, "energy", 1000, 33, 3)
	unknown.Unknown = true
	second.Add(unknown, euro.ID())
	sum := first.Plus(second)
	if sum.Bought.String() != "1100" || sum.Sold.String() != "510" || sum.Paid.Int64() != 26 || sum.Earned.Int64() != 18 {
		t.Errorf("%+v", sum)
	}
}

// feedOf is a feed of a party at a node with an index.
func feedOf(t *testing.T, l *ledgertest.Ledger, name string) *Feed {
	t.Helper()
	node, _ := served.Node(t, l)
	return &Feed{
		Node: node, Key: party.Key(name), Device: device(), Zone: "community", Asset: party.Euro(), Currency: "EUR", Buy: "0.31", Sell: "0.08",
		Language: words.English, Log: quiet,
	}
}

// The values of a real ledger: a trade that ended counts once, however often the feed asks.
func TestValues(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	l.Story(t)
	for name, want := range map[string]struct {
		bought, sold string
		money        types.Amount
	}{"consumer": {"400", "0", 10_000 - 400 - 40}, "producer": {"0", "400", 10_000 + 400 - 40}} {
		f := feedOf(t, l, name)
		for range 3 {
			v, err := f.Values(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if v.Totals.Bought.String() != want.bought || v.Totals.Sold.String() != want.sold || new(big.Int).Add(v.Totals.Paid, v.Totals.Earned).Int64() != 400 ||
				*v.BuyPrice != 0.31 || *v.SellPrice != 0.08 || v.Spendable != want.money+40 || v.Locked != 0 || v.Open != 0 || v.Waiting != 0 {
				t.Errorf("%s: %+v", name, v)
			}
			if len(v.Last) != 1 || v.Last[0].Role != name || v.Last[0].Sum != "4.00 EUR" || !strings.Contains(v.Last[0].State, "secret is on the ledger") {
				t.Errorf("%s: %+v", name, v.Last)
			}
		}
	}
}

// TestFeed publishes to a real broker: everything retained, again when Home Assistant has started and when the broker was away, and offline at
// the end.
func TestFeed(t *testing.T) {
	t.Parallel()
	server := mosquitto.New(t)
	l := ledgertest.New(t, "test")
	l.Story(t)
	f := feedOf(t, l, "consumer")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx, &broker.Config{Broker: server.URL()}) }()
	d := device()
	any := func([]byte) bool { return true }
	for round := range 2 {
		box := server.Subscribe("#")
		config := box.Await(d.ConfigTopic(), any)
		if !json.Valid(config.Payload()) {
			t.Errorf("%s", config.Payload())
		}
		box.Await(d.availability(), func(p []byte) bool { return string(p) == "online" })
		box.Await(d.state(), func(p []byte) bool { return strings.Contains(string(p), `"bought":0.400`) })
		count := func() (n int) {
			for _, m := range box.All() {
				if m.Topic() == d.ConfigTopic() {
					n++
				}
			}
			return n
		}
		for before, tries := count(), 0; count() == before; tries++ { // the birth of Home Assistant, until the subscription stands
			if tries == 200 {
				t.Fatal("nothing is published again")
			}
			server.Publish(d.BirthTopic(), "online", false)
			time.Sleep(50 * time.Millisecond)
		}
		if round == 0 {
			server.Stop() // it forgets what it has retained
			server.Start()
		}
	}
	box := server.Subscribe(d.availability())
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	box.Await(d.availability(), func(p []byte) bool { return string(p) == "offline" })
}

func TestLoadConfig(t *testing.T) {
	t.Parallel()
	load := func(text string) (*Config, error) {
		path := filepath.Join(t.TempDir(), "home.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return LoadConfig(path)
	}
	c, err := load("broker: mqtt://localhost\nkey: lk1\nasset: EUR\npassword_file: pw\n")
	if err != nil || c.ID != "lockstep" || c.Prefix != "homeassistant" || !filepath.IsAbs(c.PasswordFile) {
		t.Fatalf("%+v %v", c, err)
	}
	for text, says := range map[string]string{
		"":                             "mqtt://host:1883",
		"broker: mqtt://localhost\n":   "key and asset are needed",
		"colour: red\n":                "field colour not found",
		"broker: mqtt://a:hush@host\n": "password in it",
		"broker: mqtt://localhost\nkey: a\nasset: b\nid: a/b\n":                                           "not an id",
		"broker: mqtt://localhost\nkey: a\nasset: b\nprefix: '#'\n":                                       "not an id",
		"broker: mqtt://localhost\nkey: a\nasset: b\nlanguage: fr\n":                                      "neither en nor zh",
		"broker: mqtt://localhost\nkey: a\nasset: b\n---\nkey: b\n":                                       "second document",
		"broker: mqtt://localhost\nkey: a\nasset: b\nname: '" + strings.Repeat("n", types.MaxNote) + "n'": "name",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
