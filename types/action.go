package types

import "lockstep/types/canon"

// Action is one step of a transaction. The set is closed; the rules of each stand in a file of package ledger.
//
//sumtype:decl
type Action interface {
	canon.Variant
	isAction()
}

// Issue creates a sum of an asset, for the outputs of the same transaction. Needs the issuer's signature.
type Issue struct {
	_      struct{} `cbor:",toarray"`
	Asset  Asset    `json:"asset"`
	Amount Amount   `json:"amount"`
}

// Redeem takes a sum out of the ledger again, from the inputs of the same transaction. Needs the issuer's signature.
type Redeem struct {
	_      struct{} `cbor:",toarray"`
	Asset  AssetID  `json:"asset"`
	Amount Amount   `json:"amount"`
}

// Post puts up an offer, and may lock its bond at once, so that takers see that the offer is meant. Needs the producer's signature.
type Post struct {
	_     struct{} `cbor:",toarray"`
	Offer Offer    `json:"offer"`
	Stake Amount   `json:"stake"` // the bond of the whole quantity, or zero: then the bond is locked at delivery
}

// Cancel withdraws the rest of an offer. Needs the producer's signature.
type Cancel struct {
	_     struct{} `cbor:",toarray"`
	Offer OfferID  `json:"offer"`
}

// Take agrees to a quantity of an offer and pays for it at once (E1). Needs the consumer's signature.
type Take struct {
	_        struct{}  `cbor:",toarray"`
	Offer    OfferID   `json:"offer"`
	Consumer PublicKey `json:"consumer"`
	Quantity uint64    `json:"quantity"`
	Nonce    uint64    `json:"nonce,string"`
	Digest   Hash      `json:"digest"`
}

// Place puts an order into the auction of a product and locks its stake. Needs the owner's signature.
type Place struct {
	_     struct{} `cbor:",toarray"`
	Order Order    `json:"order"`
}

// Withdraw takes an order out again, up to one smallest window before gate closure. Its stake comes to the transaction. Needs the owner's signature.
type Withdraw struct {
	_       struct{}  `cbor:",toarray"`
	Product ProductID `json:"product"`
	Owner   PublicKey `json:"owner"`
	Number  uint8     `json:"number"`
}

// Agree records an agreement; nothing is locked. Needs both parties' mandates, see [Agree.Message], and the submitter's signature.
type Agree struct {
	_         struct{}  `cbor:",toarray"`
	Agreement Agreement `json:"agreement"`
	Mandates  Mandates  `json:"mandates"`
	Submitter PublicKey `json:"submitter"` // any key
}

// Pay locks payment and deposit under the digest (E1). Needs the consumer's signature.
type Pay struct {
	_      struct{} `cbor:",toarray"`
	Trade  TradeID  `json:"trade"`
	Digest Hash     `json:"digest"`
}

// Deliver turns the deposit into the return, locked like the payment, and locks the bond (E2). Needs the producer's signature.
type Deliver struct {
	_     struct{} `cbor:",toarray"`
	Trade TradeID  `json:"trade"`
}

// Release shows the preimage of instalment k (E3). It needs no signature: the preimage is the authority.
type Release struct {
	_          struct{} `cbor:",toarray"`
	Trade      TradeID  `json:"trade"`
	Instalment uint16   `json:"instalment"` // k: all instalments up to the k-th are released
	Preimage   Secret   `json:"preimage"`
	Path       []Hash   `json:"path,omitempty"` // of a match: the hashes beside the way from its digest to the root of the bid's tree
}

// Split divides all that a trade has locked, as both parties wish while it is in a phase with so many instalments released.
// Needs both parties' mandates, see [Split.Message], and the submitter's signature.
type Split struct {
	_          struct{}  `cbor:",toarray"`
	Trade      TradeID   `json:"trade"`
	Phase      Phase     `json:"phase"`    // paid or delivered
	Released   uint16    `json:"released"` // instalments
	ToProducer Amount    `json:"to_producer"`
	ToConsumer Amount    `json:"to_consumer"`
	Mandates   Mandates  `json:"mandates"`
	Submitter  PublicKey `json:"submitter"` // any key
}

// Settle ends a trade under meter terms by its readings once confirm-by has passed. Like a release it needs no signature:
// where the money goes is fixed.
type Settle struct {
	_     struct{} `cbor:",toarray"`
	Trade TradeID  `json:"trade"`
}

// Award divides all that a trade under arbiter terms has locked, once confirm-by has passed. Needs the arbiter's signature.
type Award struct {
	_          struct{} `cbor:",toarray"`
	Trade      TradeID  `json:"trade"`
	ToProducer Amount   `json:"to_producer"`
	ToConsumer Amount   `json:"to_consumer"`
}

// Reading submits the signed meter records of a point in a slot. Needs the signature of the point's owner, which bears the burden of proof.
type Reading struct {
	_       struct{}   `cbor:",toarray"`
	Flow    Flow       `json:"flow"`
	From    Time       `json:"from"`    // when the slot begins, which tells the meter that the records are of
	Records []HexBytes `json:"records"` // as the meter gave them
}

// Accept opts in to an asset that the ledger does not recognise: from then on anybody can pay the key in it. Needs the key's signature.
type Accept struct {
	_     struct{}  `cbor:",toarray"`
	Key   PublicKey `json:"key"`
	Asset AssetID   `json:"asset"`
}

// Decline takes an acceptance back. Needs the key's signature.
type Decline struct {
	_     struct{}  `cbor:",toarray"`
	Key   PublicKey `json:"key"`
	Asset AssetID   `json:"asset"`
}

// Draw takes a sum out of the key's purse of an asset, for the outputs and actions of the same transaction. Needs the key's signature.
type Draw struct {
	_      struct{}  `cbor:",toarray"`
	Key    PublicKey `json:"key"`
	Asset  AssetID   `json:"asset"`
	Amount Amount    `json:"amount"`
}

// Recognise makes an asset one that the ledger recognises, with its smallest output. It may be done before the asset is issued, and
// again to change the smallest output. Needs an operator's signature.
type Recognise struct {
	_        struct{}  `cbor:",toarray"`
	Operator PublicKey `json:"operator"`
	Asset    Asset     `json:"asset"`
	Least    Amount    `json:"least"`
}

// Unrecognise revokes the recognition of an asset; issued sums stay. Needs an operator's signature.
type Unrecognise struct {
	_        struct{}  `cbor:",toarray"`
	Operator PublicKey `json:"operator"`
	Asset    AssetID   `json:"asset"`
}

// Admit makes a key a member under a name. Needs an operator's signature.
type Admit struct {
	_        struct{}  `cbor:",toarray"`
	Operator PublicKey `json:"operator"`
	Member   Member    `json:"member"`
}

// Enrol registers a connection point with its first meter to a member. Needs an operator's signature.
type Enrol struct {
	_        struct{}   `cbor:",toarray"`
	Operator PublicKey  `json:"operator"`
	Owner    PublicKey  `json:"owner"`
	Parent   PointID    `json:"parent,omitzero"` // of a sub-meter
	Meter    PointMeter `json:"meter"`
}

// Exchange gives a point another meter, or other registers of its meter, from a slot in the future on. Claims keep their
// places. Needs an operator's signature.
type Exchange struct {
	_        struct{}   `cbor:",toarray"`
	Operator PublicKey  `json:"operator"`
	Point    PointID    `json:"point"`
	Meter    PointMeter `json:"meter"`
}

// Retire keeps a point out of new agreements; those recorded are not touched. Needs an operator's signature.
type Retire struct {
	_        struct{}  `cbor:",toarray"`
	Operator PublicKey `json:"operator"`
	Point    PointID   `json:"point"`
}

// Govern carries out a decision of the operators. Needs as many of their signatures under it as the parameters say, and the submitter's. A
// transaction with nothing else pays no fee.
type Govern struct {
	_          struct{}    `cbor:",toarray"`
	Decision   Decision    `json:"decision"`
	Signatures []Signature `json:"signatures"` // under the decision, see [Decision.Message], in order of their keys
	Submitter  PublicKey   `json:"submitter"`  // any key
}

// SetValidator gives a validator its power. It stands in a decision only, like the actions below.
type SetValidator struct {
	_       struct{}  `cbor:",toarray"`
	Key     PublicKey `json:"key"`               // its consensus key
	Power   uint64    `json:"power"`             // zero removes it
	Consent []Consent `json:"consent,omitempty"` // one, of a newcomer
}

// SetParams changes parameters from a block on.
type SetParams struct {
	_        struct{}    `cbor:",toarray"`
	Replaces Hash        `json:"replaces"` // see [ParamChange.Hash]: the parameters that held before
	From     uint64      `json:"from"`     // height
	Change   ParamChange `json:"params"`
}

// SetMarket changes the numbers of auctions for the products whose slot begins at a moment or later.
type SetMarket struct {
	_      struct{}     `cbor:",toarray"`
	From   Time         `json:"from"`
	Market MarketParams `json:"market"`
}

// Dismiss ends a membership. The member's entries stay its own.
type Dismiss struct {
	_      struct{}  `cbor:",toarray"`
	Member PublicKey `json:"member"`
}

func (*Issue) isAction()        {}
func (*Redeem) isAction()       {}
func (*Post) isAction()         {}
func (*Cancel) isAction()       {}
func (*Take) isAction()         {}
func (*Place) isAction()        {}
func (*Withdraw) isAction()     {}
func (*Agree) isAction()        {}
func (*Pay) isAction()          {}
func (*Deliver) isAction()      {}
func (*Release) isAction()      {}
func (*Split) isAction()        {}
func (*Settle) isAction()       {}
func (*Award) isAction()        {}
func (*Reading) isAction()      {}
func (*Accept) isAction()       {}
func (*Decline) isAction()      {}
func (*Draw) isAction()         {}
func (*Recognise) isAction()    {}
func (*Unrecognise) isAction()  {}
func (*Admit) isAction()        {}
func (*Enrol) isAction()        {}
func (*Exchange) isAction()     {}
func (*Retire) isAction()       {}
func (*Govern) isAction()       {}
func (*SetValidator) isAction() {}
func (*SetParams) isAction()    {}
func (*SetMarket) isAction()    {}
func (*Dismiss) isAction()      {}
