package wallet

import (
	"fmt"

	"filippo.io/age"
	"github.com/trustelem/zxcvbn"
)

const (
	// DefaultWork is the base-2 logarithm of scrypt's cost: about a second and 256 MiB for each guess.
	DefaultWork = 18
	// MinWork is the least for a new wallet: 128 MiB for each guess, which OWASP's Password Storage Cheat Sheet asks of
	// scrypt with one lane.
	MinWork = 17
	// MaxWork bounds the cost that a file from elsewhere can cause: 1 GiB.
	MaxWork = 20

	// minScore is zxcvbn's score of a passphrase that takes more than 10^8 guesses: at the default work years of one
	// machine. The scale ends at 4.
	minScore = 3
	// maxEstimated bounds the characters that are estimated: the estimator's time grows with their cube, and characters
	// behind them make a passphrase no weaker.
	maxEstimated = 100
)

// CheckPassphrase refuses a new passphrase that falls to a search through words, names, dates and rows of keys.
func CheckPassphrase(passphrase string) error {
	estimated := []rune(passphrase)
	estimated = estimated[:min(len(estimated), maxEstimated)]
	score := zxcvbn.PasswordStrength(string(estimated), []string{"lockstep", "wallet", "passphrase"}).Score
	if score < minScore {
		return refuse(ReasonPassphrase, "the passphrase is too easy to guess (strength %d of 4, at least %d is needed): "+
			"take several words that don't belong together, such as you find by opening a book four times", score, minScore)
	}
	return nil
}

// newRecipient encrypts under a passphrase. The caller has checked a new one.
func newRecipient(passphrase string, work int) (*age.ScryptRecipient, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("prepare the passphrase: %w", err)
	}
	recipient.SetWorkFactor(work)
	return recipient, nil
}

// checkWork refuses a work factor out of bounds. The bound below is for wallets that guard something.
func checkWork(work int, quick bool) error {
	least := MinWork
	if quick {
		least = 1
	}
	if work < least || work > MaxWork {
		return refuse(ReasonPassphrase, "the work factor %d is not between %d and %d: the default of %d suits nearly everybody",
			work, least, MaxWork, DefaultWork)
	}
	return nil
}
