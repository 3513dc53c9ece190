package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/wallet"
)

// TestScryptProcess: the process answers with the content of a file, or with the reason of the refusal, and takes nothing from its
// arguments.
func TestScryptProcess(t *testing.T) {
	t.Parallel()
	const passphrase = "correct horse battery staple"
	path := filepath.Join(t.TempDir(), "wallet.age")
	if _, err := wallet.Create(path, passphrase, wallet.Options{Work: 10, Quick: true}); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request any) (answer scryptAnswer, err error) {
		input, failed := json.Marshal(request)
		if failed != nil {
			t.Fatal(failed)
		}
		var output bytes.Buffer
		if err = new(scryptCmd).Run(&app{globals: &globals{}, in: bytes.NewReader(input), out: &output}); err == nil {
			err = json.Unmarshal(output.Bytes(), &answer)
		}
		return answer, err
	}
	plain, err := ask(scryptRequest{File: file, Passphrase: passphrase})
	if err != nil || len(plain.Bytes) == 0 || plain.Error != "" {
		t.Fatalf("%+v, %v", plain, err)
	}
	again, err := ask(scryptRequest{Plain: plain.Bytes, Passphrase: "another", Work: 10})
	if err != nil || !bytes.HasPrefix(again.Bytes, []byte("age-encryption.org/v1")) {
		t.Fatalf("%+v, %v", again, err)
	}
	if back, err := ask(scryptRequest{File: again.Bytes, Passphrase: "another"}); err != nil || !bytes.Equal(back.Bytes, plain.Bytes) {
		t.Errorf("%+v, %v", back, err)
	}
	if wrong, err := ask(scryptRequest{File: file, Passphrase: "wrong"}); err != nil || wrong.Reason != wallet.ReasonPassphrase || wrong.Bytes != nil {
		t.Errorf("a wrong passphrase: %+v, %v", wrong, err)
	}
	var usage *usageError
	if _, err := ask("rubbish"); !errors.As(err, &usage) || !strings.Contains(err.Error(), "for the program itself") {
		t.Errorf("rubbish: %v", err)
	}
}
