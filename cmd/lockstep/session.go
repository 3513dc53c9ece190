package main

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/term"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// walletFlags name the wallet that a command uses.
type walletFlags struct {
	Wallet         string `help:"Wallet file; by default wallet.age in the home folder." env:"LOCKSTEP_WALLET" type:"path" placeholder:"FILE"`
	Account        uint32 `help:"Account of the wallet." default:"0" zero:"" placeholder:"N"`
	PassphraseFile string `help:"File with the wallet's passphrase, instead of asking for it." env:"LOCKSTEP_PASSPHRASE_FILE" type:"path" placeholder:"FILE"`

	cipher wallet.Cipher // nil: in this process
}

func (f *walletFlags) path(a *app) string {
	if f.Wallet != "" {
		return f.Wallet
	}
	return filepath.Join(a.Home, "wallet.age")
}

// passphrase reads the passphrase from its file or asks for it: on a terminal only, so that it is never echoed.
func (f *walletFlags) passphrase(a *app, prompt string) (string, error) {
	if f.PassphraseFile != "" {
		return passphraseFile(f.PassphraseFile)
	}
	in, ok := terminal(a.in)
	if !ok {
		return "", misuse("there is no terminal to ask for the passphrase on: name a file with --passphrase-file")
	}
	fmt.Fprint(a.err, prompt)
	content, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.err)
	return string(content), err
}

// open opens the wallet.
func (f *walletFlags) open(a *app) (*wallet.Wallet, error) {
	if err := wallet.CheckFile(f.path(a)); err != nil { // before the prompt for a passphrase
		return nil, err
	}
	if w := a.opened[f.path(a)]; w != nil {
		return w, nil
	}
	passphrase, err := f.passphrase(a, "Passphrase of "+f.path(a)+": ")
	if err != nil {
		return nil, err
	}
	cipher := f.cipher
	if cipher == nil {
		cipher = wallet.Scrypt{}
	}
	return wallet.OpenBy(cipher, f.path(a), passphrase)
}

// session is an account of a wallet that talks to a node.
type session struct {
	*app
	node    *client.Client
	ledger  *client.Ledger
	wallet  *wallet.Wallet  // nil for a visitor
	signer  *client.Account // nil for a visitor
	account *wallet.Account // of the signer
	status  wire.Status
	params  types.Params
	assets  *assetBook
	late    string // a warning: the last block is old
}

// session opens the wallet and fetches the node's status.
func (a *app) session(ctx context.Context, f *walletFlags) (*session, error) {
	if err := wallet.CheckFile(f.path(a)); err != nil {
		return nil, err
	}
	node, err := a.connect()
	if err != nil {
		return nil, err
	}
	s, err := a.visit(ctx, node)
	if err != nil {
		return nil, err
	}
	if s.wallet, err = f.open(a); err != nil {
		return nil, err
	}
	s.assets.wallet = s.wallet
	return s, s.bind(f.Account)
}

// bind checks the node's ledger against that of the wallet, and binds an account of the wallet to the ledger. A wallet that was not used before
// is used on this ledger from then on.
func (s *session) bind(account uint32) error {
	id := s.ledger.ID()
	if err := s.wallet.CheckLedger(id); err != nil {
		if wallet.ReasonOf(err) == wallet.ReasonLedger {
			return fmt.Errorf("%w. If you mean to use the wallet on it from now on: %s", err, s.next("wallet ledger", "--change"))
		}
		return err
	}
	var err error
	if s.account, err = s.wallet.Account(account); err != nil {
		return err
	}
	if s.signer, err = s.ledger.Account(s.account); err != nil {
		return err
	}
	if s.late, err = s.signer.Check(&s.status); err != nil {
		return err
	}
	if _, used := s.wallet.Ledger(); used {
		return nil
	}
	if err := s.wallet.SetLedger(id); err != nil {
		return err
	}
	if !s.JSON {
		fmt.Fprintf(s.err, "This wallet is used on ledger %q from now on (genesis %s).\n", id.ChainID, id.Genesis)
	}
	return nil
}

// visitor returns a session without a wallet.
func (a *app) visitor(ctx context.Context) (*session, error) {
	node, err := a.connect()
	if err != nil {
		return nil, err
	}
	return a.visit(ctx, node)
}

// lookFlags are the flags of a command that reads the ledger and needs no wallet.
type lookFlags struct {
	Wallet         string `help:"Show assets by this wallet's names, and mark those of issuers that it does not know." type:"path" placeholder:"FILE"`
	PassphraseFile string `help:"File with the wallet's passphrase, instead of asking for it." env:"LOCKSTEP_PASSPHRASE_FILE" type:"path" placeholder:"FILE"`
}

// visitor returns a session that has the wallet's names for assets if a wallet is named.
func (f *lookFlags) visitor(ctx context.Context, a *app) (*session, error) {
	if f.Wallet == "" {
		return a.visitor(ctx)
	}
	return a.session(ctx, &walletFlags{Wallet: f.Wallet, PassphraseFile: f.PassphraseFile})
}

// visit returns a session without a wallet at a node.
func (a *app) visit(ctx context.Context, node *client.Client) (*session, error) {
	ledger, err := node.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	return &session{app: a, node: node, ledger: ledger, status: ledger.Status, params: ledger.Params, assets: newAssetBook(ctx, node)}, nil
}

// known returns the wallet's view of the ledger now. The coins of a transaction are fetched later, when its needs are known.
func (s *session) known(ctx context.Context) (known wallet.Context, err error) {
	view, err := s.signer.View(ctx)
	if err != nil {
		return known, err
	}
	s.status, s.late = view.Status, view.Warning
	known = view.Context
	known.Asset, known.Money, known.Moment, known.Language = s.assets.look, s.money, stamp, s.language()
	return known, nil
}

// draft begins a transaction.
func (s *session) draft(ctx context.Context) (*wallet.Draft, error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	return s.account.Draft(known), nil
}
