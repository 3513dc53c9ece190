package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"time"

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
	passphrase, err := f.passphrase(a, "Passphrase of "+f.path(a)+": ")
	if err != nil {
		return nil, err
	}
	return wallet.Open(f.path(a), passphrase)
}

// session is an account of a wallet that talks to a node.
type session struct {
	*app
	node    *client.Client
	wallet  *wallet.Wallet  // nil for a visitor
	account *wallet.Account // nil for a visitor
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
	if err := s.bind(); err != nil {
		return nil, err
	}
	s.assets.wallet = s.wallet
	s.account, err = s.wallet.Account(f.Account)
	return s, err
}

// bind checks the node against the wallet's ledger and the clock of this machine. It pins this ledger in a wallet that was not
// used before.
func (s *session) bind() error {
	if err := s.check(); err != nil {
		return err
	}
	if _, used := s.wallet.Ledger(); used {
		return nil
	}
	ledger := wallet.PinLedger(&s.params, s.status.Genesis)
	if err := s.wallet.SetLedger(ledger); err != nil {
		return err
	}
	if !s.JSON {
		fmt.Fprintf(s.err, "This wallet is used on ledger %q from now on (genesis %s).\n", ledger.ChainID, ledger.Genesis)
	}
	return nil
}

// check compares the node's last status with the wallet's ledger and this machine's clock.
func (s *session) check() (err error) {
	if s.status.ChainID != s.params.ChainID {
		return types.Refuse(types.CodeChain, "the node says that it is on chain %q and shows the parameters of %q: don't trust it, ask another",
			s.status.ChainID, s.params.ChainID)
	}
	if err := s.wallet.CheckLedger(wallet.PinLedger(&s.params, s.status.Genesis)); err != nil {
		if wallet.ReasonOf(err) == wallet.ReasonLedger {
			return fmt.Errorf("%w. If you mean to use the wallet on it from now on: %s", err, s.next("wallet ledger", "--change"))
		}
		return err
	}
	s.late, err = wallet.CheckClock(s.status.BlockTime, s.status.Clock, s.status.Skew, time.Now())
	return err
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
	s := &session{app: a, node: node, assets: newAssetBook(ctx, node)}
	var err error
	if s.status, err = node.Status(ctx); err != nil {
		return nil, err
	}
	if s.params, err = node.Params(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// known returns the wallet's view of the ledger now. The coins of a transaction are fetched later, when its needs are known.
func (s *session) known(ctx context.Context) (known wallet.Context, err error) {
	if s.status, err = s.node.Status(ctx); err != nil {
		return known, err
	}
	if err := s.check(); err != nil {
		return known, err
	}
	return wallet.Context{Params: s.params, BlockTime: s.status.BlockTime, Clock: s.status.Clock, Asset: s.assets.look, Money: s.money, Moment: stamp}, nil
}

// fund fetches the coins that a draft needs.
func (s *session) fund(ctx context.Context, d *wallet.Draft) error {
	return d.Fund(func(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
		return s.node.CoinsFor(ctx, s.account.Key(), asset, sum)
	})
}

// draft begins a transaction.
func (s *session) draft(ctx context.Context) (*wallet.Draft, error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	return s.account.Draft(known), nil
}
