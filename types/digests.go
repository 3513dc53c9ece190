package types

import "crypto/sha256"

// A bid brings one hash for all the trades that an auction may make of it: the root of a binary tree whose leaves are digests of secrets,
// one for each trade. A release shows the secret of the trade's leaf, and the hashes beside the way to the root. A tree of depth 0
// is one digest, as any other trade has it.
//
// A leaf is the hash of 32 bytes and an inner node the hash of 65, so none can pass for the other (as in RFC 6962, section 2.1).

// DigestTree is a complete tree over digests: the levels from the leaves to the root.
type DigestTree struct{ levels [][]Hash }

// NewDigestTree makes the tree over 2^depth digests.
func NewDigestTree(digests []Hash) DigestTree {
	levels := [][]Hash{digests}
	for len(digests) > 1 {
		next := make([]Hash, len(digests)/2)
		for i := range next {
			next[i] = innerNode(digests[2*i], digests[2*i+1])
		}
		levels, digests = append(levels, next), next
	}
	return DigestTree{levels}
}

// Root is the root of the tree.
func (t DigestTree) Root() Hash { return t.levels[len(t.levels)-1][0] }

// Path returns the hashes beside the way from a leaf to the root.
func (t DigestTree) Path(leaf uint16) []Hash {
	path := make([]Hash, 0, len(t.levels)-1)
	at := int(leaf)
	for _, level := range t.levels[:len(t.levels)-1] {
		path, at = append(path, level[at^1]), at/2
	}
	return path
}

// RootOf returns the root of the tree that has a digest at a leaf, beside the path.
func RootOf(digest Hash, leaf uint16, path []Hash) Hash {
	for _, beside := range path {
		if leaf&1 == 0 {
			digest = innerNode(digest, beside)
		} else {
			digest = innerNode(beside, digest)
		}
		leaf >>= 1
	}
	return digest
}

func innerNode(left, right Hash) Hash {
	var node [1 + 2*len(left)]byte
	node[0] = 1
	copy(node[1:], left[:])
	copy(node[1+len(left):], right[:])
	return sha256.Sum256(node[:])
}
