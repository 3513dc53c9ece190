package wallet

import (
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"lockstep/types"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	buyer, err := Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	other, err := Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 200_000) // several chunks of the format
	_, _ = rand.Read(content)
	var sealed bytes.Buffer
	w, err := Seal(buyer.Key(), &sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	unseal := func(a *Account, file []byte) ([]byte, error) {
		opened, err := a.Unseal(bytes.NewReader(file))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(opened)
	}
	if opened, err := unseal(buyer, sealed.Bytes()); err != nil || !bytes.Equal(opened, content) {
		t.Fatalf("the buyer reads %d bytes: %v", len(opened), err)
	}
	if _, err := unseal(other, sealed.Bytes()); ReasonOf(err) != ReasonSealed {
		t.Errorf("another account: %v", err)
	}
	for at := 0; at < sealed.Len(); at += 997 {
		changed := bytes.Clone(sealed.Bytes())
		changed[at] ^= 1
		if opened, err := unseal(buyer, changed); err == nil {
			t.Fatalf("byte %d was changed, and %d bytes were opened", at, len(opened))
		}
	}
	for _, length := range []int{0, 10, sealed.Len() / 2, sealed.Len() - 1} {
		if _, err := unseal(buyer, sealed.Bytes()[:length]); err == nil {
			t.Errorf("%d of %d bytes were opened", length, sealed.Len())
		}
	}
}

// A seed has the same recipient for ever: goods that were sealed before a wallet was lost open with its words.
func TestSealToRestoredSeed(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("abandon ", 23) + "art"
	for range 2 {
		seed, err := ParseWords(words, "")
		if err != nil {
			t.Fatal(err)
		}
		account, err := seed.Account(3, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		var sealed bytes.Buffer
		w, err := Seal(account.Key(), &sealed)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if opened, err := account.Unseal(&sealed); err != nil {
			t.Error(err)
		} else if rest, err := io.ReadAll(opened); err != nil || len(rest) != 0 {
			t.Errorf("%d bytes: %v", len(rest), err)
		}
	}
}

func TestSealToBadKeys(t *testing.T) {
	t.Parallel()
	weak := types.PublicKey{1}
	noPoint := types.PublicKey{2}
	for _, key := range []types.PublicKey{{}, weak, noPoint} {
		if _, err := Seal(key, io.Discard); types.CodeOf(err) != types.CodeWeakKey {
			t.Errorf("%x: %v", key[:], err)
		}
	}
}
