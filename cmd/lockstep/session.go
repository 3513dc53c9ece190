package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"

	"golang.org/x/term"

	"lockstep/api/wire"
	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

// walletFlags say which wallet a command uses.
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
	account *wallet.Account
	status  wire.Status
	params  types.Params
	assets  *assetBook
}

// session opens the wallet and asks the node where the ledger stands.
func (a *app) session(ctx context.Context, f *walletFlags) (*session, error) {
	node, err := a.connect()
	if err != nil {
		return nil, err
	}
	s, err := a.visit(ctx, node)
	if err != nil {
		return nil, err
	}
	w, err := f.open(a)
	if err != nil {
		return nil, err
	}
	s.account, err = w.Account(f.Account)
	return s, err
}

// visitor looks at the ledger without a wallet.
func (a *app) visitor(ctx context.Context) (*session, error) {
	node, err := a.connect()
	if err != nil {
		return nil, err
	}
	return a.visit(ctx, node)
}

// visit is a session without a wallet, for looking only.
func (a *app) visit(ctx context.Context, node *client.Client) (*session, error) {
	s := &session{app: a, node: node, assets: newAssetBook(ctx, node)}
	var err error
	if s.status, err = node.Status(ctx); err != nil {
		return nil, err
	}
	s.params, err = node.Params(ctx)
	return s, err
}

// known is what the wallet has to know of the ledger now. The coins that a transaction takes are fetched when it is known which.
func (s *session) known(ctx context.Context) (known wallet.Context, err error) {
	if s.status, err = s.node.Status(ctx); err != nil {
		return known, err
	}
	return wallet.Context{Params: s.params, BlockTime: s.status.BlockTime, Clock: s.status.Clock, Asset: s.assets.look}, nil
}

// fund fetches the coins that a draft needs.
func (s *session) fund(ctx context.Context, d *wallet.Draft) error {
	return d.Fund(func(asset types.AssetID, sum types.Amount) iter.Seq2[wire.Coin, error] {
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

// partDraft begins a transaction that somebody else has to sign too: it stays valid as long as can be.
func (s *session) partDraft(ctx context.Context) (*wallet.Draft, error) {
	known, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	known.Validity = s.params.MaxValidity
	return s.account.Draft(known), nil
}

// amountOf reads an asset and an amount of it.
func (s *session) amountOf(ctx context.Context, amount, asset string) (wire.Asset, types.Amount, error) {
	known, err := s.asset(ctx, asset)
	if err != nil {
		return known, 0, err
	}
	parsed, err := parseAmount(amount, known.Asset.Decimals)
	return known, parsed, err
}
