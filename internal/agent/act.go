package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"lockstep/types"
)

// Act is a part of a transaction. The set is closed.
//
//sumtype:decl
type Act interface {
	// Name tells the act from others of a view: the same thing done again has the same name.
	Name() string
	isAct()
}

// Place puts an order into a book, in place of another one if there is one.
type Place struct {
	Order    types.Order
	Replaces *types.Order
}

// Withdraw takes an order out of its book.
type Withdraw struct{ Order types.Order }

// Post puts up a standing offer. Its nonce follows from the seed, the purpose and the number.
type Post struct {
	Offer types.Offer
	Nonce NonceOf
}

// Cancel takes the rest of a standing offer back.
type Cancel struct {
	ID    types.OfferID
	Offer types.Offer
}

// Take agrees to a quantity of a standing offer, and pays (E1).
type Take struct {
	ID       types.OfferID
	Offer    types.Offer
	Quantity uint64
	Nonce    NonceOf
}

// NonceOf names a nonce that the wallet derives from its seed. So nobody else can foresee it, and a second agent of the seed has the same.
type NonceOf struct {
	Purpose string
	Of      types.Hash
	Number  uint64
}

// Pay locks price and deposit (E1).
type Pay struct{ Trade Trade }

// Deliver begins the delivery (E2).
type Deliver struct{ Trade Trade }

// Read posts signed records of a slot.
type Read struct {
	Flow    types.Flow
	From    types.Time
	Records []types.HexBytes
}

// Release shows the secret of an instalment (E3).
type Release struct {
	Trade      Trade
	Instalment uint16
}

// Settle ends a trade under meter terms by its reading.
type Settle struct{ Trade Trade }

// Collect spends the parts of a trade that are the household's: payment and bond (E4), the return, or a refund.
type Collect struct{ Trade Trade }

// Divide records a split that both sides have signed.
type Divide struct {
	Trade Trade
	Split Split
}

// Gather makes one coin of some.
type Gather struct{ Coins []types.Coin }

func (Place) isAct()    {}
func (Withdraw) isAct() {}
func (Post) isAct()     {}
func (Cancel) isAct()   {}
func (Take) isAct()     {}
func (Pay) isAct()      {}
func (Deliver) isAct()  {}
func (Read) isAct()     {}
func (Release) isAct()  {}
func (Settle) isAct()   {}
func (Collect) isAct()  {}
func (Divide) isAct()   {}
func (Gather) isAct()   {}

// Name implements [Act].
func (a Place) Name() string {
	return fmt.Sprintf("place the %s for the slot at %s", a.Order.Side, a.Order.Product.From)
}

// Name implements [Act].
func (a Withdraw) Name() string {
	return fmt.Sprintf("withdraw the %s for the slot at %s", a.Order.Side, a.Order.Product.From)
}

// Name implements [Act].
func (a Post) Name() string { return fmt.Sprintf("offer the slot at %s", a.Offer.Goods.From) }

// Name implements [Act].
func (a Cancel) Name() string { return fmt.Sprintf("cancel offer %s", a.ID) }

// Name implements [Act].
func (a Take) Name() string { return fmt.Sprintf("take of offer %s", a.ID) }

// Name implements [Act].
func (a Pay) Name() string { return fmt.Sprintf("pay trade %s", a.Trade.ID) }

// Name implements [Act].
func (a Deliver) Name() string { return fmt.Sprintf("deliver trade %s", a.Trade.ID) }

// Name implements [Act]. It has a sum of the records: the others of a slot are not blocked with one that is refused.
func (a Read) Name() string {
	sum := sha256.New()
	for _, record := range a.Records {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(record))))
		sum.Write(record)
	}
	return fmt.Sprintf("post %d records of the slot at %s (%.8x)", len(a.Records), a.From, sum.Sum(nil))
}

// Name implements [Act].
func (a Release) Name() string {
	return fmt.Sprintf("release trade %s up to instalment %d", a.Trade.ID, a.Instalment)
}

// Name implements [Act].
func (a Settle) Name() string { return fmt.Sprintf("settle trade %s", a.Trade.ID) }

// Name implements [Act].
func (a Collect) Name() string { return fmt.Sprintf("collect from trade %s", a.Trade.ID) }

// Name implements [Act].
func (a Divide) Name() string { return fmt.Sprintf("split trade %s", a.Trade.ID) }

// Name implements [Act].
func (a Gather) Name() string { return fmt.Sprintf("gather %d coins", len(a.Coins)) }

// exposed reports whether doing the act twice could cost money: it then needs the anchor.
func exposed(a Act) bool {
	_, takes := a.(Take)
	_, posts := a.(Post)
	return takes || posts
}
