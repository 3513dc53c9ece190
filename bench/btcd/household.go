package main

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

const deposit = 1000 // satoshi, above the dust limit of wallets

// household is a party: in each round it buys from the next one in the ring with all it owns, and sells to the one before.
type household struct {
	key   *btcec.PrivateKey
	coins []coin // under its key alone

	// This round's purchase.
	secret, digest          [32]byte
	payment, deposit, back  coin
	paymentTerms, backTerms []byte
}

func newHouseholds(n int) ([]*household, error) {
	households := make([]*household, n)
	for i := range households {
		key, err := btcec.NewPrivateKey()
		if err != nil {
			return nil, err
		}
		households[i] = &household{key: key}
	}
	return households, nil
}

func (h *household) newSecret() {
	rand.Read(h.secret[:]) // never fails
	h.digest = sha256.Sum256(h.secret[:])
}

// step is one of the transactions of a trade.
type step func(consumer, producer *household) (*wire.MsgTx, error)

// variant is a way to trade.
type variant struct {
	name, what string
	steps      []step
	trades     int // enough to fill a block of the longest step
	signatures int // a trade, once every household has coins from a purchase and from a sale
}

func findVariant(name string) (variant, error) {
	for _, v := range []variant{
		{"pair", "fund + redeem of a P2WSH hash time-locked contract", []step{fund, collect}, 7000, 2},
		{"trade", "pay + deliver + release + collect by P2WSH hash time-locked contracts", []step{pay, deliver, release, collect}, 4400, 5},
	} {
		if v.name == name {
			return v, nil
		}
	}
	return variant{}, fmt.Errorf("variant %q: it is pair or trade", name)
}

// spendAll gives all coins of a household as inputs, and takes them from it.
func (h *household) spendAll() (inputs []input, sum int64) {
	for _, c := range h.coins {
		inputs = append(inputs, input{coin: c, key: h.key})
		sum += c.output.Value
	}
	h.coins = nil
	return inputs, sum
}

// fund locks the payment alone.
func fund(c, p *household) (*wire.MsgTx, error) {
	inputs, sum := c.spendAll()
	return c.lockPayment(p, inputs, sum)
}

// pay locks the payment and gives the producer the deposit. Bitcoin can't bind the producer in its use.
func pay(c, p *household) (*wire.MsgTx, error) {
	inputs, sum := c.spendAll()
	handed, err := toKey(deposit, p.key)
	if err != nil {
		return nil, err
	}
	return c.lockPayment(p, inputs, sum-deposit, handed)
}

func (h *household) lockPayment(p *household, inputs []input, amount int64, others ...*wire.TxOut) (tx *wire.MsgTx, err error) {
	if h.paymentTerms, err = htlc(h.digest, p.key, h.key); err != nil {
		return nil, err
	}
	locked, err := toContract(amount, h.paymentTerms)
	if err != nil {
		return nil, err
	}
	tx, coins, err := spend(inputs, append([]*wire.TxOut{locked}, others...)...)
	if err != nil {
		return nil, err
	}
	h.payment = coins[0]
	if len(others) > 0 {
		h.deposit = coins[1]
	}
	return tx, nil
}

// deliver locks the deposit back to the consumer, under the digest of the payment.
func deliver(c, p *household) (tx *wire.MsgTx, err error) {
	if c.backTerms, err = htlc(c.digest, c.key, p.key); err != nil {
		return nil, err
	}
	locked, err := toContract(deposit, c.backTerms)
	if err != nil {
		return nil, err
	}
	tx, coins, err := spend([]input{{coin: c.deposit, key: p.key}}, locked)
	if err != nil {
		return nil, err
	}
	c.back = coins[0]
	return tx, nil
}

// release takes the deposit, which shows the secret.
func release(c, _ *household) (*wire.MsgTx, error) {
	return c.take(c.back, c.backTerms, c.secret[:])
}

// collect takes the payment by the secret.
func collect(c, p *household) (*wire.MsgTx, error) {
	return p.take(c.payment, c.paymentTerms, c.secret[:])
}

func (h *household) take(locked coin, contract, secret []byte) (*wire.MsgTx, error) {
	mine, err := toKey(locked.output.Value, h.key)
	if err != nil {
		return nil, err
	}
	tx, coins, err := spend([]input{{coin: locked, key: h.key, contract: contract, secret: secret}}, mine)
	if err != nil {
		return nil, err
	}
	h.coins = append(h.coins, coins...)
	return tx, nil
}
