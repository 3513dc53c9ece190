package ledger

import (
	"bytes"
	"slices"

	"lockstep/meter"
	"lockstep/types"
)

// ed25519SPKI precedes the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const ed25519SPKI = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

// NativeMeterKey is the canonical form of a gateway's Ed25519 key.
func NativeMeterKey(key [32]byte) types.HexBytes { return append([]byte(ed25519SPKI), key[:]...) }

// nativeKey is the key in its canonical form.
func nativeKey(spki []byte) [32]byte { return [32]byte(spki[len(ed25519SPKI):]) }

// checkMeter wants key and registers in their one form, so that no meter can be enrolled twice under two names, and no register
// be billed twice under two spellings.
func checkMeter(m *types.PointMeter) error {
	if err := m.Check(); err != nil {
		return err
	}
	if err := checkMeterKey(m); err != nil {
		return err
	}
	imports, exports, err := meter.BillableForms(m.Import, m.Export)
	if err != nil {
		return types.Refuse(types.CodeMeterForm, "%v", err)
	}
	if !slices.Equal(imports, m.Import) || !slices.Equal(exports, m.Export) {
		return types.Refuse(types.CodeMeterForm, "the registers %q and %q are written %q and %q", m.Import, m.Export, imports, exports)
	}
	return nil
}

func checkMeterKey(m *types.PointMeter) error {
	canonical := false
	switch m.Form {
	case types.FormNative:
		canonical = len(m.Key) == len(ed25519SPKI)+32 && bytes.HasPrefix(m.Key, []byte(ed25519SPKI))
		if canonical {
			if err := types.PublicKey(nativeKey(m.Key)).Check("meter"); err != nil {
				return err
			}
		}
	case types.FormOCMF:
		key, err := meter.ParseKeyBytes(m.Key)
		canonical = err == nil && bytes.Equal(key.SPKI(), m.Key)
	}
	if !canonical {
		return types.Refuse(types.CodeMeterForm, "the key of %d bytes is not canonical: a SubjectPublicKeyInfo in DER with the point uncompressed is", len(m.Key))
	}
	return nil
}
