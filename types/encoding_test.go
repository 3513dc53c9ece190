package types_test

import (
	"bytes"
	"encoding/hex"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/types"
)

const (
	asset32 = "5820" + "1111111111111111111111111111111111111111111111111111111111111111"
	key32   = "5820" + "2222222222222222222222222222222222222222222222222222222222222222"
	toKey   = "d94c0181" + key32
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// TestDecodeStrict writes one output in every wrong way; only the first is the canonical one.
func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	var good types.Output
	if err := types.Decode(unhex(t, "83"+asset32+"01"+toKey), &good); err != nil {
		t.Fatal(err)
	}
	for name, encoded := range map[string]string{
		"nothing":                         "",
		"trailing byte":                   "83" + asset32 + "01" + toKey + "00",
		"cut short":                       "83" + asset32 + "01" + toKey[:len(toKey)-2],
		"integer in 1 byte too many":      "83" + asset32 + "1801" + toKey,
		"integer in 2 bytes too many":     "83" + asset32 + "190001" + toKey,
		"integer in 8 bytes too many":     "83" + asset32 + "1b0000000000000001" + toKey,
		"negative integer":                "83" + asset32 + "20" + toKey,
		"big number":                      "83" + asset32 + "c24101" + toKey,
		"half float":                      "83" + asset32 + "f93c00" + toKey,
		"double float":                    "83" + asset32 + "fb3ff0000000000000" + toKey,
		"not a number":                    "83" + asset32 + "f97e00" + toKey,
		"text for a number":               "83" + asset32 + "6131" + toKey,
		"true":                            "83" + asset32 + "f5" + toKey,
		"null amount":                     "83" + asset32 + "f6" + toKey,
		"undefined amount":                "83" + asset32 + "f7" + toKey,
		"null asset":                      "83" + "f6" + "01" + toKey,
		"null lock":                       "83" + asset32 + "01" + "f6",
		"null in the lock's tag":          "83" + asset32 + "01" + "d94c01f6",
		"null as a whole":                 "f6",
		"array too short":                 "82" + asset32 + "01",
		"array too long":                  "84" + asset32 + "01" + toKey + "00",
		"empty array":                     "80",
		"array length not minimal":        "9803" + asset32 + "01" + toKey,
		"array of indefinite length":      "9f" + asset32 + "01" + toKey + "ff",
		"bytes of indefinite length":      "83" + "5f" + asset32 + "ff" + "01" + toKey,
		"bytes too short":                 "83" + "581f" + asset32[4:66] + "01" + toKey,
		"bytes too long":                  "83" + "5821" + asset32[4:] + "11" + "01" + toKey,
		"byte length not minimal":         "83" + "590020" + asset32[4:] + "01" + toKey,
		"no bytes":                        "83" + "40" + "01" + toKey,
		"text for bytes":                  "83" + "7820" + asset32[4:] + "01" + toKey,
		"list of numbers for bytes":       "83" + "9820" + strings.Repeat("11", 32) + "01" + toKey,
		"map for an array":                "a3656173736574" + asset32 + "66616d6f756e7401" + "646c6f636b" + toKey,
		"map with a key twice":            "a2656173736574" + asset32 + "656173736574" + asset32,
		"lock without tag":                "83" + asset32 + "01" + "81" + key32,
		"unknown tag":                     "83" + asset32 + "01" + "d94cff81" + key32,
		"tag of another sum":              "83" + asset32 + "01" + "d94c1381" + key32,
		"tag of an action":                "83" + asset32 + "01" + "d94c2881" + key32,
		"tag not minimal":                 "83" + asset32 + "01" + "da00004c0181" + key32,
		"tag twice":                       "83" + asset32 + "01" + "d94c01" + toKey,
		"self-described":                  "d9d9f783" + asset32 + "01" + toKey,
		"a lock's fields missing":         "83" + asset32 + "01" + "d94c0180",
		"a lock's fields too many":        "83" + asset32 + "01" + "d94c0182" + key32 + "00",
		"lock to a trade":                 "83" + asset32 + "01" + "d94c0282" + key32 + "03",
		"reserved additional information": "83" + asset32 + "1c" + toKey,
	} {
		var output types.Output
		if err := types.Decode(unhex(t, encoded), &output); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%s: %v, want malformed; read as %+v", name, err, output)
		}
	}
}

func TestDecodeText(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"not UTF-8":         "61ff",
		"surrogate":         "63eda080",
		"indefinite length": "7f6141ff",
		"bytes for text":    "4141",
		"length not needed": "780141",
	} {
		var asset types.Asset
		if err := types.Decode(unhex(t, "83"+key32+code+"02"), &asset); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%s: %v, want malformed", name, err)
		}
	}
}

// TestDecodeSays: a refusal names the place and the fault.
func TestDecodeSays(t *testing.T) {
	t.Parallel()
	good := "83" + asset32 + "01" + toKey
	for name, c := range map[string]struct{ outputs, want string }{
		"shortest form": {"82" + good + "83" + asset32 + "1801" + toKey, "output 1: amount is not in its shortest form"},
		"kind":          {"81" + "83" + asset32 + "6131" + toKey, "output 0: amount is a text, not a number"},
		"not a list":    {"41" + "00", "outputs is a byte string, not a list"},
		"fields":        {"81" + "82" + asset32 + "01", "output 0: it has 2 fields, not 3"},
		"length":        {"81" + "83" + "4100" + "01" + toKey, "output 0: asset has 1 bytes, not 32"},
		"tag":           {"81" + "83" + asset32 + "01" + "d94cff80", "output 0: lock: it has the tag 19711, not 19457"},
		"lock to trade": {"81" + "83" + asset32 + "01" + "d94c0282" + asset32 + "03", "output 0: lock: it has the tag 19458, not 19457"},
		"within a lock": {"81" + "83" + asset32 + "01" + "d94c01814100", "output 0: lock: key has 1 bytes, not 32"},
		"indefinite":    {"9f" + "ff", "outputs does not say its length"},
		"too many":      {"992001" + "80", "outputs has 8193 entries, at most 8192 are possible"},
		"cut short":     {"81" + "83" + asset32[:20], "output 0: asset is cut short"},
		"missing":       {"82" + good, "output 1: it is missing"},
	} {
		encoded := "87" + "60" + "00" + "80" + c.outputs
		if !strings.HasPrefix(name, "cut") && name != "missing" {
			encoded += "80" + "00" + "60"
		}
		err := types.Decode(unhex(t, encoded), new(types.Body))
		if want := "malformed: can't decode: " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	trailing := types.Decode(unhex(t, good+"0000"), new(types.Output))
	if trailing == nil || !strings.HasSuffix(trailing.Error(), "it has 2 bytes too many") {
		t.Errorf("trailing bytes: %v", trailing)
	}
}

// A list may be as long as the limit and no longer, whichever way it is read.
func TestDecodeLongLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		entries int
		want    bool
	}{{8192, true}, {8193, false}} {
		slot := types.Slot{Claims: make([]types.Claim, c.entries)}
		if accepted := agree(t, &slot, types.Encode(&slot)); accepted != c.want {
			t.Errorf("%d entries: accepted %t, want %t", c.entries, accepted, c.want)
		}
	}
}

// A decoded value does not share memory with its encoding, except the bytes of a transaction.
func TestDecodeCopies(t *testing.T) {
	t.Parallel()
	meter := sampleMeter()
	encoded := types.Encode(&meter)
	var decoded types.PointMeter
	if err := types.Decode(encoded, &decoded); err != nil {
		t.Fatal(err)
	}
	clear(encoded)
	if diff := cmp.Diff(meter, decoded, equal...); diff != "" {
		t.Error(diff)
	}
}

// A declared length costs nothing before its bytes are there. Not parallel: it counts the allocations of the whole process.
func TestDecodeBombs(t *testing.T) {
	const allowed = 64 << 10
	for name, bomb := range map[string][]byte{
		"arrays in arrays":    bytes.Repeat([]byte{0x81}, types.MaxTxBytes),
		"tags in tags":        bytes.Repeat([]byte{0xc1}, types.MaxTxBytes),
		"a list to come":      unhex(t, "8760"+"00"+"992000"),
		"a long array":        unhex(t, "9b7fffffffffffffff"),
		"the longest array":   unhex(t, "9bffffffffffffffff"),
		"a long byte string":  unhex(t, "825b7fffffffffffffff"),
		"a gigabyte of bytes": unhex(t, "825a3fffffff00"),
		"a gigabyte of text":  unhex(t, "887a3fffffff41"),
		"a long map":          unhex(t, "bb7fffffffffffffff"),
		"many signatures":     append(unhex(t, "8240995fff"), bytes.Repeat([]byte{0x80}, 0x5fff)...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, txErr := types.DecodeTx(bomb)
		bodyErr := types.Decode(bomb, new(types.Body))
		tradeErr := types.Decode(bomb, new(types.Trade))
		runtime.ReadMemStats(&after)
		for _, err := range []error{txErr, bodyErr, tradeErr} {
			if types.CodeOf(err) != types.CodeMalformed {
				t.Errorf("%s: %v, want malformed", name, err)
			}
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > allowed {
			t.Errorf("%s of %d bytes took %d bytes of memory, more than %d", name, len(bomb), used, allowed)
		}
	}
}

func TestDecodeTxSize(t *testing.T) {
	t.Parallel()
	body := sampleBody()
	body.Memo = strings.Repeat("m", types.MaxTxBytes/2)
	body.Memo += strings.Repeat("m", types.MaxTxBytes-len(types.NewTx(body).Bytes()))
	if _, err := types.DecodeTx(types.NewTx(body).Bytes()); err != nil {
		t.Errorf("%d bytes: %v", len(types.NewTx(body).Bytes()), err)
	}
	body.Memo += "m"
	if _, err := types.DecodeTx(types.NewTx(body).Bytes()); types.CodeOf(err) != types.CodeTooLarge {
		t.Errorf("%d bytes: %v, want too_large", len(types.NewTx(body).Bytes()), err)
	}
}

// The body travels as bytes within the envelope, so it has to be canonical by itself.
func TestDecodeTxBody(t *testing.T) {
	t.Parallel()
	raw := sampleTx().Bytes()
	for name, corrupt := range map[string]func([]byte) []byte{
		"one byte less":  func(raw []byte) []byte { return raw[:len(raw)-1] },
		"one byte more":  func(raw []byte) []byte { return append(raw, 0) },
		"body not array": func(raw []byte) []byte { raw[bytes.Index(raw, []byte("samplestadt"))-2] = 0x89; return raw },
		"null action": func([]byte) []byte {
			return types.NewTx(types.Body{ChainID: "samplestadt", Actions: []types.Action{nil}}).Bytes()
		},
	} {
		if tx, err := types.DecodeTx(corrupt(bytes.Clone(raw))); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%s: %v, want malformed; read as %+v", name, err, tx)
		}
	}
}

// Different kinds of things with the same bytes have different IDs.
func TestDomains(t *testing.T) {
	t.Parallel()
	body := sampleTx().BodyBytes()
	if message := types.SigningMessage(body); bytes.HasPrefix(message, body) || !bytes.HasSuffix(message, body) {
		t.Errorf("the signing message %x does not put a domain before the body", message)
	}
	agreement := sampleAgreement()
	if plain := types.NewTx(types.Body{Actions: []types.Action{&types.Agree{Agreement: agreement}}}).ID(); plain == types.TxID(agreement.ID()) {
		t.Error("a transaction and a trade share an ID")
	}
}
