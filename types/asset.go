package types

import "lockstep/types/canon"

// Asset is a kind of money. Only the holder of the issuer's key can issue and redeem it; its ID commits to the
// issuer, so a code can't be squatted on and two assets of the same code can't be mistaken for each other by a program.
type Asset struct {
	_        struct{}  `cbor:",toarray"`
	Issuer   PublicKey `json:"issuer"`
	Code     string    `json:"code"`
	Decimals uint8     `json:"decimals"`
}

const maxAssetCode = 12

// ID is the asset's name on the ledger.
func (a *Asset) ID() AssetID { return canon.Digest(domainAsset, a) }

// Check reports a code or a number of decimals out of bounds, with [CodeAssetForm].
func (a *Asset) Check() error {
	if err := a.Issuer.Check("issuer"); err != nil {
		return err
	}
	if a.Decimals > MaxDecimals {
		return Refuse(CodeAssetForm, "code %q with %d decimals", a.Code, a.Decimals)
	}
	return CheckAssetCode(a.Code)
}

// CheckAssetCode reports a text that no asset can have as its code, with [CodeAssetForm].
func CheckAssetCode(code string) error {
	if len(code) < 1 || len(code) > maxAssetCode {
		return Refuse(CodeAssetForm, "code %q has %d characters", code, len(code))
	}
	for _, c := range []byte(code) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return Refuse(CodeAssetForm, "code %q", code)
		}
	}
	return nil
}

// AssetState is the ledger's record of an asset. Issued = spendable + locked + fees, always.
type AssetState struct {
	_      struct{} `cbor:",toarray"`
	Asset  Asset    `json:"asset"`
	Issued Amount   `json:"issued"` // out now: all that was issued less all that was redeemed
	Fees   Amount   `json:"fees"`   // of it, taken as fees
	// Recognised is since when the ledger recognises the asset, zero when it does not, and Least its smallest output then.
	Recognised Time   `json:"recognised"`
	Least      Amount `json:"least"`
	// Uses counts the offers, books and records that name the asset: it stays in the state as long as there are any.
	Uses uint64 `json:"uses"`
}
