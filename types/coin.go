package types

// Coin is an output that a key can spend now, or the key's purse of an asset, which has the outpoint of the asset's ID and the index
// 2147483647: a purse is drawn from, not spent as an input.
type Coin struct {
	Outpoint Outpoint `json:"outpoint"`
	Asset    AssetID  `json:"asset"`
	Amount   Amount   `json:"amount"`
	Trade    *TradeID `json:"trade,omitempty" doc:"the trade that gave it to the key, when it is still bound to one"`
	Part     *Part    `json:"part,omitempty"`
}
