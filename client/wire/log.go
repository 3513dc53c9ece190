package wire

import "lockstep/types"

// Proof proves a leaf of the log of outcomes by a header that the validators have signed: leaf, index and path lead to the root; state, size and root
// are the app hash of the header.
type Proof struct {
	Index  uint64         `json:"index" doc:"of the leaf"`
	Leaf   types.HexBytes `json:"leaf" doc:"the leaf in canonical CBOR"`
	Path   []types.Hash   `json:"path" nullable:"false" doc:"the hashes beside the way to the root, from the bottom up (RFC 6962, 2.1.1)"`
	Log    types.LogHead  `json:"log" doc:"the log after the block before the header"`
	State  types.Hash     `json:"state" doc:"the commitment to the state after that block"`
	Signed SignedHeader   `json:"signed"`
}

// SignedHeader is the header of a block with the signatures of the validators, as the engine encodes them.
type SignedHeader struct {
	Height uint64         `json:"height"`
	Header types.HexBytes `json:"header" doc:"the header, in Protobuf as the engine (CometBFT) encodes it"`
	Commit types.HexBytes `json:"commit" doc:"the signatures of the block, likewise"`
}

// LightBlock is a signed header with the validators that have signed it.
type LightBlock struct {
	SignedHeader
	Hash       types.Hash     `json:"hash" doc:"of the header"`
	Validators types.HexBytes `json:"validators" doc:"the set of validators, in Protobuf as the engine encodes it"`
}
