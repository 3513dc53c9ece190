package wire

import "lockstep/types"

// PriceSlot is the price of energy in one slot, in the form of evcc's own tariffs.
type PriceSlot struct {
	Start types.Time `json:"start"`
	End   types.Time `json:"end"`
	Value float64    `json:"value" doc:"in whole money for a kWh; a number of JSON, for planners and displays"`
}

// EmhassPrices are prices as EMHASS takes them when an optimisation is started: of each slot by its beginning.
type EmhassPrices struct {
	Buy  map[string]float64 `json:"load_cost_forecast" doc:"the price of bought energy, in whole money for a kWh, by the beginning of each slot"`
	Sell map[string]float64 `json:"prod_price_forecast" doc:"the price of sold energy, in whole money for a kWh, by the beginning of each slot"`
}

// OctopusRates are prices in the form of Octopus Energy's API, which Predbat reads from a URL.
type OctopusRates struct {
	Count    int           `json:"count"`
	Next     *string       `json:"next"`
	Previous *string       `json:"previous"`
	Results  []OctopusRate `json:"results" nullable:"false"`
}

// OctopusRate is the price of one slot, in hundredths of whole money for a kWh.
type OctopusRate struct {
	Net   float64    `json:"value_exc_vat"`
	Gross float64    `json:"value_inc_vat" doc:"in hundredths of whole money for a kWh; the same as value_exc_vat: the market knows no tax"`
	From  types.Time `json:"valid_from"`
	To    types.Time `json:"valid_to"`
}
