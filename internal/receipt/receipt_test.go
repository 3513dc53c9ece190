package receipt_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/receipt"
	"lockstep/types"
)

func four() *validators { return newValidators("a", "b", "c", "d") }

// wantFault checks a receipt and wants exactly one part at fault first.
func wantFault(t *testing.T, name string, v *receipt.Verified, part string) {
	t.Helper()
	for _, verdict := range v.Verdicts {
		if !verdict.OK {
			if verdict.Part != part {
				t.Errorf("%s: the fault is named %q (%s), want %q", name, verdict.Part, verdict.Text, part)
			}
			return
		}
	}
	t.Errorf("%s: everything holds: %+v", name, v.Verdicts)
}

// TestReceiptHolds: a receipt of four validators reads back from its text and holds, also when one of them was absent.
func TestReceiptHolds(t *testing.T) {
	t.Parallel()
	v := four()
	for absent := range 2 {
		r := newReceipt(t, v, 300, 21, absent)
		again, err := receipt.Parse(r.Text())
		if err != nil {
			t.Fatal(err)
		}
		checked := again.Verify(v.trust(t))
		if !checked.OK() || checked.Story == nil || checked.Story.Phase != types.PhaseReleased || checked.Header.Signers != 4-absent || len(checked.Verdicts) != 5 {
			t.Errorf("%d absent: %+v", absent, checked.Verdicts)
		}
	}
}

// TestReceiptSize: under 3.5 KB for four validators without the leaf, in a log of 2^40 leaves.
func TestReceiptSize(t *testing.T) {
	t.Parallel()
	r := newReceipt(t, four(), 300, 1<<40, 0)
	r.Path = make([]types.Hash, 40)
	r.Index, r.Log.Size, r.Leaf = 1<<39, 1<<40, nil
	size := len(r.Text())
	t.Logf("%d bytes with a path of %d hashes", size, len(r.Path))
	if size >= 3500 {
		t.Errorf("%d bytes", size)
	}
}

// TestEachByte changes each byte of a receipt, in three ways: the line with the change is named.
func TestEachByte(t *testing.T) {
	t.Parallel()
	text := newReceipt(t, four(), 300, 21, 1).Text()
	at := 0
	for line := range strings.Lines(text) {
		name := strings.Fields(line)[0]
		if strings.HasPrefix(line, receipt.PartFile) {
			name = receipt.PartFile
		}
		for i := range line {
			for _, change := range []byte{1, 0x20, 0x80} {
				changed := []byte(text)
				changed[at+i] ^= change
				_, err := receipt.Parse(string(changed))
				var fault *receipt.PartError
				if !errors.As(err, &fault) || fault.Part != name {
					t.Fatalf("byte %d of line %q, changed by %x: %v", i, name, change, err)
				}
			}
		}
		at += len(line)
	}
	for cut := range text {
		if _, err := receipt.Parse(text[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a receipt", cut, len(text))
		}
	}
	if _, err := receipt.Parse(text + "x"); err == nil {
		t.Error("more than a receipt is taken for one")
	}
}

// TestForgedParts changes each byte of each part and writes the sums of the lines again, as a forger does: the part is named by hashes and signatures.
func TestForgedParts(t *testing.T) {
	t.Parallel()
	v := four()
	forge := func(name, part string, change func(r *receipt.Receipt)) {
		t.Helper()
		r := newReceipt(t, v, 300, 21, 0)
		change(r)
		again, err := receipt.Parse(r.Text())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantFault(t, name, again.Verify(v.trust(t)), part)
	}
	base, trust := newReceipt(t, v, 300, 21, 0), v.trust(t)
	for i := range base.Leaf {
		r := *base
		r.Leaf = slices.Clone(base.Leaf)
		r.Leaf[i] ^= 1
		for _, verdict := range r.Verify(trust).Verdicts {
			if verdict.Part == receipt.PartPath && verdict.OK {
				t.Fatalf("byte %d of the leaf is changed, and the path holds", i)
			}
		}
	}
	forge("another trade", receipt.PartLeaf, func(r *receipt.Receipt) { r.Trade[0] ^= 1 })
	forge("another index", receipt.PartPath, func(r *receipt.Receipt) { r.Index ^= 1 })
	forge("no path", receipt.PartPath, func(r *receipt.Receipt) { r.Path = nil })
	for i := range base.Path {
		forge(fmt.Sprintf("hash %d of the path", i), receipt.PartPath, func(r *receipt.Receipt) { r.Path[i][3] ^= 1 })
	}
	forge("another root", receipt.PartPath, func(r *receipt.Receipt) { r.Log.Root[0] ^= 1 })
	forge("another state", receipt.PartHeader, func(r *receipt.Receipt) { r.State[0] ^= 1 })
	forge("a leaf of a later block", receipt.PartHeader, func(r *receipt.Receipt) {
		later := newReceipt(t, v, 300, 20, 0)
		r.Header, r.Commit = later.Header, later.Commit
	})
	for i := range base.Header {
		r := *base
		r.Header = slices.Clone(base.Header)
		r.Header[i] ^= 1
		checked := r.Verify(trust)
		if checked.OK() {
			t.Fatalf("byte %d of the header is changed, and everything holds", i)
		}
	}
	for i := range base.Commit {
		r := *base
		r.Commit = slices.Clone(base.Commit)
		r.Commit[i] ^= 1
		wantFault(t, fmt.Sprintf("byte %d of the commit", i), r.Verify(trust), commitOrHeader(&r, trust))
	}
	forge("a third absent", receipt.PartCommit, func(r *receipt.Receipt) { r.Commit = newReceipt(t, v, 300, 21, 2).Commit })
	forge("other validators", receipt.PartSet, func(r *receipt.Receipt) {
		other := newReceipt(t, newValidators("e", "f", "g", "h"), 300, 21, 0)
		r.Header, r.Commit = other.Header, other.Commit
	})
}

// commitOrHeader: with a commit that can't be read, or is of another header, the header can't be compared; either name leads to it.
func commitOrHeader(r *receipt.Receipt, trust *chain.Trust) string {
	if header, err := trust.Check(r.Header, r.Commit); errors.Is(err, chain.ErrCommit) && header.AppHash == (types.Hash{}) {
		return receipt.PartHeader
	}
	return receipt.PartCommit
}

// TestTrustFile follows 300 changes of the validators, from genesis and from a trusted header on, and names each light block that can't follow.
func TestTrustFile(t *testing.T) {
	t.Parallel()
	const changes = 300
	sets := make([]*validators, changes+1)
	for i := range sets { // each time one of four is another
		names := []string{"0", "1", "2", "3"}
		for j := range names {
			names[j] = fmt.Sprint("validator ", (i+3-j)/4, " at place ", j)
		}
		sets[i] = newValidators(names...)
	}
	blocks := make([]chain.LightBlock, changes)
	for i := range blocks {
		set := sets[i+1]
		blocks[i] = set.light(t, set.sign(t, int64(10*(i+1)), types.Hash{byte(i)}, set, 0))
	}
	text := trustText(t, blocks)
	if each := len(text) / changes; each > 1250 {
		t.Errorf("%d bytes for %d changes: %d a light block", len(text), changes, each)
	}
	for i := range blocks[:3] {
		commit, validators, err := blocks[i].Compact()
		if err != nil {
			t.Fatal(err)
		}
		again, err := chain.ExpandLight(blocks[i].Height, blocks[i].Header, commit, validators)
		if err != nil || !bytes.Equal(again.Commit, blocks[i].Commit) || again.Hash != blocks[i].Hash {
			t.Errorf("light block %d comes back as another one: %v", blocks[i].Height, err)
		}
	}
	r := newReceipt(t, sets[changes], 300, 10*changes+5, 0)

	fromGenesis := sets[0].trust(t)
	if err := receipt.ReadTrust(text, fromGenesis); err != nil {
		t.Fatal(err)
	}
	if checked := r.Verify(fromGenesis); !checked.OK() {
		t.Errorf("%+v", checked.Verdicts)
	}
	trusted := chain.TrustHeader(blocks[100].Height, blocks[100].Hash)
	if err := receipt.ReadTrust(trustText(t, blocks[100:]), trusted); err != nil {
		t.Fatal(err)
	}
	if checked := r.Verify(trusted); !checked.OK() {
		t.Errorf("%+v", checked.Verdicts)
	}
	wantFault(t, "no trust file", r.Verify(sets[0].trust(t)), receipt.PartSet)
	wantFault(t, "no light block of the trusted header", r.Verify(chain.TrustHeader(blocks[100].Height, blocks[100].Hash)), receipt.PartSet)
	wantFault(t, "a receipt older than the trust", newReceipt(t, sets[0], 300, 21, 0).Verify(fromGenesis), receipt.PartSet)

	for name, bad := range map[string]struct {
		text, part string
		trust      *chain.Trust
	}{
		"steps left out":       {trustText(t, blocks[10:]), "light 110", sets[0].trust(t)},
		"out of order":         {trustText(t, []chain.LightBlock{blocks[1], blocks[0]}), "light 10", sets[0].trust(t)},
		"not the trusted one":  {trustText(t, blocks[99:]), "light 1000", chain.TrustHeader(blocks[100].Height, blocks[100].Hash)},
		"another set":          {trustText(t, []chain.LightBlock{{SignedHeader: blocks[0].SignedHeader, Validators: blocks[1].Validators}}), "light 10", sets[0].trust(t)},
		"signatures of others": {trustText(t, []chain.LightBlock{{SignedHeader: chain.SignedHeader{Height: 10, Header: blocks[0].Header, Commit: blocks[1].Commit}, Validators: blocks[0].Validators}}), "light 10", sets[0].trust(t)},
		"a changed byte":       {string(bytes.Replace([]byte(text), []byte("light 20 "), []byte("light 21 "), 1)), "light", sets[0].trust(t)},
	} {
		var fault *receipt.PartError
		if err := receipt.ReadTrust(bad.text, bad.trust); !errors.As(err, &fault) || fault.Part != bad.part {
			t.Errorf("%s: %v, want a fault of %q", name, err, bad.part)
		}
	}
}

// TestTrustedHeaderItself: a receipt whose header is the trusted one needs no signatures.
func TestTrustedHeaderItself(t *testing.T) {
	t.Parallel()
	v := four()
	r := newReceipt(t, v, 300, 21, 0)
	header, err := v.trust(t).Check(r.Header, r.Commit)
	if err != nil {
		t.Fatal(err)
	}
	if checked := r.Verify(chain.TrustHeader(21, header.Hash)); !checked.OK() {
		t.Errorf("%+v", checked.Verdicts)
	}
	fork := newReceipt(t, v, 301, 21, 0)
	trusted := chain.TrustHeader(21, header.Hash)
	light := v.light(t, v.sign(t, 21, types.AppHash(r.State, r.Log), v, 0))
	if err := trusted.Follow(&light); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "another header of the trusted height, signed by the same validators", fork.Verify(trusted), receipt.PartSet)
	if checked := r.Verify(trusted); !checked.OK() {
		t.Errorf("with its validators: %+v", checked.Verdicts)
	}
	earlier := newReceipt(t, v, 300, 20, 0).Verify(chain.TrustHeader(21, header.Hash))
	if at := slices.IndexFunc(earlier.Verdicts, func(v receipt.Verdict) bool { return v.Part == receipt.PartSet }); at < 0 || !strings.Contains(earlier.Verdicts[at].Text, "export the receipt again") {
		t.Errorf("a receipt of an earlier header: %+v", earlier.Verdicts)
	}
	header.Hash[0] ^= 1
	wantFault(t, "another hash", r.Verify(chain.TrustHeader(21, header.Hash)), receipt.PartSet)
}

// trustText is a trust file.
func trustText(t testing.TB, blocks []chain.LightBlock) string {
	t.Helper()
	text, err := receipt.TrustText(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestHostileTrust: light blocks of a file in another form, or with validators that the engine can't make a set of.
func TestHostileTrust(t *testing.T) {
	t.Parallel()
	v := four()
	block := v.light(t, v.sign(t, 10, types.Hash{1}, v, 1))
	commit, validators, err := block.Compact()
	if err != nil {
		t.Fatal(err)
	}
	expand := func(change func(header, commit, validators *[]byte)) error {
		h, c, s := bytes.Clone(block.Header), bytes.Clone(commit), bytes.Clone(validators)
		change(&h, &c, &s)
		light, err := chain.ExpandLight(10, h, c, s)
		if err == nil {
			err = v.trust(t).Follow(&light)
		}
		return err
	}
	if err := expand(func(_, _, _ *[]byte) {}); err != nil {
		t.Fatal(err)
	}
	const one = 33 // bytes of a validator
	for name, change := range map[string]func(header, commit, validators *[]byte){
		"no header":          func(h, _, _ *[]byte) { *h = nil },
		"a header cut short": func(h, _, _ *[]byte) { *h = (*h)[:20] },
		"the whole commit":   func(_, c, _ *[]byte) { *c = block.Commit },
		"no commit":          func(_, c, _ *[]byte) { *c = nil },
		"no validators":      func(_, _, s *[]byte) { *s = nil },
		"a validator less":   func(_, _, s *[]byte) { *s = (*s)[one:] },
		"a validator twice":  func(_, _, s *[]byte) { copy(*s, (*s)[one:2*one]) },
		"cut off":            func(_, _, s *[]byte) { *s = (*s)[:len(*s)-1] },
		"without power":      func(_, _, s *[]byte) { (*s)[one-1] = 0 },
		"more power":         func(_, _, s *[]byte) { (*s)[one-1] = 2 },
		"endless power": func(_, _, s *[]byte) {
			*s = append((*s)[:len(*s)-1], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)
		},
		"a power in two forms":  func(_, _, s *[]byte) { *s = append((*s)[:len(*s)-1], 0x81, 0) },
		"in another order":      func(_, _, s *[]byte) { *s = append(bytes.Clone((*s)[one:]), (*s)[:one]...) },
		"bytes behind a commit": func(_, c, _ *[]byte) { *c = append(*c, 0x58, 1) },
	} {
		if err := expand(change); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for i := range validators {
		if err := expand(func(_, _, s *[]byte) { (*s)[i] ^= 1 }); err == nil {
			t.Errorf("byte %d of the validators is changed: accepted", i)
		}
	}
	if _, err := chain.ExpandLight(11, block.Header, commit, validators); !errors.Is(err, chain.ErrHeader) {
		t.Errorf("another height: %v", err)
	}
}

func FuzzReadTrust(f *testing.F) {
	v := four()
	f.Add(trustText(f, []chain.LightBlock{v.light(f, v.sign(f, 10, types.Hash{1}, v, 1))}))
	f.Fuzz(func(t *testing.T, text string) {
		var fault *receipt.PartError
		if err := receipt.ReadTrust(text, v.trust(t)); err != nil && !errors.As(err, &fault) {
			t.Fatalf("refused with %v", err)
		}
	})
}

func FuzzParse(f *testing.F) {
	text := newReceipt(f, four(), 10, 21, 0).Text()
	f.Add(text)
	f.Add(text[:100])
	f.Fuzz(func(t *testing.T, text string) {
		r, err := receipt.Parse(text)
		if err != nil {
			var fault *receipt.PartError
			if !errors.As(err, &fault) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if r.Text() != text {
			t.Fatalf("%q was accepted and is written as %q", text, r.Text())
		}
	})
}

// TestRecords: transactions of the trade stand beside its leaf, each proved by a leaf of its own.
func TestRecords(t *testing.T) {
	t.Parallel()
	v := four()
	trade := story()
	body := types.Body{ChainID: chainID, ValidUntil: 1_800_000_000_000, Actions: []types.Action{&types.Deliver{Trade: trade.ID()}}}
	step := party.Sign(body, "peter")
	body.Actions = []types.Action{&types.Deliver{Trade: types.TradeID{7}}}
	other := party.Sign(body, "peter")
	trade.Steps[2].Tx = step.ID()
	leafOf := func(tx types.TxID, effects ...types.Effect) []byte {
		return types.Encode(&types.Outcome{Height: 20, At: 1_799_999_900_000, Tx: tx, Effects: effects})
	}
	noted := &types.Noted{Event: types.EventDelivered.Number()}
	leaves := [][]byte{
		leafOf(step.ID(), noted), leafOf(other.ID(), noted), leafOf(types.TxID{5}, &types.Ended{Event: types.EventCollected.Number(), Trade: trade}), {1},
	}
	r := &receipt.Receipt{Trade: trade.ID(), Index: 2, Leaf: leaves[2], Path: prove(leaves, 2), Log: types.LogHead{Size: 4, Root: root(leaves)}, State: types.Hash{9}}
	light := v.light(t, v.sign(t, 21, types.AppHash(r.State, r.Log), v, 0))
	r.Header, r.Commit = light.Header, light.Commit
	attach := func(index int, tx *types.Tx) receipt.Record {
		one := *r
		proof := wire.Proof{Index: uint64(index), Leaf: leaves[index], Path: prove(leaves, index), Log: r.Log, State: r.State}
		if err := one.Attach(&proof, tx); err != nil {
			t.Fatal(err)
		}
		proof.State[0]++
		if err := one.Attach(&proof, tx); err == nil {
			t.Error("a proof by another header is attached")
		}
		return one.Records[len(one.Records)-1]
	}
	good := attach(0, step)
	r.Records = []receipt.Record{good}
	again, err := receipt.Parse(r.Text())
	if err != nil || again.Text() != r.Text() {
		t.Fatalf("%v", err)
	}
	if checked := again.Verify(v.trust(t)); !checked.OK() || len(checked.Records) != 1 || checked.Records[0].ID() != step.ID() {
		t.Fatalf("%+v", checked.Verdicts)
	}
	for name, change := range map[string]func(c *receipt.Record){
		"another leaf":        func(c *receipt.Record) { c.Leaf = leaves[1] },
		"another index":       func(c *receipt.Record) { c.Index = 1 },
		"no path":             func(c *receipt.Record) { c.Path = nil },
		"no leaf":             func(c *receipt.Record) { c.Leaf = nil },
		"no transaction":      func(c *receipt.Record) { c.Tx = nil },
		"another transaction": func(c *receipt.Record) { c.Tx = other.Bytes() },
		"a changed signature": func(c *receipt.Record) { c.Tx = bytes.Clone(c.Tx); c.Tx[len(c.Tx)-1] ^= 1 },
		"of another trade":    func(c *receipt.Record) { *c = attach(1, other) },
		"cut short":           func(c *receipt.Record) { c.Tx = c.Tx[:len(c.Tx)-1] },
	} {
		bad := *r
		record := good
		record.Path = slices.Clone(good.Path)
		change(&record)
		bad.Records = []receipt.Record{record}
		wantFault(t, name, bad.Verify(v.trust(t)), receipt.PartRecord)
	}
	if _, err := receipt.Parse(r.Text() + "more\n"); err == nil {
		t.Error("text behind the records is accepted")
	}
}
