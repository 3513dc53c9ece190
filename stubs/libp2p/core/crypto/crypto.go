// Package crypto stands in for libp2p, see stubs/README.md.
package crypto

import "errors"

// A PrivKey is a private key. There is none.
type PrivKey interface{ libp2p() }

// UnmarshalEd25519PrivateKey refuses every key.
func UnmarshalEd25519PrivateKey([]byte) (PrivKey, error) { return nil, errors.ErrUnsupported }

// UnmarshalSecp256k1PrivateKey refuses every key.
func UnmarshalSecp256k1PrivateKey([]byte) (PrivKey, error) { return nil, errors.ErrUnsupported }
