package wallet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// However a wallet, an account or a seed is printed or logged, alone or within something, no secret is seen.
func TestSecretsInOutput(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	account, err := w.Account(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx := Context{}
	draft := account.Draft(ctx)
	words := strings.Fields(w.Words())
	secrets := []string{words[0] + " " + words[1]}
	for _, secret := range [][]byte{w.seed.entropy[:], w.seed.master, account.private[:32]} {
		secrets = append(secrets, hex.EncodeToString(secret[:8]), strings.Trim(fmt.Sprint(secret[:8]), "[]"),
			strings.Trim(fmt.Sprintf("%#v", secret[:8]), "[]byte{}"))
	}
	var shown bytes.Buffer
	logs := []*slog.Logger{slog.New(slog.NewTextHandler(&shown, nil)), slog.New(slog.NewJSONHandler(&shown, nil))}
	for _, value := range []any{w, account, w.seed, draft, struct{ A any }{w}, []*Account{account}, map[string]*Seed{"a": w.seed}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb+"\n", value)
		}
		for _, log := range logs {
			log.Info("a message", "value", value)
		}
		encoded, _ := json.Marshal(value)
		shown.Write(encoded)
	}
	for _, secret := range secrets {
		if strings.Contains(shown.String(), secret) {
			t.Errorf("%q was shown", secret)
		}
	}
	if !strings.Contains(shown.String(), account.Key().String()) {
		t.Error("the key is not shown either: the test tests nothing")
	}
}

func TestClosedWallet(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	account, err := w.Account(0)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if !bytes.Equal(account.private, make([]byte, len(account.private))) || w.seed.master != nil {
		t.Error("something is left of the keys")
	}
	defer func() {
		if recover() == nil {
			t.Error("a secret was derived from a wiped seed")
		}
	}()
	account.Digest([32]byte{}, 1)
}
