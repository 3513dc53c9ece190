package page

import (
	"slices"
	"strings"

	"lockstep/types"
	"lockstep/wallet"
)

// whole reads an id or a key of which a unique beginning is enough, or the label of a key in the member's book of names.
func (c *screen) whole(kind, text string, to interface{ UnmarshalText([]byte) error }) error {
	text = strings.ToLower(strings.TrimSpace(text))
	if kind == "key" && labelled(text) {
		key, err := c.keyOf(text)
		if err != nil {
			return err
		}
		return to.UnmarshalText([]byte(key.String()))
	}
	const wholeID, wholeKey = 64, 61
	if len(text) >= wholeID || kind == "key" && len(text) >= wholeKey {
		return to.UnmarshalText([]byte(text))
	}
	found, err := c.ask().IDs(c.r.Context(), kind, text)
	if err != nil {
		return err
	}
	switch {
	case len(found.IDs) == 0:
		return c.tell(types.CodeNotFound, "search.none", "text", text)
	case len(found.IDs) > 1:
		candidates := strings.Join(found.IDs, c.Comma())
		if found.More {
			candidates += c.Comma() + c.Plain("search.more")
		}
		return c.tell(types.CodeMalformed, "search.several", "text", text, "ids", candidates)
	}
	return to.UnmarshalText([]byte(found.IDs[0]))
}

// labelled reports whether a typed text is a label of a book of names, also with the wide mark of a Chinese keyboard.
func labelled(text string) bool { return strings.HasPrefix(types.FoldName(text), wallet.NameMark) }

// keyOf reads a key to which money goes: the whole key, or its label in the member's book of names. The beginning of a key is not enough: anybody can search for
// a key that begins like another's.
func (c *screen) keyOf(text string) (key types.PublicKey, err error) {
	text = strings.TrimSpace(text)
	if !labelled(text) {
		if key, err = types.ParseKey(text); err != nil {
			err = c.tell(types.CodeMalformed, "names.no_key", "text", clipped(text))
		}
		return key, err
	}
	names := c.Labels()
	folded := strings.TrimPrefix(types.FoldName(text), wallet.NameMark)
	for _, n := range names {
		if types.FoldName(n.Label) == folded {
			return n.Key, nil
		}
	}
	if len(names) == 0 {
		return key, c.tell(types.CodeNotFound, "names.empty", "label", clipped(text))
	}
	const most = 5
	alike := slices.DeleteFunc(slices.Clone(names), func(n wallet.Named) bool {
		first := []rune(types.FoldName(n.Label))[:1]
		return !strings.HasPrefix(folded, string(first))
	})
	if len(alike) == 0 {
		alike = names
	}
	var known []string
	for _, n := range alike[:min(len(alike), most)] {
		known = append(known, wallet.NameMark+n.Label)
	}
	if len(alike) > most {
		known = append(known, "…")
	}
	return key, c.tell(types.CodeNotFound, "names.unknown", "label", clipped(text), "known", strings.Join(known, c.Comma()))
}

// clipped shortens a text that was typed.
func clipped(text string) string {
	const most = 80
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

// Labels is the member's book of names, by label; empty for a visitor.
func (c *screen) Labels() []wallet.Named {
	if c.member == nil || c.self == (types.PublicKey{}) {
		return nil
	}
	if opened := c.member.unlocked(); opened != nil {
		return opened.Names()
	}
	return nil
}

// mostCompleted bounds the names that a field completes.
const mostCompleted = 200

// Completions are the names that a field for a key completes.
func (c *screen) Completions() []wallet.Named {
	names := c.Labels()
	return names[:min(len(names), mostCompleted)]
}

// RegistryName is the name of a key on the ledger; empty without one.
func (c *screen) RegistryName(key types.PublicKey) string {
	return cleanName(c.facts.name(c.r.Context(), key))
}
