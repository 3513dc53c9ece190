package types

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"lockstep/types/canon"
)

// The tags of the closed sums. A tag names one variant for good: numbers are never reused. 0x4c26 and 0x4c2a were the agreement
// and the split before the parties signed mandates.
const (
	tagKeyLock   = 0x4c01
	tagTradeLock = 0x4c02

	tagHold    = 0x4c11
	tagMeter   = 0x4c12
	tagArbiter = 0x4c13

	tagIssue    = 0x4c21
	tagRedeem   = 0x4c22
	tagPost     = 0x4c23
	tagCancel   = 0x4c24
	tagTake     = 0x4c25
	tagPay      = 0x4c27
	tagDeliver  = 0x4c28
	tagRelease  = 0x4c29
	tagAdmit    = 0x4c2b
	tagEnrol    = 0x4c2c
	tagRetire   = 0x4c2d
	tagReading  = 0x4c2e
	tagSettle   = 0x4c2f
	tagAward    = 0x4c30
	tagPlace    = 0x4c31
	tagWithdraw = 0x4c32
	tagExchange = 0x4c33
	tagAgree    = 0x4c34
	tagSplit    = 0x4c35

	tagAccept      = 0x4c41
	tagDecline     = 0x4c42
	tagDraw        = 0x4c43
	tagRecognise   = 0x4c44
	tagUnrecognise = 0x4c45
)

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
	// any order: a set of tags has none
	for tag, variant := range map[uint64]any{
		tagKeyLock: KeyLock{}, tagTradeLock: TradeLock{},
		tagHold: Hold{}, tagMeter: Meter{}, tagArbiter: Arbiter{},
		tagIssue: Issue{}, tagRedeem: Redeem{}, tagPost: Post{}, tagCancel: Cancel{}, tagTake: Take{},
		tagAgree: Agree{}, tagPay: Pay{}, tagDeliver: Deliver{}, tagRelease: Release{}, tagSplit: Split{},
		tagAdmit: Admit{}, tagEnrol: Enrol{}, tagExchange: Exchange{}, tagRetire: Retire{}, tagReading: Reading{}, tagSettle: Settle{}, tagAward: Award{},
		tagPlace: Place{}, tagWithdraw: Withdraw{},
		tagAccept: Accept{}, tagDecline: Decline{}, tagDraw: Draw{}, tagRecognise: Recognise{}, tagUnrecognise: Unrecognise{},
	} {
		required := cbor.TagOptions{EncTag: cbor.EncTagRequired, DecTag: cbor.DecTagRequired}
		if err := tags.Add(required, reflect.TypeOf(variant), tag); err != nil {
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

// Encode writes a domain type in the one canonical form. A missing variant of a sum (a nil lock, say) is written as null,
// which [Decode] refuses. It panics on a type that CBOR has no form for, which is a mistake in the program.
func Encode(v any) []byte {
	if value, ok := v.(canon.Value); ok {
		return canon.Encode(value)
	}
	return encodeByReflection(v)
}

// Decode reads what [Encode] writes into v, a pointer, and refuses everything else with [CodeMalformed]: whatever it
// accepts encodes to the same bytes again.
func Decode(encoded []byte, v any) error {
	if value, ok := v.(canon.Value); ok {
		if err := canon.Decode(encoded, value); err != nil {
			return Refuse(CodeMalformed, "can't decode: %v", err)
		}
		return nil
	}
	return decodeByReflection(encoded, v)
}

// encodeByReflection is for types that don't describe their fields. Of those that do, tests hold it against them.
func encodeByReflection(v any) []byte {
	encoded, err := cborCodec().enc.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("types: encode %T: %v", v, err))
	}
	return encoded
}

// decodeByReflection encodes again what it has read: that one check covers non-minimal integers, nulls, short arrays and
// every other second way to write a value.
func decodeByReflection(encoded []byte, v any) error {
	if err := cborCodec().dec.Unmarshal(encoded, v); err != nil {
		return Refuse(CodeMalformed, "can't decode: %v", err)
	}
	again, err := cborCodec().enc.Marshal(v)
	if err != nil || !bytes.Equal(again, encoded) {
		return Refuse(CodeMalformed, "the encoding is not canonical")
	}
	return nil
}
