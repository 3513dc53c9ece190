package wallet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"

	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// The wallet file is an age file for one passphrase (age-encryption.org/v1, scrypt); within it stands a content in the
// canonical encoding.
const (
	ageHeader    = "age-encryption.org/v1\n"
	walletMark   = "lockstep wallet v4"
	walletMarkV3 = "lockstep wallet v3"
	walletMarkV2 = "lockstep wallet v2"
	walletMarkV1 = "lockstep wallet v1"

	maxFileBytes   = 1 << 20
	maxAccounts    = 1024
	maxAccountName = 64
)

// content is all that a wallet file holds.
type content struct {
	Mark     string
	Entropy  [entropyBytes]byte
	Extra    string
	Work     uint8
	Accounts []AccountInfo
	Limits   storedLimits
	Assets   []TrustedAsset
	Ledger   []PinnedLedger // one at most
	Signed   []storedSignature
	Names    []Named
	Headers  []PinnedHeader // one at most
}

// contentV3 is the content of files from before wallets kept a trusted header: all but that.
type contentV3 content

// contentV2 is the content of files from before wallets had a book of names: all but that and later parts.
type contentV2 content

// contentV1 is the content of files from before wallets knew assets and ledgers.
type contentV1 struct {
	Mark     string
	Entropy  [entropyBytes]byte
	Extra    string
	Work     uint8
	Accounts []AccountInfo
	Limits   limitsV1
}

type limitsV1 struct {
	Losses     []LossLimit
	MinBond    Share
	NoBond     uint8
	MaxDeposit Share
}

// decodeContent reads the content of a file of any version.
func decodeContent(plain []byte) (*content, error) {
	var c content
	if err := types.Decode(plain, &c); err == nil && c.Mark == walletMark {
		return &c, nil
	}
	var v3 contentV3
	if err := types.Decode(plain, &v3); err == nil && v3.Mark == walletMarkV3 {
		v3.Mark = walletMark
		return (*content)(&v3), nil
	}
	var v2 contentV2
	if err := types.Decode(plain, &v2); err == nil && v2.Mark == walletMarkV2 {
		v2.Mark = walletMark
		return (*content)(&v2), nil
	}
	var old contentV1
	if err := types.Decode(plain, &old); err != nil || old.Mark != walletMarkV1 {
		return nil, refuse(ReasonNotWallet, "it opens with the passphrase but holds no wallet of a version that this program knows")
	}
	return &content{
		Mark: walletMark, Entropy: old.Entropy, Extra: old.Extra, Work: old.Work, Accounts: old.Accounts,
		Limits: storedLimits{
			Losses: old.Limits.Losses, MinBond: old.Limits.MinBond, NoBond: old.Limits.NoBond, MaxDeposit: old.Limits.MaxDeposit,
		},
	}, nil
}

// storedLimits are [Limits] in the canonical encoding, which has no truth values.
type storedLimits struct {
	Losses     []LossLimit
	MinBond    Share
	NoBond     uint8 // 1: allowed
	MaxDeposit Share
	Fees       []FeeLimit
}

func storeLimits(l Limits) storedLimits {
	stored := storedLimits{Losses: l.Losses, MinBond: l.MinBond, MaxDeposit: l.MaxDeposit, Fees: l.Fees}
	if l.AllowNoBond {
		stored.NoBond = 1
	}
	return stored
}

func (l *storedLimits) limits() Limits {
	return Limits{Losses: l.Losses, MinBond: l.MinBond, AllowNoBond: l.NoBond == 1, MaxDeposit: l.MaxDeposit, Fees: l.Fees}
}

func (c *content) check() error {
	switch {
	case len(c.Accounts) == 0 || len(c.Accounts) > maxAccounts || len(c.Limits.Losses) > maxLosses || len(c.Limits.Fees) > maxLosses ||
		len(c.Assets) > maxTrusted || len(c.Ledger) > 1 || len(c.Headers) > 1 || len(c.Signed) > maxSigned || len(c.Names) > maxNames || c.Work < 1 || c.Work > MaxWork:
		return refuse(ReasonDamaged, "its content is out of bounds: restore the wallet from its words")
	}
	for i, account := range c.Accounts {
		if types.CheckText("name", account.Name, maxAccountName) != nil || account.Index > MaxAccount ||
			slices.ContainsFunc(c.Accounts[:i], func(other AccountInfo) bool { return other.Index == account.Index }) {
			return refuse(ReasonDamaged, "its account %d is out of bounds: restore the wallet from its words", i)
		}
	}
	for i := range c.Assets {
		if checkTrusted(c.Assets[:i], &c.Assets[i]) != nil {
			return refuse(ReasonDamaged, "its asset %d is out of bounds: restore the wallet from its words", i)
		}
	}
	for i := range c.Names {
		if checkNamed(c.Names[:i], &c.Names[i]) != nil {
			return refuse(ReasonDamaged, "its name %d is out of bounds: restore the wallet from its words", i)
		}
	}
	return nil
}

// decrypt reads the content of a file. It never panics, for any bytes.
func decrypt(file []byte, passphrase string, maxWork int) (*content, error) {
	plain, err := openAge(file, passphrase, maxWork)
	if err != nil {
		return nil, err
	}
	return readContent(plain)
}

// readContent decodes and checks a decrypted content, and clears it.
func readContent(plain []byte) (*content, error) {
	defer clear(plain)
	c, err := decodeContent(plain)
	if err != nil {
		return nil, err
	}
	return c, c.check()
}

// CheckFile reports whether a file is there that can be a wallet, which needs no passphrase to tell.
func CheckFile(path string) error {
	_, err := readFile(path)
	return err
}

// readFile reads a wallet file that no one else can read.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(ReasonMissing, "there is no wallet at %s: name another file by --wallet, or make one: lockstep wallet new, or lockstep wallet restore", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the wallet: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the wallet: %w", err)
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return nil, refuse(ReasonNotWallet, "%s is a folder: name the wallet's file in it", path)
	case !mode.IsRegular():
		return nil, refuse(ReasonNotWallet, "%s is not a file", path)
	case mode.Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return nil, refuse(ReasonPermissions, "others may read the wallet file (mode %04o): run chmod 600 %s", mode.Perm(), path)
	}
	file, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the wallet: %w", err)
	}
	return file, nil
}

// writeFile puts a wallet file in its place, whole or not at all. With replace unset it never overwrites another.
func writeFile(path string, file []byte, replace bool) error {
	put := atomicfile.Create
	if replace {
		put = atomicfile.Replace
	}
	err := put(path, file)
	if !replace && errors.Is(err, fs.ErrExist) {
		return refuseExisting(path)
	}
	if err != nil {
		return fmt.Errorf("write the wallet: %w", err)
	}
	return nil
}

func refuseExisting(path string) error {
	return refuse(ReasonExists, "there is a file at %s already, and a wallet is never overwritten: choose another place or move it away", path)
}
