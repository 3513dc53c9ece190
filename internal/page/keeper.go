package page

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"

	"lockstep/client"
	"lockstep/internal/light"
	"lockstep/types"
	"lockstep/wallet"
)

// keeper holds the wallet of the member while it is unlocked.
type keeper struct {
	Member
	node *client.Client

	opening sync.Mutex // each check of a passphrase takes a quarter of a gigabyte: one at a time

	mu      sync.Mutex
	wallet  *wallet.Wallet
	account *client.Account
	fresh   *freshWallet  // that is being made, see start.go
	checks  *light.Client // of the ledger below, see proof.go
	checked wallet.PinnedLedger
}

// practising reports whether the page asks the practice ledger, which binds no wallet.
func (k *keeper) practising() bool { return k.Ledgers != nil && k.Ledgers.Practising() }

// moved forgets the account on the ledger that was asked before.
func (k *keeper) moved() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.account, k.checks = nil, nil
}

// exists reports whether there is a wallet.
func (k *keeper) exists() bool {
	_, err := os.Lstat(k.File)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// unlocked returns the wallet; nil while it is locked.
func (k *keeper) unlocked() *wallet.Wallet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wallet == nil && k.Unlocked != nil {
		k.wallet, k.Unlocked = k.Unlocked, nil
	}
	return k.wallet
}

// errBusy is the error of a sign-in while another one is being checked.
var errBusy = errors.New("busy")

// unlock opens the wallet with its passphrase, also to check the passphrase while the wallet is open.
func (k *keeper) unlock(passphrase string) error {
	if !k.opening.TryLock() {
		return errBusy
	}
	defer k.opening.Unlock()
	opened, err := wallet.Open(k.File, passphrase)
	if err != nil {
		return err
	}
	if k.unlocked() != nil {
		opened.Close()
		return nil
	}
	k.adopt(opened)
	return nil
}

// adopt takes an open wallet.
func (k *keeper) adopt(opened *wallet.Wallet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wallet, k.account, k.checks = opened, nil, nil
}

// lock closes the wallet.
func (k *keeper) lock() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, opened := range []*wallet.Wallet{k.wallet, k.Unlocked} {
		if opened != nil {
			opened.Close()
		}
	}
	k.wallet, k.account, k.Unlocked, k.checks = nil, nil, nil, nil
}

// key is the public key of the member; zero while the wallet is locked.
func (k *keeper) key() (key types.PublicKey) {
	if opened := k.unlocked(); opened != nil {
		if account, err := opened.Account(k.Account); err == nil {
			key = account.Key()
		}
	}
	return key
}

// acting returns the account with which the member acts on the ledger of the node. A wallet that was not used before is bound to it; a
// wallet that is used on another ledger refuses.
func (k *keeper) acting(ctx context.Context) (*client.Account, error) {
	opened := k.unlocked()
	if opened == nil {
		return nil, &wallet.Error{Reason: wallet.ReasonPassphrase, Detail: "the wallet is locked: sign in first"}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.account != nil {
		return k.account, nil
	}
	account, err := opened.Account(k.Account)
	if err != nil {
		return nil, err
	}
	acting, err := k.node.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	if k.practising() {
		k.account = acting
		return acting, nil
	}
	if _, used := opened.Ledger(); !used {
		if err := opened.SetLedger(acting.Ledger()); err != nil {
			return nil, err
		}
	}
	if err := opened.CheckLedger(acting.Ledger()); err != nil {
		return nil, err
	}
	k.account = acting
	return acting, nil
}
