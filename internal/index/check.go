package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"lockstep/types"
)

// Check follows the index in a file to the end of its source, builds another one beside it from the blocks, and compares
// the digests of all that they hold, or of all that follows from the blocks that the source keeps: [ErrDamaged] when they differ, or when the file can't be continued. It takes as long as
// building the index does, and its room on the disk. Without a file there is nothing to check: the digest is zero.
func Check(ctx context.Context, file string, ledger types.Hash, source Source, logger *slog.Logger) (digest types.Hash, err error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return digest, nil
	}
	x := newIndex(file, ledger, logger)
	if err = x.open(source); err == nil {
		err = x.verify(ctx, "integrity_check")
	}
	if err == nil {
		digest, err = x.checkedAtEnd(ctx, source)
	}
	if err = errors.Join(err, x.Close()); err != nil {
		if damaged(err) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return digest, fmt.Errorf("check the index %s: %w", file, explain(file, err))
	}
	again, err := buildBeside(ctx, file+".check", ledger, source, logger)
	if err == nil && again != digest {
		err = fmt.Errorf("%w: it holds %s, the blocks give %s", ErrDamaged, digest, again)
	}
	if err != nil {
		return digest, fmt.Errorf("check the index %s: %w", file, explain(file, err))
	}
	return digest, nil
}

// buildBeside builds an index in a file of its own, which it removes in the end.
func buildBeside(ctx context.Context, file string, ledger types.Hash, source Source, logger *slog.Logger) (digest types.Hash, err error) {
	x := newIndex(file, ledger, logger)
	if err = x.Reset(); err == nil { // one may be there from a check that was killed
		digest, err = x.checkedAtEnd(ctx, source)
	}
	return digest, errors.Join(err, x.Close(), x.remove())
}

// checkedAtEnd follows the source to its end, removes the rows that the source does not keep, and returns the digest that a check compares.
func (x *Index) checkedAtEnd(ctx context.Context, source Source) (types.Hash, error) {
	for {
		blocks, err := x.Advance(ctx, source)
		if err != nil {
			return types.Hash{}, err
		}
		if blocks == 0 {
			break
		}
	}
	for more := true; more; {
		var err error
		if more, err = x.Prune(source); err != nil {
			return types.Hash{}, err
		}
	}
	if x.at.base.Height == 0 {
		return x.Digest(ctx)
	}
	first, err := source.Block(x.at.base.Height + 1)
	if err != nil {
		return types.Hash{}, err
	}
	return x.windowDigest(ctx, max(first.BlockTime, first.Clock).Add(source.Gate()))
}
