package evidence

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"lockstep/meter"
)

// ParseKey reads a public key in each form of the field: all that [meter.ParseKey] reads (hex, base64, PEM, oca:base16:asn1:, as
// SubjectPublicKeyInfo or as a point), also with the name of its curve before it and a colon between; a JSON object with the key in
// a member, or a JSON Web Key; and base64 of one of these. A point alone takes the curve that is named beside it, or else has none.
// Its errors are those of [meter.ParseKey].
func ParseKey(text string) (meter.Key, error) { return parseKey(text, 0) }

// maxKeyText bounds a key, in bytes: a certificate in JSON fits.
const maxKeyText = 16 << 10

func parseKey(text string, depth int) (meter.Key, error) {
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), mark))
	if len(text) > maxKeyText || depth > maxWrappings {
		return meter.Key{}, refuse(meter.CodeKey, "a key of %d characters, wrapped %d times, is none", len(text), depth)
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) {
		tree, err := parseJSON([]byte(text))
		if err != nil {
			return meter.Key{}, refuse(meter.CodeKey, "a key in JSON that can't be read: %v", err)
		}
		return keyInJSON(tree, depth)
	}
	key, err := meter.ParseKey(text)
	if err == nil {
		return key, nil
	}
	if name, body, named := strings.Cut(text, ":"); named {
		if curve := curveNamed(name); curve != 0 {
			return keyOn(body, curve, depth)
		}
	}
	if inner, ok := decode(text); ok && wrapsKey(inner) {
		return parseKey(string(inner), depth+1)
	}
	return meter.Key{}, err
}

// wrapsKey tells whether decoded bytes are a text with a key in it.
func wrapsKey(inner []byte) bool {
	text := strings.TrimSpace(strings.TrimPrefix(string(inner), mark))
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "-----BEGIN ") {
		return true
	}
	name, _, named := strings.Cut(text, ":")
	return named && (curveNamed(name) != 0 || strings.EqualFold(name, "oca"))
}

// keyOn reads a key whose curve is named beside it.
func keyOn(text string, curve meter.Curve, depth int) (meter.Key, error) {
	key, err := parseKey(text, depth+1)
	if err != nil {
		return key, err
	}
	return key.On(curve)
}

// keyNames are the members of JSON in which keys are found, and curveNames those that name their curve.
var (
	keyNames   = []string{"publicKey", "public_key", "PublicKey", "pubkey", "key", "value", "data", "pk", "pem"}                        //nolint:gochecknoglobals // a constant table
	curveNames = []string{"curve", "crv", "algorithm", "alg", "signatureAlgorithm", "signingMethod", "signing_method", "ecCurve", "SA"} //nolint:gochecknoglobals // a constant table
)

func keyInJSON(tree *node, depth int) (meter.Key, error) {
	if tree.kind == 's' {
		return parseKey(tree.text, depth+1)
	}
	var curve meter.Curve
	for _, name := range curveNames {
		if named := curveNamed(tree.at(name).str()); named != 0 {
			curve = named
			break
		}
	}
	if x, y := tree.at("x").str(), tree.at("y").str(); x != "" && y != "" { // a JSON Web Key (RFC 7518 6.2), or its numbers in hex
		return keyOfNumbers(x, y, curve)
	}
	for _, name := range keyNames {
		m := tree.member(name)
		if m == nil {
			continue
		}
		var key meter.Key
		var err error
		if m.kind == '{' {
			key, err = keyInJSON(m, depth+1)
		} else {
			key, err = parseKey(m.str(), depth+1)
		}
		if err == nil && curve != 0 {
			return key.On(curve)
		}
		return key, err
	}
	return meter.Key{}, refuse(meter.CodeKey, "the JSON has no public key under one of the names %s", strings.Join(keyNames, ", "))
}

func keyOfNumbers(x, y string, curve meter.Curve) (meter.Key, error) {
	left, okLeft := decode(x)
	right, okRight := decode(y)
	if !okLeft || !okRight || len(left) != len(right) {
		return meter.Key{}, refuse(meter.CodeKey, "x and y of the key are not two numbers of the same length in base64 or hex")
	}
	key, err := meter.ParseKeyBytes(append([]byte{4}, append(left, right...)...))
	if err == nil && curve != 0 {
		return key.On(curve)
	}
	return key, err
}

// keyOf is a member's key as text: the text itself, or the object in JSON.
func keyOf(n *node) string {
	if n == nil || n.kind == 's' {
		return n.str()
	}
	if n.kind != '{' {
		return ""
	}
	return n.encode()
}

// encode writes a node as JSON.
func (n *node) encode() string {
	switch n.kind {
	case 's':
		text, _ := json.Marshal(n.text)
		return string(text)
	case 'n', 'b':
		return n.text
	case '0':
		return "null"
	}
	parts := make([]string, len(n.items))
	for i, item := range n.items {
		if parts[i] = item.encode(); n.kind == '{' {
			name, _ := json.Marshal(n.names[i])
			parts[i] = string(name) + ":" + parts[i]
		}
	}
	if n.kind == '{' {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// spellings are the names of the curves as SEC 2, NIST, ANSI X9.62, RFC 5639 and makers write them, in small letters without marks,
// and without the words around them that curveNamed leaves out.
var spellings = map[string]meter.Curve{ //nolint:gochecknoglobals // a constant table
	"secp192k1": meter.Secp192k1, "k192": meter.Secp192k1, "p192k1": meter.Secp192k1, "ansip192k1": meter.Secp192k1, "koblitz192": meter.Secp192k1,
	"secp192r1": meter.Secp192r1, "p192": meter.Secp192r1, "p192r1": meter.Secp192r1, "prime192v1": meter.Secp192r1, "192": meter.Secp192r1,
	"secp256k1": meter.Secp256k1, "k256": meter.Secp256k1, "p256k1": meter.Secp256k1, "ansip256k1": meter.Secp256k1, "koblitz256": meter.Secp256k1,
	"secp256r1": meter.Secp256r1, "p256": meter.Secp256r1, "p256r1": meter.Secp256r1, "prime256v1": meter.Secp256r1, "ansip256r1": meter.Secp256r1, "256": meter.Secp256r1,
	"secp384r1": meter.Secp384r1, "p384": meter.Secp384r1, "p384r1": meter.Secp384r1, "prime384v1": meter.Secp384r1, "ansip384r1": meter.Secp384r1, "384": meter.Secp384r1,
	"brainpoolp256r1": meter.BrainpoolP256r1, "brainpool256r1": meter.BrainpoolP256r1, "brainpoolp256": meter.BrainpoolP256r1, "brainpool256": meter.BrainpoolP256r1,
	"bp256r1": meter.BrainpoolP256r1, "bp256": meter.BrainpoolP256r1,
	"brainpoolp384r1": meter.BrainpoolP384r1, "brainpool384r1": meter.BrainpoolP384r1, "brainpoolp384": meter.BrainpoolP384r1, "brainpool384": meter.BrainpoolP384r1,
	"bp384r1": meter.BrainpoolP384r1, "bp384": meter.BrainpoolP384r1,
}

// curveNamed is the curve that a text names, 0 if it names none: P-256, prime256v1 and ECDSA-secp256r1-SHA256 are one. A name of
// another hash than SHA-256 names none, since no record is signed with one.
func curveNamed(text string) meter.Curve {
	if len(text) > 64 {
		return 0
	}
	var name strings.Builder
	for _, c := range strings.ToLower(text) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			name.WriteRune(c)
		}
	}
	bare := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name.String(), "ecdsa"), "withsha256"), "sha256")
	for _, word := range []string{"ecdsa", "nist", "curve"} {
		bare = strings.Replace(bare, word, "", 1)
	}
	return spellings[bare]
}

// standardSA is the signature algorithm of a curve as table 22 of OCMF spells it.
func standardSA(curve meter.Curve) string { return "ECDSA-" + curve.String() + "-SHA256" }

// sameKey compares two keys, of which either may be a bare point, and returns them on one curve.
func sameKey(a, b meter.Key) bool {
	switch {
	case a.Curve() == 0 && b.Curve() != 0:
		on, err := a.On(b.Curve())
		return err == nil && on == b
	case b.Curve() == 0 && a.Curve() != 0:
		on, err := b.On(a.Curve())
		return err == nil && on == a
	}
	return a == b
}

// keyHex is a key for a report.
func keyHex(key meter.Key) string {
	if spki := key.SPKI(); spki != nil {
		return hex.EncodeToString(spki)
	}
	return key.String()
}
