package types

import "lockstep/types/canon"

// Fallback decides a trade whose last secret is not known when confirm-by passes (protocol section 4). It is fixed in
// the agreement. The set is closed: [Hold], [Meter], [Arbiter].
//
//sumtype:decl
type Fallback interface {
	canon.Variant
	isFallback()
}

// Hold keeps everything locked until a release or a split: no third party at all, the patent's own form.
type Hold struct {
	_ struct{} `cbor:",toarray"`
}

// Meter settles by signed readings.
type Meter struct {
	_ struct{} `cbor:",toarray"`
}

// Arbiter lets a third key divide the locked sum between the two parties.
type Arbiter struct {
	_   struct{}  `cbor:",toarray"`
	Key PublicKey `json:"key"`
}

func (*Hold) isFallback()    {}
func (*Meter) isFallback()   {}
func (*Arbiter) isFallback() {}
