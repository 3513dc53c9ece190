package main

import (
	_ "embed"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus"
	"github.com/ethereum/go-ethereum/consensus/beacon"
	"github.com/ethereum/go-ethereum/consensus/ethash"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethdb"
	"github.com/ethereum/go-ethereum/ethdb/pebble"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rlp"
)

var (
	//go:embed htlc.hex
	htlcCode string
	//go:embed trade.hex
	tradeCode string
)

// blockGas is how much gas a full block uses, as Ethereum's main chain allows (2026). The limit is twice that, so that full
// blocks are at the target of the fee rule, and the base fee stays where it is.
const blockGas = 60_000_000

// world is the chain under test, and beside it the maker of its blocks with a state of its own.
type world struct {
	variant    variant
	contract   common.Address
	households []*household
	config     *params.ChainConfig
	signer     types.Signer
	engine     consensus.Engine

	chain *core.BlockChain
	disk  ethdb.Database

	makers ethdb.Database
	tip    *types.Block
	burnt  *big.Int
}

// newWorld opens a chain in a folder, with so many households (a trade each per round).
func newWorld(folder string, v variant, trades int) (*world, error) {
	households, err := newHouseholds(trades)
	if err != nil {
		return nil, err
	}
	w := &world{
		variant: v, contract: common.HexToAddress("0x10c4"), households: households,
		config: params.MergedTestChainConfig, signer: types.LatestSigner(params.MergedTestChainConfig),
		engine: beacon.New(ethash.NewFaker()), burnt: new(big.Int),
	}
	genesis := &core.Genesis{Config: w.config, GasLimit: 2 * blockGas, BaseFee: big.NewInt(params.GWei), Difficulty: new(big.Int),
		Alloc: types.GenesisAlloc{
			w.contract: {Code: common.FromHex(strings.TrimSpace(v.code)), Balance: new(big.Int)},
			// Contracts that Ethereum itself calls in every block.
			params.BeaconRootsAddress:        {Nonce: 1, Code: params.BeaconRootsCode, Balance: new(big.Int)},
			params.HistoryStorageAddress:     {Nonce: 1, Code: params.HistoryStorageCode, Balance: new(big.Int)},
			params.WithdrawalQueueAddress:    {Nonce: 1, Code: params.WithdrawalQueueCode, Balance: new(big.Int)},
			params.ConsolidationQueueAddress: {Nonce: 1, Code: params.ConsolidationQueueCode, Balance: new(big.Int)},
		}}
	for _, h := range households {
		genesis.Alloc[h.address] = types.Account{Balance: wealth()}
	}
	w.makers, _, _ = core.GenerateChainWithGenesis(genesis, w.engine, 0, nil)
	w.tip = genesis.ToBlock()

	store, err := pebble.New(filepath.Join(folder, "chaindata"), 512, 256, "", false)
	if err != nil {
		return nil, err
	}
	w.disk = rawdb.NewDatabase(store)
	settings := core.DefaultConfig().WithStateScheme(rawdb.PathScheme) // the default of a node today
	if w.chain, err = core.NewBlockChain(w.disk, genesis, w.engine, settings); err != nil {
		return nil, errors.Join(err, w.disk.Close())
	}
	return w, nil
}

func (w *world) close() error {
	w.chain.Stop()
	return w.disk.Close()
}

// round makes the blocks of one trade by each household, a block for each step, as bytes.
func (w *world) round() ([][]byte, error) {
	for _, h := range w.households {
		h.newSecret()
	}
	var failure error
	blocks, receipts := core.GenerateChain(w.config, w.tip, w.engine, w.makers, len(w.variant.steps), func(i int, b *core.BlockGen) {
		for k, consumer := range w.households {
			producer := w.households[(k+1)%len(w.households)]
			tx, err := w.variant.steps[i].make(w.signer, w.contract, consumer, producer)
			if err != nil {
				failure = errors.Join(failure, err)
				return
			}
			b.AddTx(tx)
		}
	})
	if failure != nil {
		return nil, failure
	}
	encoded := make([][]byte, len(blocks))
	for i, block := range blocks {
		for _, receipt := range receipts[i] {
			if receipt.Status != types.ReceiptStatusSuccessful {
				return nil, fmt.Errorf("a %s failed in the EVM", w.variant.steps[i].name)
			}
		}
		fees := new(big.Int).Mul(block.BaseFee(), new(big.Int).SetUint64(block.GasUsed()))
		w.burnt.Add(w.burnt, fees)
		var err error
		if encoded[i], err = rlp.EncodeToBytes(block); err != nil {
			return nil, err
		}
	}
	w.tip = blocks[len(blocks)-1]
	return encoded, nil
}

// insert gives the chain a block as a node gets it, and says how long decoding, checking, executing and storing took.
// From the bytes, since a block that was made here would remember its senders and spare the recovery of their signatures.
func (w *world) insert(encoded []byte) (time.Duration, error) {
	started := time.Now()
	var block types.Block
	if err := rlp.DecodeBytes(encoded, &block); err != nil {
		return 0, err
	}
	if _, err := w.chain.InsertChain(types.Blocks{&block}); err != nil {
		return 0, err
	}
	return time.Since(started), nil
}

// audit compares the chain's state with the issued money: nothing is locked, and no money is missing.
func (w *world) audit() error {
	if head := w.chain.CurrentBlock(); head.Hash() != w.tip.Hash() {
		return fmt.Errorf("the chain is at block %d, not at %d", head.Number, w.tip.NumberU64())
	}
	state, err := w.chain.State()
	if err != nil {
		return err
	}
	if locked := state.GetBalance(w.contract); !locked.IsZero() {
		return fmt.Errorf("%s wei are still locked", locked)
	}
	sum := new(big.Int).Add(w.burnt, state.GetBalance(w.tip.Coinbase()).ToBig())
	for _, h := range w.households {
		sum.Add(sum, state.GetBalance(h.address).ToBig())
	}
	issued := new(big.Int).Mul(wealth(), big.NewInt(int64(len(w.households))))
	if sum.Cmp(issued) != 0 {
		return fmt.Errorf("not conserved: %s wei are accounted for, %s were issued", sum, issued)
	}
	return nil
}
