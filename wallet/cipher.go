package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
)

// Cipher encrypts and decrypts wallet files. [Scrypt] does it in this process, which takes hundreds of megabytes for a second; another one
// can do it in a process that ends.
type Cipher interface {
	Decrypt(file []byte, passphrase string) (plain []byte, err error)
	Encrypt(plain []byte, passphrase string, work int) (file []byte, err error)
}

// Scrypt is the cipher of wallet files.
type Scrypt struct{}

// Encrypt makes a file under a passphrase.
func (Scrypt) Encrypt(plain []byte, passphrase string, work int) ([]byte, error) {
	recipient, err := newRecipient(passphrase, work)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	w, err := age.Encrypt(&file, recipient)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encrypt the wallet: %w", err)
	}
	return file.Bytes(), nil
}

// Decrypt is the inverse of Encrypt. It never panics, for any bytes.
func (Scrypt) Decrypt(file []byte, passphrase string) ([]byte, error) {
	return openAge(file, passphrase, MaxWork)
}

func openAge(file []byte, passphrase string, maxWork int) ([]byte, error) {
	if len(file) > maxFileBytes || !bytes.HasPrefix(file, []byte(ageHeader)) {
		return nil, refuse(ReasonNotWallet, "it is not a wallet file: look for the one that was made when the wallet was created")
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, refuse(ReasonPassphrase, "the passphrase is empty")
	}
	identity.SetMaxWorkFactor(maxWork)
	damaged := refuse(ReasonDamaged, "the wallet file is damaged: put back a copy, or restore the wallet from its words into a new file")
	reader, err := age.Decrypt(bytes.NewReader(file), identity)
	var wrong *age.NoIdentityMatchError
	switch {
	case errors.As(err, &wrong) && slices.Equal(wrong.StanzaTypes, []string{"scrypt"}):
		return nil, refuse(ReasonPassphrase, "the passphrase is wrong (or the very beginning of the file is damaged): try again")
	case errors.As(err, &wrong):
		return nil, refuse(ReasonNotWallet, "it is not a wallet file: it is encrypted, but not with a passphrase")
	case err != nil:
		return nil, damaged
	}
	plain, err := io.ReadAll(io.LimitReader(reader, maxFileBytes))
	if err != nil {
		clear(plain)
		return nil, damaged
	}
	return plain, nil
}
