package types

// Origin is a block of another ledger, with whose state a ledger began.
type Origin struct {
	_       struct{} `cbor:",toarray"`
	ChainID string   `json:"chain_id"`
	Height  uint64   `json:"height"`   // the first block of the new ledger has the next one
	AppHash Hash     `json:"app_hash"` // of that block
	State   Hash     `json:"state"`    // of the entries that were taken over
}

// MaxOrigins bounds the ledgers that one continues.
const MaxOrigins = 64

// Base is the height before the first block: 0, or that of the block whose state the ledger began with.
func (p *Params) Base() uint64 {
	if origin := p.Origin(); origin != nil {
		return origin.Height
	}
	return 0
}

// Origin is the block whose state the ledger began with, nil for a ledger that began with nothing.
func (p *Params) Origin() *Origin {
	if len(p.Continues) == 0 {
		return nil
	}
	return &p.Continues[len(p.Continues)-1]
}

// Names reports whether a chain ID is that of the ledger or of one that it continues: trades have the name of the ledger on which they were agreed.
func (p *Params) Names(chainID string) bool {
	for i := range p.Continues {
		if p.Continues[i].ChainID == chainID {
			return true
		}
	}
	return p.ChainID == chainID
}

func (p *Params) checkOrigins() error {
	if len(p.Continues) > MaxOrigins {
		return Refuse(CodeMalformed, "the ledger continues %d others: at most %d are possible", len(p.Continues), MaxOrigins)
	}
	known, last := map[string]bool{p.ChainID: true}, uint64(0)
	for i := range p.Continues {
		origin := &p.Continues[i]
		if err := CheckText("chain id", origin.ChainID, MaxName); err != nil {
			return err
		}
		if known[origin.ChainID] {
			return Refuse(CodeMalformed, "two ledgers in a row are called %q: signatures of the one would be good on the other, so each needs a name of its own", origin.ChainID)
		}
		known[origin.ChainID] = true
		if origin.Height <= last || origin.Height > maxHeight {
			return Refuse(CodeMalformed, "ledger %q is continued at block %d, after block %d: heights go on", origin.ChainID, origin.Height, last)
		}
		last = origin.Height
	}
	return nil
}

// maxHeight leaves room for all blocks to come in the numbers of the engine.
const maxHeight = 1 << 62
