package wallet

import (
	"slices"
	"strings"

	"lockstep/types"
)

// Named is a key under a label of the user's own. It vouches for nothing on the ledger: no one else sees it.
type Named struct {
	Key   types.PublicKey
	Label string
}

// maxNames bounds the book of names.
const maxNames = 1024

// NameMark comes before a label of the book wherever it is shown or typed: no name from a ledger is shown like that.
const NameMark = "@"

// checkNamed refuses an entry that can't stand beside those before it. Labels that a reader may confuse are one label.
func checkNamed(before []Named, named *Named) error {
	if err := named.Key.Check("named"); err != nil {
		return err
	}
	if err := CheckLabel(named.Label); err != nil {
		return err
	}
	if types.FoldName(named.Label) == "" {
		return types.Refuse(types.CodeMalformed, "the label is empty: give the key a name")
	}
	for i := range before {
		switch other := &before[i]; {
		case other.Key == named.Key:
			return refuse(ReasonExists, "the key is called %s%s already", NameMark, other.Label)
		case types.FoldName(other.Label) == types.FoldName(named.Label):
			return refuse(ReasonExists, "%s%s is your name for %s already: choose another, or remove that one first", NameMark, other.Label, other.Key)
		}
	}
	return nil
}

// Names lists the book of names, by label.
func (w *Wallet) Names() []Named {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := slices.Clone(w.names)
	slices.SortFunc(names, func(a, b Named) int { return strings.Compare(types.FoldName(a.Label), types.FoldName(b.Label)) })
	return names
}

// Name calls a key by a label from now on, in place of one that it may have, and stores the book.
func (w *Wallet) Name(key types.PublicKey, label string) error {
	label = strings.TrimPrefix(label, NameMark)
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := slices.DeleteFunc(slices.Clone(w.names), func(n Named) bool { return n.Key == key })
	named := Named{Key: key, Label: label}
	if err := checkNamed(kept, &named); err != nil {
		return err
	}
	if len(kept) >= maxNames {
		return refuse(ReasonLimit, "the book has %d names, which is the most: remove one first", len(kept))
	}
	return w.setNames(append(kept, named))
}

// Unname takes a label out of the book, and stores it.
func (w *Wallet) Unname(label string) error {
	named, found := w.Labelled(label)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !found {
		return refuse(ReasonMissing, "no key is called %s%s in this wallet", NameMark, strings.TrimPrefix(label, NameMark))
	}
	return w.setNames(slices.DeleteFunc(slices.Clone(w.names), func(n Named) bool { return n == named }))
}

func (w *Wallet) setNames(names []Named) error {
	before := w.names
	w.names = names
	if err := w.write(true); err != nil {
		w.names = before
		return err
	}
	return nil
}

// LabelOf is the user's label for a key; empty for a key that has none.
func (w *Wallet) LabelOf(key types.PublicKey) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := slices.IndexFunc(w.names, func(n Named) bool { return n.Key == key }); at >= 0 {
		return w.names[at].Label
	}
	return ""
}

// Labelled finds the entry of a label, with or without its mark.
func (w *Wallet) Labelled(label string) (Named, bool) {
	folded := types.FoldName(strings.TrimPrefix(label, NameMark))
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.IndexFunc(w.names, func(n Named) bool { return types.FoldName(n.Label) == folded })
	if at < 0 {
		return Named{}, false
	}
	return w.names[at], true
}
