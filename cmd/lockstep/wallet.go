package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

type walletCmd struct {
	New     walletNewCmd     `cmd:"" help:"Make a wallet and print its 24 words."`
	Restore walletRestoreCmd `cmd:"" help:"Make the wallet of 24 words again."`
	Show    walletShowCmd    `cmd:"" help:"Print the wallet's keys, which are its addresses."`
	Balance walletBalanceCmd `cmd:"" help:"Print what the account has and what it has locked in trades."`
	Send    walletSendCmd    `cmd:"" help:"Pay a key."`
	Account walletAccountCmd `cmd:"" help:"Add another key to the wallet, derived from the same words."`
	Limits  walletLimitsCmd  `cmd:"" help:"Show or set what the wallet may sign."`
	Issue   walletIssueCmd   `cmd:"" help:"Issue a sum of an asset of one's own."`
	Redeem  walletRedeemCmd  `cmd:"" help:"Take a sum of an asset of one's own out of the ledger."`
}

type walletNewCmd struct {
	walletFlags
	wordsOut
	workFlag
}

// workFlag says how much work one guess of a passphrase is.
type workFlag struct {
	Work int `help:"Base-2 logarithm of what one guess of the passphrase costs, 17 to 20." default:"18" placeholder:"N"`
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

// newPassphrase asks twice, since a slip would lock the wallet.
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

type walletRestoreCmd struct {
	walletFlags
	workFlag
	WordsFile string `help:"File with the 24 words, readable by you alone; by default they are read from standard input." type:"path" placeholder:"FILE"`
}

func (c *walletRestoreCmd) Run(a *app) error {
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
	made, err := describe(a, &c.walletFlags, w)
	if err != nil {
		return err
	}
	return a.show(made, func(p *page) {
		p.line("Wallet %s\nKey    %s\n", made.File, made.Key)
		p.line("Its money and its open trades are on the ledger. See them with:\n  %s\n  %s", a.next("wallet balance"), a.next("trade list"))
	})
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
	for _, info := range w.Accounts() {
		account, err := w.Account(info.Index)
		if err != nil {
			return err
		}
		shown.Accounts = append(shown.Accounts, shownAccount{info.Index, info.Name, account.Key()})
	}
	return a.show(shown, func(p *page) {
		p.line("Wallet %s", shown.File)
		for _, account := range shown.Accounts {
			p.row(fmt.Sprintf("account %d", account.Index), account.Key.String(), account.Name)
		}
	})
}

type walletAccountCmd struct {
	walletFlags
	Name string `arg:"" optional:"" help:"A name of one's own for it."`
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

type walletBalanceCmd struct {
	walletFlags
	Key *types.PublicKey `help:"Look at this key instead of opening the wallet." find:"" placeholder:"KEY"`
}

func (c *walletBalanceCmd) Run(ctx context.Context, a *app) error {
	s, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
	if err != nil {
		return err
	}
	balances, err := s.node.Balances(ctx, key, client.Page{})
	if err != nil {
		return err
	}
	return a.show(balances, func(p *page) {
		p.line("%s at height %d", key, balances.Height)
		if len(balances.Balances) == 0 {
			p.line("Nothing yet.")
			return
		}
		p.row("asset", "spendable", "locked in trades")
		for _, b := range balances.Balances {
			p.row(b.Code, b.Spendable.Format(b.Decimals), b.Locked.Format(b.Decimals))
		}
		if balances.Next != "" {
			p.line("The key has coins of more assets than these %d.", len(balances.Balances))
		}
	})
}

// lookAs is a session for looking at a key: one that is given, or the wallet's.
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

type walletSendCmd struct {
	walletFlags
	To     types.PublicKey `arg:"" help:"Key of the receiver, lk1..."`
	Amount string          `arg:"" help:"Amount, such as 12.50."`
	Asset  string          `arg:"" help:"Asset, by its code or its id."`
	Memo   string          `help:"A public note." placeholder:"TEXT"`
	yesFlag
}

func (c *walletSendCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset, amount, err := s.amountOf(ctx, c.Amount, c.Asset)
		if err != nil {
			return plan{}, err
		}
		if err := d.Send(c.To, asset.ID, amount); err != nil {
			return plan{}, err
		}
		what := fmt.Sprintf("%s to %s", s.money(asset.ID, amount), c.To)
		return plan{ask: "Pay " + what, done: "Paid " + what}, d.Memo(c.Memo)
	})
}

type walletIssueCmd struct {
	walletFlags
	Amount   string           `arg:"" help:"Amount, such as 1000."`
	Code     string           `arg:"" help:"Code of the asset: capital letters, digits or '-'."`
	Decimals uint8            `help:"Decimal places of the asset; fixed with its first issue." default:"2" zero:""`
	To       *types.PublicKey `help:"Key that gets the sum; by default the issuer's own." placeholder:"KEY"`
	yesFlag
}

func (c *walletIssueCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset := types.Asset{Issuer: s.account.Key(), Code: c.Code, Decimals: c.Decimals}
		amount, err := parseAmount(c.Amount, c.Decimals)
		if err != nil {
			return plan{}, err
		}
		if err := d.Issue(asset, amount); err != nil {
			return plan{}, err
		}
		if c.To != nil {
			if err := d.Send(*c.To, asset.ID(), amount); err != nil {
				return plan{}, err
			}
		}
		what := amount.Format(c.Decimals) + " " + c.Code
		return plan{ask: "Issue " + what, done: fmt.Sprintf("Issued %s (asset %s)", what, asset.ID())}, nil
	})
}

type walletRedeemCmd struct {
	walletFlags
	Amount string `arg:"" help:"Amount, such as 1000."`
	Asset  string `arg:"" help:"Asset, by its code or its id."`
	yesFlag
}

func (c *walletRedeemCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		asset, amount, err := s.amountOf(ctx, c.Amount, c.Asset)
		if err != nil {
			return plan{}, err
		}
		what := s.money(asset.ID, amount)
		return plan{ask: "Take " + what + " out of the ledger", done: "Redeemed " + what}, d.Redeem(asset.Asset, amount)
	})
}
