package httpapi

import (
	"encoding/json"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// priced is a server with an index up to the present block.
func priced(t *testing.T, l *ledgertest.Ledger, prices Prices) *world {
	t.Helper()
	handler, err := New(Config{Ledger: l, History: l.History(t), OpenSubmit: true, Version: "test", Prices: prices, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &world{t, l, server, &record{}}
}

const quarterHour = types.Duration(15 * 60 * 1000)

// TestPricesForEvcc holds the answer against evcc's description of a custom tariff: a bare array of start, end and value, times as
// YYYY-MM-DDTHH:MM:SSZ, values in whole money for a kWh, and no time uncovered.
func TestPricesForEvcc(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	product := l.Auctioned(t) // 1,000 Wh at 8 or 9 cents a Wh: 80 or 90 EUR for a kWh
	w := priced(t, l, Prices{Zone: "community", Buy: big.NewRat(31, 100), Sell: big.NewRat(8, 100)})
	for side, reference := range map[string]float64{"buy": 0.31, "sell": 0.08} {
		response, text := w.ask("GET", "/v1/prices/evcc?side="+side, nil)
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" || text[0] != '[' {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
		var rows []map[string]any
		if err := json.Unmarshal(text, &rows); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 48*4 {
			t.Fatalf("%d slots", len(rows))
		}
		moment := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
		at := l.Now() - l.Now()%types.Time(quarterHour)
		auctions := 0
		for _, row := range rows {
			start, _ := row["start"].(string)
			end, _ := row["end"].(string)
			value, isNumber := row["value"].(float64)
			if len(row) != 3 || !moment.MatchString(start) || !moment.MatchString(end) || !isNumber {
				t.Fatalf("%v", row)
			}
			from, err := time.Parse(time.RFC3339, start)
			if err != nil || types.Time(from.UnixMilli()) != at {
				t.Fatalf("%v at %v", row, at)
			}
			switch {
			case at == product.From:
				if auctions++; value != 80 && value != 90 {
					t.Errorf("the auction's price is %v", value)
				}
			case value != reference:
				t.Errorf("%s: %v is not the reference", side, row)
			}
			at = at.Add(quarterHour)
		}
		if auctions != 1 {
			t.Errorf("%d prices of auctions", auctions)
		}
	}
	if slots := get[[]wire.PriceSlot](w, "/v1/prices/evcc?zone=elsewhere&hours=1&reference=-0.02"); len(slots) != 4 || slots[0].Value != -0.02 {
		t.Errorf("another zone: %+v", slots)
	}
}

// A slot that was not auctioned takes the price of the day before when that is asked for.
func TestPricesOfTheDayBefore(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	product := l.Auctioned(t)
	l.Advance(types.Duration(24*time.Hour/time.Millisecond) - quarterHour)
	w := priced(t, l, Prices{Zone: "community"})
	again := product.From.Add(types.Duration(24 * time.Hour / time.Millisecond))
	for _, c := range []struct {
		query string
		want  bool
	}{{"", false}, {"?day_before=true", true}} {
		found := false
		for _, slot := range get[[]wire.PriceSlot](w, "/v1/prices/evcc"+c.query) {
			found = found || slot.Start == again && slot.Value >= 80 && slot.Value <= 90
		}
		if found != c.want {
			t.Errorf("%q: found %t", c.query, found)
		}
	}
}

// TestPricesForEmhass: each price by the beginning of its slot, under the keys of EMHASS's run-time parameters.
func TestPricesForEmhass(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	l.Auctioned(t)
	w := priced(t, l, Prices{Zone: "community"})
	prices := get[map[string]map[string]float64](w, "/v1/prices/emhass?hours=2&buy=0.3&sell=0.07")
	if len(prices) != 2 {
		t.Fatalf("%v", prices)
	}
	for key, reference := range map[string]float64{"load_cost_forecast": 0.3, "prod_price_forecast": 0.07} {
		at := l.Now() - l.Now()%types.Time(quarterHour)
		if len(prices[key]) != 8 {
			t.Errorf("%s: %v", key, prices[key])
		}
		for range 8 {
			text := time.UnixMilli(int64(at)).UTC().Format("2006-01-02T15:04:05-07:00")
			text = strings.Replace(text, "Z", "+00:00", 1)
			if value, there := prices[key][text]; !there || value != reference && value < 80 {
				t.Errorf("%s at %s: %v %t", key, text, value, there)
			}
			at = at.Add(quarterHour)
		}
	}
}

// TestPricesForPredbat: the form of Octopus Energy's unit rates, in hundredths, from midnight on and without a further page.
func TestPricesForPredbat(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	product := l.Auctioned(t)
	w := priced(t, l, Prices{Zone: "community"})
	_, text := w.ask("GET", "/v1/prices/predbat?side=buy&reference=0.25&hours=24", nil)
	if !strings.Contains(string(text), `"next":null,"previous":null`) {
		t.Errorf("%s", text[:80])
	}
	rates := get[wire.OctopusRates](w, "/v1/prices/predbat?side=buy&reference=0.25&hours=24")
	midnight := l.Now() - l.Now()%types.Time(24*time.Hour/time.Millisecond)
	if rates.Count != len(rates.Results) || rates.Results[rates.Count-1].From != midnight {
		t.Fatalf("%d of %d from %v", len(rates.Results), rates.Count, rates.Results[rates.Count-1].From)
	}
	for i, rate := range rates.Results {
		if i > 0 && rate.To != rates.Results[i-1].From {
			t.Errorf("a gap after %v", rate.To)
		}
		if auction := rate.From == product.From; auction != (rate.Gross >= 8000) || !auction && rate.Gross != 25 || rate.Net != rate.Gross {
			t.Errorf("%+v", rate)
		}
	}
}

// Prices of energy that producers take from the grid are below zero.
func TestPricesBelowZero(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	if err := l.Submit(t.Context(), l.Issue(1_000_000, "consumer", "producer")); err != nil {
		t.Fatal(err)
	}
	product := l.NewProduct(0)
	product.Commodity = types.CommodityIntake
	l.Place(t, "consumer", l.NewOrder(product, "consumer", 0, types.Bid, 6))
	l.Place(t, "producer", l.NewOrder(product, "producer", 0, types.Sell, 6))
	l.Gate(&product)
	w := priced(t, l, Prices{Zone: "community"})
	slots := get[[]wire.PriceSlot](w, "/v1/prices/evcc")
	at := slices.IndexFunc(slots, func(s wire.PriceSlot) bool { return s.Start == product.From })
	if at < 0 || slots[at].Value != -60 {
		t.Errorf("%d: %+v", at, slots)
	}
}

// Without an index, settings or auctions the answer is still a price for every slot: the ceiling of the market, and zero for sold energy.
func TestPricesWithoutAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	response, text := w.ask("GET", "/v1/prices/evcc", nil)
	w.refused(response, text, http.StatusNotFound, types.CodeNotFound)
	w.submit("/v1/transactions", w.ledger.Issue(100, "alice"))
	const ceiling = (1 << 40) * 1000 / 100 // of a lot of 1 Wh in cents
	if slots := get[[]wire.PriceSlot](w, "/v1/prices/evcc"); len(slots) != 192 || slots[0].Value != ceiling {
		t.Errorf("bought: %+v", slots[:1])
	}
	if slots := get[[]wire.PriceSlot](w, "/v1/prices/evcc?side=sell"); len(slots) != 192 || slots[0].Value != 0 {
		t.Errorf("sold: %+v", slots[:1])
	}
	for _, query := range []string{"side=both", "hours=0", "hours=97", "reference=1e9", "reference=dear", "reference=1/3", "reference=" + strings.Repeat("1", 41)} {
		response, text := w.ask("GET", "/v1/prices/evcc?"+query, nil)
		w.refused(response, text, http.StatusBadRequest, types.CodeMalformed)
	}
	euro := party.Euro()
	if slots := get[[]wire.PriceSlot](w, "/v1/prices/evcc?hours=96&asset="+euro.ID().String()); len(slots) != 384 {
		t.Errorf("%d slots", len(slots))
	}
	response, text = w.ask("GET", "/v1/prices/evcc?asset="+strings.Repeat("7", 64), nil)
	w.refused(response, text, http.StatusNotFound, types.CodeNotFound)
	dollar := types.Asset{Issuer: party.Key("issuer"), Code: "USD", Decimals: 2}
	body := w.ledger.Body(&types.Issue{Asset: dollar, Amount: 5})
	body.Outputs = append(body.Outputs, types.Output{Asset: dollar.ID(), Amount: 5, Lock: types.ToKey(party.Key("alice"))})
	w.submit("/v1/transactions", party.Sign(body, "issuer"))
	response, text = w.ask("GET", "/v1/prices/evcc", nil)
	w.refused(response, text, http.StatusBadRequest, types.CodeMalformed)
}
