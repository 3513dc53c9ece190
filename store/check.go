package store

import (
	"bytes"
	"fmt"

	"lockstep/ledger"
	"lockstep/types"
)

// Report is what [Store.Check] found in order.
type Report struct {
	Height     uint64
	Commitment types.Hash
	Sums       ledger.Sums
	Outputs    int
	Live       int // trades in the state
	Archived   int
	Blocks     uint64
	Txs        int
}

// Check recomputes from the whole state what the store says of it: the commitment, the sums, and every derived keyspace.
// An error names the first contradiction. It costs several passes over the store and can run beside a live node.
func (s *Store) Check() (report Report, err error) {
	defer func() { // the state's reader panics on what it can't read; here it is a finding
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
	snapshot.Tip = newTip(view{Reader: snapshot.db, height: snapshot.Height()}, snapshot.db, snapshot.Commitment()) // from the disk alone
	c := &checker{Snapshot: snapshot, params: s.params}
	for _, step := range []func() error{c.checkState, c.checkCoins, c.checkTrades, c.checkParties, c.checkBlocks, c.checkReceipts} {
		if err := step(); err != nil {
			return c.report, fmt.Errorf("check: %w", err)
		}
	}
	return c.report, nil
}

type checker struct {
	*Snapshot
	params types.Params
	report Report
}

// checkState compares the head with the state.
func (c *checker) checkState() error {
	h, err := readHead(c.db)
	if err != nil {
		return fmt.Errorf("the head is damaged: %w", err)
	}
	if h.height != c.Height() {
		return fmt.Errorf("the head is at height %d, the state at %d", h.height, c.Height())
	}
	sums, accumulator, err := ledger.Audit(c.Snapshot)
	if err != nil {
		return err
	}
	if accumulator != h.accumulator {
		return fmt.Errorf("the state is not the one that block %d committed to", h.height)
	}
	c.report.Height, c.report.Sums = h.height, sums
	c.report.Commitment = accumulator.Commitment(h.height, &c.params)
	return nil
}

// checkCoins compares the outputs by key with the outputs of the state: as many, and each the same.
func (c *checker) checkCoins() error {
	owned := 0
	for _, output := range c.Outputs() {
		c.report.Outputs++
		if _, ok := coinOwner(output); ok {
			owned++
		}
	}
	indexed := 0
	var finding error
	err := scan(c.db, []byte{prefixCoin}, []byte{prefixCoin + 1}, func(key, value []byte) bool {
		indexed++
		owner, outpoint := parseCoinKey(key)
		output, ok := c.Output(outpoint)
		if !ok {
			finding = fmt.Errorf("output %s is indexed, but it is not in the state", outpoint)
		} else if holder, _ := coinOwner(output); holder != owner || !bytes.Equal(types.Encode(output), value) {
			finding = fmt.Errorf("output %s is indexed with another owner or value", outpoint)
		}
		return finding == nil
	})
	if finding == nil && err == nil && indexed != owned {
		finding = fmt.Errorf("%d outputs are locked to keys, %d are indexed", owned, indexed)
	}
	return firstOf(err, finding)
}

// checkTrades finds every trade of state and archive under both of its parties.
func (c *checker) checkTrades() error {
	for trade := range c.Reader.Trades() {
		c.report.Live++
		if err := c.checkIndexed(trade, prefixParty, prefixOpen); err != nil {
			return err
		}
	}
	var finding error
	err := scan(c.db, []byte{prefixArchive}, []byte{prefixArchive + 1}, func(key, value []byte) bool {
		c.report.Archived++
		trade := new(types.Trade)
		if finding = types.Decode(append([]byte{}, value...), trade); finding != nil {
			return false
		}
		id := trade.ID()
		_, live := c.Reader.Trade(id)
		ended, err := get(c.db, endedKey(id))
		switch {
		case err != nil:
			finding = err
		case ended == nil || !bytes.Equal(key, archivePlace(id, ended)):
			finding = fmt.Errorf("trade %s is archived under another ID, or is not found there", id)
		case live:
			finding = fmt.Errorf("trade %s is both in the state and in the archive", id)
		default:
			finding = c.checkIndexed(trade, prefixParty)
		}
		return finding == nil
	})
	if finding != nil || err != nil {
		return firstOf(err, finding)
	}
	if rows, err := c.count(prefixEnded); rows != c.report.Archived || err != nil {
		return firstOf(err, fmt.Errorf("%d trades are archived, %d are said to be", c.report.Archived, rows))
	}
	return nil
}

func (c *checker) checkIndexed(trade *types.Trade, keyspaces ...byte) error {
	id := trade.ID()
	for _, keyspace := range keyspaces {
		for _, party := range []types.PublicKey{trade.Agreement.Producer, trade.Agreement.Consumer} {
			row, err := get(c.db, partyKey(keyspace, party, trade.Height, id))
			if err != nil {
				return err
			}
			if row == nil {
				return fmt.Errorf("trade %s is not indexed under %s", id, party)
			}
		}
	}
	return nil
}

// checkParties finds as many rows as trades have parties; that each trade has its rows is known by now.
func (c *checker) checkParties() error {
	for _, expected := range []struct {
		keyspace byte
		trades   int
	}{{prefixParty, c.report.Live + c.report.Archived}, {prefixOpen, c.report.Live}} {
		rows, err := c.count(expected.keyspace)
		if err != nil {
			return err
		}
		if rows != 2*expected.trades {
			return fmt.Errorf("%d trades have %d entries under their parties, not %d", expected.trades, rows, 2*expected.trades)
		}
	}
	return nil
}

func (c *checker) count(keyspace byte) (rows int, err error) {
	err = scan(c.db, []byte{keyspace}, []byte{keyspace + 1}, func(_, _ []byte) bool {
		rows++
		return true
	})
	return rows, err
}

// checkBlocks finds the records of all heights without a gap, and the receipt of each of their transactions.
func (c *checker) checkBlocks() error {
	var finding error
	err := scan(c.db, []byte{prefixBlock}, []byte{prefixBlock + 1}, func(_, value []byte) bool {
		c.report.Blocks++
		block, err := decodeBlock(value)
		switch {
		case err != nil:
			finding = fmt.Errorf("block %d: %w", c.report.Blocks, err)
		case block.Height != c.report.Blocks:
			finding = fmt.Errorf("the record of block %d is missing", c.report.Blocks)
		case block.Height == c.report.Height && block.Commitment != c.report.Commitment:
			finding = fmt.Errorf("the record of block %d has another commitment", block.Height)
		default:
			finding = c.checkResults(block)
		}
		return finding == nil
	})
	if finding == nil && err == nil && c.report.Blocks != c.report.Height {
		finding = fmt.Errorf("%d records of blocks at height %d", c.report.Blocks, c.report.Height)
	}
	return firstOf(err, finding)
}

// checkResults finds the receipt of each transaction of a block. It may name another block, which accepted what this one
// refused; a receipt that names this very place is counted, so that none is left over in the end.
func (c *checker) checkResults(block *Block) error {
	for i, tx := range block.Txs {
		found, err := c.Receipt(tx.ID)
		switch {
		case err != nil:
			return err
		case found == nil:
			return fmt.Errorf("transaction %s of block %d has no receipt", tx.ID, block.Height)
		case found.Height == block.Height && found.Index == uint32(i):
			if found.Code != tx.Code {
				return fmt.Errorf("the receipt of transaction %s says %s, its block %s", tx.ID, found.Code, tx.Code)
			}
			c.report.Txs++
		case tx.Code == types.CodeOK:
			return fmt.Errorf("transaction %s was accepted at %d/%d and again at %d/%d", tx.ID, block.Height, i, found.Height, found.Index)
		}
	}
	return nil
}

// checkReceipts counts the receipts: each transaction of a block that has its own was counted by then.
func (c *checker) checkReceipts() error {
	receipts, err := c.count(prefixTx)
	if err == nil && receipts != c.report.Txs {
		err = fmt.Errorf("%d receipts for %d transactions", receipts, c.report.Txs)
	}
	return err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
