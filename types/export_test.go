package types

// The encoding by reflection, which tests hold the described wire forms against.

func EncodeByReflection(v any) []byte { return encodeByReflection(v) }

func DecodeByReflection(encoded []byte, v any) error { return decodeByReflection(encoded, v) }

// envelope is what [wireTx] describes.
type envelope struct {
	_          struct{} `cbor:",toarray"`
	Body       []byte
	Signatures []Signature
}

func DecodeTxByReflection(raw []byte) (*Tx, error) {
	var wire envelope
	if err := decodeByReflection(raw, &wire); err != nil {
		return nil, err
	}
	tx := &Tx{Signatures: wire.Signatures, body: wire.Body, raw: raw}
	return tx.hashed(), decodeByReflection(tx.body, &tx.Body)
}

func EncodeTxByReflection(tx *Tx) []byte {
	return encodeByReflection(&envelope{Body: encodeByReflection(&tx.Body), Signatures: tx.Signatures})
}
