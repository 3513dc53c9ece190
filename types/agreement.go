package types

import "lockstep/types/canon"

// Agreement holds the terms of a trade between two parties (the patent's NEGO_CONFIRM). It never changes; its hash is the trade's ID.
type Agreement struct {
	_           struct{}  `cbor:",toarray"`
	ChainID     string    `json:"chain_id"`
	Producer    PublicKey `json:"producer"`
	Consumer    PublicKey `json:"consumer"`
	Goods       Goods     `json:"goods"`
	Asset       AssetID   `json:"asset"`
	Price       Amount    `json:"price"`
	Deposit     Amount    `json:"deposit"`
	Bond        Amount    `json:"bond"`
	Instalments uint16    `json:"instalments"`
	Deadlines   Deadlines `json:"deadlines"`
	Fallback    Fallback  `json:"fallback"`
	Nonce       uint64    `json:"nonce,string"`
}

// Deadlines are moments of the ledger clock; each step may be done up to and including its own.
type Deadlines struct {
	_         struct{} `cbor:",toarray"`
	PayBy     Time     `json:"pay_by"`
	DeliverBy Time     `json:"deliver_by"`
	ReadingBy Time     `json:"reading_by"`
	ConfirmBy Time     `json:"confirm_by"`
}

// MaxInstalments bounds the length of a hash chain.
const MaxInstalments = 1024

// MatchNonce is the first nonce of the agreements that auctions make. Others have lower ones, so nobody can have recorded
// the very agreement that an auction comes to.
const MatchNonce = 1 << 63

// Match returns, of an agreement that an auction has made, the number of the consumer's order and the leaf of its tree of digests. They
// are the nonce, so that the trade's ID says which secret opens it: nobody who shows the trade can name another one.
func (a *Agreement) Match() (number uint8, leaf uint16, ok bool) {
	return uint8(a.Nonce >> 16), uint16(a.Nonce), a.Nonce >= MatchNonce
}

// ID names the trade.
func (a *Agreement) ID() TradeID { return canon.Digest(domainTrade, a) }

// Check returns the first fault of the agreement on a ledger with these parameters, in any state.
func (a *Agreement) Check(params *Params) error {
	if a.ChainID != params.ChainID {
		return Refuse(CodeChain, "the agreement is for chain %q, this is %q", clip(a.ChainID), params.ChainID)
	}
	return a.checkTerms(params)
}

// CheckRecorded is Check for the agreement of a trade that is on the ledger: it may have been recorded on a ledger that this one continues, under its name.
func (a *Agreement) CheckRecorded(params *Params) error {
	if !params.Names(a.ChainID) {
		return Refuse(CodeChain, "the agreement is for chain %q, this is %q", clip(a.ChainID), params.ChainID)
	}
	return a.checkTerms(params)
}

func (a *Agreement) checkTerms(params *Params) error {
	if a.Producer == a.Consumer {
		return Refuse(CodeParties, "producer and consumer are the same key")
	}
	if err := a.Producer.Check("producer"); err != nil {
		return err
	}
	if err := a.Consumer.Check("consumer"); err != nil {
		return err
	}
	if err := a.Goods.Check(); err != nil {
		return err
	}
	switch {
	case a.Price < 1 || a.Deposit < 1:
		return Refuse(CodeTerms, "price %s and deposit %s must be at least 1", a.Price, a.Deposit)
	case a.Instalments < 1 || a.Instalments > MaxInstalments || Amount(a.Instalments) > a.Price:
		return Refuse(CodeTerms, "%d instalments of a price of %s: 1 to %d are possible, each worth at least 1", a.Instalments, a.Price, MaxInstalments)
	}
	if _, ok := Sum(a.Price, a.Deposit, a.Bond); !ok {
		return Refuse(CodeOverflow, "price %s, deposit %s and bond %s", a.Price, a.Deposit, a.Bond)
	}
	if err := a.Deadlines.check(params.MinWindow); err != nil {
		return err
	}
	if err := a.checkSlot(params); err != nil {
		return err
	}
	switch fallback := a.Fallback.(type) {
	case *Hold:
		return nil
	case *Meter:
		if a.Goods.Flow.IsZero() {
			return Refuse(CodeFallback, "meter terms need goods that name a connection point, whose meter they are settled by")
		}
		return nil
	case *Arbiter:
		if fallback.Key == a.Producer || fallback.Key == a.Consumer {
			return Refuse(CodeParties, "the arbiter is one of the parties")
		}
		return fallback.Key.Check("arbiter")
	default:
		return Refuse(CodeFallback, "the agreement names no fallback terms")
	}
}

// checkSlot is for metered goods: delivery is committed before the slot begins, readings come after it has ended.
func (a *Agreement) checkSlot(params *Params) error {
	goods, deadlines := &a.Goods, &a.Deadlines
	switch {
	case goods.Flow.IsZero():
		return nil
	case !goods.isEnergy():
		return Refuse(CodeGoods, "only energy and intake are metered")
	case params.Slot == 0 || uint64(goods.From)%uint64(params.Slot) != 0 || goods.Until.Since(goods.From) != params.Slot:
		return Refuse(CodeGoods, "metered goods are of one slot of %s that begins at a multiple of it", params.Slot)
	case deadlines.DeliverBy > goods.From:
		return Refuse(CodeDeadlines, "deliver-by %s must not be after the slot begins, %s", deadlines.DeliverBy, goods.From)
	case deadlines.ReadingBy < goods.Until.Add(params.MinWindow):
		return Refuse(CodeDeadlines, "reading-by %s must be at least %s after the slot ends, %s", deadlines.ReadingBy, params.MinWindow, goods.Until)
	}
	return nil
}

func (d *Deadlines) check(window Duration) error {
	if d.ConfirmBy > MaxTime {
		return Refuse(CodeDeadlines, "confirm-by lies beyond the year 9999")
	}
	for _, pair := range []struct {
		name, after string
		early, late Time
	}{
		{"deliver-by", "pay-by", d.PayBy, d.DeliverBy},
		{"reading-by", "deliver-by", d.DeliverBy, d.ReadingBy},
		{"confirm-by", "reading-by", d.ReadingBy, d.ConfirmBy},
	} {
		if pair.late < pair.early || pair.late.Since(pair.early) < window {
			return Refuse(CodeDeadlines, "%s must be at least %s after %s", pair.name, window, pair.after)
		}
	}
	return nil
}
