package types

import "lockstep/types/canon"

// Offer is a producer's standing offer, taken in parts. It fixes everything but the quantity and the consumer.
type Offer struct {
	_           struct{}  `cbor:",toarray"`
	ChainID     string    `json:"chain_id"`
	Producer    PublicKey `json:"producer"`
	Goods       Goods     `json:"goods"` // Quantity is all that is on offer
	Asset       AssetID   `json:"asset"`
	Price       Rate      `json:"price"`   // per unit of goods
	Deposit     Rate      `json:"deposit"` // per unit of goods
	Bond        Rate      `json:"bond"`    // per unit of goods; may be zero
	MinFill     uint64    `json:"min_fill"`
	Instalments uint16    `json:"instalments"`
	Deadlines   Deadlines `json:"deadlines"` // the offer stands until pay-by
	Fallback    Fallback  `json:"fallback"`
	Nonce       uint64    `json:"nonce,string"`
}

// StandingOffer is an offer on the ledger with its remaining quantity.
type StandingOffer struct {
	_         struct{} `cbor:",toarray"`
	Offer     Offer    `json:"offer"`
	Remaining uint64   `json:"remaining"`
	Stake     Amount   `json:"stake"` // the bond of the remaining quantity, locked; zero: it is locked at delivery
}

// ID names the offer.
func (o *Offer) ID() OfferID { return canon.Digest(domainOffer, o) }

// Agreement returns the agreement of a take of that quantity by that consumer: a pure function, so that the consumer knows the
// trade's ID, and with it its secret, before it signs. Price, deposit and bond are rounded up (protocol section 3).
func (o *Offer) Agreement(quantity uint64, consumer PublicKey, nonce uint64) (*Agreement, error) {
	agreement := &Agreement{
		ChainID: o.ChainID, Producer: o.Producer, Consumer: consumer, Goods: o.Goods, Asset: o.Asset,
		Instalments: o.Instalments, Deadlines: o.Deadlines, Fallback: o.Fallback, Nonce: nonce,
	}
	agreement.Goods.Quantity = quantity
	for _, sum := range []struct {
		rate Rate
		to   *Amount
	}{{o.Price, &agreement.Price}, {o.Deposit, &agreement.Deposit}, {o.Bond, &agreement.Bond}} {
		var ok bool
		if *sum.to, ok = sum.rate.Cost(quantity); !ok {
			return nil, Refuse(CodeOverflow, "%d times %s", quantity, sum.rate)
		}
	}
	return agreement, nil
}

// CheckStake returns the fault of a stake on the offer: it is nothing, or the bond of the whole quantity, in whole units for each unit of
// goods, so that each take finds its own.
func (o *Offer) CheckStake(stake Amount) error {
	bond, ok := o.Bond.Cost(o.Goods.Quantity)
	switch {
	case stake == 0:
		return nil
	case o.Bond.Exponent != 0:
		return Refuse(CodeTerms, "a bond of %s for a unit can't be locked with the offer: it must be a whole number of smallest units", o.Bond)
	case !ok || stake != bond:
		return Refuse(CodeTerms, "the stake %s is not the bond of the whole quantity, %s", stake, bond)
	}
	return nil
}

// Check returns the first fault of the offer on a ledger with these parameters: it must make a valid agreement when taken
// whole, and its smallest fill must make one too.
func (o *Offer) Check(params *Params) error {
	if !o.Price.Canonical() || !o.Deposit.Canonical() || !o.Bond.Canonical() {
		return Refuse(CodeTerms, "a rate is not in its shortest form")
	}
	if o.MinFill < 1 || o.MinFill > o.Goods.Quantity {
		return Refuse(CodeOfferQuantity, "the smallest fill %d is not between 1 and the quantity %d", o.MinFill, o.Goods.Quantity)
	}
	stranger := o.Producer
	stranger[0] ^= 1 // any consumer that is not the producer
	for _, quantity := range []uint64{o.MinFill, o.Goods.Quantity} {
		agreement, err := o.Agreement(quantity, stranger, 0)
		if err != nil {
			return err
		}
		if err := agreement.Check(params); err != nil {
			return err
		}
	}
	return nil
}
