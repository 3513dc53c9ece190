package types

import "lockstep/types/canon"

// Mandates are both parties' signatures under an agreement or a split, which make it theirs. A party signs the content of the
// action, and until when it may be recorded; its submitter alone signs the transaction around it,
// which spends nothing of a party that did not sign the transaction too.
type Mandates struct {
	_          struct{}  `cbor:",toarray"`
	ValidUntil Time      `json:"valid_until"` // block time, at most Params.MaxValidity after the block that records it
	Producer   Signature `json:"producer"`
	Consumer   Signature `json:"consumer"`
}

// Message returns the bytes that both parties of an agreement sign on a ledger. It is of the mandates' valid-until.
func (a *Agree) Message(chainID string) []byte {
	m := agreeMessage{chainID, a.Agreement.ID(), a.Mandates.ValidUntil}
	return append([]byte(domainAgree), canon.Encode(&m)...)
}

// Message returns the bytes that both parties of a trade sign to split it on a ledger. It is of the mandates' valid-until.
func (a *Split) Message(chainID string) []byte {
	m := splitMessage{chainID, a}
	return append([]byte(domainSplit), canon.Encode(&m)...)
}

type agreeMessage struct {
	chainID    string
	trade      TradeID
	validUntil Time
}

func (m *agreeMessage) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Text(c, "chain id", &m.chainID)
	c.Bytes("trade", m.trade[:])
	canon.Number(c, "valid-until", &m.validUntil)
}

type splitMessage struct {
	chainID string
	split   *Split
}

func (m *splitMessage) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Text(c, "chain id", &m.chainID)
	c.Bytes("trade", m.split.Trade[:])
	canon.Number(c, "phase", &m.split.Phase)
	canon.Number(c, "released", &m.split.Released)
	canon.Number(c, "share of the producer", &m.split.ToProducer)
	canon.Number(c, "share of the consumer", &m.split.ToConsumer)
	canon.Number(c, "valid-until", &m.split.Mandates.ValidUntil)
}

// endorsed is an action that holds signatures of its own.
type endorsed interface {
	// endorsements counts them.
	endorsements() int
	// eachEndorsement calls visit for each with the message that it signs on a ledger.
	eachEndorsement(chainID string, visit func(s *Signature, message []byte))
}

const bothParties = 2

func (a *Agree) endorsements() int { return bothParties }
func (a *Split) endorsements() int { return bothParties }

func (a *Agree) eachEndorsement(chainID string, visit func(s *Signature, message []byte)) {
	a.Mandates.each(a.Message(chainID), visit)
}

func (a *Split) eachEndorsement(chainID string, visit func(s *Signature, message []byte)) {
	a.Mandates.each(a.Message(chainID), visit)
}

func (m *Mandates) each(message []byte, visit func(s *Signature, message []byte)) {
	visit(&m.Producer, message)
	visit(&m.Consumer, message)
}

func (a *Govern) endorsements() int {
	count := len(a.Signatures)
	for _, act := range a.Decision.Acts {
		if set, ok := act.(*SetValidator); ok {
			count += len(set.Consent)
		}
	}
	return count
}

func (a *Govern) eachEndorsement(chainID string, visit func(s *Signature, message []byte)) {
	message := a.Decision.Message()
	for i := range a.Signatures {
		visit(&a.Signatures[i], message)
	}
	for _, act := range a.Decision.Acts {
		set, ok := act.(*SetValidator)
		if !ok {
			continue
		}
		for i := range set.Consent {
			consent := &set.Consent[i]
			visit(&Signature{Key: set.Key, Bytes: consent.Signature}, ConsentMessage(chainID, set.Key, consent.At))
		}
	}
}
