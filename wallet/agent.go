package wallet

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"lockstep/meter"
	"lockstep/trade"
	"lockstep/types"
)

// The steps of a program that trades by itself. All that it would have to remember follows from the seed: see [Account.Nonce] and
// [Account.Gateway].

// nonceDomain and gatewayDomain keep these values from being the output of the same derivation made for another purpose.
const (
	nonceDomain   = "lockstep/nonce/v1\x00"
	gatewayDomain = "lockstep/gateway/v1\x00"
)

// Nonce derives a nonce from the seed: the same for the same purpose, hash and number, and unpredictable for others.
func (a *Account) Nonce(purpose string, of types.Hash, number uint64) uint64 {
	info := append([]byte(nonceDomain), byte(len(purpose)))
	info = append(append(info, purpose...), of[:]...)
	info = binary.BigEndian.AppendUint64(append(info, a.key[:]...), number)
	drawn := a.derive(info, 8)
	return binary.BigEndian.Uint64(drawn)%(types.MatchNonce-1) + 1 // never zero, which stands for any
}

// Gateway is the key that signs the native records of the account's meter, as an operator enrols it. The words restore it.
func (a *Account) Gateway() [32]byte { return [32]byte(a.gateway().Public().(ed25519.PublicKey)) }

// SignReading signs a native record of the account's gateway.
func (a *Account) SignReading(record meter.Native) (meter.SignedNative, error) {
	record.Meter = a.Gateway()
	if err := record.Validate(); err != nil {
		return meter.SignedNative{}, err
	}
	return meter.SignedNative{Native: record, Signature: [64]byte(ed25519.Sign(a.gateway(), record.Bytes()))}, nil
}

func (a *Account) gateway() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(a.derive(append([]byte(gatewayDomain), a.key[:]...), ed25519.SeedSize))
}

func (a *Account) derive(info []byte, length int) []byte {
	derived, err := hkdf.Key(sha256.New, a.seed.bytes(), nil, string(info), length)
	if err != nil {
		panic("wallet: a few bytes can always be derived: " + err.Error())
	}
	return derived
}

// Release shows the preimage of instalment k of a trade in this transaction, beside other actions: see [Account.Release], which needs no
// signature and no fee. The secret is in the signed transaction, so sign only when the goods are there.
func (d *Draft) Release(id types.TradeID, t *types.Trade, k uint16) error {
	tx, err := d.account.Release(d.ctx, id, t, k)
	if err != nil {
		return err
	}
	d.act(tx.Body.Actions[0])
	return nil
}

// Settle ends a trade under meter terms by its reading, beside other actions. Anybody may do it once confirm-by has passed.
func (d *Draft) Settle(id types.TradeID, t *types.Trade) error {
	if err := checkTrade(id, t); err != nil {
		return err
	}
	if err := trade.May(t, trade.MoveSettle, d.ctx.Clock); err != nil {
		return err
	}
	d.act(&types.Settle{Trade: id})
	return nil
}
