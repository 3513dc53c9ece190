package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"

	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/wallet"
)

// quickWork, when a build of the tests sets it, allows wallets whose passphrase costs little to try. No other build does.
var quickWork = "" //nolint:gochecknoglobals // set by the linker of a test build alone

// terminal returns the file behind a stream, if that is a terminal.
func terminal(stream any) (*os.File, bool) {
	if clean, ok := stream.(*cleanWriter); ok {
		stream = clean.to
	}
	file, ok := stream.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// readSecret reads a small file that holds a secret, and refuses a file that others can read.
func readSecret(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	mode := info.Mode()
	if (mode.IsRegular() || mode&fs.ModeNamedPipe != 0) && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" && !plaintext.IsCredential(path) {
		return nil, &wallet.Error{Reason: wallet.ReasonPermissions, Detail: fmt.Sprintf(
			"others on this machine may read %s (mode %04o): run chmod 600 %s, and change the secret if they may have", path, mode.Perm(), path)}
	}
	return plaintext.Read(file, path, most)
}

// writeSecret creates a file that no one else can read. It never overwrites a file, which may be open to others.
func writeSecret(path string, content []byte) error {
	err := atomicfile.Create(path, content)
	if errors.Is(err, fs.ErrExist) {
		return &wallet.Error{Reason: wallet.ReasonExists, Detail: fmt.Sprintf(
			"there is a file at %s already, and a secret is never written over one: choose another name or move it away", path)}
	}
	return err
}

// createFile creates a file of the user's, and writes over none.
func createFile(path string, content []byte) error {
	err := atomicfile.Create(path, content)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there is a file at %s already, and it is never written over: choose another name or move it away", path)
	}
	return err
}

// wordsOut is the destination of a new wallet's words: the terminal, or a file that no one else can read.
type wordsOut struct {
	WordsFile string `help:"Write the 24 words to this new file (mode 0600) instead of the terminal." type:"path" placeholder:"FILE"`
}

// check refuses a destination where others could find the words, before there are any.
func (o *wordsOut) check(a *app) error {
	if o.WordsFile != "" {
		if _, err := os.Lstat(o.WordsFile); err == nil {
			return writeSecret(o.WordsFile, nil) // refuses
		}
		return nil
	}
	if _, shown := terminal(a.out); shown && !a.JSON {
		return nil
	}
	return &wallet.Error{Reason: wallet.ReasonConsent, Detail: "the 24 words are the wallet, and standard output is not a terminal: " +
		"name a new file for them, which only you can read, with --words-file FILE"}
}

// write writes the words to their destination.
func (o *wordsOut) write(a *app, words string) error {
	if o.WordsFile != "" {
		return writeSecret(o.WordsFile, []byte(wallet.WordTable(words)))
	}
	_, err := fmt.Fprintf(a.out, "Write these words down and keep them where nobody else can read them. They are the wallet:\n"+
		"with them and any node everything comes back, without them and without the file nothing does.\n\n%s\n", wallet.WordTable(words))
	return err
}

// readWords reads the words of a wallet from a file that no one else can read, or from standard input.
func (a *app) readWords(path string) (string, error) {
	if path != "" {
		words, err := readSecret(path, maxWords)
		return string(words), err
	}
	if _, typed := terminal(a.in); typed {
		fmt.Fprintln(a.err, "Type the 24 words, then Enter and Ctrl-D:")
	}
	words, err := plaintext.Read(a.in, standardInput, maxWords)
	return string(words), err
}

// maxWords bounds a file or a pipe that should hold 24 words.
const maxWords = 16 << 10

// passphraseFile reads a passphrase from a file that no one else can read: its text without the end of the line.
func passphraseFile(path string) (string, error) {
	content, err := readSecret(path, maxPassphrase)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// maxPassphrase bounds a file that should hold a passphrase.
const maxPassphrase = 16 << 10
