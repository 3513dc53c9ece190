package wallet

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/types"
)

// Account is one key of a seed with the secrets of its trades. It is safe for concurrent use.
type Account struct {
	index   uint32
	key     types.PublicKey
	private ed25519.PrivateKey
	seed    *Seed
	limits  Limits
	random  io.Reader
	reserve reserve
	// remember stores a signature under a proposal before it is given out; nil for an account of no wallet.
	remember func(account uint32, p *Proposal, blockTime types.Time) error
}

// Account derives the account of an index, which signs only within the limits.
func (s *Seed) Account(index uint32, limits Limits) (*Account, error) {
	if index > MaxAccount {
		return nil, refuse(ReasonAccount, "account %d is beyond the last one, %d", index, MaxAccount)
	}
	private := s.privateKey(index)
	return &Account{
		index: index, private: private, key: types.PublicKey(private.Public().(ed25519.PublicKey)),
		seed: s, limits: limits, random: rand.Reader,
	}, nil
}

// Ephemeral returns an account of a new seed that is kept nowhere, for demonstrations and tests: its money is lost when the program ends. Other
// programs keep a [Wallet].
func Ephemeral() (*Account, error) {
	seed, err := NewSeed(rand.Reader, "")
	if err != nil {
		return nil, err
	}
	return seed.Account(0, DefaultLimits())
}

// WithRandom returns the account with another source of nonces, for runs that can be repeated. It shares no coins in use
// with the first, so use one of the two.
func (a *Account) WithRandom(random io.Reader) *Account {
	return &Account{
		index: a.index, private: a.private, key: a.key,
		seed: a.seed, limits: a.limits, random: random, remember: a.remember,
	}
}

// Index is the account's place in the seed's tree of keys.
func (a *Account) Index() uint32 { return a.index }

// Key is the account's public key: its name and address on the ledger.
func (a *Account) Key() types.PublicKey { return a.key }

// Limits returns the limits within which the account signs.
func (a *Account) Limits() Limits { return a.limits }

// Preimage returns the secret that opens instalment k of n; see [Seed.Preimage]. Giving it to the producer off the ledger
// releases that instalment.
func (a *Account) Preimage(trade types.TradeID, k, n uint16) types.Secret {
	return a.seed.Preimage(trade, k, n)
}

// Digest is the lock of a trade of n instalments.
func (a *Account) Digest(trade types.TradeID, n uint16) types.Hash {
	return a.seed.Secret(trade).Digest(int(n))
}

// Forget makes the coins of a transaction free again: call it when the ledger has refused it, or when it was never sent.
// A transaction that was accepted needs no call; one that was lost frees its coins when its valid-until passes.
func (a *Account) Forget(tx types.TxID) { a.reserve.free(tx) }

func (a *Account) signMessage(message []byte) types.Signature {
	return types.Signature{Key: a.key, Bytes: [64]byte(ed25519.Sign(a.private, message))}
}

// nonce makes an agreement or an offer differ from every other of the same terms.
func (a *Account) nonce() (uint64, error) {
	var drawn [8]byte
	if _, err := io.ReadFull(a.random, drawn[:]); err != nil {
		return 0, fmt.Errorf("draw a nonce: %w", err)
	}
	return binary.BigEndian.Uint64(drawn[:]) % types.MatchNonce, nil
}

// has reports whether the account is one of the parties.
func (a *Account) has(agreement *types.Agreement) bool {
	return a.key == agreement.Producer || a.key == agreement.Consumer
}

// Format shows the public key alone, with every verb.
func (a *Account) Format(f fmt.State, _ rune) { io.WriteString(f, a.key.String()) }

// LogValue shows the public key alone.
func (a *Account) LogValue() slog.Value { return slog.StringValue(a.key.String()) }
