package types

import "lockstep/types/canon"

// The tags of actions. A tag names one action permanently: numbers are never reused. 0x4c26 and 0x4c2a were the agreement and the
// split before the parties signed mandates.
const (
	tagIssue    = 0x4c21
	tagRedeem   = 0x4c22
	tagPost     = 0x4c23
	tagCancel   = 0x4c24
	tagTake     = 0x4c25
	tagPay      = 0x4c27
	tagDeliver  = 0x4c28
	tagRelease  = 0x4c29
	tagAdmit    = 0x4c2b
	tagEnrol    = 0x4c2c
	tagRetire   = 0x4c2d
	tagReading  = 0x4c2e
	tagSettle   = 0x4c2f
	tagAward    = 0x4c30
	tagPlace    = 0x4c31
	tagWithdraw = 0x4c32
	tagExchange = 0x4c33
	tagAgree    = 0x4c34
	tagSplit    = 0x4c35

	tagAccept      = 0x4c41
	tagDecline     = 0x4c42
	tagDraw        = 0x4c43
	tagRecognise   = 0x4c44
	tagUnrecognise = 0x4c45

	tagGovern       = 0x4c46
	tagSetValidator = 0x4c47
	tagSetParams    = 0x4c48
	tagSetMarket    = 0x4c49
	tagDismiss      = 0x4c4a

	firstAction = tagIssue
	lastAction  = tagDismiss
)

// ActionInfo describes one kind of action. The rules of the action are a method of their own in the ledger.
type ActionInfo struct {
	Tag     uint64        // on the wire
	Kind    string        // in JSON
	New     func() Action // an empty action of this kind
	Signer  string        // role of the key whose signature the action needs, empty for none
	Running bool          // the action moves a trade on that has begun: a part of each block is reserved for those
	Entries int           // lasting entries that the transaction pays for because of the action, see [Body.Entries]
	Does    string        // effect, in one sentence
}

// actions is the table of all actions. The index is the tag less firstAction, so that decoding costs one bounds check.
var actions = [lastAction - firstAction + 1]ActionInfo{ //nolint:gochecknoglobals // a constant table
	tagIssue - firstAction: {tagIssue, "issue", func() Action { return new(Issue) }, "issuer", false, 1,
		"Creates a sum of an asset for the outputs of the same transaction."},
	tagRedeem - firstAction: {tagRedeem, "redeem", func() Action { return new(Redeem) }, "issuer", false, 0,
		"Destroys a sum of an asset from the inputs of the same transaction."},
	tagPost - firstAction: {tagPost, "post", func() Action { return new(Post) }, "producer", false, 1,
		"Posts an offer."},
	tagCancel - firstAction: {tagCancel, "cancel", func() Action { return new(Cancel) }, "producer", false, 0,
		"Cancels the rest of an offer."},
	tagTake - firstAction: {tagTake, "take", func() Action { return new(Take) }, "consumer", false, 3,
		"Agrees to a quantity of an offer and pays for it at once (E1)."},
	tagPay - firstAction: {tagPay, "pay", func() Action { return new(Pay) }, "consumer", false, 2,
		"Locks payment and deposit under the digest (E1)."},
	tagDeliver - firstAction: {tagDeliver, "deliver", func() Action { return new(Deliver) }, "producer", true, 2,
		"Turns the deposit into the return, locked like the payment, and locks the bond (E2)."},
	tagRelease - firstAction: {tagRelease, "release", func() Action { return new(Release) }, "", true, 0,
		"Shows the preimage of an instalment, which pays the producer and gives the return to the consumer (E3)."},
	tagAdmit - firstAction: {tagAdmit, "admit", func() Action { return new(Admit) }, signerOperator, false, 0,
		"Makes a key a member under a name."},
	tagEnrol - firstAction: {tagEnrol, "enrol", func() Action { return new(Enrol) }, signerOperator, false, 0,
		"Registers a connection point of a member with its first meter."},
	tagRetire - firstAction: {tagRetire, "retire", func() Action { return new(Retire) }, signerOperator, false, 0,
		"Excludes a connection point from new agreements."},
	tagReading - firstAction: {tagReading, "reading", func() Action { return new(Reading) }, "point's owner", true, 1,
		"Records the signed meter records of a connection point in a slot."},
	tagSettle - firstAction: {tagSettle, "settle", func() Action { return new(Settle) }, "", true, 0,
		"Ends a trade under meter terms by its readings, after confirm-by."},
	tagAward - firstAction: {tagAward, "award", func() Action { return new(Award) }, "arbiter", true, 0,
		"Divides the locked sum of a trade under arbiter terms, after confirm-by."},
	tagPlace - firstAction: {tagPlace, "place", func() Action { return new(Place) }, "owner", false, 3,
		"Places an order in the auction of a product and locks its stake."},
	tagWithdraw - firstAction: {tagWithdraw, "withdraw", func() Action { return new(Withdraw) }, "owner", false, 0,
		"Withdraws an order before gate closure."},
	tagExchange - firstAction: {tagExchange, "exchange", func() Action { return new(Exchange) }, signerOperator, false, 0,
		"Gives a connection point another meter, or other registers, from a future slot on."},
	tagAgree - firstAction: {tagAgree, "agree", func() Action { return new(Agree) }, "submitter", false, 1,
		"Records an agreement that both parties have signed; nothing is locked."},
	tagSplit - firstAction: {tagSplit, "split", func() Action { return new(Split) }, "submitter", true, 0,
		"Divides the locked sum of a trade as both parties have signed."},
	tagAccept - firstAction: {tagAccept, "accept", func() Action { return new(Accept) }, "key", false, 1,
		"Accepts payments to a key in an asset that the ledger does not recognise."},
	tagDecline - firstAction: {tagDecline, "decline", func() Action { return new(Decline) }, "key", false, 0,
		"Revokes an acceptance."},
	tagDraw - firstAction: {tagDraw, "draw", func() Action { return new(Draw) }, "key", false, 0,
		"Takes a sum out of a key's purse for the same transaction."},
	tagRecognise - firstAction: {tagRecognise, "recognise", func() Action { return new(Recognise) }, signerOperator, false, 0,
		"Makes the ledger recognise an asset, with a smallest output."},
	tagUnrecognise - firstAction: {tagUnrecognise, "unrecognise", func() Action { return new(Unrecognise) }, signerOperator, false, 0,
		"Revokes the recognition of an asset; sums already issued stay."},
	tagGovern - firstAction: {tagGovern, "govern", func() Action { return new(Govern) }, "submitter", false, 0,
		"Carries out a decision that enough operators have signed."},
	tagSetValidator - firstAction: {tagSetValidator, "setvalidator", func() Action { return new(SetValidator) }, signerDecision, false, 0,
		"Gives a validator its power, or removes it; the consensus engine follows two blocks later."},
	tagSetParams - firstAction: {tagSetParams, "setparams", func() Action { return new(SetParams) }, signerDecision, false, 0,
		"Changes operators, fees, quotas, the longest validity or the version of the rules from a block on."},
	tagSetMarket - firstAction: {tagSetMarket, "setmarket", func() Action { return new(SetMarket) }, signerDecision, false, 0,
		"Changes the numbers of auctions for slots that begin at a moment or later."},
	tagDismiss - firstAction: {tagDismiss, "dismiss", func() Action { return new(Dismiss) }, signerDecision, false, 0,
		"Ends a membership; what the member has stays its own."},
}

// The signers of actions of operators: one of them, or as many as decide together.
const (
	signerOperator = "operator"
	signerDecision = "operators"
)

// Actions returns the description of every kind of action, in order of their tags.
func Actions() []ActionInfo {
	list := make([]ActionInfo, 0, len(actions))
	for i := range actions {
		if actions[i].New != nil {
			list = append(list, actions[i])
		}
	}
	return list
}

// InfoOf returns the description of an action; the zero value for nil.
func InfoOf(a Action) ActionInfo {
	if a == nil {
		return ActionInfo{}
	}
	return actions[a.Tag()-firstAction]
}

// ActionKind names an action, such as "deliver"; it returns an empty text for nil.
func ActionKind(a Action) string { return InfoOf(a).Kind }

// newAction returns an empty action of a kind, or nil for an unknown one.
func newAction(kind string) Action {
	for i := range actions {
		if actions[i].New != nil && actions[i].Kind == kind {
			return actions[i].New()
		}
	}
	return nil
}

func actionFields(a *Action, c *canon.Coder) { canon.Sum(c, a, actionOf) }

// actionOf returns an empty action of a tag, or nil for an unknown one.
func actionOf(tag uint64) Action {
	if tag < firstAction || tag > lastAction || actions[tag-firstAction].New == nil {
		return nil
	}
	return actions[tag-firstAction].New()
}
