package types_test

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
	"lockstep/types/canon"
)

// There are two encodings of each domain type that know nothing of each other: the one that it describes and the one by
// reflection on its tags. They must agree on every byte, on every value and on every refusal.

// variants are all members of the closed sums.
func variants() []canon.Variant { return types.Variants() }

// described are all types that describe their fields.
func described() []canon.Value {
	list := []canon.Value{
		&types.Body{}, &types.Signature{}, &types.Mandates{}, &types.Outpoint{}, &types.Output{},
		&types.Agreement{}, &types.Goods{}, &types.Flow{}, &types.Deadlines{}, &types.Offer{}, &types.StandingOffer{}, &types.Rate{},
		&types.Trade{}, &types.Locked{}, &types.Step{}, &types.Asset{}, &types.AssetState{}, &types.Purse{}, &types.Usage{}, &types.EntryParams{}, &types.GenesisAsset{}, &types.Event{},
		&types.Member{}, &types.Point{}, &types.PointMeter{}, &types.Below{}, &types.Slot{}, &types.Claim{}, &types.SlotReading{}, &types.Params{}, &types.MarketParams{},
		&types.Product{}, &types.Order{}, &types.Grid{}, &types.PlacedOrder{}, &types.Book{}, &types.Conduct{},
		&types.Validator{}, &types.Consent{}, &types.Checkpoint{}, &types.Decision{}, &types.ParamChange{}, &types.LaterMarket{}, &types.Origin{}, &types.Governance{},
		&types.ScheduledParam{}, &types.Seat{}, &types.PowerMove{}, &types.Decided{},
		&types.Auction{}, &types.Round{}, &types.Result{}, &types.MatchTrade{},
	}
	for _, variant := range variants() {
		list = append(list, variant)
	}
	return list
}

func nameOf(v any) string { return reflect.TypeOf(v).Elem().Name() }

func fresh(like canon.Value) canon.Value {
	return reflect.New(reflect.TypeOf(like).Elem()).Interface().(canon.Value)
}

// Every type of the source that has a wire form describes it and is compared here.
func TestEveryTypeIsDescribed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	compared := map[string]bool{}
	for _, v := range described() {
		compared[nameOf(v)] = true
	}
	declaration := regexp.MustCompile("(?m)^type (\\w+) struct {\n\t_ +struct{} +`cbor:\",toarray\"`")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declaration.FindAllStringSubmatch(string(source), -1) {
			if !strings.HasSuffix(file, "_test.go") && !compared[match[1]] {
				t.Errorf("%s: %s has no Fields, or is not in the list of this test", file, match[1])
			}
		}
	}
}

// fill draws a value of any domain type, with numbers at the edges of their forms.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		edges := rapid.SampledFrom([]uint64{0, 1, 23, 24, 255, 256, 1<<16 - 1, 1 << 16, 1<<32 - 1, 1 << 32, 1<<64 - 1})
		v.SetUint(rapid.OneOf(edges, rapid.Uint64()).Draw(t, "number") << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
	case reflect.String:
		text := rapid.StringN(0, 30, -1).Draw(t, "text")
		if rapid.IntRange(0, 40).Draw(t, "broken") == 7 {
			text += "\xff"
		}
		v.SetString(text)
	case reflect.Array:
		reflect.Copy(v, reflect.ValueOf(rapid.SliceOfN(rapid.Byte(), v.Len(), v.Len()).Draw(t, "bytes")))
	case reflect.Slice:
		most := 3
		if v.Type().Elem().Kind() == reflect.Uint8 {
			most = 30
		}
		n := rapid.IntRange(0, most).Draw(t, "length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(t, v.Field(i))
			}
		}
	case reflect.Interface:
		possible := slices.DeleteFunc(variants(), func(variant canon.Variant) bool { return !reflect.TypeOf(variant).Implements(v.Type()) })
		variant := reflect.ValueOf(rapid.SampledFrom(possible).Draw(t, "variant"))
		fill(t, variant.Elem())
		v.Set(variant)
	default:
		t.Fatalf("no domain type has a %s", v.Kind())
	}
}

// agree fails unless both decoders give the same verdict and the same value, which encodes to the input.
func agree(t interface{ Fatalf(string, ...any) }, like canon.Value, encoded []byte) (accepted bool) {
	described, reflected := fresh(like), fresh(like)
	err, reflectedErr := types.Decode(encoded, described), types.DecodeByReflection(encoded, reflected)
	switch {
	case (err == nil) != (reflectedErr == nil):
		t.Fatalf("%T from %x: described %v, by reflection %v", like, encoded, err, reflectedErr)
	case err != nil:
		if types.CodeOf(err) != types.CodeMalformed {
			t.Fatalf("%T from %x: %v, want malformed", like, encoded, err)
		}
		return false
	case !reflect.DeepEqual(described, reflected):
		t.Fatalf("%T from %x: described %+v, by reflection %+v", like, encoded, described, reflected)
	case !bytes.Equal(types.Encode(described), encoded) || !bytes.Equal(types.EncodeByReflection(described), encoded):
		t.Fatalf("%T from %x is written as %x, by reflection as %x", like, encoded, types.Encode(described), types.EncodeByReflection(described))
	}
	return true
}

// mutate changes an encoding as an attacker would: a bit, a byte that has a meaning, a longer form, a piece out or in twice.
func mutate(t *rapid.T, encoded []byte) []byte {
	encoded = bytes.Clone(encoded)
	at := rapid.IntRange(0, len(encoded)-1).Draw(t, "at")
	to := min(len(encoded), at+rapid.IntRange(0, 40).Draw(t, "length"))
	meaning := rapid.SampledFrom([]byte{0, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x20, 0x40, 0x58, 0x5f, 0x60, 0x78, 0x80, 0x81, 0x98, 0x9f, 0xa0, 0xc2, 0xd9, 0xf4, 0xf6, 0xf9, 0xff})
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		encoded[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	case 1:
		encoded[at] = meaning.Draw(t, "byte")
	case 2:
		encoded = slices.Insert(encoded, at, meaning.Draw(t, "byte"))
	case 3:
		if first := encoded[at]; first&31 < 24 {
			encoded = slices.Replace(encoded, at, at+1, first&^31|24, first&31)
		}
	case 4:
		encoded = slices.Delete(encoded, at, to)
	case 5:
		encoded = slices.Insert(encoded, at, encoded[at:to]...)
	case 6:
		encoded[at]++
	}
	return encoded
}

func TestFormsAgree(t *testing.T) {
	t.Parallel()
	for _, like := range described() {
		t.Run(nameOf(like), func(t *testing.T) {
			t.Parallel()
			agree(t, like, types.EncodeByReflection(like)) // with nothing in its lists and sums
			if encoded, reflected := types.Encode(like), types.EncodeByReflection(like); !bytes.Equal(encoded, reflected) {
				t.Fatalf("empty, it is described as %x, by reflection %x", encoded, reflected)
			}
			rapid.Check(t, func(t *rapid.T) {
				value := fresh(like)
				fill(t, reflect.ValueOf(value).Elem())
				encoded := types.Encode(value)
				if reflected := types.EncodeByReflection(value); !bytes.Equal(encoded, reflected) {
					t.Fatalf("%+v is described as %x, by reflection %x", value, encoded, reflected)
				}
				agree(t, like, encoded)
				for range 10 {
					agree(t, like, mutate(t, encoded))
				}
				agree(t, like, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "noise"))
			})
		})
	}
}

func TestTxFormsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var body types.Body
		var signatures []types.Signature
		fill(t, reflect.ValueOf(&body).Elem())
		fill(t, reflect.ValueOf(&signatures).Elem())
		tx := types.NewTx(body, signatures...)
		raw := tx.Bytes()
		if reflected := types.EncodeTxByReflection(tx); !bytes.Equal(raw, reflected) {
			t.Fatalf("%+v is described as %x, by reflection %x", tx, raw, reflected)
		}
		txAgree(t, raw)
		for range 10 {
			txAgree(t, mutate(t, raw))
		}
	})
}

func txAgree(t interface{ Fatalf(string, ...any) }, raw []byte) {
	described, err := types.DecodeTx(raw)
	reflected, reflectedErr := types.DecodeTxByReflection(raw)
	if (err == nil) != (reflectedErr == nil) || err == nil && !reflect.DeepEqual(described, reflected) {
		t.Fatalf("%x: described %+v (%v), by reflection %+v (%v)", raw, described, err, reflected, reflectedErr)
	}
}

// FuzzForms compares both decoders on the fuzzer's inputs; the first argument picks the type.
func FuzzForms(f *testing.F) {
	kinds := described()
	slices.SortFunc(kinds, func(a, b canon.Value) int { return cmp.Compare(nameOf(a), nameOf(b)) })
	for i, like := range kinds {
		f.Add(uint8(i), types.Encode(like))
		for _, sample := range vectors() {
			if reflect.TypeOf(sample.value) == reflect.TypeOf(like) {
				f.Add(uint8(i), types.Encode(sample.value))
			}
		}
	}
	f.Add(uint8(len(kinds)), sampleTx().Bytes())
	f.Fuzz(func(t *testing.T, which uint8, encoded []byte) {
		if n := int(which) % (len(kinds) + 1); n < len(kinds) {
			agree(t, kinds[n], encoded)
		} else if len(encoded) <= types.MaxTxBytes {
			txAgree(t, encoded)
		}
	})
}
