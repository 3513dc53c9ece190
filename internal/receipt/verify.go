package receipt

import (
	"errors"
	"fmt"

	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// Verdict is the result for one part.
type Verdict struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what holds, or the fault
}

// Verified is the result for a receipt.
type Verified struct {
	Verdicts []Verdict           `json:"verdicts"`
	Outcome  *types.Outcome      `json:"outcome,omitempty"` // the leaf; nil when it can't be read
	Story    *types.Trade        `json:"story,omitempty"`   // of a trade that is over
	Step     *types.Stepped      `json:"step,omitempty"`    // of one that goes on
	Records  []*types.Tx         `json:"records,omitempty"` // those that hold
	Header   chain.CheckedHeader `json:"header"`
	// Unchecked is why a node did not help to check the header: the receipt does not hold here, and may hold elsewhere.
	Unchecked error `json:"-"`
}

// OK reports whether every part holds.
func (v *Verified) OK() bool {
	for _, verdict := range v.Verdicts {
		if !verdict.OK {
			return false
		}
	}
	return len(v.Verdicts) > 0
}

func (v *Verified) add(part string, err error, holds string, args ...any) {
	if err != nil {
		v.Verdicts = append(v.Verdicts, Verdict{Part: part, Text: err.Error()})
		return
	}
	v.Verdicts = append(v.Verdicts, Verdict{part, true, fmt.Sprintf(holds, args...)})
}

// addHeader adds the verdict of the header that is checked.
func (v *Verified) addHeader(err error) {
	v.add(PartHeader, err, "block %d of ledger %q at %s has the app hash of this log", v.Header.Height, v.Header.ChainID, v.Header.Time.UTC().Format("2006-01-02 15:04:05Z"))
}

// addSigners adds the verdict of its commit.
func (v *Verified) addSigners() {
	v.add(PartCommit, nil, "%d of %d validators have signed it", v.Header.Signers, v.Header.Validators)
}

// Headers checks signed headers: [chain.Trust] offline, a light client by its node.
type Headers interface {
	Check(header, commit []byte) (chain.CheckedHeader, error)
}

// Later is a [Headers] that can get another proof of a leaf, by a later header: for receipts whose header comes before the trusted one.
type Later interface {
	Headers
	Later(index uint64) (wire.Proof, error)
	// Before checks such a header by the signatures of the first validators, for a leaf of which no node has another proof.
	Before(header, commit []byte) (chain.CheckedHeader, error)
}

// unanswered reports whether an error tells nothing about the receipt: the node does not have the answer, or does not answer, or the reader's clock or trusted
// header is no ground for a check.
func unanswered(err error) bool {
	for _, kind := range []error{chain.ErrExpired, chain.ErrEarlier, chain.ErrAhead} {
		if errors.Is(err, kind) {
			return true
		}
	}
	code := types.CodeOf(err)
	return err != nil && code != types.CodeInternal && code != types.CodeMalformed
}

// Verify checks every part of a receipt. Without a trust the signatures are not checked, as for an export.
func (r *Receipt) Verify(trust Headers) *Verified {
	v := new(Verified)
	r.verifyLeaf(v)
	var err error
	if !outcomes.Proves(r.Leaf, r.Index, r.Path, r.Log) {
		err = errors.New("leaf, index and path do not lead to the root of the log: one of them was changed")
	}
	v.add(PartPath, err, "leaf %d stands in the log of %d outcomes with the root %s", r.Index, r.Log.Size, r.Log.Root)
	r.verifyRecords(v)
	if trust == nil {
		return v
	}
	r.verifyHeader(v, trust)
	return v
}

// verifyLeaf looks for the trade in the leaf.
func (r *Receipt) verifyLeaf(v *Verified) {
	outcome := new(types.Outcome)
	if err := types.Decode(r.Leaf, outcome); err != nil {
		v.add(PartLeaf, err, "")
		return
	}
	v.Outcome = outcome
	for _, effect := range outcome.Effects {
		switch e := effect.(type) {
		case *types.Ended:
			if e.Trade.ID() == r.Trade {
				v.Story = e.Trade
				v.add(PartLeaf, nil, "it tells the whole story of trade %s", r.Trade)
				return
			}
		case *types.Stepped:
			if e.Trade == r.Trade {
				v.Step = e
			}
		case *types.Begun, *types.Noted, *types.Matched, *types.Cleared, *types.Governed:
		}
	}
	var err error
	if v.Step == nil {
		err = fmt.Errorf("it does not tell of trade %s", r.Trade)
	}
	v.add(PartLeaf, err, "it tells a step of trade %s, which went on", r.Trade)
}

// verifyHeader checks the header, its signatures, and that they are of the trusted validators.
func (r *Receipt) verifyHeader(v *Verified, trust Headers) {
	held := v.OK()
	header, err := trust.Check(r.Header, r.Commit)
	v.Header = header
	if errors.Is(err, chain.ErrHeader) {
		v.add(PartHeader, err, "")
		return
	}
	var differs error
	switch {
	case header.AppHash == (types.Hash{}):
		differs = errors.New("it was not checked, since the commit can't be read")
	case header.AppHash != types.AppHash(r.State, r.Log):
		differs = fmt.Errorf("its app hash %s is not that of the log and the state: one of them was changed, or they are of another block", header.AppHash)
	case v.Outcome != nil && v.Outcome.Height >= header.Height:
		differs = fmt.Errorf("it is of block %d, and the leaf of block %d", header.Height, v.Outcome.Height)
	}
	if errors.Is(err, chain.ErrEarlier) && differs == nil {
		if later, ok := trust.(Later); ok {
			r.verifyLater(v, later, err)
			return
		}
	}
	if held && differs == nil && unanswered(err) {
		v.Unchecked = err
	}
	v.addHeader(differs)
	switch {
	case errors.Is(err, chain.ErrCommit):
		v.add(PartCommit, err, "")
	case err != nil:
		v.add(PartSet, err, "")
	case header.Validators == 0:
		v.add(PartCommit, nil, "not needed: the header itself is trusted")
		v.add(PartSet, nil, "not needed")
	default:
		v.addSigners()
		v.add(PartSet, nil, "they are the trusted validators")
	}
}

// verifyLater proves the leaves by later headers, since that of the receipt comes before the trusted one. Nobody vouches for that header, and so for nothing
// that its log alone proves: each record is proved anew, as the leaf of the trade is.
func (r *Receipt) verifyLater(v *Verified, trust Later, earlier error) {
	if !v.OK() { // no question about a receipt that does not hold anyway
		v.add(PartHeader, earlier, "")
		return
	}
	proof, err := trust.Later(r.Index)
	if types.CodeOf(err) == types.CodePruned {
		r.verifyBefore(v, trust, err)
		return
	}
	v.add(PartHeader, nil, "block %d comes before the trusted header, so its signatures are not checked: a later block proves the same leaves", v.Header.Height)
	leaves := append([]Record{{Index: r.Index, Leaf: r.Leaf}}, r.Records...)
	var by types.LogHead
	for i := range leaves {
		if i > 0 {
			proof, err = trust.Later(leaves[i].Index)
		}
		if err == nil && !outcomes.Proves(leaves[i].Leaf, leaves[i].Index, proof.Path, proof.Log) {
			err = errors.New("the log has another leaf there")
		}
		if err != nil {
			if unanswered(err) {
				v.Unchecked = err
			}
			v.add(PartHeader, fmt.Errorf("%w; a later header does not prove its leaf %d: %w", earlier, leaves[i].Index, err), "")
			return
		}
		if proof.Log == by {
			continue
		}
		by = proof.Log
		anew := Receipt{State: proof.State, Log: proof.Log, Header: proof.Signed.Header, Commit: proof.Signed.Commit}
		if anew.verifyHeader(v, struct{ Headers }{trust}); !v.OK() {
			return
		}
	}
}

// verifyBefore checks the header of a receipt whose leaf the node has pruned by the signatures of the first validators.
func (r *Receipt) verifyBefore(v *Verified, trust Later, pruned error) {
	header, err := trust.Before(r.Header, r.Commit)
	switch {
	case errors.Is(err, chain.ErrHeader): // of another ledger
		v.add(PartHeader, err, "")
		return
	case errors.Is(err, chain.ErrCommit):
		v.add(PartCommit, err, "")
		return
	case err != nil: // of later validators
		v.Unchecked = fmt.Errorf("%w; or check the receipt without a node: lockstep receipt verify FILE --genesis FILE", pruned)
		v.add(PartHeader, v.Unchecked, "")
		return
	}
	v.Header = header
	v.addHeader(nil)
	v.addSigners()
	v.add(PartSet, nil, "they are the validators with which the ledger began; no later header is known to prove this leaf")
}
