package meter

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// maxKeyText bounds a key as text: an SPKI of P-384 is 240 hex digits, with colons 360, and that in base64 480.
const maxKeyText = 2048

// keyText takes the bytes of a key out of its text. White space is ignored, since keys are copied from type plates and
// printed in groups, and so is a byte order mark. The forms are
//
//   - hex, also as 0x30 59 13 or 30:59:13,
//   - base64 of either alphabet, with or without its padding,
//   - PEM, in which line ends may be written as \n,
//   - oca:base16:asn1: and hex, or oca:base64:asn1: and base64, as OCPP's charging stations print it,
//   - base64 over one of these texts, as OCPP's field publicKey has it.
//
// A text that is hex is not read as base64.
func keyText(text string) ([]byte, error) {
	raw, err := plainKeyText(text)
	if err != nil || !isText(raw) {
		return raw, err
	}
	return plainKeyText(string(raw))
}

// isText tells whether the bytes are a text that may be a key's. A key itself has bytes that no such text has: each form
// begins with a byte below a space, or is a point, of which so many letters in a row are no chance.
func isText(raw []byte) bool {
	for _, b := range raw {
		if b > '~' || b < ' ' && b != '\n' && b != '\r' && b != '\t' {
			return false
		}
	}
	return len(raw) > 0
}

func plainKeyText(text string) ([]byte, error) {
	if len(text) > maxKeyText {
		return nil, refuse(CodeKey, "a key of %d characters; the longest has %d", len(text), maxKeyText)
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if text == "" {
		return nil, refuse(CodeKey, "the key is empty")
	}
	if label, isPEM := strings.CutPrefix(text, "-----BEGIN "); isPEM {
		return pemText(label)
	}
	text = strings.Join(strings.Fields(text), "")
	base16, base64 := true, true
	if envelope, isOCA := cutPrefixFold(text, "oca:"); isOCA {
		encoding, rest, _ := strings.Cut(envelope, ":")
		form, body, found := strings.Cut(rest, ":")
		base16, base64 = strings.EqualFold(encoding, "base16"), strings.EqualFold(encoding, "base64")
		if !found || !base16 && !base64 || !strings.EqualFold(form, "asn1") {
			return nil, refuse(CodeKey, "a key %.40q, of which only oca:base16:asn1: and oca:base64:asn1: are known", text)
		}
		text = body
	}
	if digits, is0x := cutPrefixFold(text, "0x"); is0x {
		text, base64 = digits, false
	}
	if base16 {
		if raw, err := hex.DecodeString(withoutColons(text)); err == nil && len(raw) > 0 {
			return raw, nil
		}
	}
	if base64 {
		if raw, ok := decodeBase64(text); ok {
			return raw, nil
		}
	}
	return nil, refuse(CodeKey, "the key is neither hex nor base64: give the text on the meter's type plate or in its register entry")
}

// pemText reads the rest of a PEM block after the begin of its first line.
func pemText(text string) ([]byte, error) {
	label, body, found := strings.Cut(text, "-----")
	switch {
	case !found:
		return nil, refuse(CodeKey, "a PEM key whose first line does not end in -----")
	case strings.HasSuffix(label, "PRIVATE KEY"):
		return nil, refuse(CodeKey, "a private key, which must stay secret: give the public key, as openssl pkey -pubout prints it")
	case label == "CERTIFICATE":
		return nil, refuse(CodeKey, "a certificate: give its public key, as openssl x509 -noout -pubkey prints it")
	case label != "PUBLIC KEY" && label != "EC PUBLIC KEY":
		return nil, refuse(CodeKey, "a PEM block of a %.40q: a PUBLIC KEY is needed", label)
	}
	body, rest, found := strings.Cut(body, "-----END "+label+"-----")
	if !found {
		return nil, refuse(CodeKey, "a PEM key without its end line")
	}
	if strings.TrimSpace(strings.ReplaceAll(rest, `\n`, "")) != "" {
		return nil, refuse(CodeKey, "text follows the PEM key: give one key alone")
	}
	raw, ok := decodeBase64(strings.Join(strings.Fields(strings.ReplaceAll(body, `\n`, "")), ""))
	if !ok {
		return nil, refuse(CodeKey, "a PEM key that is not base64")
	}
	return raw, nil
}

func cutPrefixFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// withoutColons joins pairs of digits with colons between all of them; other texts it leaves alone.
func withoutColons(text string) string {
	pairs := strings.Split(text, ":")
	for _, pair := range pairs {
		if len(pair) != 2 {
			return text
		}
	}
	return strings.Join(pairs, "")
}

// decodeBase64 reads both alphabets. Padding may be left out, but not be wrong.
func decodeBase64(text string) ([]byte, bool) {
	body := strings.TrimRight(text, "=")
	if padding := len(text) - len(body); padding > 0 && (padding > 2 || len(text)%4 != 0) || body == "" {
		return nil, false
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(body))
	return raw, err == nil
}

// ed25519Info begins a SubjectPublicKeyInfo of an Ed25519 key (RFC 8410); the 32 bytes of the key follow.
const ed25519Info = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

// ParseNativeKey reads the Ed25519 key of a gateway of ours, in the same texts as [ParseKey]: its 32 bytes, or a
// SubjectPublicKeyInfo. Its error is [CodeKey].
func ParseNativeKey(text string) (key [32]byte, err error) {
	raw, err := keyText(text)
	if err != nil {
		return key, err
	}
	if info, ok := strings.CutPrefix(string(raw), ed25519Info); ok {
		raw = []byte(info)
	}
	if len(raw) != len(key) {
		return key, refuse(CodeKey, "%d bytes that are not a gateway's key: it has 32 bytes, 64 digits in hex", len(raw))
	}
	return [32]byte(raw), nil
}
