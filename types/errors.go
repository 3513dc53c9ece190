package types

import (
	"errors"
	"fmt"
	"slices"
)

// Code says which rule refused something. Codes are protocol: they are part of a block's result and never change their
// number or their name. The list with remedies is docs/reference/codes.md.
type Code uint32

// The codes, by kind of fault.
const (
	CodeOK Code = 0

	// Form: wrong in any state of the ledger.
	CodeMalformed     Code = 1
	CodeTooLarge      Code = 2
	CodeChain         Code = 3
	CodeEmpty         Code = 4
	CodeText          Code = 5
	CodeAmountZero    Code = 6
	CodeOverflow      Code = 7
	CodeLock          Code = 8
	CodeUnsignedForm  Code = 9
	CodeInputRepeated Code = 10
	CodeWeakKey       Code = 11

	// Time, replay, signatures, balance.
	CodeExpired       Code = 20
	CodeValidity      Code = 21
	CodeReplay        Code = 22
	CodeSignatureKeys Code = 23
	CodeSignature     Code = 24
	CodeInputMissing  Code = 25
	CodeInputLocked   Code = 26
	CodeUnbalanced    Code = 27
	CodeFee           Code = 28

	// Assets.
	CodeAssetUnknown Code = 40
	CodeAssetForm    Code = 41
	CodeSupply       Code = 42

	// Entries that last.
	CodeUnaccepted  Code = 43
	CodeDust        Code = 44
	CodeQuota       Code = 45
	CodeNotAdmitted Code = 46
	CodePurse       Code = 47

	// Agreements and offers.
	CodeParties       Code = 50
	CodeGoods         Code = 51
	CodeTerms         Code = 52
	CodeDeadlines     Code = 53
	CodeFallback      Code = 54
	CodeMeterUnknown  Code = 55
	CodeTradeExists   Code = 56
	CodeOfferUnknown  Code = 57
	CodeOfferExists   Code = 58
	CodeOfferQuantity Code = 59
	CodeOperator      Code = 60
	CodeMember        Code = 61
	CodeMeterForm     Code = 62
	CodeMeterExists   Code = 63
	CodeProduct       Code = 64
	CodeOrder         Code = 65
	CodeBookClosed    Code = 66
	CodeBookFull      Code = 67
	CodeOrderUnknown  Code = 68
	CodePoint         Code = 69

	// Trades.
	CodeTradeUnknown  Code = 70
	CodePhase         Code = 71
	CodeTooLate       Code = 72
	CodeSecret        Code = 73
	CodeInstalment    Code = 74
	CodeSplit         Code = 75
	CodeOutputRemoved Code = 76
	CodeTooEarly      Code = 77
	CodeArbiter       Code = 78
	CodeSlot          Code = 79
	CodeReading       Code = 80
	CodeMandate       Code = 81

	// Members.
	CodeMemberName Code = 83

	// Decisions of operators.
	CodeDecision  Code = 84
	CodeValidator Code = 85
	CodeParams    Code = 86

	// The node, not the rules: the same transaction may be accepted later.
	CodePoolFull    Code = 90
	CodePending     Code = 91
	CodeUnavailable Code = 92
	CodeNotFound    Code = 93
	CodeToken       Code = 94
	CodeAhead       Code = 95
	CodePruned      Code = 96
	CodeInternal    Code = 99
)

// CodeInfo is a code with its name and its sentence.
type CodeInfo struct {
	Code     Code
	Name     string
	Sentence string
}

// codes are all codes.
var codes = []CodeInfo{ //nolint:gochecknoglobals // a constant table
	{CodeOK, "ok", "Accepted."},
	{CodeMalformed, "malformed", "It can't be read. Write it as the text says; a transaction has one canonical form, so build it with the SDK or the command line."},
	{CodeTooLarge, "too_large", "It is larger than the ledger takes. Split it into several transactions."},
	{CodeChain, "wrong_chain", "It was made for another ledger. Check the chain id of the node you talk to."},
	{CodeEmpty, "empty", "It does nothing: a transaction needs an input or an action."},
	{CodeText, "bad_text", "A text in it is too long, is not UTF-8 or holds characters that are not seen. Shorten or clean it."},
	{CodeAmountZero, "zero_amount", "An amount that must be at least 1 is zero."},
	{CodeOverflow, "overflow", "A sum in it is more than the ledger can count (2^64-1)."},
	{CodeLock, "bad_lock", "An output in a transaction can only be locked to a key; the actions of a trade lock sums to the trade."},
	{CodeUnsignedForm, "unsigned_form", "An unsigned transaction must be exactly one release or one settlement and nothing else: no memo, inputs, outputs or fee, valid-until zero."},
	{CodeInputRepeated, "input_repeated", "It names the same output twice as an input."},
	{CodeWeakKey, "weak_key", "Nobody owns this key: anybody can sign in its name, or it is a second way to write another key. Ask for the right one."},
	{CodeExpired, "expired", "Its valid-until, or that of the signatures in it, has passed. Sign it again with a later one."},
	{CodeValidity, "validity", "Its valid-until, or that of the signatures in it, is further ahead than the ledger allows. Sign it again with an earlier one."},
	{CodeReplay, "replay", "This very transaction is already on the ledger. Nothing is to be done."},
	{CodeSignatureKeys, "signature_keys", "It must carry exactly one signature for each key that its inputs and actions need, in order of first need."},
	{CodeSignature, "bad_signature", "A signature does not fit its key and the transaction, the agreement or the split under which it is. Sign it again."},
	{CodeInputMissing, "input_missing", "An input is not on the ledger: it was spent already or never existed. If a waiting transaction spends it, wait for that one; then make the transaction again from the key's present coins."},
	{CodeInputLocked, "input_locked", "An input belongs to a trade whose phase gives it to nobody yet. See the trade's deadlines."},
	{CodeUnbalanced, "unbalanced", "Inputs and issued sums do not equal outputs, locked and redeemed sums and the fee, asset by asset."},
	{CodeFee, "fee", "The fee is below the ledger's minimum, or this ledger takes none."},
	{CodeAssetUnknown, "asset_unknown", "The asset was never issued on this ledger."},
	{CodeAssetForm, "asset_form", "An asset's code is 1 to 12 capital letters, digits or '-', with at most 18 decimal places."},
	{CodeSupply, "supply", "More would be issued than the ledger can count, or more redeemed than is out."},
	{CodeUnaccepted, "unaccepted", "The ledger does not recognise the asset, and its receiver has not accepted it. Ask the receiver to opt in, by lockstep wallet accept ASSET."},
	{CodeDust, "dust", "The output is below the asset's smallest output and its receiver has no purse of the asset yet. Send more at once."},
	{CodeQuota, "quota", "The key has as many entries of this kind as the ledger lets it have. End some first: cancel an offer, withdraw an order, collect a trade, redeem an asset, decline one."},
	{CodeNotAdmitted, "not_admitted", "On this ledger only members make lasting entries and receive money. Ask an operator to admit the key."},
	{CodePurse, "purse", "Less than that is in the purse. Ask for the holdings again."},
	{CodeParties, "parties", "Producer and consumer must be two distinct keys, and an arbiter a third."},
	{CodeGoods, "goods", "The goods are not well described: see the reference of agreements for units, quantities and slots."},
	{CodeTerms, "terms", "Price, deposit, instalments or nonce are out of bounds: price and deposit at least 1, instalments 1 to 1024 and at most the price, the nonce below 2^63."},
	{CodeDeadlines, "deadlines", "The deadlines must follow each other, each at least the ledger's smallest window after the last, within its horizon."},
	{CodeFallback, "fallback", "This ledger does not take these fallback terms."},
	{CodeMeterUnknown, "meter_unknown", "The connection point is not registered to the producer, is retired, or does not sell that direction in that slot."},
	{CodeTradeExists, "trade_exists", "This agreement is or was on the ledger. Choose another nonce."},
	{CodeOfferUnknown, "offer_unknown", "There is no such offer: it was taken up, cancelled, or has run out."},
	{CodeOfferExists, "offer_exists", "This very offer stands already. Choose another nonce."},
	{CodeOfferQuantity, "offer_quantity", "The quantity is more than the rest of the offer, or less than its smallest fill."},
	{CodeOperator, "operator", "Only operators named in the ledger's parameters may do that. Where several must sign, make a proposal: see lockstep governance."},
	{CodeMember, "member", "A connection point can only be enrolled for a member that an operator has admitted, and a member is admitted once."},
	{CodeMeterForm, "meter_form", "The meter's key, serial number or registers are not in the form that the ledger takes: see the detail, and the reference of agreements."},
	{CodeMeterExists, "meter_exists", "A meter with this key and serial number was enrolled before. A meter is enrolled at one point, once, ever."},
	{CodeProduct, "product", "There is no such product: auctions are of slots that begin and end on the ledger's grid, see its parameters."},
	{CodeOrder, "order", "The order can't be placed: see the detail for the quantity, the limit, the terms or the number."},
	{CodeBookClosed, "book_closed", "The product takes no orders now: it is not open yet, or its gate has closed."},
	{CodeBookFull, "book_full", "The product has all the orders that the ledger takes. Try a later slot."},
	{CodeOrderUnknown, "order_unknown", "There is no such order: it was withdrawn, replaced, or its auction is over."},
	{CodePoint, "point", "The connection point can't be changed so: see the detail for its parent, for the points on its path that sell the direction, or for the moment."},
	{CodeTradeUnknown, "trade_unknown", "There is no such trade in the ledger's state: it never was, it lapsed, or it is over and everything of it is spent."},
	{CodePhase, "phase", "The trade is not in the phase that this step needs. See the trade's timeline."},
	{CodeTooLate, "too_late", "The deadline for this step has passed on the ledger clock."},
	{CodeSecret, "wrong_secret", "The secret does not open the lock of this trade."},
	{CodeInstalment, "instalment", "That instalment is released already, or the trade has fewer."},
	{CodeSplit, "split", "The two shares of a split must add up to exactly the sums that the trade has locked."},
	{CodeOutputRemoved, "output_removed", "The transaction spends an output that one of its own actions needs."},
	{CodeTooEarly, "too_early", "The moment for this step has not come on the ledger clock."},
	{CodeArbiter, "arbiter", "The agreement names no arbiter, so nobody can award."},
	{CodeSlot, "slot", "No delivered trade waits for a reading of this point and direction in this slot, or the slot takes no more trades or readings."},
	{CodeReading, "reading", "The meter's records prove nothing here: see the detail for the signature, the sequence, the time or the quantity."},
	{CodeMandate, "mandate", "The signatures under the agreement or the split are not those of its two parties for the trade as it is now. Agree on it anew, and sign that."},
	{CodeMemberName, "member_name", "A member has this name, or one that looks the same. Admit it under another name."},
	{CodeDecision, "decision", "The decision can't be carried out as it is signed: see the detail for the operators, the moment or the act. Propose it again."},
	{CodeValidator, "validator", "The validators can't be changed so: see the detail for the key, the consent or the power. The rules keep a change from stopping the ledger."},
	{CodeParams, "params", "The parameters can't be changed so: see the detail for the value, the block or the moment from which it would hold."},
	{CodePoolFull, "pool_full", "The node has more waiting than it takes. Send it again in a moment."},
	{CodePending, "pending", "This transaction, or another release of the same trade, is waiting already."},
	{CodeUnavailable, "unavailable", "The node can't answer now. Try again in a moment."},
	{CodeNotFound, "not_found", "This ledger has nothing under that name now. The message says more."},
	{CodeToken, "token", "The node takes transactions only with its access token: name the file that holds it, api.token in the node's folder."},
	{CodeAhead, "ahead", "The place asked for lies ahead of this node's ledger: it is of another ledger, or of one that was made anew. Start again from the beginning."},
	{CodePruned, "pruned", "This node keeps the history of a limited time, and no longer has that. Ask a node that keeps all, or use a receipt that was exported before."},
	{CodeInternal, "internal", "The node failed at something that should not fail. Its log has the cause; please report it."},
}

// CodeList returns every code with its name and a sentence on the fault and its remedy.
func CodeList() []CodeInfo { return slices.Clone(codes) }

func (c Code) info() CodeInfo {
	for _, info := range codes {
		if info.Code == c {
			return info
		}
	}
	return CodeInfo{c, fmt.Sprintf("code_%d", uint32(c)), "This program does not know the code: it is older than the node."}
}

// Absent reports whether the code says that the node has nothing under a name: there is none, or its history is pruned.
func (c Code) Absent() bool { return c == CodeNotFound || c == CodePruned }

// String is the code's name, such as "input_missing".
func (c Code) String() string { return c.info().Name }

// Sentence describes the fault and its remedy.
func (c Code) Sentence() string { return c.info().Sentence }

// MarshalText writes the code's name.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a code's name; an unknown one is taken as [CodeInternal], so an old client still sees an error.
func (c *Code) UnmarshalText(text []byte) error {
	for _, info := range codes {
		if info.Name == string(text) {
			*c = info.Code
			return nil
		}
	}
	*c = CodeInternal
	return nil
}

// Refusal is the error of a rule: a code and the particular fault. It is a value; compare codes, not texts.
type Refusal struct {
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
}

// Refuse makes the error of a rule.
func Refuse(code Code, format string, args ...any) error {
	return &Refusal{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (r *Refusal) Error() string { return r.Code.String() + ": " + r.Detail }

// CodeOf returns the code of the refusal in err's chain, [CodeOK] for nil and [CodeInternal] for any other error.
func CodeOf(err error) Code {
	if err == nil {
		return CodeOK
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return CodeInternal
}
