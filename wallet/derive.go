package wallet

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/types"
)

// The path of account n is m/44'/19531'/n', every step hardened, as SLIP-0010 requires for Ed25519. 19531 is 0x4c4b, "LK".
// It is not registered in SLIP-0044, nor was it taken by another coin when it was chosen.
const (
	purpose  = 44
	coinType = 19531

	hardened = 1 << 31
)

// MaxAccount is the highest index of an account.
const MaxAccount = hardened - 1

// node is a place in the tree of keys (SLIP-0010).
type node struct {
	key, chain [32]byte
}

func masterNode(seed []byte) node { return nodeOf([]byte("ed25519 seed"), seed) }

// child takes one hardened step; index is given without the hardening.
func (n node) child(index uint32) node {
	data := make([]byte, 0, 37)
	data = append(data, 0)
	data = append(data, n.key[:]...)
	data = binary.BigEndian.AppendUint32(data, index|hardened)
	defer clear(data)
	return nodeOf(n.chain[:], data)
}

func nodeOf(key, data []byte) (n node) {
	mac := hmac.New(sha512.New, key)
	mac.Write(data)
	sum := mac.Sum(nil)
	defer clear(sum)
	copy(n.key[:], sum[:32])
	copy(n.chain[:], sum[32:])
	return n
}

func (n node) privateKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(n.key[:]) }

func (s *Seed) privateKey(account uint32) ed25519.PrivateKey {
	return masterNode(s.bytes()).child(purpose).child(coinType).child(account).privateKey()
}

// secretDomain keeps a trade's secret from being the output of the same derivation made for another purpose.
const secretDomain = "lockstep/secret/v1\x00"

// Secret opens a trade: it is the preimage of the last instalment. It depends only on the seed and the trade's
// ID, so the words and the ledger are enough to release a trade that was paid before the wallet was lost.
func (s *Seed) Secret(trade types.TradeID) types.Secret {
	derived, err := hkdf.Key(sha256.New, s.bytes(), nil, secretDomain+string(trade[:]), len(types.Secret{}))
	if err != nil {
		panic("wallet: 32 bytes can always be derived: " + err.Error())
	}
	return types.Secret(derived)
}

// Preimage opens instalment k of a trade of n, and with it all earlier ones: the secret, hashed once for every instalment
// after the k-th. It requires k <= n.
func (s *Seed) Preimage(trade types.TradeID, k, n uint16) types.Secret {
	return types.Secret(s.Secret(trade).Digest(int(n) - int(k)))
}
