package types_test

import (
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/bech32"

	"lockstep/types"
)

// TestKeySlips replaces, at every place, the character by every other printable one: each slip is noticed.
func TestKeySlips(t *testing.T) {
	t.Parallel()
	for _, text := range []string{keyOf("producer").String(), types.PublicKey{}.String()} {
		for at := range text {
			for c := byte(' '); c <= '~'; c++ {
				slip := text[:at] + string(c) + text[at+1:]
				if slip == text {
					continue
				}
				if key, err := types.ParseKey(slip); types.CodeOf(err) != types.CodeMalformed {
					t.Errorf("%s with %q at %d reads as %s (%v)", text, c, at, key, err)
				}
			}
		}
	}
}

// Swapped neighbours, the slip that typists make most, are noticed too.
func TestKeySwaps(t *testing.T) {
	t.Parallel()
	text := keyOf("producer").String()
	for at := range len(text) - 1 {
		swapped := text[:at] + text[at+1:at+2] + text[at:at+1] + text[at+2:]
		if swapped == text {
			continue
		}
		if _, err := types.ParseKey(swapped); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%s passes for %s", swapped, text)
		}
	}
}

func TestKeyForms(t *testing.T) {
	t.Parallel()
	key := keyOf("producer")
	text := key.String()
	if upper, err := types.ParseKey(strings.ToUpper(text)); err != nil || upper != key {
		t.Errorf("in capitals, as a QR code has it: %v", err)
	}
	groups, err := bech32.ConvertBits(key[:], 8, 5, true)
	if err != nil {
		t.Fatal(err)
	}
	written := func(write func(string, []byte) (string, error), prefix string, groups []byte) string {
		text, err := write(prefix, groups)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	padded := append([]byte{}, groups...)
	padded[len(padded)-1] |= 1
	for name, bad := range map[string]string{
		"empty":             "",
		"one character":     "l",
		"cut short":         text[:len(text)-1],
		"one too many":      text + "q",
		"spaces around":     " " + text[1:],
		"capitals mixed in": strings.ToUpper(text[:10]) + text[10:],
		"the old checksum":  written(bech32.Encode, "lk", groups),
		"another prefix":    written(bech32.EncodeM, "bc", groups),
		"padding not zero":  written(bech32.EncodeM, "lk", padded),
		"31 bytes":          written(bech32.EncodeM, "lk", groups[:50]),
		"very long":         strings.Repeat("q", 1<<20),
	} {
		got, err := types.ParseKey(bad)
		if types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%s: %v, want malformed; read as %s", name, err, got)
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: the message has %d characters", name, len(err.Error()))
		}
	}
}

// A secret is never shown by accident: not when printed, not when a bad one is refused.
func TestSecretStaysSecret(t *testing.T) {
	t.Parallel()
	secret := sampleSecret()
	text, err := secret.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if secret.String() != "(secret)" {
		t.Errorf("printed: %s", secret)
	}
	slip := "x" + string(text[1:])
	err = new(types.Secret).UnmarshalText([]byte(slip))
	if types.CodeOf(err) != types.CodeMalformed || strings.Contains(err.Error(), slip[1:20]) {
		t.Errorf("refused with: %v", err)
	}
}

func TestIDText(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0123456789abcdef", 4)
	for name, bad := range map[string]string{
		"empty": "", "cut short": good[1:], "one too many": good + "0", "no digit": good[:63] + "g", "prefixed": "0x" + good[2:], "long": strings.Repeat("0", 1<<20),
	} {
		for what, id := range map[string]interface{ UnmarshalText([]byte) error }{
			"hash": new(types.Hash), "tx": new(types.TxID), "trade": new(types.TradeID), "offer": new(types.OfferID), "asset": new(types.AssetID),
			"point": new(types.PointID), "secret": new(types.Secret), "signature": new(types.SignatureBytes),
		} {
			if err := id.UnmarshalText([]byte(bad)); types.CodeOf(err) != types.CodeMalformed || len(err.Error()) > 300 {
				t.Errorf("%s, %s: %v, want a short refusal as malformed", what, name, err)
			}
		}
	}
}
