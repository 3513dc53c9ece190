package wallet

import (
	"time"

	"lockstep/types"
)

// PinnedLedger is the ledger that a wallet is used on, as a node named it at first. Other nodes of the ledger say the same.
type PinnedLedger struct {
	ChainID string
	Genesis types.Hash // of the ledger's first facts
	Params  types.Hash // of those of its parameters that nobody can change
}

// PinnedHeader is the header of a block of that ledger, from which the signatures of later headers are checked.
type PinnedHeader struct {
	Height uint64
	Hash   types.Hash
	Time   types.Time // of the block
}

// PinLedger returns the facts of a ledger that a wallet keeps.
func PinLedger(params *types.Params, genesis types.Hash) PinnedLedger {
	return PinnedLedger{ChainID: params.ChainID, Genesis: genesis, Params: params.Fixed()}
}

// Ledger returns the ledger that the wallet is used on, if it was used before.
func (w *Wallet) Ledger() (PinnedLedger, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ledger) == 0 {
		return PinnedLedger{}, false
	}
	return w.ledger[0], true
}

// SetLedger makes another ledger the one that the wallet is used on, and stores it. The trusted header is forgotten.
func (w *Wallet) SetLedger(ledger PinnedLedger) error {
	return w.pin([]PinnedLedger{ledger}, nil)
}

// Header returns the header of the wallet's ledger that it trusts, if there is one.
func (w *Wallet) Header() (PinnedHeader, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.headers) == 0 {
		return PinnedHeader{}, false
	}
	return w.headers[0], true
}

// HeaderFile is the file beside the wallet with the trusted header and its validators. It is nothing secret, and may be missing.
func (w *Wallet) HeaderFile() string { return w.path + ".header" }

// SetHeader makes a header the trusted one, and stores it.
func (w *Wallet) SetHeader(header PinnedHeader) error {
	w.mu.Lock()
	ledger := w.ledger
	w.mu.Unlock()
	return w.pin(ledger, []PinnedHeader{header})
}

func (w *Wallet) pin(ledger []PinnedLedger, headers []PinnedHeader) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, header := w.ledger, w.headers
	w.ledger, w.headers = ledger, headers
	if err := w.write(true); err != nil {
		w.ledger, w.headers = before, header
		return err
	}
	return nil
}

// CheckLedger refuses a node of another ledger than that which the wallet is used on: money and trades there are others, though
// it may bear the same name.
func (w *Wallet) CheckLedger(shown PinnedLedger) error {
	pinned, used := w.Ledger()
	if !used || pinned == shown {
		return nil
	}
	differs := "genesis"
	switch {
	case pinned.ChainID != shown.ChainID:
		differs = "name"
	case pinned.Genesis == shown.Genesis:
		return refuse(ReasonMismatch, "the node shows other fixed parameters of ledger %q than before, and a ledger never changes them: "+
			"don't trust that node, ask another", pinned.ChainID)
	}
	return refuse(ReasonLedger, "the node is of another ledger than this wallet: %q with genesis %s, the wallet is used on %q with genesis %s "+
		"(their %s differs)", shown.ChainID, shown.Genesis, pinned.ChainID, pinned.Genesis, differs)
}

const (
	// MaxAhead is the most that the last block may be ahead of the clock of this machine.
	MaxAhead = 2 * time.Minute
	// MaxBehind is the age of the last block from which on the user is warned. A chain at rest makes one every few seconds.
	MaxBehind = time.Minute
)

// CheckClock compares the last block's time, and the ledger clock, with the clock of this machine. A node that is ahead is
// refused: deadlines counted from its time would be wrong. For one that is behind it returns a warning.
func CheckClock(blockTime, clock types.Time, skew types.Duration, now time.Time) (warning string, err error) {
	ahead := blockTime.Std().Sub(now)
	switch {
	case clock > blockTime || blockTime.Since(clock) != skew:
		return "", refuse(ReasonClock, "the node's ledger clock %s and block time %s contradict its skew of %s: don't trust that node, ask another", clock, blockTime, skew)
	case ahead > MaxAhead:
		return "", refuse(ReasonClock, "the node's last block is of %s, %s ahead of this machine's clock: one of the two is wrong. "+
			"Set the clock of this machine, or ask another node", blockTime, ahead.Round(time.Second))
	case -ahead > MaxBehind:
		return "The node's last block is " + (-ahead).Round(time.Second).String() + " old: the chain stands still, or the node is cut off from it.", nil
	}
	return "", nil
}
