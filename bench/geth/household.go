package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// Every trade is over the same sums: the measurement doesn't depend on them.
const (
	price    = 250
	deposit  = 10
	deadline = 1 << 40 // seconds since 1970, far off
)

// household is a party: in each round it buys from the next one in the ring and sells to the one before.
type household struct {
	key     *ecdsa.PrivateKey
	address common.Address
	nonce   uint64
	secret  [32]byte // of this round's purchase
	digest  [32]byte
}

func newHouseholds(n int) ([]*household, error) {
	households := make([]*household, n)
	for i := range households {
		key, err := crypto.GenerateKey()
		if err != nil {
			return nil, err
		}
		households[i] = &household{key: key, address: crypto.PubkeyToAddress(key.PublicKey)}
	}
	return households, nil
}

func (h *household) newSecret() {
	rand.Read(h.secret[:]) // never fails
	h.digest = sha256.Sum256(h.secret[:])
}

// call signs a call of the contract.
func (h *household) call(signer types.Signer, to common.Address, value int64, data []byte) (*types.Transaction, error) {
	tx, err := types.SignNewTx(h.key, signer, &types.DynamicFeeTx{
		ChainID: signer.ChainID(), Nonce: h.nonce, To: &to, Value: big.NewInt(value), Data: data,
		Gas: 200_000, GasFeeCap: highestFee(), GasTipCap: big.NewInt(1),
	})
	h.nonce++
	return tx, err
}

// step is one of the transactions of a trade.
type step struct {
	name string
	make func(signer types.Signer, to common.Address, consumer, producer *household) (*types.Transaction, error)
}

// variant is a contract with the way to trade by it.
type variant struct {
	name, what, code string
	gas              uint64 // of the dearest step, rounded up: sets how many trades fill a block
	steps            []step
}

func findVariant(name string) (variant, error) {
	for _, v := range []variant{pair(), trade()} {
		if v.name == name {
			return v, nil
		}
	}
	return variant{}, fmt.Errorf("variant %q: it is pair or trade", name)
}

// compile.mjs prints the selectors.
func pair() variant {
	return variant{"pair", "lock + redeem of a hash time-locked contract", htlcCode, 45_000, []step{
		{"lock", func(signer types.Signer, to common.Address, c, p *household) (*types.Transaction, error) {
			return c.call(signer, to, price, arguments(0xa80de0e8, p.address, c.digest, deadline))
		}},
		{"redeem", func(signer types.Signer, to common.Address, c, p *household) (*types.Transaction, error) {
			return p.call(signer, to, 0, arguments(0x6bd61d4e, c.address, c.secret, deadline, price))
		}},
	}}
}

func trade() variant {
	return variant{"trade", "pay + deliver + release by a contract", tradeCode, 45_200, []step{
		{"pay", func(signer types.Signer, to common.Address, c, p *household) (*types.Transaction, error) {
			return c.call(signer, to, price+deposit, arguments(0x64d2d920, p.address, c.digest, deadline, deposit))
		}},
		{"deliver", func(signer types.Signer, to common.Address, c, p *household) (*types.Transaction, error) {
			return p.call(signer, to, 0, arguments(0x92a5df4d, c.address, c.digest, deadline, price, deposit))
		}},
		{"release", func(signer types.Signer, to common.Address, c, p *household) (*types.Transaction, error) {
			return c.call(signer, to, 0, arguments(0x7f7de275, c.address, p.address, c.secret, deadline, price, deposit))
		}},
	}}
}

// arguments is a call in Ethereum's encoding: the selector and a word of 32 bytes for each argument.
func arguments(selector uint32, values ...any) []byte {
	data := binary.BigEndian.AppendUint32(nil, selector)
	for _, value := range values {
		switch v := value.(type) {
		case common.Address:
			data = append(data, common.LeftPadBytes(v[:], 32)...)
		case [32]byte:
			data = append(data, v[:]...)
		case int:
			data = append(data, common.LeftPadBytes(big.NewInt(int64(v)).Bytes(), 32)...)
		default:
			panic(fmt.Sprintf("no word for a %T", value))
		}
	}
	return data
}

// highestFee is the limit that each sender sets for gas, far above the base fee of any run.
func highestFee() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 60) }

// wealth is the initial sum of each household, enough for any fee.
func wealth() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 120) }
