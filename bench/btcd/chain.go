package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // the store that btcd uses
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// world is the chain under test and the maker of its blocks.
type world struct {
	variant    variant
	households []*household
	params     *chaincfg.Params
	chain      *blockchain.BlockChain
	store      database.DB
	tip        wire.BlockHeader
	clock      time.Time
	height     int32
	issued     int64 // owned by all households
}

// newWorld opens a chain in a folder and gives so many households (a trade each per round) a coin each.
func newWorld(folder string, v variant, trades int) (*world, error) {
	households, err := newHouseholds(trades)
	if err != nil {
		return nil, err
	}
	// The regression test network: its proof of work is found at the second try.
	params := chaincfg.RegressionNetParams
	params.CoinbaseMaturity = 1
	params.Deployments[chaincfg.DeploymentCSV].AlwaysActiveHeight = 1
	params.Deployments[chaincfg.DeploymentSegwit].AlwaysActiveHeight = 1
	w := &world{variant: v, households: households, params: &params, tip: params.GenesisBlock.Header,
		clock: time.Unix(1_700_000_000, 0)} // after 2012, from when on btcd runs scripts by today's rules

	if w.store, err = database.Create("ffldb", filepath.Join(folder, "blocks"), params.Net); err != nil {
		return nil, err
	}
	w.chain, err = blockchain.New(&blockchain.Config{
		DB: w.store, ChainParams: &params, TimeSource: blockchain.NewMedianTime(),
		UtxoCacheMaxSize: 250 << 20, // as btcd's default
		HashCache:        txscript.NewHashCache(100_000),
		SigCache:         nil, // every signature is checked
	})
	if err == nil {
		err = w.fill()
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) close() error { return w.store.Close() }

// fill divides the first block's reward among the households.
func (w *world) fill() error {
	treasury := w.households[0].key
	first, err := w.block(nil)
	if err != nil {
		return err
	}
	if _, err := w.insert(first.bytes); err != nil {
		return err
	}
	share := first.reward.output.Value / int64(len(w.households))
	var outputs []*wire.TxOut
	for _, h := range w.households {
		output, err := toKey(share, h.key)
		if err != nil {
			return err
		}
		outputs = append(outputs, output)
	}
	tx, coins, err := spend([]input{{coin: first.reward, key: treasury}}, outputs...)
	if err != nil {
		return err
	}
	for i, h := range w.households {
		h.coins = []coin{coins[i]}
		w.issued += share
	}
	second, err := w.block([]*wire.MsgTx{tx})
	if err != nil {
		return err
	}
	_, err = w.insert(second.bytes)
	return err
}

// made is a block as it travels, and its reward.
type made struct {
	bytes  []byte
	reward coin
}

// block makes the next block of these transactions, its reward goes to the first household.
func (w *world) block(txs []*wire.MsgTx) (made, error) {
	w.height++
	w.clock = w.clock.Add(w.params.TargetTimePerBlock)
	script, err := txscript.NewScriptBuilder().AddInt64(int64(w.height)).AddInt64(0).Script()
	if err != nil {
		return made{}, err
	}
	output, err := toKey(blockchain.CalcBlockSubsidy(w.height, w.params), w.households[0].key)
	if err != nil {
		return made{}, err
	}
	reward := wire.NewMsgTx(2)
	reward.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	reward.AddTxOut(output)
	wrapped := []*btcutil.Tx{btcutil.NewTx(reward)}
	for _, tx := range txs {
		wrapped = append(wrapped, btcutil.NewTx(tx))
	}
	mining.AddWitnessCommitment(wrapped[0], wrapped)
	wrapped[0] = btcutil.NewTx(reward) // its hash has changed

	block := wire.NewMsgBlock(&wire.BlockHeader{
		Version: 0x20000000, PrevBlock: w.tip.BlockHash(), MerkleRoot: blockchain.CalcMerkleRoot(wrapped, false),
		Timestamp: w.clock, Bits: w.params.PowLimitBits,
	})
	block.Transactions = append([]*wire.MsgTx{reward}, txs...)
	for hash := block.BlockHash(); blockchain.HashToBig(&hash).Cmp(w.params.PowLimit) > 0; hash = block.BlockHash() {
		block.Header.Nonce++
	}
	w.tip = block.Header
	encoded, err := encode(block)
	return made{encoded, created(reward)[0]}, err
}

// round makes the blocks of one trade by each household, a block for each step, as bytes.
func (w *world) round() ([][]byte, error) {
	for _, h := range w.households {
		h.newSecret()
	}
	var blocks [][]byte
	for _, step := range w.variant.steps {
		var txs []*wire.MsgTx
		for i, consumer := range w.households {
			tx, err := step(consumer, w.households[(i+1)%len(w.households)])
			if err != nil {
				return nil, err
			}
			txs = append(txs, tx)
		}
		block, err := w.block(txs)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block.bytes)
	}
	return blocks, nil
}

// insert gives the chain a block as a node gets it, and says how long decoding, checking and storing took.
func (w *world) insert(encoded []byte) (time.Duration, error) {
	started := time.Now()
	block, err := btcutil.NewBlockFromBytes(encoded)
	if err != nil {
		return 0, err
	}
	main, orphan, err := w.chain.ProcessBlock(block, blockchain.BFNone)
	if err != nil {
		return 0, err
	}
	if !main || orphan {
		return 0, fmt.Errorf("block %s is not on the main chain", block.Hash())
	}
	return time.Since(started), nil
}

// audit compares the chain's unspent outputs with the issued money: nothing is locked, and no money is missing.
func (w *world) audit() error {
	if best := w.chain.BestSnapshot(); best.Hash != w.tip.BlockHash() {
		return fmt.Errorf("the chain is at block %d, not at %d", best.Height, w.height)
	}
	var sum int64
	for i, h := range w.households {
		for _, c := range h.coins {
			entry, err := w.chain.FetchUtxoEntry(c.outpoint)
			if err != nil {
				return err
			}
			if entry == nil || entry.IsSpent() {
				return fmt.Errorf("coin %s of household %d is not on the chain", c.outpoint, i)
			}
			sum += entry.Amount()
		}
		entry, err := w.chain.FetchUtxoEntry(h.payment.outpoint)
		if err != nil {
			return err
		}
		if entry != nil && !entry.IsSpent() {
			return fmt.Errorf("payment %s of household %d is still locked", h.payment.outpoint, i)
		}
	}
	if sum != w.issued {
		return fmt.Errorf("not conserved: %d satoshi are accounted for, %d were issued", sum, w.issued)
	}
	return nil
}
