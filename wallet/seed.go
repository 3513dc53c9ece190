package wallet

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"

	bip39 "github.com/cosmos/go-bip39"
	"golang.org/x/text/unicode/norm"
)

// Seed is the source of all keys and secrets of a wallet: 24 words by BIP-39 with an optional extra passphrase.
// It is never printed; [Seed.Words] is the one way to see it.
type Seed struct {
	entropy [entropyBytes]byte
	extra   string
	master  []byte // the BIP-39 seed of both; nil once wiped
}

const (
	// WordCount is the number of words of a seed: 256 bits of entropy and 8 of checksum.
	WordCount = 24

	entropyBytes = 32
	masterBytes  = 64
	bip39Rounds  = 2048
	maxExtra     = 1024
)

// NewSeed draws a new seed. The extra passphrase may be empty; with it the words alone restore nothing.
func NewSeed(random io.Reader, extra string) (*Seed, error) {
	var entropy [entropyBytes]byte
	if _, err := io.ReadFull(random, entropy[:]); err != nil {
		return nil, fmt.Errorf("draw a new seed: %w", err)
	}
	return seedOf(entropy, extra)
}

// ParseWords restores a seed from its words, in any of the layouts that people write them in: see [splitWords]. An error
// tells the place of a wrong word but doesn't quote it: it may be most of a right one.
func ParseWords(words, extra string) (*Seed, error) {
	list, err := splitWords(words)
	if err != nil {
		return nil, err
	}
	for i, word := range list {
		if _, known := bip39.ReverseWordMap[word]; !known {
			return nil, refuse(ReasonWords, "word %d is not in the English BIP-39 list: compare it with what was written down", i+1)
		}
	}
	if len(list) != WordCount {
		return nil, refuse(ReasonWords, "there are %d words, a seed has %d", len(list), WordCount)
	}
	summed, err := bip39.MnemonicToByteArray(strings.Join(list, " "))
	if err != nil {
		return nil, refuse(ReasonWords, "every word is in the list but their checksum is wrong: "+
			"a word is mistaken for another, or two are swapped")
	}
	return seedOf([entropyBytes]byte(summed[:entropyBytes]), extra)
}

func seedOf(entropy [entropyBytes]byte, extra string) (*Seed, error) {
	if len(extra) > maxExtra || !utf8.ValidString(extra) {
		return nil, refuse(ReasonWords, "the extra passphrase is not valid UTF-8 or has more than %d bytes", maxExtra)
	}
	seed := &Seed{entropy: entropy, extra: norm.NFKD.String(extra)}
	master, err := pbkdf2.Key(sha512.New, seed.Words(), []byte("mnemonic"+seed.extra), bip39Rounds, masterBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the seed: %w", err)
	}
	seed.master = master
	return seed, nil
}

// Words returns the 24 words to write down. They are the wallet: anyone who reads them owns it.
func (s *Seed) Words() string {
	words, err := bip39.NewMnemonic(s.entropy[:])
	if err != nil {
		panic("wallet: 32 bytes always make words: " + err.Error())
	}
	return words
}

// Wipe overwrites the seed as far as the language allows (the extra passphrase is a string and stays until collected).
// To use it afterwards is a mistake in the program and panics.
func (s *Seed) Wipe() {
	clear(s.master)
	*s = Seed{}
}

func (s *Seed) bytes() []byte {
	if s.master == nil {
		panic("wallet: the seed was wiped")
	}
	return s.master
}

const hidden = "(seed)"

// Format hides the seed with every verb.
func (s *Seed) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the seed in logs.
func (s *Seed) LogValue() slog.Value { return slog.StringValue(hidden) }
