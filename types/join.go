package types

import (
	"slices"
	"strings"

	"lockstep/types/canon"
)

// JoinRequest asks the operators of a ledger to admit a key as a member under a name. No ledger holds it and no rule reads it: a node
// keeps it for its operators. The key has signed it, so nobody asks in the name of another.
type JoinRequest struct {
	ChainID    string         `json:"chain_id"`
	Member     Member         `json:"member"`
	ValidUntil Time           `json:"valid_until"` // wall time
	Signature  SignatureBytes `json:"signature"`
}

// JoinValidity is the longest time for which a request to join stands.
const JoinValidity = Duration(14 * 24 * 3600 * 1000)

const domainJoin = "lockstep/join/v1\x00"

// Message returns the bytes that the key signs.
func (r *JoinRequest) Message() []byte {
	m := joinMessage{r}
	return append([]byte(domainJoin), canon.Encode(&m)...)
}

type joinMessage struct{ request *JoinRequest }

func (m *joinMessage) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Text(c, "chain id", &m.request.ChainID)
	c.Bytes("key", m.request.Member.Key[:])
	canon.Text(c, "name", &m.request.Member.Name)
	canon.Number(c, "valid-until", &m.request.ValidUntil)
}

// Check returns the first fault of the request on a ledger at a moment of wall time.
func (r *JoinRequest) Check(chainID string, now Time) error {
	if r.ChainID != chainID {
		return Refuse(CodeChain, "the request is for chain %q, this is %q", clip(r.ChainID), chainID)
	}
	if err := r.Member.Check(); err != nil {
		return err
	}
	switch {
	case r.ValidUntil < now:
		return Refuse(CodeExpired, "the request was valid until %s, now it is %s: send a new one", r.ValidUntil, now)
	case r.ValidUntil > now.Add(JoinValidity):
		return Refuse(CodeValidity, "the request is valid until %s, more than %s ahead", r.ValidUntil, JoinValidity)
	case !VerifyEd25519(r.Member.Key, r.Message(), r.Signature[:]):
		return Refuse(CodeSignature, "the request to admit %s is not signed by that key", r.Member.Key)
	}
	return nil
}

// JoinDecline is an operator's refusal of a request to join, with a reason for the newcomer. It names one request, by its key and its end, so that nobody
// can send it again to refuse a later one.
type JoinDecline struct {
	ChainID    string         `json:"chain_id"`
	Key        PublicKey      `json:"key"`         // that asked
	ValidUntil Time           `json:"valid_until"` // of the request
	Reason     string         `json:"reason"`
	Operator   PublicKey      `json:"operator"`
	Signature  SignatureBytes `json:"signature"` // of the operator
}

// MaxJoinReason bounds the reason for which a request is declined, in bytes.
const MaxJoinReason = 256

const domainJoinDecline = "lockstep/join-decline/v1\x00"

// Message returns the bytes that the operator signs.
func (d *JoinDecline) Message() []byte {
	m := joinDeclineMessage{d}
	return append([]byte(domainJoinDecline), canon.Encode(&m)...)
}

type joinDeclineMessage struct{ decline *JoinDecline }

func (m *joinDeclineMessage) Fields(c *canon.Coder) {
	c.Array(5)
	canon.Text(c, "chain id", &m.decline.ChainID)
	c.Bytes("key", m.decline.Key[:])
	canon.Number(c, "valid-until", &m.decline.ValidUntil)
	canon.Text(c, "reason", &m.decline.Reason)
	c.Bytes("operator", m.decline.Operator[:])
}

// Check returns the first fault of the refusal on a ledger with some operators.
func (d *JoinDecline) Check(chainID string, operators []PublicKey) error {
	if d.ChainID != chainID {
		return Refuse(CodeChain, "the refusal is for chain %q, this is %q", clip(d.ChainID), chainID)
	}
	if err := CheckText("reason", d.Reason, MaxJoinReason); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(d.Reason) == "":
		return Refuse(CodeText, "the refusal has no reason: tell the newcomer why, or what to do")
	case !slices.Contains(operators, d.Operator):
		return Refuse(CodeOperator, "%s is no operator of this ledger: only an operator declines a request to join", d.Operator)
	case !VerifyEd25519(d.Operator, d.Message(), d.Signature[:]):
		return Refuse(CodeSignature, "the refusal is not signed by the operator %s", d.Operator)
	}
	return nil
}
