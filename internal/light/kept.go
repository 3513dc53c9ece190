package light

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/atomicfile"
	"lockstep/internal/chain"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/types/strict"
	"lockstep/wallet"
)

// keepEvery is the age of a wallet's trusted header from which on a newer one takes its place.
const keepEvery = Period / 4

// Kept is a verified header in a file, with the validators that have signed it: a client goes on from it, although its node no longer has that block. It is
// nothing secret, and nobody need believe it: its hash is that of the pin.
type Kept struct {
	Genesis types.Hash `json:"genesis"`
	wire.LightBlock
}

// maxKept bounds the file: a set of thousands of validators.
const maxKept = 4 << 20

// ReadKept reads the file of a kept header; zero when there is none.
func ReadKept(file string) (kept Kept, err error) {
	text, err := plaintext.ReadFile(file, maxKept)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil {
		err = strict.Unmarshal(text, &kept)
	}
	return kept, err
}

// Pin names the header.
func (k *Kept) Pin() Pin { return Pin{k.Height, k.Hash} }

// ConfigOf is the configuration of a client that begins with the header that a wallet trusts, or with the genesis of its ledger.
func ConfigOf(w *wallet.Wallet, genesis types.Hash) Config {
	config := Config{Genesis: genesis}
	if header, pinned := w.Header(); pinned {
		config.Pin = Pin{header.Height, header.Hash}
		config.Known, _ = known(w) // without it, the node is asked
	}
	return config
}

// known is the header that a wallet trusts with its validators, if the file beside the wallet has it.
func known(w *wallet.Wallet) (wire.LightBlock, bool) {
	kept, err := ReadKept(w.HeaderFile())
	header, pinned := w.Header()
	if err != nil || !pinned || kept.Pin() != (Pin{header.Height, header.Hash}) || len(kept.Validators) == 0 {
		return wire.LightBlock{}, false
	}
	return kept.LightBlock, true
}

// Keep makes the newest verified header the one that a wallet trusts, unless the one there is recent.
func (c *Client) Keep(w *wallet.Wallet) error {
	_, has := known(w)
	if header, pinned := w.Header(); pinned && has && c.Now().Sub(header.Time.Std()) < keepEvery {
		return nil
	}
	return c.keep(w, 0)
}

// Trust makes the header with which the client begins the one that a wallet trusts.
func (c *Client) Trust(w *wallet.Wallet) error { return c.keep(w, c.config.Pin.Height) }

func (c *Client) keep(w *wallet.Wallet, height uint64) error {
	block, at, err := c.block(height)
	if err == nil {
		err = write(w.HeaderFile(), c.config.Genesis, &block)
	}
	if err != nil {
		return err
	}
	return w.SetHeader(wallet.PinnedHeader{Height: block.Height, Hash: block.Hash, Time: types.TimeOf(at)})
}

// KeepIn writes the newest verified header into a file, for [ReadKept].
func (c *Client) KeepIn(file string) error {
	block, _, err := c.block(0)
	if err != nil {
		return err
	}
	return write(file, c.config.Genesis, &block)
}

// block returns a verified header with its validators, and its time: the first one that the client knows, or the newest (0).
func (c *Client) block(height uint64) (block chain.LightBlock, at time.Time, err error) {
	c.mu.Lock()
	followed := c.chain
	c.mu.Unlock()
	if followed == nil {
		return block, at, errors.New("no header is verified yet")
	}
	return followed.Kept(height)
}

func write(file string, genesis types.Hash, block *chain.LightBlock) error {
	kept := Kept{genesis, wire.LightBlock{
		SignedHeader: wire.SignedHeader{Height: block.Height, Header: block.Header, Commit: block.Commit}, Hash: block.Hash, Validators: block.Validators,
	}}
	text, err := json.Marshal(kept)
	if err == nil {
		err = atomicfile.Replace(file, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep the newest header: %w", err)
	}
	return nil
}
