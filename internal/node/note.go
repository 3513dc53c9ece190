package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
)

// noteFile has the key by which the node signs checkpoints of the log of outcomes, in two lines: the signer's and the verifier's (C2SP signed-note).
const noteFile = "note.key"

// signCheckpoints loads the key of the checkpoints, or makes it. Its name, the origin of the log, names the ledger.
func (n *Node) signCheckpoints() error {
	genesis := n.chain.Status().Genesis.String()
	origin := logOrigin(n.store.Params().ChainID, genesis)
	signer, key, err := loadNoteKey(n.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeNoteKey(n.dir, origin); err == nil {
			signer, key, err = loadNoteKey(n.dir)
		}
	}
	if err != nil {
		return err
	}
	if signer.Name() != origin {
		return fmt.Errorf("%s is the key of the log %q, this node's is %q: remove it, and the start makes a new one", filepath.Join(n.dir, noteFile), signer.Name(), origin)
	}
	n.ledger.SignCheckpoints(signer, key)
	return nil
}

// logOrigin names the log of a ledger. The name of a key has no blank and no plus (C2SP signed-note), as the name of a ledger may.
func logOrigin(chainID, genesis string) string {
	return "lockstep/" + strings.ReplaceAll(url.PathEscape(chainID), "+", "%2B") + "/" + genesis[:16]
}

func makeNoteKey(dir, origin string) error {
	signer, verifier, err := note.GenerateKey(rand.Reader, origin)
	if err == nil {
		err = atomicfile.Create(filepath.Join(dir, noteFile), []byte(signer+"\n"+verifier+"\n"))
	}
	if err != nil {
		return fmt.Errorf("make the key of the checkpoints: %w", err)
	}
	return nil
}

// loadNoteKey reads the key of the checkpoints. It returns the signer and the verifier's key.
func loadNoteKey(dir string) (signer note.Signer, verifierKey string, err error) {
	file := filepath.Join(dir, noteFile)
	text, err := plaintext.ReadFile(file, maxFile)
	if err != nil {
		return nil, "", fmt.Errorf("read the key of the checkpoints: %w", err)
	}
	first, second, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	verifierKey = strings.TrimSpace(second)
	signer, err = note.NewSigner(strings.TrimSpace(first))
	if err != nil {
		return nil, "", fmt.Errorf("%s does not hold a key for checkpoints; restore it, or remove it and tell those who follow the log the new key", file)
	}
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil || verifier.KeyHash() != signer.KeyHash() || verifier.Name() != signer.Name() {
		return nil, "", fmt.Errorf("%s is damaged: its two keys do not belong together; restore it, or remove it and tell those who follow the log the new key", file)
	}
	return signer, verifierKey, nil
}
