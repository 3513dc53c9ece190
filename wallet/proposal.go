package wallet

import (
	"bytes"
	"encoding/json"
	"slices"

	"lockstep/trade"
	"lockstep/types"
	"lockstep/types/strict"
)

// Proposal is an offer of one party to the other: an agreement, or the split of a trade. It travels between them as a small
// file, see [Proposal.Encode], with the signatures it has so far. The way needs no trust: each party computes the signed bytes
// from the fields that it is shown. A signature under a proposal is valid for nothing else, and spends no coin.
type Proposal struct {
	agreement  *types.Agreement // one of the two
	split      *splitFields
	chainID    string
	validUntil types.Time
	signatures []types.Signature // in order of their keys
}

// splitFields are the terms of a split, as its file holds them.
type splitFields struct {
	Trade      types.TradeID `json:"trade"`
	Phase      types.Phase   `json:"phase"`
	Released   uint16        `json:"released"`
	ToProducer types.Amount  `json:"to_producer"`
	ToConsumer types.Amount  `json:"to_consumer"`
}

// proposalFile is the form in which a proposal travels.
type proposalFile struct {
	Lockstep   string            `json:"lockstep"`
	ChainID    string            `json:"chain_id"`
	Agreement  *types.Agreement  `json:"agreement,omitempty"`
	Split      *splitFields      `json:"split,omitempty"`
	ValidUntil types.Time        `json:"valid_until"`
	Signatures []types.Signature `json:"signatures"`
}

const (
	proposalMark = "proposal"

	// MaxProposalBytes bounds the file of a proposal.
	MaxProposalBytes = 8 << 10
)

// Encode writes the file that the other party signs.
func (p *Proposal) Encode() []byte {
	encoded, err := json.MarshalIndent(p.file(), "", "  ")
	if err != nil {
		panic("wallet: a proposal always encodes: " + err.Error())
	}
	return append(encoded, '\n')
}

func (p *Proposal) file() proposalFile {
	signatures := p.signatures
	if signatures == nil {
		signatures = []types.Signature{}
	}
	return proposalFile{proposalMark, p.chainID, p.agreement, p.split, p.validUntil, signatures}
}

// ParseProposal reads the output of [Proposal.Encode] and refuses all other input; only white space may differ. All signatures in it
// are valid and of different keys. [Account.Explain] describes the proposal.
func ParseProposal(file []byte) (*Proposal, error) {
	bad := func(why string) (*Proposal, error) {
		return nil, refuse(ReasonProposal, "this is not the file of a proposal: %s", why)
	}
	if len(file) > MaxProposalBytes {
		return bad("it is too large to be one")
	}
	var fields proposalFile
	if err := strict.Unmarshal(file, &fields); err != nil {
		return bad("it can't be read as one; pass on the file as it was made")
	}
	if fields.Lockstep == "partial transaction" {
		return bad("an earlier version of the program made it; make it again with this one")
	}
	if fields.Lockstep != proposalMark {
		return bad("it does not say that it is one")
	}
	if again, err := json.Marshal(fields); err != nil || !bytes.Equal(again, compact(file)) {
		return bad("it was changed; pass on the file as it was made")
	}
	if fields.Signatures == nil || (fields.Agreement == nil) == (fields.Split == nil) {
		return bad("it must propose either an agreement or a split, and list its signatures")
	}
	p := &Proposal{fields.Agreement, fields.Split, fields.ChainID, fields.ValidUntil, fields.Signatures}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

// compact removes the white space of valid JSON.
func compact(text []byte) []byte {
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil
	}
	return out.Bytes()
}

// check verifies the signatures against the fields of the proposal.
func (p *Proposal) check() error {
	const parties = 2
	if p.agreement != nil && (p.agreement.ChainID != p.chainID || p.agreement.Fallback == nil) {
		return refuse(ReasonProposal, "the file contradicts itself: its agreement is for chain %q, the proposal for %q, or it names no fallback terms",
			p.agreement.ChainID, p.chainID)
	}
	if len(p.signatures) > parties {
		return refuse(ReasonProposal, "it carries %d signatures, and a trade has two parties", len(p.signatures))
	}
	message := p.message()
	for i, signature := range p.signatures {
		switch {
		case i > 0 && compareKeys(p.signatures[i-1], signature) >= 0:
			return refuse(ReasonProposal, "it carries two signatures of %s, or its signatures are out of order", signature.Key)
		case p.agreement != nil && signature.Key != p.agreement.Producer && signature.Key != p.agreement.Consumer:
			return refuse(ReasonProposal, "it carries a signature of %s, who is not a party of it", signature.Key)
		case !types.VerifyEd25519(signature.Key, message, signature.Bytes[:]):
			return types.Refuse(types.CodeSignature, "the signature of %s in the proposal is not good: the proposal was changed after it was signed", signature.Key)
		}
	}
	return nil
}

func compareKeys(a, b types.Signature) int { return bytes.Compare(a.Key[:], b.Key[:]) }

// message returns the bytes that both parties sign.
func (p *Proposal) message() []byte {
	action := p.action(&types.Mandates{ValidUntil: p.validUntil}, types.PublicKey{})
	if agree, ok := action.(*types.Agree); ok {
		return agree.Message(p.chainID)
	}
	return action.(*types.Split).Message(p.chainID)
}

// action is the action that records the proposal.
func (p *Proposal) action(mandates *types.Mandates, submitter types.PublicKey) types.Action {
	if p.agreement != nil {
		return &types.Agree{Agreement: *p.agreement, Mandates: *mandates, Submitter: submitter}
	}
	split := p.split.action()
	split.Mandates, split.Submitter = *mandates, submitter
	return split
}

// action is the split without its mandates.
func (s *splitFields) action() *types.Split {
	return &types.Split{Trade: s.Trade, Phase: s.Phase, Released: s.Released, ToProducer: s.ToProducer, ToConsumer: s.ToConsumer}
}

// Agreement is the proposed agreement; nil when a split is proposed.
func (p *Proposal) Agreement() *types.Agreement { return p.agreement }

// Trade is the ID of the trade that would be agreed or split.
func (p *Proposal) Trade() types.TradeID {
	if p.agreement != nil {
		return p.agreement.ID()
	}
	return p.split.Trade
}

// Shares are the sums that a proposed split gives; zero for an agreement.
func (p *Proposal) Shares() (toProducer, toConsumer types.Amount) {
	if p.split == nil {
		return 0, 0
	}
	return p.split.ToProducer, p.split.ToConsumer
}

// ValidUntil is the block time until which the proposal can be recorded.
func (p *Proposal) ValidUntil() types.Time { return p.validUntil }

// Signers lists the keys that have signed so far.
func (p *Proposal) Signers() (keys []types.PublicKey) {
	for _, signature := range p.signatures {
		keys = append(keys, signature.Key)
	}
	return keys
}

// SignedBy reports whether a key has signed.
func (p *Proposal) SignedBy(key types.PublicKey) bool { return slices.Contains(p.Signers(), key) }

// Complete reports whether both have signed.
func (p *Proposal) Complete() bool { return len(p.signatures) == 2 }

// Open reports whether the proposal could still be recorded at a block time, with a trade as a node shows it; nil when there is
// none on the ledger.
func (p *Proposal) Open(blockTime, clock types.Time, t *types.Trade) bool {
	switch {
	case p.validUntil < blockTime:
		return false
	case p.agreement != nil:
		return t == nil && !trade.Passed(p.agreement.Deadlines.PayBy, clock)
	}
	return t != nil && trade.PhaseAt(t, clock) == p.split.Phase && t.Released == p.split.Released
}

func (p *Proposal) with(signature types.Signature) *Proposal {
	signed := *p
	signed.signatures = append(slices.Clone(p.signatures), signature)
	slices.SortFunc(signed.signatures, compareKeys)
	return &signed
}

// Propose makes a proposal of an agreement, which nobody has signed yet: see [Account.SignProposal]. A zero chain or nonce is filled
// in. It is valid for the context's validity, at most as long as the ledger allows.
func (a *Account) Propose(ctx Context, agreement types.Agreement) (*Proposal, error) {
	if err := a.Draft(ctx).fill(&agreement.ChainID, &agreement.Nonce); err != nil {
		return nil, err
	}
	if err := a.checkAgreement(&ctx, &agreement); err != nil {
		return nil, err
	}
	if err := checkAhead(&ctx, &agreement.Goods); err != nil {
		return nil, err
	}
	return &Proposal{agreement: &agreement, chainID: ctx.Params.ChainID, validUntil: ctx.validUntil()}, nil
}

// ProposeSplit makes a proposal to divide all that a trade has locked, which nobody has signed yet. It is for the trade as it is
// now: it can't be recorded in another phase or after another instalment.
func (a *Account) ProposeSplit(ctx Context, id types.TradeID, t *types.Trade, toProducer, toConsumer types.Amount) (*Proposal, error) {
	split := &splitFields{id, trade.PhaseAt(t, ctx.Clock), t.Released, toProducer, toConsumer}
	if err := a.checkSplit(&ctx, split, t); err != nil {
		return nil, err
	}
	return &Proposal{split: split, chainID: ctx.Params.ChainID, validUntil: ctx.validUntil()}, nil
}

// SignProposal adds the account's signature to a proposal that [Account.Explain] finds nothing wrong with. Show the user the
// explanation first. The account of a wallet remembers the signature before it gives it out, see [Wallet.Signed].
func (a *Account) SignProposal(ctx Context, p *Proposal, trade *types.Trade) (*Proposal, error) {
	if _, err := a.Explain(ctx, p, trade); err != nil {
		return nil, err
	}
	if p.SignedBy(a.key) {
		return nil, refuse(ReasonProposal, "this account has signed it already")
	}
	signed := p.with(a.signMessage(p.message()))
	if a.remember != nil {
		if err := a.remember(a.index, signed, ctx.BlockTime); err != nil {
			return nil, err
		}
	}
	return signed, nil
}

// Record records a proposal that both have signed. The account submits it and pays the fee; it need not be a party. The trade to
// split is given as a node shows it.
func (d *Draft) Record(p *Proposal, trade *types.Trade) error {
	if err := d.account.checkProposal(&d.ctx, p, trade); err != nil {
		return err
	}
	parties := p.agreement
	if parties == nil {
		parties = &trade.Agreement
	}
	mandates := &types.Mandates{ValidUntil: p.validUntil}
	for key, place := range map[types.PublicKey]*types.Signature{parties.Producer: &mandates.Producer, parties.Consumer: &mandates.Consumer} { // any order: each has its place
		at := slices.IndexFunc(p.signatures, func(s types.Signature) bool { return s.Key == key })
		if at < 0 {
			return refuse(ReasonProposal, "%s has not signed it yet: both parties must", key)
		}
		*place = p.signatures[at]
	}
	d.act(p.action(mandates, d.account.key))
	d.until = p.validUntil
	return nil
}

// PayProposed pays for the agreement of a proposal that the same draft records. The account must be the consumer.
func (d *Draft) PayProposed(p *Proposal) error {
	if p.agreement == nil {
		return refuse(ReasonProposal, "it proposes a split, and nothing is paid for one")
	}
	if err := d.pay(p.agreement, (*types.Agreement).Check); err != nil {
		return err
	}
	d.act(&types.Pay{Trade: p.Trade(), Digest: d.account.Digest(p.Trade(), p.agreement.Instalments)})
	return nil
}
