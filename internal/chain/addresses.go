package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/pex"

	"lockstep/internal/disk"
)

// checkAddresses removes the engine's book of the addresses of nodes when it is damaged. The engine would panic, at the start or later; it
// learns the addresses anew from the peers in the settings.
func checkAddresses(file string, logger *slog.Logger) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the addresses of nodes: %w", disk.Explain(file, err))
	}
	if err := readAddresses(file, text); err != nil {
		logger.Warn("the book of the addresses of nodes is damaged: it is removed, and the addresses are learned anew", "file", file, "error", err)
		return os.Remove(file)
	}
	return nil
}

// readAddresses reads a book as the engine does, and what the engine reads only later.
func readAddresses(file string, text []byte) (err error) {
	var content struct {
		Addrs []struct{ Addr, Src *p2p.NetAddress }
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return err
	}
	for i, entry := range content.Addrs {
		if entry.Addr == nil || entry.Src == nil {
			return fmt.Errorf("entry %d has no address, or none from which it was learned", i)
		}
		if err := errors.Join(entry.Addr.Valid(), entry.Src.Valid()); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	defer func() {
		if r := recover(); r != nil {
			err = asError(r)
		}
	}()
	book := pex.NewAddrBook(file, false)
	if err := book.Start(); err != nil {
		return err
	}
	err = book.Stop()
	if saving, ok := book.(interface{ Wait() }); ok { // until it is saved
		saving.Wait()
	}
	return err
}
