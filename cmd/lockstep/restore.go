package main

import (
	"context"
	"fmt"
	"iter"
	"os"

	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

type walletRestoreCmd struct {
	walletFlags
	workFlag
	WordsFile string `help:"File with the 24 words, readable by you alone; by default standard input." type:"path" placeholder:"FILE"`
	Offline   bool   `help:"Restore account 0 alone, without asking a node which others were used."`
}

// restored is the result of restoring a wallet or of scanning the ledger for its accounts.
type restored struct {
	File     string          `json:"file"`
	Key      types.PublicKey `json:"key"`
	Scanned  bool            `json:"scanned"` // whether a node was asked for used accounts
	Accounts []shownAccount  `json:"accounts"`
}

func (c *walletRestoreCmd) Run(ctx context.Context, a *app) error {
	words, err := a.readWords(c.WordsFile)
	if err != nil {
		return fmt.Errorf("read the words: %w", err)
	}
	passphrase, err := newPassphrase(a, &c.walletFlags)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.Home, 0o700); err != nil {
		return err
	}
	w, err := wallet.Restore(c.path(a), words, passphrase, c.options())
	if err != nil {
		return err
	}
	made := restored{File: c.path(a)}
	var missed error
	if !c.Offline {
		missed = a.scan(ctx, w)
		made.Scanned = missed == nil
	}
	if made.Accounts, err = listAccounts(w); err != nil {
		return err
	}
	made.Key = made.Accounts[0].Key
	return a.show(made, func(p *page) {
		p.line("Wallet %s", made.File)
		p.line("Key    %s\n", made.Accounts[0].Key)
		made.others(p)
		switch {
		case missed != nil:
			p.line("Only account 0 was restored. Others that were used are found by asking a node, which failed:\n"+
				"  %s\nAsk again when a node of the ledger runs: lockstep wallet scan", missed)
		case c.Offline:
			p.line("Only account 0 was restored. Ask a node for the others that were used: %s", a.next("wallet scan"))
		default:
			p.line("Its money and its open trades are on the ledger. See them with:\n  %s\n  %s", a.next("wallet balance"), a.next("trade list"))
		}
	})
}

// others prints the accounts beyond the first.
func (r *restored) others(p *page) {
	for _, account := range r.Accounts[1:] {
		account.row(p)
	}
}

func (account *shownAccount) row(p *page) {
	cells := []string{fmt.Sprintf("account %d", account.Index), account.Key.String(), account.Name}
	if account.Name == "" {
		cells = cells[:2]
	}
	p.row(cells...)
}

func listAccounts(w *wallet.Wallet) (shown []shownAccount, err error) {
	for _, info := range w.Accounts() {
		account, err := w.Account(info.Index)
		if err != nil {
			return nil, err
		}
		shown = append(shown, shownAccount{info.Index, info.Name, account.Key()})
	}
	return shown, nil
}

type walletScanCmd struct{ walletFlags }

func (c *walletScanCmd) Run(ctx context.Context, a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	before := len(w.Accounts())
	if err := a.scan(ctx, w); err != nil {
		return err
	}
	found := restored{File: c.path(a), Scanned: true}
	if found.Accounts, err = listAccounts(w); err != nil {
		return err
	}
	found.Key = found.Accounts[0].Key
	return a.show(found, func(p *page) {
		p.line("%d account(s) more were found; the wallet has %d.", len(found.Accounts)-before, len(found.Accounts))
		found.others(p)
	})
}

const (
	gapLimit   = 20     // accounts in a row without any use end the search, as in BIP-44
	mostFound  = 1000   // no wallet has more
	mostTraces = 10_000 // issuers, and keys with offers, that are looked through
)

// scan asks a node which accounts of a wallet were used, and adds them to the wallet.
func (a *app) scan(ctx context.Context, w *wallet.Wallet) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	s.wallet = w
	if err := s.bind(0); err != nil {
		return err
	}
	traces, err := s.traces(ctx)
	if err != nil {
		return err
	}
	var found []uint32
	for index, unused := uint32(0), 0; unused < gapLimit; index++ {
		key, err := w.KeyAt(index)
		if err != nil {
			return err
		}
		used, err := s.used(ctx, key, traces)
		if err != nil {
			return fmt.Errorf("look for the use of account %d: %w", index, err)
		}
		if !used {
			unused++
			continue
		}
		if found, unused = append(found, index), 0; len(found) > mostFound {
			return types.Refuse(types.CodeInternal, "the node says of %d accounts that they were used: don't trust that node, ask another", len(found))
		}
	}
	if s.status.From > 0 {
		fmt.Fprintf(a.err, "The node has the history from block %d on: accounts that were used only before and hold nothing are not found. A node that keeps all finds them: lockstep wallet scan\n", s.status.From)
	}
	return w.AddAccounts(found)
}

// traces returns the keys that the ledger names apart from money, trades and orders: operators, issuers, and producers with
// offers.
func (s *session) traces(ctx context.Context) (map[types.PublicKey]bool, error) {
	keys := map[types.PublicKey]bool{}
	for _, operator := range s.params.Operators {
		keys[operator] = true
	}
	for asset, err := range s.node.AllAssets(ctx, "") {
		if err != nil {
			return nil, err
		}
		if keys[asset.Asset.Issuer] = true; len(keys) > mostTraces {
			break
		}
	}
	for offer, err := range s.node.AllOffers(ctx) {
		if err != nil {
			return nil, err
		}
		if keys[offer.Offer.Producer] = true; len(keys) > mostTraces {
			break
		}
	}
	return keys, nil
}

// used reports whether the ledger has any data of a key: money, open or ended trades, orders, or their history.
func (s *session) used(ctx context.Context, key types.PublicKey, traces map[types.PublicKey]bool) (bool, error) {
	if traces[key] {
		return true, nil
	}
	balances, err := s.node.Balances(ctx, key, client.Page{Limit: 1})
	if err != nil || len(balances.Balances) > 0 {
		return err == nil, err
	}
	if is, err := some(s.node.AllTrades(ctx, key, false)); is || err != nil {
		return is, err
	}
	if is, err := some(s.node.AllKeyOrders(ctx, key)); is || err != nil {
		return is, err
	}
	fills, err := s.node.Fills(ctx, key, types.ProductID{}, client.Page{Limit: 1})
	if types.CodeOf(err) == types.CodeUnavailable { // the node keeps no index; all trades of the key were asked for above
		return false, nil
	}
	if err != nil || len(fills.Fills) > 0 {
		return err == nil, err
	}
	told, err := s.node.TradeHistory(ctx, client.TradeFilter{Party: key}, client.Page{Limit: 1})
	return len(told.Trades) > 0, err
}

// some reports whether a list is not empty.
func some[T any](list iter.Seq2[T, error]) (bool, error) {
	for _, err := range list {
		return err == nil, err
	}
	return false, nil
}
