package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"lockstep/wallet"
)

// scryptChild is a cipher in a process of its own, which ends at once. A program that runs for years on a small box never takes the hundreds of
// megabytes of scrypt itself. All secrets go through pipes.
type scryptChild struct{}

// scryptRequest is the input of the process: a file to decrypt, or a content to encrypt with some work.
type scryptRequest struct {
	File       []byte `json:"file,omitempty"`
	Plain      []byte `json:"plain,omitempty"`
	Passphrase string `json:"passphrase"`
	Work       int    `json:"work,omitempty"`
}

// scryptAnswer is its output.
type scryptAnswer struct {
	Bytes  []byte        `json:"bytes,omitempty"`
	Reason wallet.Reason `json:"reason,omitempty"`
	Error  string        `json:"error,omitempty"`
}

// Decrypt implements [wallet.Cipher].
func (scryptChild) Decrypt(file []byte, passphrase string) ([]byte, error) {
	return askScrypt(&scryptRequest{File: file, Passphrase: passphrase})
}

// Encrypt implements [wallet.Cipher].
func (scryptChild) Encrypt(plain []byte, passphrase string, work int) ([]byte, error) {
	return askScrypt(&scryptRequest{Plain: plain, Passphrase: passphrase, Work: work})
}

func askScrypt(request *scryptRequest) ([]byte, error) {
	input, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	defer clear(input)
	program, err := os.Executable()
	if err != nil {
		return request.answer()
	}
	command := exec.Command(program, "scrypt")
	apart(command)
	var output bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &output, os.Stderr
	if err := command.Start(); err != nil { // the program's file was replaced, by an upgrade
		return request.answer()
	}
	if err := command.Wait(); err != nil {
		return nil, fmt.Errorf("the process that opens the wallet file failed (it needs up to 1 GiB for a second): %w", err)
	}
	defer func() { clear(output.Bytes()) }()
	var answer scryptAnswer
	if err := json.Unmarshal(output.Bytes(), &answer); err != nil {
		return nil, errors.New("the process that opens the wallet file gave no answer")
	}
	switch {
	case answer.Reason != "":
		return nil, &wallet.Error{Reason: answer.Reason, Detail: answer.Error}
	case answer.Error != "":
		return nil, errors.New(answer.Error)
	}
	return answer.Bytes, nil
}

// answer does the work in this process.
func (r *scryptRequest) answer() ([]byte, error) {
	if r.File != nil {
		return wallet.Scrypt{}.Decrypt(r.File, r.Passphrase)
	}
	return wallet.Scrypt{}.Encrypt(r.Plain, r.Passphrase, r.Work)
}

// maxScryptRequest bounds the input: a wallet file has at most a megabyte.
const maxScryptRequest = 4 << 20

// scryptCmd is the process of a [scryptChild].
type scryptCmd struct{}

// Run answers one request of the standard input.
func (*scryptCmd) Run(a *app) error {
	var request scryptRequest
	if err := json.NewDecoder(io.LimitReader(a.in, maxScryptRequest)).Decode(&request); err != nil {
		return misuse("this command is for the program itself: it reads a request from its standard input")
	}
	var answer scryptAnswer
	var err error
	if answer.Bytes, err = request.answer(); err != nil {
		answer.Error, answer.Reason = err.Error(), wallet.ReasonOf(err)
	}
	return json.NewEncoder(a.out).Encode(answer)
}
