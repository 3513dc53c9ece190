package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"lockstep/internal/ledger"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// Report sums up a store that [Store.Check] found correct.
type Report struct {
	Height     uint64
	From       uint64 // the first block that is kept: what came before is not checked; 1 if all are
	Commitment types.Hash
	Sums       ledger.Sums
	Outputs    int
	Live       int // trades in the state
	Archived   int
	Blocks     uint64
	Txs        int
	Leaves     uint64 // of the log of outcomes
}

// Check recomputes the commitment, the sums and every derived keyspace from the whole state and compares them with the stored ones. An
// error names the first contradiction. It takes several passes over the store and can run beside a live node.
func (s *Store) Check() (report Report, err error) {
	defer func() { // the state's reader panics on a read error
		if r := recover(); r != nil {
			err = fmt.Errorf("check: %v", r)
		}
	}()
	snapshot, err := s.Snapshot()
	if err != nil {
		return report, err
	}
	defer func() {
		if closeErr := snapshot.Close(); err == nil {
			err = closeErr
		}
	}()
	snapshot.state = stateReader{Reader: snapshot.db, height: snapshot.Height()} // from the disk alone
	snapshot.Reader.View = snapshot.state
	c := &checker{IndexedSnapshot: snapshot, params: s.params, checkpoints: s.checkpoints}
	if c.history, err = readHistory(snapshot.db, &s.params); err != nil {
		return report, fmt.Errorf("check: the begin of the history is damaged: %w", err)
	}
	if c.report.From = c.history.base + 1; c.history.base == c.params.Base() {
		c.report.From = 1 // all
	}
	for _, step := range []func() error{c.readAll, c.checkState, c.checkDerived, c.checkRefusals} {
		if err := step(); err != nil {
			return c.report, fmt.Errorf("check: %w", adviseRepair(err))
		}
	}
	return c.report, nil
}

type checker struct {
	*IndexedSnapshot
	params      types.Params
	checkpoints ledger.Checkpoints
	checkpoint  checkpoint // the last one
	history     history
	report      Report
	refusals    int      // with a receipt
	unlisted    balances // the money that is in no listed coin
}

// readAll reads every entry of every keyspace: each is stored with a checksum.
func (c *checker) readAll() error {
	return scan(c.db, nil, nil, func(_, _ []byte) bool { return true })
}

// checkState compares the stored position with the state.
func (c *checker) checkState() error {
	h, err := readFlushed(c.db, &c.params)
	if err != nil {
		return fmt.Errorf("the head is damaged: %w", err)
	}
	if h.height != c.Height() {
		return fmt.Errorf("the head is at height %d, the state at %d", h.height, c.Height())
	}
	sums, accumulator, err := ledger.Audit(c.IndexedSnapshot)
	if err != nil {
		return err
	}
	if accumulator != h.sums.state {
		return fmt.Errorf("the state is not the one that the blocks up to %d have made", h.height)
	}
	if h.checkpoint.height == h.height && h.height > 0 && h.checkpoint.hash != accumulator.StateHash(h.height, &c.params) {
		return fmt.Errorf("the sum of the state at checkpoint %d is another than that of its entries", h.height)
	}
	c.report.Height, c.report.Sums, c.report.Commitment, c.report.Leaves = h.height, sums, h.commitment(), h.log.Size
	c.checkpoint = h.checkpoint
	return c.log.Check(h.log)
}

// rows are the number and the LtHash sum of entries: two sets are equal if their sums are.
type rows struct {
	count int
	sum   ledger.Accumulator
	some  []ledger.Change // not yet in the sum
}

func (r *rows) add(key, value []byte) {
	r.count++
	r.some = append(r.some, ledger.Change{Key: string(key), New: append([]byte{}, value...)})
	if len(r.some) == cap(r.some) {
		r.flush()
	}
}

// flush adds the pending entries to the sum.
func (r *rows) flush() {
	accumulate(&r.sum, r.some)
	r.some = r.some[:0]
}

func newRows() *rows { return &rows{some: make([]ledger.Change, 0, 4096)} }

// derivedKeyspaces are computed from the state, the log of outcomes and the blocks, entry by entry. Missing is the error for a missing entry, list
// names the entries.
var derivedKeyspaces = []struct { //nolint:gochecknoglobals // a constant table
	prefix        byte
	missing, list string
}{
	{prefixCoin, "output %s is not found by its owner, or with another value", "outputs by owner"},
	{prefixBalance, "the balance of key %s in an asset is not the sum of its coins and stakes", "balances"},
	{prefixCode, "asset %s is not found by its code", "assets by code"},
	{prefixOrders, "order %s is not found by its owner", "orders by owner"},
	{prefixOpen, "trade %s is not indexed under a party of it as one of the state", "trades of the state by party"},
	{prefixParty, "trade %s is not indexed under a party of it", "trades by party"},
	{prefixEnded, "trade %s is over, but not listed by its ID, or with another leaf", "trades that are over"},
	{prefixTx, "transaction %s has no receipt, or one of another block", "receipts"},
}

// checkDerived compares the derived keyspaces with their recomputed entries.
func (c *checker) checkDerived() error {
	expected := map[byte]*rows{}
	for _, keyspace := range derivedKeyspaces {
		expected[keyspace.prefix] = newRows()
	}
	err := c.derive(func(key, value []byte, _ fmt.Stringer) error {
		expected[key[0]].add(key, value)
		return nil
	})
	if err != nil {
		return err
	}
	for _, keyspace := range derivedKeyspaces {
		found, want := newRows(), expected[keyspace.prefix]
		if err := c.each(keyspace.prefix, func(key, value []byte) error {
			found.add(key, value)
			return nil
		}); err != nil {
			return err
		}
		found.flush()
		want.flush()
		if found.sum == want.sum {
			continue
		}
		if err := c.findMissing(keyspace.prefix, keyspace.missing); err != nil {
			return err
		}
		return fmt.Errorf("%d %s are listed, there are %d", found.count, keyspace.list, want.count)
	}
	return nil
}

// findMissing names the first entry that a keyspace lacks, if any.
func (c *checker) findMissing(prefix byte, missing string) error {
	return c.derive(func(key, value []byte, of fmt.Stringer) error {
		if key[0] != prefix {
			return nil
		}
		found, err := get(c.db, key)
		if err == nil && (found == nil || !bytes.Equal(found, value)) {
			err = fmt.Errorf(missing, of)
		}
		return err
	})
}

// entryVisitor receives an expected entry of a derived keyspace and the item that it belongs to.
type entryVisitor func(key, value []byte, of fmt.Stringer) error

// derive visits all expected entries of the derived keyspaces, and checks their sources.
func (c *checker) derive(visit entryVisitor) error {
	c.report.Outputs, c.report.Live, c.report.Archived, c.report.Blocks, c.report.Txs, c.refusals, c.unlisted = 0, 0, 0, 0, 0, 0, balances{}
	for _, from := range []func(entryVisitor) error{c.deriveCoins, c.deriveLive, c.deriveBalances, c.deriveAssets, c.deriveOrders, c.deriveBlocks} {
		if err := from(visit); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) deriveCoins(visit entryVisitor) error {
	for outpoint, output := range c.Reader.Coins() {
		c.report.Outputs++
		coin := Coin{Outpoint: outpoint, Asset: output.Asset, Amount: output.Amount}
		if err := visit(coinKey(output.Lock.Key, &coin), nil, outpoint); err != nil {
			return err
		}
	}
	for of, purse := range c.Reader.AllPurses() {
		if purse.Amount == 0 {
			continue
		}
		c.report.Outputs++
		coin := Coin{Outpoint: of.Asset.PurseOutpoint(), Asset: of.Asset, Amount: purse.Amount}
		if err := visit(coinKey(of.Owner, &coin), nil, coin.Outpoint); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) deriveLive(visit entryVisitor) error {
	for trade := range c.Reader.Trades() {
		c.report.Live++
		c.report.Outputs += len(trade.Locked)
		id := trade.ID()
		for _, of := range coinsOf(ledgerTrade(id), trade) {
			if !of.listed() {
				c.unlisted.count(&of, true)
				continue
			}
			if err := visit(coinKey(of.owner, &of.coin), nil, of.coin.Outpoint); err != nil {
				return err
			}
		}
		for _, party := range parties(trade) {
			if err := visit(listed(openPrefix(party), trade.Height, id), nil, id); err != nil {
				return err
			}
		}
		if err := c.deriveParties(id, trade, visit); err != nil {
			return err
		}
	}
	return nil
}

// deriveBalances sums the listed coins, which are compared with the state separately, the locked coins of trades, and the stakes of orders and offers.
func (c *checker) deriveBalances(visit entryVisitor) error {
	for stake := range c.Reader.Stakes() {
		c.unlisted.stake(stake, stake.Amount)
	}
	var at holding
	var sum Balance
	put := func() error {
		if more := c.unlisted[at]; more != nil {
			sum.add(more)
			delete(c.unlisted, at)
		}
		if sum == (Balance{}) {
			return nil
		}
		return visit(balanceKey(at.owner, at.asset), types.Encode(&sum), at.owner)
	}
	err := c.each(prefixCoin, func(key, _ []byte) error {
		owner, coin := parseCoinKey(key)
		if next := (holding{owner, coin.Asset}); next != at {
			if err := put(); err != nil {
				return err
			}
			at, sum = next, Balance{}
		}
		sum.count(&coin, true)
		return nil
	})
	if err == nil {
		err = put()
	}
	for at, sum := range c.unlisted { // of keys without listed coins; any order: entries are independent
		if err == nil && *sum != (Balance{}) {
			err = visit(balanceKey(at.owner, at.asset), types.Encode(sum), at.owner)
		}
	}
	return err
}

func (c *checker) deriveAssets(visit entryVisitor) error {
	for state := range c.Reader.Assets() {
		if err := visit(codeKey(&state.Asset), nil, state.Asset.ID()); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) deriveOrders(visit entryVisitor) error {
	for placed := range c.Reader.PlacedOrders() {
		if err := visit(ordersKey(&placed.Order), nil, placed.Order.ID()); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) deriveParties(id types.TradeID, trade *types.Trade, visit entryVisitor) error {
	for _, party := range parties(trade) {
		if err := visit(listed(partyPrefix(c.partitions.of(trade.Height), party), trade.Height, id), nil, id); err != nil {
			return err
		}
	}
	return nil
}

// deriveBlocks checks that every height has a block record and the leaves that it commits to, and visits the receipts of the accepted transactions
// and the trades that are over. It checks receipts of refused transactions itself.
func (c *checker) deriveBlocks(visit entryVisitor) error {
	log, before, first := c.history.mark, c.history.commitment, c.history.base+1
	err := c.each(prefixBlock, func(_, value []byte) error {
		c.report.Blocks++
		block, err := decodeBlock(value, func(use idsUser) error { return withIDs(c.db, first+c.report.Blocks-1, use) })
		switch {
		case err != nil:
			return fmt.Errorf("block %d: %w", first+c.report.Blocks-1, err)
		case block.Height != first+c.report.Blocks-1:
			return fmt.Errorf("the record of block %d is missing", first+c.report.Blocks-1)
		case block.Height == c.report.Height && block.Commitment != c.report.Commitment:
			return fmt.Errorf("the record of block %d has another commitment", block.Height)
		case block.Log.Size < log.Size || block.Log.Size > c.Leaves():
			return fmt.Errorf("the record of block %d says that the log has %d leaves, after %d of %d", block.Height, block.Log.Size, log.Size, c.Leaves())
		}
		if err := c.checkLink(block, before); err != nil {
			return err
		}
		before = block.Commitment
		leaves, err := c.deriveOutcomes(block, &log, visit)
		if err != nil {
			return fmt.Errorf("block %d: %w", block.Height, err)
		}
		for i, tx := range block.Txs {
			receipt := block.receipt(i)
			receipt.Leaf = leaves[tx.ID]
			if err := c.deriveReceipt(tx, receipt, visit); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && c.report.Blocks != c.report.Height-c.history.base {
		err = fmt.Errorf("%d records of blocks at height %d", c.report.Blocks, c.report.Height)
	}
	return errors.Join(err, c.checkIDs())
}

// checkIDs checks that each list of shared IDs is of blocks that are kept, and of none that another list is of.
func (c *checker) checkIDs() error {
	before := uint64(0)
	return c.each(prefixIDs, func(key, value []byte) error {
		first, _ := splitIDs(value)
		last := binary.BigEndian.Uint64(key[1:])
		if first > last || first <= before || last <= c.history.base || last > c.report.Height {
			return fmt.Errorf("the IDs of the events up to block %d are damaged, or of no block", last)
		}
		before = last
		return nil
	})
}

// checkLink checks that the state hash of a block follows from the commitment before, and that it has the last checkpoint if that enters here.
func (c *checker) checkLink(block *Block, before types.Hash) error {
	link := ledger.Link{Height: block.Height, Before: before, Changes: block.Changes, Checkpoint: block.Checkpoint}
	enters := c.checkpoints.Entering(block.Height)
	switch {
	case link.Hash() != block.State:
		return fmt.Errorf("the record of block %d has a commitment that does not follow from that of block %d and from its changes", block.Height, block.Height-1)
	case (enters > 0) != (block.Checkpoint != types.Hash{}), enters > 0 && enters == c.checkpoint.height && block.Checkpoint != c.checkpoint.hash:
		return fmt.Errorf("the record of block %d has another checkpoint than the ledger", block.Height)
	}
	return nil
}

// deriveOutcomes reads the leaves of a block, which follow the mark. It moves the mark on, compares it with the block's, and returns the first
// leaf of each transaction.
func (c *checker) deriveOutcomes(block *Block, log *outcomes.Mark, visit entryVisitor) (of map[types.TxID]uint64, err error) {
	of = map[types.TxID]uint64{}
	var leaves [][]byte
	err = c.log.Walk(log.Size, block.Log.Size, func(index uint64, leaf []byte) error {
		leaves = append(leaves, leaf)
		outcome := new(types.Outcome)
		if err := types.Decode(leaf, outcome); err != nil {
			return fmt.Errorf("leaf %d: %w", index, err)
		}
		if outcome.Height != block.Height || outcome.At != block.Clock {
			return fmt.Errorf("leaf %d is of block %d", index, outcome.Height)
		}
		if outcome.Part == 0 {
			of[outcome.Tx] = index
		}
		for _, effect := range outcome.Effects {
			ended, ok := effect.(*types.Ended)
			if !ok {
				continue
			}
			if err := c.deriveEnded(block.Height, index, ended.Trade, visit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	batch, err := log.Extend(leaves)
	if err != nil {
		return nil, err
	}
	if *log = batch.To; log.Head() != block.Log {
		return nil, errors.New("the log of outcomes has another root than the record says")
	}
	return of, nil
}

func (c *checker) deriveEnded(height, leaf uint64, trade *types.Trade, visit entryVisitor) error {
	c.report.Archived++
	id := trade.ID()
	if _, live := c.Reader.Trade(id); live {
		return fmt.Errorf("trade %s is in the state, and the log says that it is over", id)
	}
	return errors.Join(visit(endedKey(c.partitions.of(height), id), leafBytes(leaf), id), c.deriveParties(id, trade, visit))
}

func (c *checker) deriveReceipt(tx TxResult, receipt *Receipt, visit entryVisitor) error {
	if tx.Code == types.CodeOK {
		c.report.Txs++
		return visit(txKey(c.partitions.of(receipt.Height), tx.ID), types.Encode(receipt), tx.ID)
	}
	receipt.Leaf = 0 // of a transaction that the block accepts elsewhere
	return c.checkRefused(tx.ID, receipt)
}

// checkRefused checks the receipt of a refused transaction: of this block, or of a later one that refused or accepted it.
func (c *checker) checkRefused(id types.TxID, receipt *Receipt) error {
	last, err := c.Receipt(id)
	if err != nil {
		return err
	}
	if last == nil {
		return fmt.Errorf("transaction %s, refused in block %d, has no receipt", id, receipt.Height)
	}
	encoded, err := get(c.db, refusedKey(id))
	if err != nil || !bytes.Equal(encoded, types.Encode(receipt)) {
		return err
	}
	c.refusals++
	if last.Code != types.CodeOK {
		c.report.Txs++
	}
	return nil
}

// checkRefusals checks that every receipt of a refusal belongs to a block.
func (c *checker) checkRefusals() error {
	receipts := 0
	err := c.each(prefixRefused, func(_, _ []byte) error {
		receipts++
		return nil
	})
	if err == nil && receipts != c.refusals {
		err = fmt.Errorf("%d receipts of refusals are listed, there are %d", receipts, c.refusals)
	}
	return err
}

// each visits the entries of a keyspace in order, up to the first error.
func (c *checker) each(prefix byte, visit func(key, value []byte) error) error {
	var finding error
	err := scan(c.db, []byte{prefix}, []byte{prefix + 1}, func(key, value []byte) bool {
		finding = visit(key, value)
		return finding == nil
	})
	return errors.Join(finding, err)
}
