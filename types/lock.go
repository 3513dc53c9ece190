package types

import "fmt"

// KeyLock gives an output to the holder of a key: the only lock that an output of a transaction can have. A sum that a trade has locked
// is a part of the trade, see [Trade.Locked], and package trade has the rule on its spender (trade.Owner).
type KeyLock struct {
	_   struct{}  `cbor:",toarray"`
	Key PublicKey `json:"key"`
}

// ToKey locks an output to a key.
func ToKey(key PublicKey) KeyLock { return KeyLock{Key: key} }

// Part is the role of a sum that a trade has locked.
type Part uint8

// The parts of a trade, in the order in which they are locked.
const (
	PartPayment Part = 1 // E1, the consumer's: the price
	PartDeposit Part = 2 // E1, the consumer's: the stand-in for the goods
	PartReturn  Part = 3 // E2, the producer's: the deposit, locked back like the payment
	PartBond    Part = 4 // E2, the producer's: what it stakes on its delivery
)

var partNames = map[Part]string{PartPayment: "payment", PartDeposit: "deposit", PartReturn: "return", PartBond: "bond"} //nolint:gochecknoglobals // a constant table

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

// Outpoint is the address of an output: the transaction that made it and its place there, or, of a sum that a trade has locked,
// the trade and the part; see [TradeID.Outpoint].
type Outpoint struct {
	_     struct{} `cbor:",toarray"`
	Tx    TxID     `json:"tx"`
	Index uint32   `json:"index"`
}

func (o Outpoint) String() string { return fmt.Sprintf("%s:%d", o.Tx, o.Index) }

// inTrade is the bit of an index that tells a part of a trade from a place in a transaction, which never has as many.
const inTrade = 1 << 31

// Outpoint is the address of a part of the trade. Locked sums are stored in the trade itself, so its parts have
// their addresses by it, whichever transaction locked them.
func (h TradeID) Outpoint(part Part) Outpoint {
	return Outpoint{Tx: TxID(h), Index: inTrade | uint32(part)}
}

// Trade tells which part of which trade an address is of; false when it is an output of a transaction.
func (o Outpoint) Trade() (id TradeID, part Part, ok bool) {
	if o.Index&inTrade == 0 {
		return TradeID{}, 0, false
	}
	index := o.Index &^ inTrade
	if index > 0xff { // no part: a trade that has it is not found
		index = 0
	}
	return TradeID(o.Tx), Part(index), true
}

// Output is a sum of one asset that a key can spend. The amount is at least 1.
type Output struct {
	_      struct{} `cbor:",toarray"`
	Asset  AssetID  `json:"asset"`
	Amount Amount   `json:"amount"`
	Lock   KeyLock  `json:"lock"`
}
