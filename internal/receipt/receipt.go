package receipt

import (
	"strconv"
	"strings"

	"lockstep/client/wire"
	"lockstep/types"
)

// Receipt proves a leaf about a trade.
type Receipt struct {
	Trade  types.TradeID
	Index  uint64 // of the leaf
	Leaf   []byte
	Path   []types.Hash // from the leaf to the root of the log
	Log    types.LogHead
	State  types.Hash // the commitment to the state, beside the log
	Header []byte     // has the app hash of both, in Protobuf
	Commit []byte     // the signatures of the validators, in Protobuf
	// Records are transactions of the trade, on request.
	Records []Record
}

// Of returns the receipt of a trade by the proof that a node gives. Nothing of it is checked.
func Of(trade types.TradeID, proof *wire.Proof) *Receipt {
	return &Receipt{
		Trade: trade, Index: proof.Index, Leaf: proof.Leaf, Path: proof.Path, Log: proof.Log, State: proof.State, Header: proof.Signed.Header, Commit: proof.Signed.Commit,
	}
}

// MaxBytes bounds a receipt: a leaf, and the signatures of hundreds of validators.
const MaxBytes = 1 << 20

// The parts of a receipt, as verdicts name them. The first six are lines of the file.
const (
	PartTrade  = "trade"
	PartLeaf   = "leaf"
	PartPath   = "path"
	PartLog    = "log"
	PartHeader = "header"
	PartCommit = "commit"
	PartSet    = "set"
	PartFile   = "lockstep receipt"
)

const version = "v1"

// Text returns the file.
func (r *Receipt) Text() string {
	var text strings.Builder
	writeLine(&text, PartFile, version)
	writeLine(&text, PartTrade, r.Trade.String())
	writeLine(&text, PartLeaf, strconv.FormatUint(r.Index, 10), encode(r.Leaf))
	writeLine(&text, PartPath, encode(joined(r.Path)))
	writeLine(&text, PartLog, strconv.FormatUint(r.Log.Size, 10), encode(r.Log.Root[:]), encode(r.State[:]))
	writeLine(&text, PartHeader, encode(r.Header))
	writeLine(&text, PartCommit, encode(r.Commit))
	r.writeRecords(&text)
	return text.String()
}

// Parse reads a file. Its error is a [PartError], which names the line at fault.
func Parse(text string) (*Receipt, error) {
	in, r := &lines{rest: text}, new(Receipt)
	head, err := in.next(PartFile, 1)
	if err != nil {
		return nil, err
	}
	if head[0] != version {
		return nil, &PartError{PartFile, types.Refuse(types.CodeMalformed, "it is a receipt of version %.20q, this program reads %s", head[0], version)}
	}
	for _, read := range []func(*lines) error{r.readTrade, r.readLeaf, r.readPath, r.readLog, r.readSigned, r.readRecords} {
		if err := read(in); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Receipt) readTrade(in *lines) error {
	values, err := in.next(PartTrade, 1)
	if err != nil {
		return err
	}
	if err := r.Trade.UnmarshalText([]byte(values[0])); err != nil || r.Trade.String() != values[0] {
		return &PartError{PartTrade, types.Refuse(types.CodeMalformed, "%.80q is not the id of a trade", values[0])}
	}
	return nil
}

func (r *Receipt) readLeaf(in *lines) error {
	values, err := in.next(PartLeaf, 2)
	if err != nil {
		return err
	}
	if r.Index, err = decodeNumber(PartLeaf, values[0]); err != nil {
		return err
	}
	r.Leaf, err = decode(PartLeaf, values[1])
	return err
}

func (r *Receipt) readPath(in *lines) error {
	values, err := in.next(PartPath, 1)
	if err != nil {
		return err
	}
	path, err := decode(PartPath, values[0])
	if err != nil {
		return err
	}
	r.Path, err = hashes(PartPath, path)
	return err
}

func hashes(part string, list []byte) (all []types.Hash, err error) {
	if len(list)%len(types.Hash{}) != 0 {
		return nil, &PartError{part, types.Refuse(types.CodeMalformed, "%d bytes are no list of hashes", len(list))}
	}
	for ; len(list) > 0; list = list[len(types.Hash{}):] {
		all = append(all, types.Hash(list[:len(types.Hash{})]))
	}
	return all, nil
}

func (r *Receipt) readLog(in *lines) error {
	values, err := in.next(PartLog, 3)
	if err != nil {
		return err
	}
	if r.Log.Size, err = decodeNumber(PartLog, values[0]); err != nil {
		return err
	}
	root, err := decodeHash(PartLog, values[1])
	if err != nil {
		return err
	}
	state, err := decodeHash(PartLog, values[2])
	r.Log.Root, r.State = root, state
	return err
}

func (r *Receipt) readSigned(in *lines) error {
	for _, part := range []struct {
		name string
		into *[]byte
	}{{PartHeader, &r.Header}, {PartCommit, &r.Commit}} {
		values, err := in.next(part.name, 1)
		if err != nil {
			return err
		}
		if *part.into, err = decode(part.name, values[0]); err != nil {
			return err
		}
	}
	return nil
}
