package wallet_test

import (
	"path/filepath"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

// The book of names is kept in the wallet's file. A label stands for one key, whatever its case, and a key has one label.
func TestNames(t *testing.T) {
	t.Parallel()
	const passphrase = "correct horse battery staple"
	path := filepath.Join(t.TempDir(), "wallet.age")
	w, err := wallet.Create(path, passphrase, wallet.Options{Work: 1, Quick: true})
	must(t, err)
	_, p, c := newParties(t)
	paul, clara := p.Key(), c.Key()
	must(t, w.Name(paul, "paul"))
	must(t, w.Name(clara, "@Clara"))
	wantReason(t, w.Name(clara, "PAUL"), wallet.ReasonExists)
	wantCode(t, w.Name(clara, "Clara (bank)"), types.CodeMalformed)
	wantCode(t, w.Name(clara, "lk1clara"), types.CodeMalformed)
	wantCode(t, w.Name(clara, ""), types.CodeMalformed)
	wantCode(t, w.Name(clara, "@"), types.CodeMalformed)
	wantCode(t, w.Name(types.PublicKey{}, "nobody"), types.CodeWeakKey)
	must(t, w.Name(paul, "roof")) // another label for the key

	again, err := wallet.Open(path, passphrase)
	must(t, err)
	names := again.Names()
	if len(names) != 2 || names[0].Label != "Clara" || names[0].Key != clara || names[1].Label != "roof" || names[1].Key != paul {
		t.Errorf("the book holds %+v", names)
	}
	if again.LabelOf(clara) != "Clara" || again.LabelOf(types.PublicKey{9}) != "" {
		t.Errorf("Clara is called %q", again.LabelOf(clara))
	}
	if named, found := again.Labelled("@clara"); !found || named.Key != clara {
		t.Errorf("@clara is %+v, %t", named, found)
	}
	must(t, again.Unname("@ROOF"))
	wantReason(t, again.Unname("roof"), wallet.ReasonMissing)
	if names := again.Names(); len(names) != 1 {
		t.Errorf("left are %+v", names)
	}
}
