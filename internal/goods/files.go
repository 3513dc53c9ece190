package goods

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"lockstep/types"
	"lockstep/wallet"
)

// Seal encrypts a file to the buyer's key and writes it to a new file. It fails, and writes nothing, when the file is not the agreed one: a
// seller never hands over other goods than those that are paid for.
func Seal(path, sealed string, buyer types.PublicKey, agreed Note) error {
	in, _, err := openRegular(path)
	if err != nil {
		return err
	}
	defer in.Close()
	return create(sealed, func(out io.Writer) error {
		w, err := wallet.Seal(buyer, out)
		if err != nil {
			return err
		}
		if err := copyAgreed(w, in, agreed); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return w.Close()
	})
}

// Open decrypts sealed goods into a new file. It fails, and writes nothing, when they can't be opened with the account's key or are not the
// agreed ones; the error then has [wallet.ReasonSealed].
func Open(sealed io.Reader, path string, buyer *wallet.Account, agreed Note) error {
	return create(path, func(out io.Writer) error {
		opened, err := buyer.Unseal(io.LimitReader(sealed, sealedSize(limit(agreed))))
		if err != nil {
			return err
		}
		return copyAgreed(out, opened, agreed)
	})
}

// sealedSize bounds the sealed form of a file: the format adds a header and 16 bytes to each 64 KiB.
func sealedSize(size int64) int64 { return size + size/2048 + 64<<10 }

// maxUnstated bounds a file whose note states no size, so that no seller can fill a buyer's disk.
const maxUnstated = 1 << 30

// limit is the largest size that the agreed file can have.
func limit(agreed Note) int64 {
	if agreed.Size > 0 && agreed.Size <= MaxSize {
		return int64(agreed.Size)
	}
	return maxUnstated
}

// copyAgreed copies a file and fails unless it was the agreed one.
func copyAgreed(out io.Writer, in io.Reader, agreed Note) error {
	hash := sha256.New()
	most := limit(agreed)
	size, err := io.Copy(io.MultiWriter(out, hash), io.LimitReader(in, most+1))
	if err != nil {
		if wallet.ReasonOf(err) == "" && !isDisk(err) {
			err = &wallet.Error{Reason: wallet.ReasonSealed, Detail: fmt.Sprintf("the sealed file was changed or cut off on the way (%v): get it again", err)}
		}
		return err
	}
	sum := hash.Sum(nil)
	switch {
	case size > most:
		return notAgreed("it has more than %d bytes, the size in the note or the limit without one", most)
	case [sha256.Size]byte(sum) != agreed.Sum:
		return notAgreed("its SHA-256 is %s, the agreed one is %s", hex.EncodeToString(sum), hex.EncodeToString(agreed.Sum[:]))
	case agreed.Size > 0 && uint64(size) != agreed.Size: //nolint:gosec // a size is not negative
		return notAgreed("it has %d bytes, not the agreed %d", size, agreed.Size)
	}
	return nil
}

func notAgreed(format string, args ...any) error {
	return &wallet.Error{Reason: wallet.ReasonSealed, Detail: "the file is not the agreed one: " + fmt.Sprintf(format, args...)}
}

// isDisk reports whether an error is one of this machine's files.
func isDisk(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}

// create writes a new file by write: whole, or not at all. It never overwrites a file, and follows no link at its place.
func create(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return exists(path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".lockstep-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	err = write(temp)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); errors.Is(err, fs.ErrExist) { // fails where a rename would overwrite
		return exists(path)
	} else if err != nil {
		return err
	}
	return nil
}

func exists(path string) error {
	return &wallet.Error{Reason: wallet.ReasonExists, Detail: fmt.Sprintf("there is a file at %s already: choose another place, or move it away", path)}
}
