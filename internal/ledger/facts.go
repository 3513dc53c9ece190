package ledger

import (
	"encoding/binary"

	"lockstep/meter"
	"lockstep/types"
	"lockstep/types/canon"
)

// Facts come from the consensus engine for the rules of a block: they stand in the header and the genesis file, and no view holds them.
// All validators have the same ones for a block.
type Facts struct {
	Last       types.Hash                 // commitment of the last block; zero makes no checkpoint
	Signers    [][types.AddressBytes]byte // validators whose signature of the last block the block holds
	Validators []types.Validator          // of the genesis file, for the first block
	Carried    *Carried                   // of the genesis file, for the first block of a ledger that continues another
	Rules      []Rules                    // versions that the program knows; nil means [KnownRules]

	// Verify checks the signatures of meters; nil means [types.VerifyEd25519], as which it must answer. A node can remember signatures that it has checked before, see
	// [RecordSignatures].
	Verify meter.VerifyEd25519
}

// Learn gives the state the facts of the block to come. It comes before [State.Begin].
func (s *State) Learn(f Facts) { s.facts = f }

// checkpointInterval is the least block time between two checkpoints, which newcomers among the validators sign.
const checkpointInterval = 600_000

// checkpoint is a block that the ledger remembers for a while.
type checkpoint struct{ Hash types.Hash }

// Fields is the stored form, see [canon.Value].
func (p *checkpoint) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("hash", p.Hash[:])
}

func checkpointKey(c types.Checkpoint) key {
	return timeKey(kindCheckpoint, c.Until).withNumber(c.Height)
}

// keepCheckpoint remembers the last block now and then: the first one, and one in each interval.
func (s *State) keepCheckpoint(before Clock) {
	due := before.Height != 0 && (s.clock.BlockTime/checkpointInterval != before.BlockTime/checkpointInterval || before.Height == s.params.Base()+1)
	if due && s.facts.Last != (types.Hash{}) {
		at := types.Checkpoint{Height: before.Height, Hash: s.facts.Last, Until: s.now.Add(types.ConsentValidity)}
		s.put(checkpointKey(at), &checkpoint{at.Hash})
	}
}

// hearSilent notes which of the silent validators have signed the last block.
func (s *State) hearSilent() {
	g := s.governance()
	next, heard := *g, false
	for i := range g.Validators {
		if g.Validators[i].Silent == 0 || !s.facts.signed(g.Validators[i].Validator.Key) {
			continue
		}
		if !heard {
			heard, next.Validators = true, append([]types.Seat{}, g.Validators...)
		}
		next.Validators[i].Silent = 0
	}
	if heard {
		s.put(governanceKey(), &next)
	}
}

func (f *Facts) signed(key types.PublicKey) bool {
	address := key.Address()
	for _, signer := range f.Signers {
		if signer == address {
			return true
		}
	}
	return false
}

func parseCheckpoint(key string, kept *checkpoint) types.Checkpoint {
	until, height := binary.BigEndian.Uint64([]byte(key[1:9])), binary.BigEndian.Uint64([]byte(key[9:17]))
	return types.Checkpoint{Height: height, Hash: kept.Hash, Until: types.Time(until)}
}
