package chain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/protoio"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// councilParams are those of a ledger on which two of three operators decide.
func councilParams() types.Params {
	params := types.DefaultParams("test")
	params.Operators = []types.PublicKey{party.Key("olga"), party.Key("otto"), party.Key("omar")}
	params.Threshold = 2
	return params
}

// decision is signed by two operators.
func (w *world) decision(nonce uint64, acts ...types.Act) *types.Tx {
	d := types.Decision{ChainID: w.params.ChainID, Nonce: nonce, ValidUntil: types.TimeOf(time.Now()).Add(3600_000), Acts: acts}
	action := &types.Govern{Decision: d, Submitter: party.Key("mallory")}
	for _, name := range []string{"olga", "otto"} {
		action.Signatures = append(action.Signatures, party.Signature(name, d.Message()))
	}
	slices.SortFunc(action.Signatures, func(a, b types.Signature) int { return types.CompareKeys(a.Key, b.Key) })
	return party.Sign(w.body(action), "mallory")
}

// newcomer makes the act by which the node's key becomes a validator.
func (w *world) newcomer(power uint64) *types.SetValidator {
	w.t.Helper()
	head := w.head()
	defer head.Close()
	at, ok := head.Reader.Checkpoint()
	if !ok {
		w.t.Fatal("there is no checkpoint")
	}
	key, consent, err := Consent(w.config.Dir, w.params.ChainID, at)
	if err != nil {
		w.t.Fatal(err)
	}
	return &types.SetValidator{Key: key, Power: power, Consent: []types.Consent{consent}}
}

func (w *world) key() types.PublicKey {
	w.t.Helper()
	key, err := ValidatorKey(w.config.Dir)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// awaitHeight waits until the node has a block.
func (w *world) awaitHeight(height uint64) {
	w.t.Helper()
	for _, err := range w.Blocks(w.t.Context(), height) {
		if err != nil {
			w.t.Fatal(err)
		}
		return
	}
}

// awaitSigner waits until a validator has signed a block that another node keeps.
func (w *world) awaitSigner(key types.PublicKey) {
	w.t.Helper()
	for _, err := range w.Blocks(w.t.Context(), 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		signers, err := w.Signers()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, signer := range signers.Validators {
			if signer.Key == key && signer.Signed > 0 {
				return
			}
		}
	}
	w.t.Fatalf("validator %s never signed", key)
}

// TestValidatorsComeAndGo: three validators; a fourth joins, power changes, one is removed and replaced, while transactions go on. Every node
// has the same blocks, and the files of each are in order.
func TestValidatorsComeAndGo(t *testing.T) {
	t.Parallel()
	nodes := newNetOf(t, councilParams(), 3)
	peers := []string{}
	for _, w := range nodes {
		id, err := NodeID(w.config.Dir)
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, fmt.Sprintf("%s@%s", id, w.config.Listen))
	}
	follow := func() *world {
		address := freeAddress(t)
		w := newWorldOf(t, councilParams(), func(c *Config) { c.Listen, c.Peers = address, peers })
		w.join(nodes[0])
		return w.run()
	}
	first := nodes[0]
	mint := first.mint(1000, "peter")
	first.must(mint)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	moved := 0
	var trading sync.WaitGroup
	trading.Go(func() { // a coin that goes on moving all the time
		coin := types.Outpoint{Tx: mint.ID()}
		for ctx.Err() == nil {
			pay := first.pay(coin, 1000, "peter", "peter")
			if err := first.Submit(t.Context(), pay); err != nil {
				t.Error(err)
				return
			}
			if outcome, err := first.Await(t.Context(), pay.ID()); err != nil || outcome.Code != types.CodeOK {
				t.Errorf("payment %d: %+v, %v", moved, outcome, err)
				return
			}
			coin.Tx = pay.ID()
			moved++
		}
	})
	fourth := follow()
	fourth.awaitHeight(3)
	first.must(first.decision(1, fourth.newcomer(8)))
	first.awaitSigner(fourth.key())
	fifth := follow()
	fifth.awaitHeight(3)
	first.must(first.decision(2, &types.SetValidator{Key: nodes[1].key(), Power: 13}))
	first.must(first.decision(3, &types.SetValidator{Key: nodes[2].key()}, fifth.newcomer(3)))
	first.awaitSigner(fifth.key())
	nodes[2].close() // it is no validator any more
	first.awaitHeight(first.store.Height() + 5)
	stop()
	trading.Wait()
	if moved == 0 {
		t.Error("no payment went through")
	}
	signers, err := first.Signers()
	if err != nil {
		t.Fatal(err)
	}
	want := map[types.PublicKey]int64{first.key(): 12, nodes[1].key(): 13, fourth.key(): 8, fifth.key(): 3}
	if len(signers.Validators) != len(want) || signers.Power != 36 || first.Status().Validators != 4 {
		t.Errorf("the engine has %+v", signers.Validators)
	}
	for _, signer := range signers.Validators {
		if want[signer.Key] != signer.Power {
			t.Errorf("validator %s has a power of %d, want %d", signer.Key, signer.Power, want[signer.Key])
		}
	}
	last := first.store.Height()
	for _, w := range []*world{nodes[1], fourth, fifth} {
		w.awaitHeight(last)
		for height := uint64(1); height <= last; height++ {
			mine, err := first.store.Block(height)
			theirs, otherErr := w.store.Block(height)
			if err != nil || otherErr != nil || mine.Commitment != theirs.Commitment {
				t.Fatalf("block %d differs: %v, %v", height, err, otherErr)
			}
		}
	}
	trust, err := TrustGenesis(filesOf(first.config.Dir).Genesis)
	if err != nil {
		t.Fatal(err)
	}
	light, err := first.LightBlock(last - 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.Check(light.Header, light.Commit); !errors.Is(err, ErrSet) {
		t.Errorf("a reader that trusts the first validators takes a header of the later ones: %v", err)
	}
	if err := trust.Follow(&light); err != nil {
		t.Errorf("it can't follow the change: %v", err)
	}
	for _, w := range []*world{first, nodes[1], fourth, fifth} {
		dir := w.config.Dir
		if err := errors.Join(w.stop(), w.Close()); err != nil {
			t.Error(err)
		}
		w.Chain = nil
		if checked, err := Check(dir, w.store); err != nil || checked.Blocks == 0 {
			t.Errorf("the files of %s: %+v, %v", dir, checked, err)
		}
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSilentNewcomer: a validator that was let in by insisting and never runs stops the ledger, as the operators were told; before that,
// the same decision without insisting is refused and nothing stops.
func TestSilentNewcomer(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, councilParams()).run()
	silent := newWorldOf(t, councilParams())
	w.awaitHeight(2)
	head := w.head()
	at, _ := head.Reader.Checkpoint()
	head.Close()
	key, consent, err := Consent(silent.config.Dir, w.params.ChainID, at)
	if err != nil {
		t.Fatal(err)
	}
	join := &types.SetValidator{Key: key, Power: 6, Consent: []types.Consent{consent}}
	wantCode(t, w.Submit(t.Context(), w.decision(1, join)), types.CodeValidator)
	w.awaitHeight(w.store.Height() + 4) // it goes on
	join.Power = 5
	w.must(w.decision(2, join))
	w.awaitHeight(w.store.Height() + 4) // with 12 of 17 it still does
}

// TestUpgrade: at the block from which another version holds, a program without it stops, with all before on the disk, and says which version it needs;
// a program that has it goes on, and replays the old blocks by the old rules.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	second := append(ledger.KnownRules(), ledger.Rules{Version: 2, Allow: func(tx *types.Tx) error {
		if tx.Body.Memo != "" {
			return types.Refuse(types.CodeText, "version 2 takes no memo")
		}
		return nil
	}})
	w := newWorldOf(t, councilParams()).run()
	mint := w.mint(1000, "peter")
	w.must(mint)
	pay := func(coin types.Outpoint) *types.Tx {
		body := w.body()
		body.Inputs, body.Outputs, body.Memo = []types.Outpoint{coin}, []types.Output{party.Output("peter", 1000)}, "hello"
		return party.Sign(body, "peter")
	}
	old := pay(types.Outpoint{Tx: mint.ID()})
	w.must(old)
	before, after := w.params.Changeable(), w.params.Changeable()
	after.Rules = 2
	from := w.store.Height() + 20
	w.must(w.decision(1, &types.SetParams{Replaces: before.Hash(), From: from, Change: after}))
	if says := fmt.Sprintf("from block %d on", from); !w.trouble(says) || !w.trouble("follows version 2 of its rules, and this program has versions up to 1") {
		t.Errorf("before it stops, the node says %q", w.Status().Troubles)
	}
	var upgrade *UpgradeError
	if err := <-w.done; !errors.As(err, &upgrade) || upgrade.Height != from-1 || upgrade.Version != 2 || upgrade.Newest != 1 {
		t.Fatalf("the node stopped with %v", err)
	}
	w.cancel()
	w.cancel = nil
	if w.store.Height() != from-1 {
		t.Errorf("it stopped after block %d, want %d", w.store.Height(), from-1)
	}
	w.close()
	if w.reopen(); !errors.As(w.failed, &upgrade) {
		t.Fatalf("the old program opens the ledger again: %v", w.failed)
	}
	w.config.rules = second
	w.open()
	w.run()
	if w.trouble("version 2") {
		t.Errorf("the new program says %q", w.Status().Troubles)
	}
	w.awaitHeight(from + 2)
	wantCode(t, w.Submit(t.Context(), pay(types.Outpoint{Tx: old.ID()})), types.CodeText)
	w.must(w.pay(types.Outpoint{Tx: old.ID()}, 1000, "peter", "clara"))
	for height, want := range map[int64]uint64{int64(from) - 1: 1, int64(from): 2} {
		if got := w.engine.BlockStore().LoadBlock(height).Version.App; got != want {
			t.Errorf("block %d names version %d, want %d", height, got, want)
		}
	}
	last := w.store.Height()
	block, err := w.store.Block(last)
	if err != nil {
		t.Fatal(err)
	}
	w.close()
	if err := os.RemoveAll(filepath.Join(w.dir, "store")); err != nil { // all blocks are replayed
		t.Fatal(err)
	}
	w.open()
	w.run()
	w.awaitHeight(last)
	if again, err := w.store.Block(last); err != nil || again.Commitment != block.Commitment {
		t.Errorf("replayed, block %d is another one (%v)", last, err)
	}
	if outcome, known, err := w.Outcome(old.ID()); err != nil || !known || outcome.Code != types.CodeOK {
		t.Errorf("replayed, the old transaction is %+v (%v)", outcome, err)
	}
}

// TestConsentIsNoVote: the message that a newcomer signs can't be taken for a vote or a proposal.
func TestConsentIsNoVote(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := types.PublicKey(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		at := types.Checkpoint{Height: rapid.Uint64().Draw(t, "height"), Hash: types.Hash(key), Until: types.Time(rapid.Uint64().Draw(t, "until"))}
		message := types.ConsentMessage(rapid.String().Draw(t, "chain"), key, at)
		if protoio.UnmarshalDelimited(message, new(cmtproto.CanonicalVote)) == nil || protoio.UnmarshalDelimited(message, new(cmtproto.CanonicalProposal)) == nil {
			t.Fatalf("%x is a vote", message)
		}
	})
}

func publicKey(key types.PublicKey) ed25519.PubKey { return ed25519.PubKey(key[:]) }

// validatorActs makes acts from bytes: two for each, a key and its power.
func validatorActs(input []byte, join func(name string, power uint64) *types.SetValidator) (acts []types.Act) {
	for ; len(input) >= 2; input = input[2:] {
		act := join(fmt.Sprintf("v%d", input[0]%8), uint64(input[1]%32))
		if input[0] >= 128 {
			act.Consent = nil
		}
		acts = append(acts, act)
	}
	return acts
}

// FuzzValidatorUpdates: after any decision of the operators the engine takes the validators that it is told of, and has those of the ledger.
func FuzzValidatorUpdates(f *testing.F) {
	f.Add([]byte{3, 12, 130, 0, 255, 4, 3, 9, 255, 129, 0, 3, 9, 3, 9, 131, 0})
	f.Add([]byte{128, 0, 129, 0, 130, 0, 255, 255, 0, 1, 1, 1, 2, 1})
	f.Fuzz(func(t *testing.T, input []byte) {
		params, view := councilParams(), ledger.NewMemory()
		params.Threshold = 1
		facts := ledger.Facts{Last: types.Hash{1}}
		var set []*cmttypes.Validator
		for i := range 3 {
			v := types.Validator{Key: party.Key(fmt.Sprintf("v%d", i)), Power: types.GenesisPower}
			facts.Validators = append(facts.Validators, v)
			set = append(set, cmttypes.NewValidator(publicKey(v.Key), int64(v.Power)))
		}
		engine := cmttypes.NewValidatorSet(set)
		now := types.Time(1_779_999_300_000)
		for height := uint64(1); height < 60 && (height < 3 || len(input) > 0); height++ {
			now = now.Add(1000)
			state := ledger.New(view, params)
			state.Learn(facts)
			state.Begin(height, now)
			for decisions := uint64(0); height > 2 && decisions < 3; decisions++ {
				at, _ := ledger.Reader{View: view}.Checkpoint()
				cut := min(len(input), 2*int(1+decisions))
				acts := validatorActs(input[:cut], func(name string, power uint64) *types.SetValidator {
					consent := types.Consent{At: at, Signature: party.Signature(name, types.ConsentMessage(params.ChainID, party.Key(name), at)).Bytes}
					return &types.SetValidator{Key: party.Key(name), Power: power, Consent: []types.Consent{consent}}
				})
				input = input[cut:]
				d := types.Decision{ChainID: params.ChainID, Nonce: height<<8 | decisions, ValidUntil: now, Insist: uint8(len(input) % 2), Acts: acts}
				body := types.Body{ChainID: params.ChainID, ValidUntil: now, Actions: []types.Action{
					&types.Govern{Decision: d, Signatures: []types.Signature{party.Signature("olga", d.Message())}, Submitter: party.Key("olga")},
				}}
				state.Execute(party.Sign(body, "olga"), true)
			}
			diff := state.Finish()
			view.Apply(diff.Changes)
			var changes []*cmttypes.Validator
			for _, v := range diff.Validators {
				changes = append(changes, &cmttypes.Validator{Address: publicKey(v.Key).Address(), PubKey: publicKey(v.Key), VotingPower: int64(v.Power)})
			}
			if len(changes) > 0 {
				if err := engine.UpdateWithChangeSet(changes); err != nil {
					t.Fatalf("block %d: the engine halts: %v", height, err)
				}
			}
			governance, _ := ledger.Reader{View: view}.Governance()
			if engine.Size() != len(governance.Validators) {
				t.Fatalf("block %d: the engine has %d validators, the ledger %d", height, engine.Size(), len(governance.Validators))
			}
			for _, seat := range governance.Validators {
				if _, v := engine.GetByAddress(publicKey(seat.Validator.Key).Address()); v == nil || v.VotingPower != int64(seat.Validator.Power) {
					t.Fatalf("block %d: the engine has %v, the ledger %+v", height, v, seat)
				}
			}
		}
	})
}
