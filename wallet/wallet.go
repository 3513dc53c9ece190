package wallet

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"lockstep/types"
)

// Wallet is a seed with its accounts and limits, kept in an encrypted file. It is safe for concurrent use, but one file
// should be changed by one program at a time.
type Wallet struct {
	path string

	mu         sync.Mutex
	cipher     Cipher
	passphrase string // encrypts the file again when a setting changes
	work       int
	seed       *Seed
	infos      []AccountInfo
	limits     Limits
	assets     []TrustedAsset
	ledger     []PinnedLedger // one at most
	headers    []PinnedHeader // one at most
	signed     []SignedProposal
	names      []Named
	accounts   map[uint32]*Account
}

// AccountInfo is an account of a wallet as its file lists it. The name is the user's own and never leaves the file.
type AccountInfo struct {
	Index uint32
	Name  string
}

// Options change how a wallet is created or restored. The zero value is right for nearly everybody.
type Options struct {
	// Extra is a passphrase that belongs to the words, by BIP-39: without it they restore another, empty wallet.
	Extra string
	// Work is the base-2 logarithm of scrypt's cost, from [MinWork] to [MaxWork]; zero means [DefaultWork].
	Work int
	// Quick also allows less work than [MinWork]: for tests, whose wallets guard nothing.
	Quick bool
}

// Create makes a wallet with a new seed in a new file. Its words, [Wallet.Words], are to be written down at once.
func Create(path, passphrase string, options Options) (*Wallet, error) {
	seed, err := NewSeed(rand.Reader, options.Extra)
	if err != nil {
		return nil, err
	}
	return create(path, passphrase, seed, options)
}

// Restore makes a new file for the wallet of these words. For accounts beyond the first see [Wallet.AddAccounts].
func Restore(path, words, passphrase string, options Options) (*Wallet, error) {
	seed, err := ParseWords(words, options.Extra)
	if err != nil {
		return nil, err
	}
	return create(path, passphrase, seed, options)
}

func create(path, passphrase string, seed *Seed, options Options) (*Wallet, error) {
	work := cmp.Or(options.Work, DefaultWork)
	if err := errors.Join(CheckPassphrase(passphrase), checkWork(work, options.Quick)); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, refuseExisting(path) // before the second that encryption takes
	}
	w := &Wallet{
		path: path, cipher: Scrypt{}, passphrase: passphrase, work: work, seed: seed,
		infos: []AccountInfo{{Name: "main"}}, limits: DefaultLimits(), accounts: map[uint32]*Account{},
	}
	if err := w.write(false); err != nil {
		return nil, err
	}
	return w, nil
}

// Open reads a wallet file.
func Open(path, passphrase string) (*Wallet, error) { return OpenBy(Scrypt{}, path, passphrase) }

// OpenBy reads a wallet file by a cipher of the caller, which also writes it.
func OpenBy(cipher Cipher, path, passphrase string) (*Wallet, error) {
	file, err := readFile(path)
	if err != nil {
		return nil, err
	}
	plain, err := cipher.Decrypt(file, passphrase)
	if err != nil {
		return nil, err
	}
	c, err := readContent(plain)
	if err != nil {
		return nil, err
	}
	seed, err := seedOf(c.Entropy, c.Extra)
	if err != nil {
		return nil, err
	}
	return &Wallet{
		path: path, cipher: cipher, passphrase: passphrase, work: int(c.Work), seed: seed,
		infos: c.Accounts, limits: c.Limits.limits(), assets: c.Assets, ledger: c.Ledger, signed: signedOf(c.Signed), names: c.Names, headers: c.Headers, accounts: map[uint32]*Account{},
	}, nil
}

// write stores the wallet as it is now. The caller holds the lock or has the only reference.
func (w *Wallet) write(replace bool) error {
	plain := types.Encode(&content{
		Mark: walletMark, Entropy: w.seed.entropy, Extra: w.seed.extra, Work: uint8(w.work),
		Accounts: w.infos, Limits: storeLimits(w.limits), Assets: w.assets, Ledger: w.ledger, Signed: storeSigned(w.signed), Names: w.names, Headers: w.headers,
	})
	defer clear(plain)
	file, err := w.cipher.Encrypt(plain, w.passphrase, w.work)
	if err != nil {
		return err
	}
	return writeFile(w.path, file, replace)
}

// Words are the 24 words that restore the wallet, together with the extra passphrase if there is one.
func (w *Wallet) Words() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seed.Words()
}

// HasExtra reports whether the words need an extra passphrase to restore the wallet.
func (w *Wallet) HasExtra() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seed.extra != ""
}

// Accounts lists the wallet's accounts.
func (w *Wallet) Accounts() []AccountInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.infos)
}

// Account returns one of the wallet's accounts, always the same value for an index.
func (w *Wallet) Account(index uint32) (*Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.infos, func(info AccountInfo) bool { return info.Index == index }) {
		return nil, refuse(ReasonAccount, "the wallet has no account %d: add it first", index)
	}
	return w.account(index)
}

func (w *Wallet) account(index uint32) (*Account, error) {
	if account, ok := w.accounts[index]; ok {
		return account, nil
	}
	account, err := w.seed.Account(index, w.limits)
	if err != nil {
		return nil, err
	}
	account.remember = w.remember
	w.accounts[index] = account
	return account, nil
}

// AddAccount adds the account of the lowest index that the wallet doesn't have, and stores it.
func (w *Wallet) AddAccount(name string) (*Account, error) {
	if err := types.CheckText("name", name, maxAccountName); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.infos) >= maxAccounts {
		return nil, refuse(ReasonAccount, "the wallet has %d accounts, which is the most it can have", len(w.infos))
	}
	var index uint32
	for slices.ContainsFunc(w.infos, func(info AccountInfo) bool { return info.Index == index }) {
		index++
	}
	before := w.infos
	w.infos = append(slices.Clone(before), AccountInfo{Index: index, Name: name})
	if err := w.write(true); err != nil {
		w.infos = before
		return nil, err
	}
	return w.account(index)
}

// AddAccounts adds the accounts of given indexes that the wallet doesn't have, without names, and stores them.
func (w *Wallet) AddAccounts(indexes []uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.infos
	infos := slices.Clone(before)
	for _, index := range indexes {
		if !slices.ContainsFunc(infos, func(info AccountInfo) bool { return info.Index == index }) {
			infos = append(infos, AccountInfo{Index: index})
		}
	}
	switch {
	case len(infos) == len(before):
		return nil
	case len(infos) > maxAccounts:
		return refuse(ReasonAccount, "the wallet would have %d accounts, it can have %d", len(infos), maxAccounts)
	}
	w.infos = infos
	if err := w.write(true); err != nil {
		w.infos = before
		return err
	}
	return nil
}

// KeyAt is the public key of the account of an index, whether the wallet has it or not.
func (w *Wallet) KeyAt(index uint32) (types.PublicKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	account, err := w.seed.Account(index, w.limits)
	if err != nil {
		return types.PublicKey{}, err
	}
	return account.key, nil
}

// Limits returns the limits within which the wallet signs.
func (w *Wallet) Limits() Limits {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limits
}

// SetLimits changes and stores the limits within which the wallet signs. Accounts in use keep their limits.
func (w *Wallet) SetLimits(limits Limits) error {
	if most := max(len(limits.Losses), len(limits.Fees)); most > maxLosses {
		return refuse(ReasonLimit, "limits for %d assets are more than %d", most, maxLosses)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.limits
	w.limits = limits
	if err := w.write(true); err != nil {
		w.limits = before
		return err
	}
	return nil
}

// ChangePassphrase encrypts the file with another passphrase. Copies made before still open with the old one.
func (w *Wallet) ChangePassphrase(passphrase string) error {
	if err := CheckPassphrase(passphrase); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.passphrase
	w.passphrase = passphrase
	if err := w.write(true); err != nil {
		w.passphrase = before
		return err
	}
	return nil
}

// Close wipes the seed and the keys derived from it, as far as the language allows. The wallet and its accounts can't be
// used afterwards.
func (w *Wallet) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, account := range w.accounts {
		clear(account.private)
	}
	w.seed.Wipe()
}

// Format shows where the wallet is and which keys it has in use, with every verb.
func (w *Wallet) Format(f fmt.State, _ rune) { io.WriteString(f, w.describe()) }

// LogValue shows the text of Format.
func (w *Wallet) LogValue() slog.Value { return slog.StringValue(w.describe()) }

func (w *Wallet) describe() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, info := range w.infos {
		names = append(names, fmt.Sprintf("%d %q", info.Index, info.Name))
	}
	return "wallet " + w.path + " (accounts " + strings.Join(names, ", ") + ")"
}
