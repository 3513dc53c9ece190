package page_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/types"
)

// TestNoSentinels asks every question of the API about a ledger with trades in each phase: no answer has a time of 1970, a hash of zeros
// or the key of zeros in the place of a missing value, and every time has its zone.
func TestNoSentinels(t *testing.T) {
	t.Parallel()
	w := newTown(t, quickMarket)
	w.admit("Cedar", "Loom")
	trades := w.phases()
	w.post("Birch", juiceByLitre(), 400_000)
	held := w.auctions(1)
	open := w.book()
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	w.load("/openapi.json", &document)
	offers, err := w.api.Offers(t.Context(), pageOf(10))
	if err != nil || len(offers.Offers) == 0 {
		t.Fatal(err)
	}
	key := w.members["Loom"].Key()
	coins, err := w.api.Coins(t.Context(), key, w.euro.ID(), 0, pageOf(1))
	if err != nil || len(coins.Coins) == 0 {
		t.Fatal(err)
	}
	var ids []string
	transactions := map[string]bool{}
	for _, id := range trades {
		ids = append(ids, id.String())
		for _, step := range w.trade(id).Steps {
			if step.Tx != (types.TxID{}) {
				transactions[step.Tx.String()] = true
			}
		}
	}
	var txs []string
	for tx := range transactions {
		txs = append(txs, tx)
	}
	height := fmt.Sprint(w.trade(trades["delivered"]).Height)
	values := map[string][]string{
		"/v1/trades/{id}": ids, "/v1/products/{id}": {held.String(), open.String()}, "/v1/assets/{id}": {w.euro.ID().String()}, "/v1/offers/{id}": {offers.Offers[0].ID.String()},
		"/v1/transactions/{id}": txs, "{key}": {key.String(), w.members["Cedar"].Key().String()}, "{height}": {height, "latest"}, "{outpoint}": {coins.Coins[0].Outpoint.String()},
		"{kind}/{prefix}": {"trade/" + ids[0][:6], "key/" + key.String()[:8]},
	}
	asked := 0
	for path := range document.Paths {
		if _, get := document.Paths[path]["get"]; !get || strings.Contains(path, "/events") && !strings.Contains(path, "{height}") || strings.HasSuffix(path, "/outcomes") || path == "/metrics" {
			continue
		}
		addresses := []string{path}
		for part, list := range values {
			if strings.Contains(path, part) {
				addresses = nil
				for _, value := range list {
					whole := part[:strings.Index(part, "{")] + value
					addresses = append(addresses, strings.Replace(path, part, whole, 1))
				}
			}
		}
		for _, address := range addresses {
			switch {
			case strings.Contains(address, "{"): // a connection point: this ledger has none
				continue
			case strings.HasSuffix(path, "/coins"):
				address += "?asset=" + w.euro.ID().String()
			case strings.HasSuffix(path, "/volumes"):
				address += "?span=day&zone=town&commodity=electricity&unit=Wh&asset=" + w.euro.ID().String()
			}
			var answer any
			if w.load(address, &answer) {
				asked++
				for _, fault := range sentinels("", answer) {
					t.Errorf("%s: %s", address, fault)
				}
			}
		}
	}
	if asked < 40 {
		t.Errorf("only %d questions were answered", asked)
	}
}

// load asks a question of the API; false where there is no such thing.
func (w *town) load(path string, answer any) bool {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.address+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return false
	}
	if response.StatusCode != http.StatusOK {
		w.t.Errorf("%s: %s", path, response.Status)
		return false
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		w.t.Errorf("%s: %v", path, err)
	}
	return true
}

var (
	zeros   = regexp.MustCompile(`^0{32,}$|^lk1q{30,}`)
	instant = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]`)
)

// sentinels lists the values in an answer that stand for a missing one, and times without a zone.
func sentinels(path string, value any) (found []string) {
	switch v := value.(type) {
	case map[string]any:
		for name, field := range v {
			found = append(found, sentinels(path+"."+name, field)...)
		}
	case []any:
		for i, item := range v {
			found = append(found, sentinels(fmt.Sprintf("%s[%d]", path, i), item)...)
		}
	case string:
		switch {
		case zeros.MatchString(v), strings.HasPrefix(v, "1970-"), strings.HasPrefix(v, "0001-"):
			found = append(found, path+" is "+v)
		case instant.MatchString(v):
			if _, err := time.Parse(time.RFC3339, v); err != nil {
				found = append(found, path+" is a time without a zone: "+v)
			}
		}
	}
	slices.Sort(found)
	return found
}
