package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/types/strict"
)

// Token is a named token as the file keeps it.
type Token struct {
	Name    string     `json:"name"`
	SHA256  types.Hash `json:"sha256"` // of the token's text
	Made    types.Time `json:"made"`
	Expires types.Time `json:"expires,omitzero"` // zero: never
	Rate    int        `json:"rate,omitzero"`    // transactions a second, 0: unlimited
}

// MaxTokens bounds the tokens of a node.
const MaxTokens = 10_000

const (
	maxFile = 4 << 20
	maxName = 64
	maxRate = 1_000_000
)

// CheckName refuses a name that a list or a log can't show.
func CheckName(name string) error {
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	if name == "" || len(name) > maxName || strings.IndexFunc(name, bad) >= 0 {
		return fmt.Errorf("%.80q can't name a token: write 1 to %d letters, digits, dots, dashes or underscores", name, maxName)
	}
	return nil
}

func (t *Token) check() error {
	if err := CheckName(t.Name); err != nil {
		return err
	}
	if t.Rate < 0 || t.Rate > maxRate {
		return fmt.Errorf("token %s: a rate of %d transactions a second is not from 0 to %d", t.Name, t.Rate, maxRate)
	}
	return nil
}

// hashOf returns the hash of a token's text, by which the file keeps it. 256 random bits need no slow hash.
func hashOf(secret string) types.Hash { return sha256.Sum256([]byte(secret)) }

// List reads the tokens of a file, by name. A missing file has none.
func List(file string) ([]Token, error) {
	text, err := plaintext.ReadFile(file, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the access tokens: %w", err)
	}
	var content struct {
		Tokens []Token `json:"tokens"`
	}
	if err := strict.Unmarshal(text, &content); err != nil {
		return nil, fmt.Errorf("access tokens %s: %w", file, err)
	}
	if len(content.Tokens) > MaxTokens {
		return nil, fmt.Errorf("access tokens %s: there are %d, at most %d are allowed", file, len(content.Tokens), MaxTokens)
	}
	names := map[string]bool{}
	for i := range content.Tokens {
		token := &content.Tokens[i]
		if err := token.check(); err != nil {
			return nil, fmt.Errorf("access tokens %s: %w", file, err)
		}
		if names[token.Name] {
			return nil, fmt.Errorf("access tokens %s: the name %s comes twice", file, token.Name)
		}
		names[token.Name] = true
	}
	slices.SortFunc(content.Tokens, func(a, b Token) int { return strings.Compare(a.Name, b.Name) })
	return content.Tokens, nil
}

// NameError is the error of a name that is taken, or that no token has.
type NameError struct{ text string }

func (e *NameError) Error() string { return e.text }

// Add makes a token and returns its text, which is kept nowhere. The hash of the new token comes from here; the caller sets the rest.
func Add(file string, token Token) (secret string, err error) {
	if err := token.check(); err != nil {
		return "", err
	}
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	secret = hex.EncodeToString(random[:])
	token.SHA256 = hashOf(secret)
	return secret, edit(file, func(tokens []Token) ([]Token, error) {
		if at(tokens, token.Name) >= 0 {
			return nil, &NameError{fmt.Sprintf("there is a token %s already: revoke it first, or choose another name", token.Name)}
		}
		if len(tokens) == MaxTokens {
			return nil, fmt.Errorf("there are %d tokens, which is the most: revoke some", MaxTokens)
		}
		return append(tokens, token), nil
	})
}

// Revoke removes a token.
func Revoke(file, name string) error {
	return edit(file, func(tokens []Token) ([]Token, error) {
		i := at(tokens, name)
		if i < 0 {
			return nil, &NameError{fmt.Sprintf("no token has the name %.80q", name)}
		}
		return slices.Delete(tokens, i, i+1), nil
	})
}

func at(tokens []Token, name string) int {
	return slices.IndexFunc(tokens, func(t Token) bool { return t.Name == name })
}

// edit changes the file. A lock keeps two programs from losing each other's change; the system frees it when a program dies.
func edit(file string, change func([]Token) ([]Token, error)) error {
	locked, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the access tokens: %w", err)
	}
	defer locked.Close()
	if err := lock(locked); err != nil {
		return fmt.Errorf("lock the access tokens: %w", err)
	}
	tokens, err := List(file)
	if err != nil {
		return err
	}
	if tokens, err = change(tokens); err != nil {
		return err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string][]Token{"tokens": tokens}); err != nil {
		return fmt.Errorf("write the access tokens: %w", err)
	}
	if err := atomicfile.Replace(file, text.Bytes()); err != nil {
		return fmt.Errorf("write the access tokens: %w", err)
	}
	return nil
}
