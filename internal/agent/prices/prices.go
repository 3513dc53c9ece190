// Package prices reads the prices of energy that utilities and home software publish, as curves of package plan. Numbers are read exactly,
// and rounded to a billionth of the currency for a kWh.
package prices

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

// Kinds lists the publishers.
func Kinds() []string { return []string{"tibber", "awattar", "evcc"} }

// tibberAddress is the address of Tibber's API.
const tibberAddress = "https://api.tibber.com/v1-beta/gql"

// tibberQuestion asks for the prices of today and tomorrow.
const tibberQuestion = `{"query":"{viewer{homes{currentSubscription{priceInfo{today{total startsAt} tomorrow{total startsAt}}}}}}"}`

// Bounds of an answer.
const (
	maxAnswer = 1 << 20
	maxPoints = 4096
	maxToken  = 4096
	timeout   = 20 * time.Second
)

// Source is a publisher of prices.
type Source struct {
	Kind      string
	URL       string
	TokenFile string // of Tibber: read at each question, sent as a bearer token
	Period    time.Duration
	Client    *http.Client // nil: the default
}

// Every is the time between two questions.
func (s *Source) Every() time.Duration { return s.Period }

// Fetch asks for the prices.
func (s *Source) Fetch(ctx context.Context) (agent.Priced, error) {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	method, body, address := http.MethodGet, io.Reader(nil), s.URL
	if s.Kind == "tibber" {
		method, body = http.MethodPost, strings.NewReader(tibberQuestion)
		if address == "" {
			address = tibberAddress
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return agent.Priced{}, errors.New("the address of the prices can't be read: write it as https://host/path")
	}
	request.Header.Set("Content-Type", "application/json")
	if s.TokenFile != "" {
		token, err := plaintext.ReadPrivate(s.TokenFile, maxToken)
		if err != nil {
			return agent.Priced{}, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{}
	if s.Client != nil {
		client = *s.Client
	}
	if s.TokenFile != "" { // it is for this address alone
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	host := request.URL.Host // the rest of an address may hold a secret: no error shows it
	answer, err := client.Do(request)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if err != nil {
		return agent.Priced{}, fmt.Errorf("%s can't be reached: %w", host, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return agent.Priced{}, fmt.Errorf("%s answers %s", host, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return agent.Priced{}, err
	}
	curve, err := Parse(s.Kind, text)
	if err != nil {
		return agent.Priced{}, fmt.Errorf("%s: %w", host, err)
	}
	return agent.Priced{Curve: curve}, nil
}

// Parse reads an answer of a publisher.
func Parse(kind string, text []byte) (plan.Curve, error) {
	if len(text) > maxAnswer {
		return nil, errors.New("the answer is too long to be a list of prices")
	}
	var curve plan.Curve
	var err error
	switch kind {
	case "evcc":
		curve, err = parseEVCC(text)
	case "awattar":
		curve, err = parseAwattar(text)
	case "tibber":
		curve, err = parseTibber(text)
	default:
		return nil, fmt.Errorf("prices of %q are not known: %s are", kind, strings.Join(Kinds(), ", "))
	}
	switch {
	case err != nil:
		return nil, err
	case len(curve) == 0:
		return nil, errors.New("the answer has no prices")
	case len(curve) > maxPoints:
		return nil, fmt.Errorf("the answer has %d prices, more than %d", len(curve), maxPoints)
	}
	slices.SortStableFunc(curve, func(a, b plan.Point) int { return cmp.Compare(a.From, b.From) })
	for i := range curve {
		if curve[i].Until <= curve[i].From {
			return nil, fmt.Errorf("a price that begins at %s ends at %s", curve[i].From, curve[i].Until)
		}
	}
	return curve, nil
}

func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the answer is not the JSON expected: %w", err)
	}
	return nil
}

// parseEVCC reads /api/tariff: a list of rates, in an object or under result, with value or the older price.
func parseEVCC(text []byte) (curve plan.Curve, err error) {
	type rate struct {
		Start, End   types.Time
		Value, Price json.Number
	}
	type list struct{ Rates []rate }
	var answer struct {
		list
		Result list
	}
	var bare []rate
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '[' {
		err = decode(text, &bare)
	} else {
		err = decode(text, &answer)
	}
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Concat(bare, answer.Rates, answer.Result.Rates) {
		value := r.Value
		if value == "" {
			value = r.Price
		}
		price, err := parsePrice(value, 1)
		if err != nil {
			return nil, err
		}
		curve = append(curve, plan.Point{From: r.Start, Until: r.End, Price: price})
	}
	return curve, nil
}

// parseAwattar reads market prices in the currency for a MWh, by times in Unix milliseconds.
func parseAwattar(text []byte) (curve plan.Curve, err error) {
	var answer struct {
		Data []struct {
			Start uint64      `json:"start_timestamp"`
			End   uint64      `json:"end_timestamp"`
			Price json.Number `json:"marketprice"`
			Unit  string      `json:"unit"`
		}
	}
	if err := decode(text, &answer); err != nil {
		return nil, err
	}
	for _, r := range answer.Data {
		per := int64(1000)
		if unit := strings.ToLower(r.Unit); strings.HasSuffix(unit, "/kwh") {
			per = 1
		} else if unit != "" && !strings.HasSuffix(unit, "/mwh") {
			return nil, fmt.Errorf("a price in %.20q is neither for a kWh nor for a MWh", r.Unit)
		}
		price, err := parsePrice(r.Price, per)
		if err != nil {
			return nil, err
		}
		curve = append(curve, plan.Point{From: types.Time(r.Start), Until: types.Time(r.End), Price: price})
	}
	return curve, nil
}

// parseTibber reads total prices. Each lasts until the next one begins, and the last of a list as long as the one before it.
func parseTibber(text []byte) (curve plan.Curve, err error) {
	type entry struct {
		Total    json.Number
		StartsAt types.Time
	}
	var answer struct {
		Data struct {
			Viewer struct {
				Homes []struct {
					CurrentSubscription *struct {
						PriceInfo struct{ Today, Tomorrow []entry }
					}
				}
			}
		}
		Errors []struct{ Message string }
	}
	if err := decode(text, &answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, fmt.Errorf("it says %.200q", answer.Errors[0].Message)
	}
	for _, home := range answer.Data.Viewer.Homes {
		if home.CurrentSubscription == nil {
			continue
		}
		info := home.CurrentSubscription.PriceInfo
		for _, e := range slices.Concat(info.Today, info.Tomorrow) {
			price, err := parsePrice(e.Total, 1)
			if err != nil {
				return nil, err
			}
			curve = append(curve, plan.Point{From: e.StartsAt, Price: price})
		}
		break // a wallet is of one home
	}
	length := types.Duration(3600 * 1000)
	for i := range curve {
		if i+1 < len(curve) && curve[i+1].From > curve[i].From {
			length = curve[i+1].From.Since(curve[i].From)
		}
		curve[i].Until = curve[i].From.Add(length)
	}
	return curve, nil
}

// parsePrice reads a number of the currency for so many kWh, exactly, and rounds it to a billionth.
func parsePrice(n json.Number, per int64) (plan.Price, error) {
	text := n.String()
	exact, ok := new(big.Rat).SetString(text)
	if !ok || len(text) > 40 || strings.ContainsAny(text, "/xX_") || tooFar(text) {
		return 0, fmt.Errorf("%.40q is not a price", text)
	}
	exact.Mul(exact, big.NewRat(1_000_000_000, per))
	exact.Add(exact, big.NewRat(1, 2)) // to the nearest
	whole := new(big.Int).Div(exact.Num(), exact.Denom())
	if !whole.IsInt64() {
		return 0, fmt.Errorf("%.40q is not a price", text)
	}
	return plan.Price(whole.Int64()), nil
}

// tooFar reports an exponent that would make a number of endless digits.
func tooFar(text string) bool {
	_, exponent, found := strings.Cut(strings.ToLower(text), "e")
	return found && len(strings.TrimLeft(exponent, "+-0")) > 2
}
