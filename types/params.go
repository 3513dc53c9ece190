package types

import "lockstep/types/canon"

// Params are the rules' numbers. Those of genesis are part of every commitment; operators can change some of them, see [ParamChange].
type Params struct {
	_ struct{} `cbor:",toarray"`
	// ChainID names the ledger; every transaction and agreement carries it.
	ChainID string `json:"chain_id"`
	// ClockCap is the most that one gap between blocks advances the ledger clock.
	ClockCap Duration `json:"clock_cap"`
	// MinWindow is the least time between two deadlines of an agreement: several clock caps.
	MinWindow Duration `json:"min_window"`
	// Horizon is how far ahead of the ledger clock a deadline may lie.
	Horizon Duration `json:"horizon"`
	// MaxValidity is how far ahead of block time a transaction's valid-until may lie.
	MaxValidity Duration `json:"max_validity"`
	// FeeAsset and MinFee are the fee of a signed transaction; a zero asset means that this ledger takes no fee.
	FeeAsset AssetID `json:"fee_asset,omitzero"`
	MinFee   Amount  `json:"min_fee"`
	// Slot is the length of a slot of metered goods; slots begin at multiples of it, so no two of them overlap in part.
	Slot Duration `json:"slot"`
	// Operators are the keys that may admit members and enrol connection points.
	Operators []PublicKey `json:"operators"`
	// Threshold is the number of operators that must sign a decision; zero means one.
	Threshold uint32 `json:"threshold,omitzero"`
	// Rules is the version of the rules; zero means the first.
	Rules uint32 `json:"rules,omitzero"`
	// Market are the numbers of the auctions.
	Market MarketParams `json:"market"`
	// Entries bound the lasting entries of the state.
	Entries EntryParams `json:"entries"`
	// Genesis are the assets that the ledger recognises from its first block on.
	Genesis []GenesisAsset `json:"genesis"`
	// Continues are the ledgers that this one continues: it began with the state of the last one, which began with that of the one before. Empty for a
	// ledger that began with nothing.
	Continues []Origin `json:"continues,omitempty"`
	// Later are changes of Market, in order of time. See [Params.MarketOf].
	Later []LaterMarket `json:"later,omitempty"`
}

// windowCaps is how many clock caps "several" are at least (protocol section 2).
const windowCaps = 3

// DefaultParams suit a community that trades quarter-hours.
func DefaultParams(chainID string) Params {
	const second, hour = Duration(1000), Duration(3600 * 1000)
	return Params{
		ChainID:     chainID,
		ClockCap:    10 * second,
		MinWindow:   30 * second,
		Horizon:     400 * 24 * hour,
		MaxValidity: hour,
		Slot:        hour / 4,
		Market:      DefaultMarketParams(),
		Entries:     DefaultEntryParams(),
	}
}

// Check reports a set of parameters that no ledger could run with.
func (p *Params) Check() error {
	switch {
	case p.ChainID == "" || len(p.ChainID) > MaxName:
		return Refuse(CodeMalformed, "the chain id must have 1 to %d characters", MaxName)
	case p.ClockCap < 1:
		return Refuse(CodeMalformed, "the clock cap must be at least 1ms")
	case p.MinWindow/windowCaps < p.ClockCap: // divided, as a product could wrap
		return Refuse(CodeMalformed, "the smallest window %s must be at least %d clock caps of %s", p.MinWindow, windowCaps, p.ClockCap)
	case p.Horizon/4 < p.MinWindow:
		return Refuse(CodeMalformed, "the horizon %s leaves no room for four windows of %s", p.Horizon, p.MinWindow)
	case p.MaxValidity < p.ClockCap:
		return Refuse(CodeMalformed, "the longest validity %s must be at least a clock cap", p.MaxValidity)
	case p.Slot < 1 || p.Slot > 24*3600*1000:
		return Refuse(CodeMalformed, "a slot must be at least 1ms and at most a day long")
	case p.FeeAsset == AssetID{} && p.MinFee != 0:
		return Refuse(CodeMalformed, "a fee needs an asset")
	}
	for _, check := range []func() error{
		func() error { return p.Market.check(p) }, func() error { return p.Entries.check(p) }, p.checkGenesis, p.checkGovernance, p.checkOrigins,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return CheckText("chain id", p.ChainID, MaxName)
}

// Hash is the domain-tagged SHA-256 of the parameters.
func (p *Params) Hash() Hash { return canon.Digest(domainParams, p) }
