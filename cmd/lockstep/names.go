package main

import (
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"lockstep/types"
	"lockstep/wallet"
)

type nameCmd struct {
	Add    nameAddCmd    `cmd:"" help:"Call a key by a label of your own, such as clara. It is then shown as @clara, and you can type @clara in place of the key."`
	List   nameListCmd   `cmd:"" help:"List the book of names of the wallet."`
	Remove nameRemoveCmd `cmd:"" help:"Remove a label from the book of names."`
}

type nameAddCmd struct {
	walletFlags
	Label string          `arg:"" help:"The label: letters, digits, '-' and '_'."`
	Key   types.PublicKey `arg:"" help:"The key, lk1..."`
}

// shownName is an entry of the book of names.
type shownName struct {
	Label string          `json:"label"`
	Key   types.PublicKey `json:"key"`
}

func (c *nameAddCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	before := w.LabelOf(c.Key)
	if err := w.Name(c.Key, c.Label); err != nil {
		return err
	}
	label := w.LabelOf(c.Key)
	return a.show(shownName{label, c.Key}, func(p *page) {
		if before != "" && before != label {
			p.line("%s%s is called %s%s from now on: %s", wallet.NameMark, before, wallet.NameMark, label, c.Key)
			return
		}
		p.line("%s%s is your name for %s.", wallet.NameMark, label, c.Key)
	})
}

type nameListCmd struct{ walletFlags }

func (c *nameListCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	names := []shownName{}
	for _, n := range w.Names() {
		names = append(names, shownName{n.Label, n.Key})
	}
	return a.show(names, func(p *page) {
		if len(names) == 0 {
			p.line("The book of names is empty. Add a key with: %s", a.next("name add", "LABEL", "KEY"))
			return
		}
		for _, n := range names {
			p.row(wallet.NameMark+n.Label, n.Key.String())
		}
	})
}

type nameRemoveCmd struct {
	walletFlags
	Label string `arg:"" help:"The label."`
}

func (c *nameRemoveCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	if err := w.Unname(c.Label); err != nil {
		return err
	}
	return a.show(struct {
		Removed string `json:"removed"`
	}{strings.TrimPrefix(c.Label, wallet.NameMark)}, func(p *page) { p.line("Removed %s.", name(c.Label)) })
}

// called returns the wallet's label for a key with its mark; empty without one.
func (s *session) called(key types.PublicKey) string {
	if s.wallet == nil {
		return ""
	}
	if label := s.wallet.LabelOf(key); label != "" {
		return wallet.NameMark + label
	}
	return ""
}

// withLabel is a whole key, and the wallet's label for it.
func (s *session) withLabel(key types.PublicKey) string {
	if label := s.called(key); label != "" {
		return key.String() + "  " + label
	}
	return key.String()
}

// labelled is an argument that names a key by a label of the wallet's book of names.
type labelled struct {
	value *kong.Value
	label string
}

// fillLabels replaces the labels among the arguments by their keys. It opens the wallet of the command, once for the command too.
func (r *ids) fillLabels(command *kong.Context, a *app) error {
	if len(r.labels) == 0 {
		return nil
	}
	file, ok := walletOf(command)
	if !ok {
		return misuse("%s is a label of a wallet, and this command opens none: give the whole key, or name the wallet with --wallet", r.labels[0].label)
	}
	w, err := file.open(a)
	if err != nil {
		return err
	}
	a.opened = map[string]*wallet.Wallet{file.path(a): w}
	for _, l := range r.labels {
		named, found := w.Labelled(l.label)
		if !found {
			return misuse("no key is called %s in this wallet; its book of names: %s", name(l.label), a.next("name list"))
		}
		if err := fill(l.value.Target, named.Key.String()); err != nil {
			return err
		}
	}
	return nil
}

// walletOf returns the wallet that a command uses. One that only reads opens a wallet if it is named.
func walletOf(command *kong.Context) (f walletFlags, ok bool) {
	selected := command.Selected()
	if selected == nil || !selected.Target.IsValid() {
		return f, false
	}
	target := selected.Target
	text := func(field string) string {
		if at := target.FieldByName(field); at.IsValid() && at.Kind() == reflect.String {
			return at.String()
		}
		return ""
	}
	f = walletFlags{Wallet: text("Wallet"), PassphraseFile: text("PassphraseFile")}
	return f, target.FieldByName("Account").IsValid() || f.Wallet != ""
}
