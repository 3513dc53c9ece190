package types

import (
	"fmt"

	"lockstep/types/canon"
)

// Lock says who may spend an output. The set is closed: [KeyLock], [TradeLock].
//
//sumtype:decl
type Lock interface {
	canon.Variant
	isLock()
}

// KeyLock gives an output to the holder of a key.
type KeyLock struct {
	_   struct{}  `cbor:",toarray"`
	Key PublicKey `json:"key"`
}

// TradeLock binds an output to a trade. Who may spend it is told by [Trade.Owner] alone.
type TradeLock struct {
	_     struct{} `cbor:",toarray"`
	Trade TradeID  `json:"trade"`
	Part  Part     `json:"part"`
}

func (*KeyLock) isLock()   {}
func (*TradeLock) isLock() {}

// ToKey locks an output to a key.
func ToKey(key PublicKey) Lock { return &KeyLock{Key: key} }

// ToTrade locks an output to a part of a trade.
func ToTrade(trade TradeID, part Part) Lock { return &TradeLock{Trade: trade, Part: part} }

// Part is what an output of a trade stands for.
type Part uint8

// The parts of a trade, in the order in which they are locked.
const (
	PartPayment Part = 1 // E1, the consumer's: the price
	PartDeposit Part = 2 // E1, the consumer's: the stand-in for the goods
	PartReturn  Part = 3 // E2, the producer's: the deposit, locked back like the payment
	PartBond    Part = 4 // E2, the producer's: what it stakes on its delivery
)

var partNames = map[Part]string{PartPayment: "payment", PartDeposit: "deposit", PartReturn: "return", PartBond: "bond"}

func (p Part) String() string {
	if name, ok := partNames[p]; ok {
		return name
	}
	return fmt.Sprintf("part_%d", uint8(p))
}

// MarshalText writes the part's name.
func (p Part) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a part's name.
func (p *Part) UnmarshalText(text []byte) error {
	return unmarshalName(p, partNames, text, "a part of a trade")
}

func unmarshalName[E comparable](e *E, names map[E]string, text []byte, what string) error {
	// any order: names are unique
	for value, name := range names {
		if name == string(text) {
			*e = value
			return nil
		}
	}
	return Refuse(CodeMalformed, "%q is not %s", clip(text), what)
}

// Outpoint is the address of an output: the transaction that made it and its place there.
type Outpoint struct {
	_     struct{} `cbor:",toarray"`
	Tx    TxID     `json:"tx"`
	Index uint32   `json:"index"`
}

func (o Outpoint) String() string { return fmt.Sprintf("%s:%d", o.Tx, o.Index) }

// Output is a sum of one asset and who may spend it. The amount is at least 1.
type Output struct {
	_      struct{} `cbor:",toarray"`
	Asset  AssetID  `json:"asset"`
	Amount Amount   `json:"amount"`
	Lock   Lock     `json:"lock"`
}
