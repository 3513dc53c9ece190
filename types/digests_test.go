package types_test

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// Each leaf opens the root by its own path alone.
func TestDigestTree(t *testing.T) {
	t.Parallel()
	for depth := range types.MaxDigestDepth + 1 {
		digests := make([]types.Hash, 1<<depth)
		for i := range digests {
			digests[i] = types.Secret{byte(i), 1}.Digest(1)
		}
		tree := types.NewDigestTree(digests)
		for leaf := range digests {
			path := tree.Path(uint16(leaf))
			if len(path) != depth {
				t.Fatalf("depth %d, leaf %d: a path of %d", depth, leaf, len(path))
			}
			if types.RootOf(digests[leaf], uint16(leaf), path) != tree.Root() {
				t.Fatalf("depth %d, leaf %d does not open the root", depth, leaf)
			}
			if other := leaf ^ 1; depth > 0 && types.RootOf(digests[leaf], uint16(other), path) == tree.Root() {
				t.Fatalf("depth %d, leaf %d opens the root as leaf %d", depth, leaf, other)
			}
		}
	}
}

// A digest or a path that is changed in any place opens nothing.
func TestRootOfChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digests := rapid.SliceOfN(hashes[types.Hash](), 8, 8).Draw(t, "digests")
		tree, leaf := types.NewDigestTree(digests), rapid.Uint16Range(0, 7).Draw(t, "leaf")
		digest, path := digests[leaf], tree.Path(leaf)
		at, bit := rapid.IntRange(0, 31).Draw(t, "byte"), byte(1)<<rapid.IntRange(0, 7).Draw(t, "bit")
		if step := rapid.IntRange(-1, 2).Draw(t, "step"); step < 0 {
			digest[at] ^= bit
		} else {
			path[step][at] ^= bit
		}
		if types.RootOf(digest, leaf, path) == tree.Root() {
			t.Fatal("it opens the root all the same")
		}
	})
}
