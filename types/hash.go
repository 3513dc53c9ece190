package types

import (
	"crypto/sha256"
	"encoding/hex"
)

// Hash is a SHA-256 digest, in text 64 hexadecimal digits.
type Hash [32]byte

// The IDs of the protocol. Each hashes the canonical encoding of the named value, without signatures.
type (
	// TxID is the SHA-256 of a transaction body's bytes as received.
	TxID Hash
	// TradeID is the domain-tagged SHA-256 of an [Agreement].
	TradeID Hash
	// OfferID is the domain-tagged SHA-256 of an [Offer].
	OfferID Hash
	// AssetID is the domain-tagged SHA-256 of an [Asset].
	AssetID Hash
	// ProductID is the domain-tagged SHA-256 of a [Product].
	ProductID Hash
	// OrderID is the domain-tagged SHA-256 of an [Order].
	OrderID Hash
	// PointID is the domain-tagged SHA-256 of the key and the serial number of a connection point's first meter.
	PointID Hash
)

// Secret is the 32 bytes that open a trade's lock: the preimage of its digest, applied as often as instalments remain.
type Secret [32]byte

// Digest returns SHA-256 applied n times to the secret: the lock of a trade with n instalments still to release.
func (s Secret) Digest(n int) Hash {
	h := [32]byte(s)
	for range n {
		h = sha256.Sum256(h[:])
	}
	return Hash(h)
}

// Domains keep a hash or signature made for one purpose from being valid for another.
const (
	domainTrade     = "lockstep/trade/v1\x00"
	domainOffer     = "lockstep/offer/v1\x00"
	domainAsset     = "lockstep/asset/v1\x00"
	domainProduct   = "lockstep/product/v1\x00"
	domainOrder     = "lockstep/order/v1\x00"
	domainPoint     = "lockstep/point/v1\x00"
	domainSignature = "lockstep/tx/v1\x00"
	domainAgree     = "lockstep/agree/v1\x00"
	domainSplit     = "lockstep/split/v1\x00"
	domainParams    = "lockstep/params/v1\x00"
	domainChange    = "lockstep/change/v1\x00"
	domainFixed     = "lockstep/fixed/v1\x00"
	domainDecision  = "lockstep/decision/v1\x00"
	domainConsent   = "lockstep/consent/v1\x00"
	domainResult    = "lockstep/result/v1\x00"
	domainAppHash   = "lockstep/apphash/v1\x00"
)

func parseHex(text []byte, what string) (out [32]byte, err error) {
	if len(text) != 64 {
		return out, Refuse(CodeMalformed, "%q is not %s: it has %d characters, 64 hexadecimal digits are needed", clip(text), what, len(text))
	}
	if _, err := hex.Decode(out[:], text); err != nil {
		return out, Refuse(CodeMalformed, "%q is not %s: only the digits 0-9 and a-f may stand in it", clip(text), what)
	}
	return out, nil
}

// clip keeps a bad input quotable in a one-line message.
func clip[T string | []byte](text T) string {
	if len(text) > 80 {
		return string(text[:80]) + "..."
	}
	return string(text)
}

func hexText(b [32]byte) []byte { return []byte(hex.EncodeToString(b[:])) }

func (h Hash) String() string      { return string(hexText(h)) }
func (h TxID) String() string      { return string(hexText(h)) }
func (h TradeID) String() string   { return string(hexText(h)) }
func (h OfferID) String() string   { return string(hexText(h)) }
func (h AssetID) String() string   { return string(hexText(h)) }
func (h PointID) String() string   { return string(hexText(h)) }
func (h ProductID) String() string { return string(hexText(h)) }
func (h OrderID) String() string   { return string(hexText(h)) }

// String hides the secret, since logs use it. MarshalText shows it.
func (s Secret) String() string { return "(secret)" }

func (h Hash) MarshalText() ([]byte, error)      { return hexText(h), nil }
func (h TxID) MarshalText() ([]byte, error)      { return hexText(h), nil }
func (h TradeID) MarshalText() ([]byte, error)   { return hexText(h), nil }
func (h OfferID) MarshalText() ([]byte, error)   { return hexText(h), nil }
func (h AssetID) MarshalText() ([]byte, error)   { return hexText(h), nil }
func (h PointID) MarshalText() ([]byte, error)   { return hexText(h), nil }
func (h ProductID) MarshalText() ([]byte, error) { return hexText(h), nil }
func (h OrderID) MarshalText() ([]byte, error)   { return hexText(h), nil }
func (s Secret) MarshalText() ([]byte, error)    { return hexText(s), nil }

func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = parse[Hash](text, "a hash")
	return err
}

func (h *TxID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[TxID](text, "a transaction id")
	return err
}

func (h *TradeID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[TradeID](text, "a trade id")
	return err
}

func (h *OfferID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[OfferID](text, "an offer id")
	return err
}

func (h *AssetID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[AssetID](text, "an asset id")
	return err
}

func (h *ProductID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[ProductID](text, "a product id")
	return err
}

func (h *OrderID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[OrderID](text, "an order id")
	return err
}

func (h *PointID) UnmarshalText(text []byte) (err error) {
	*h, err = parse[PointID](text, "a point id")
	return err
}

func (s *Secret) UnmarshalText(text []byte) (err error) {
	// A bad secret is not quoted back: it may be a good one with a slip in it.
	if *s, err = parse[Secret](text, "a secret"); err != nil {
		err = Refuse(CodeMalformed, "that is not a secret: 64 hexadecimal digits are needed")
	}
	return err
}

func parse[H ~[32]byte](text []byte, what string) (H, error) {
	b, err := parseHex(text, what)
	return H(b), err
}

// HexBytes are bytes whose text form is hexadecimal digits.
type HexBytes []byte

// MarshalText writes hexadecimal digits.
func (b HexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

// UnmarshalText reads hexadecimal digits.
func (b *HexBytes) UnmarshalText(text []byte) error {
	bytes, err := hex.AppendDecode(nil, text)
	if err != nil {
		return Refuse(CodeMalformed, "%q is not hexadecimal", clip(text))
	}
	*b = bytes
	return nil
}
