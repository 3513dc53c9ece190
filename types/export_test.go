package types

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"lockstep/types/canon"
)

// The encoding by reflection, which tests hold the described wire forms against.

// Variants returns an empty value of each member of the closed sums.
func Variants() []canon.Variant {
	variants := []canon.Variant{&KeyLock{}, &Hold{}, &Meter{}, &Arbiter{}}
	for _, info := range Actions() {
		variants = append(variants, info.New())
	}
	return variants
}

// maxNesting is the limit of the decoder by reflection, far above any valid transaction.
const maxNesting = 16

type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// cborCodec is deterministic CBOR (RFC 8949 4.2.1), strict on the way in, by reflection on the cbor tags of a type. Built
// once: building costs more than decoding.
var cborCodec = sync.OnceValue(func() codec {
	tags := cbor.NewTagSet()
	for _, variant := range Variants() {
		required := cbor.TagOptions{EncTag: cbor.EncTagRequired, DecTag: cbor.DecTagRequired}
		if err := tags.Add(required, reflect.TypeOf(variant).Elem(), variant.Tag()); err != nil {
			panic("types: " + err.Error())
		}
	}
	encOptions := cbor.CoreDetEncOptions()
	encOptions.NilContainers = cbor.NilContainerAsEmpty
	enc, err := encOptions.EncModeWithTags(tags)
	if err != nil {
		panic("types: " + err.Error())
	}
	// No domain type holds a truth value or may lack a part, so false, true, null and undefined are refused wherever they stand.
	simple, err := cbor.NewSimpleValueRegistryFromDefaults(cbor.WithRejectedSimpleValue(20), cbor.WithRejectedSimpleValue(21),
		cbor.WithRejectedSimpleValue(22), cbor.WithRejectedSimpleValue(23))
	if err != nil {
		panic("types: " + err.Error())
	}
	dec, err := cbor.DecOptions{
		SimpleValues:      simple,
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  canon.MaxEntries,
		MaxMapPairs:       canon.MaxEntries,
	}.DecModeWithTags(tags)
	if err != nil {
		panic("types: " + err.Error())
	}
	return codec{enc, dec}
})

// EncodeByReflection writes a type by its cbor tags.
func EncodeByReflection(v any) []byte {
	encoded, err := cborCodec().enc.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("types: encode %T: %v", v, err))
	}
	return encoded
}

// DecodeByReflection encodes the decoded value again: that one check covers non-minimal integers, nulls, short arrays and
// every other second way to write a value.
func DecodeByReflection(encoded []byte, v any) error {
	if err := cborCodec().dec.Unmarshal(encoded, v); err != nil {
		return Refuse(CodeMalformed, "can't decode: %v", err)
	}
	again, err := cborCodec().enc.Marshal(v)
	if err != nil || !bytes.Equal(again, encoded) {
		return Refuse(CodeMalformed, "the encoding is not canonical")
	}
	return nil
}

// envelope has the fields of [wireTx].
type envelope struct {
	_          struct{} `cbor:",toarray"`
	Body       []byte
	Signatures []Signature
}

func DecodeTxByReflection(raw []byte) (*Tx, error) {
	var wire envelope
	if err := DecodeByReflection(raw, &wire); err != nil {
		return nil, err
	}
	tx := &Tx{Signatures: wire.Signatures, body: wire.Body, raw: raw}
	return tx.hashed(), DecodeByReflection(tx.body, &tx.Body)
}

func EncodeTxByReflection(tx *Tx) []byte {
	return EncodeByReflection(&envelope{Body: EncodeByReflection(&tx.Body), Signatures: tx.Signatures})
}
