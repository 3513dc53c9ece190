package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lockstep/types"
	"lockstep/wallet"
)

type walletCmd struct {
	New        walletNewCmd        `cmd:"" help:"Create a wallet and print its 24 words."`
	Restore    walletRestoreCmd    `cmd:"" help:"Restore a wallet from its 24 words."`
	Show       walletShowCmd       `cmd:"" help:"Print the wallet's keys, which are its addresses."`
	Scan       walletScanCmd       `cmd:"" help:"Find the wallet's used accounts on the ledger."`
	Balance    walletBalanceCmd    `cmd:"" help:"Print the balances of the account: spendable, and locked in trades."`
	Send       walletSendCmd       `cmd:"" help:"Pay a key."`
	Account    walletAccountCmd    `cmd:"" help:"Add another key to the wallet, derived from the same words."`
	Signatures walletSignaturesCmd `cmd:"" help:"List the agreements and splits that the wallet has signed and that can still be put on the ledger."`
	Limits     walletLimitsCmd     `cmd:"" help:"Show or set the wallet's limits on signatures."`
	Trust      walletTrustCmd      `cmd:"" help:"Trust an asset, whose issuer you know, under a label of your own."`
	Untrust    walletUntrustCmd    `cmd:"" help:"Trust an asset no longer."`
	Assets     walletAssetsCmd     `cmd:"" help:"List the assets that the wallet trusts."`
	Ledger     walletLedgerCmd     `cmd:"" help:"Show the ledger that the wallet is used on, or change it."`
	Issue      walletIssueCmd      `cmd:"" help:"Issue a sum of your own asset."`
	Merge      walletMergeCmd      `cmd:"" help:"Merge many small coins of an asset into one, so that a payment can spend them."`
	Redeem     walletRedeemCmd     `cmd:"" help:"Take a sum of your own asset out of the ledger."`
	Accept     walletAcceptCmd     `cmd:"" help:"Let others pay this key in an asset that the ledger does not recognise."`
	Decline    walletDeclineCmd    `cmd:"" help:"Accept such an asset no longer."`

	Recognise   walletRecogniseCmd   `cmd:"" help:"As an operator: make an asset one that the ledger recognises."`
	Unrecognise walletUnrecogniseCmd `cmd:"" help:"As an operator: take the recognition of an asset back."`
}

type walletNewCmd struct {
	walletFlags
	wordsOut
	workFlag
}

// workFlag sets the cost of one guess of a passphrase.
type workFlag struct {
	Work int `help:"Base-2 logarithm of the cost of one guess of the passphrase, 17 to 20." default:"18" placeholder:"N"`
}

func (f *workFlag) options() wallet.Options {
	return wallet.Options{Work: f.Work, Quick: quickWork != ""}
}

type newWallet struct {
	File      string          `json:"file"`
	Key       types.PublicKey `json:"key"`
	WordsFile string          `json:"words_file,omitempty"`
}

func (c *walletNewCmd) Run(a *app) error {
	if err := c.wordsOut.check(a); err != nil {
		return err
	}
	passphrase, err := newPassphrase(a, &c.walletFlags)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.Home, 0o700); err != nil {
		return err
	}
	w, err := wallet.Create(c.path(a), passphrase, c.options())
	if err != nil {
		return err
	}
	made, err := describe(a, &c.walletFlags, w)
	if err != nil {
		return err
	}
	made.WordsFile = c.WordsFile
	if err := c.wordsOut.write(a, w.Words()); err != nil { // before anybody sends money to the key
		return fmt.Errorf("write the words, without which the wallet %s has no copy: %w", made.File, errors.Join(err, os.Remove(made.File)))
	}
	return a.show(made, func(p *page) {
		p.line("Wallet %s\nKey    %s", made.File, made.Key)
		if made.WordsFile != "" {
			p.line("Words  %s\n\nThe 24 words in it are the wallet: write them down, keep them where nobody else can read them, and remove\n"+
				"the file. With them and any node everything comes back, without them and without the file nothing does.", made.WordsFile)
		}
	})
}

func describe(a *app, f *walletFlags, w *wallet.Wallet) (newWallet, error) {
	account, err := w.Account(0)
	if err != nil {
		return newWallet{}, err
	}
	return newWallet{File: f.path(a), Key: account.Key()}, nil
}

// newPassphrase asks twice, since a typing error would lock the wallet.
func newPassphrase(a *app, f *walletFlags) (string, error) {
	first, err := f.passphrase(a, "Passphrase for the new wallet: ")
	if err == nil {
		err = wallet.CheckPassphrase(first)
	}
	if err != nil || f.PassphraseFile != "" {
		return first, err
	}
	second, err := f.passphrase(a, "Once more: ")
	if err == nil && first != second {
		err = fmt.Errorf("the two passphrases differ; nothing was made")
	}
	return first, err
}

type walletShowCmd struct{ walletFlags }

type shownWallet struct {
	File     string         `json:"file"`
	Accounts []shownAccount `json:"accounts"`
}

type shownAccount struct {
	Index uint32          `json:"index"`
	Name  string          `json:"name,omitempty"`
	Key   types.PublicKey `json:"key"`
}

func (c *walletShowCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	shown := shownWallet{File: c.path(a)}
	if shown.Accounts, err = listAccounts(w); err != nil {
		return err
	}
	return a.show(shown, func(p *page) {
		p.line("Wallet %s", shown.File)
		for _, account := range shown.Accounts {
			account.row(p)
		}
	})
}

type walletAccountCmd struct {
	walletFlags
	Name string `arg:"" optional:"" help:"Your name for the account."`
}

func (c *walletAccountCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	account, err := w.AddAccount(c.Name)
	if err != nil {
		return err
	}
	added := shownAccount{account.Index(), c.Name, account.Key()}
	return a.show(added, func(p *page) {
		p.line("Account %d: %s\nUse it with --account %d.", added.Index, added.Key, added.Index)
	})
}

// lookAs returns a session to read the data of a key: the given one, or the wallet's.
func (a *app) lookAs(ctx context.Context, f *walletFlags, key *types.PublicKey) (*session, types.PublicKey, error) {
	if key == nil {
		s, err := a.session(ctx, f)
		if err != nil {
			return nil, types.PublicKey{}, err
		}
		return s, s.account.Key(), nil
	}
	s, err := a.visitor(ctx)
	return s, *key, err
}
