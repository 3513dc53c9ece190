// Package outcomes keeps the log of outcomes on disk: its leaves in packed segments, and the hashes of its Merkle tree (RFC 6962).
//
// Start with [Mark], which says where a log stands: [Mark.Extend] adds the leaves of a block to it and returns a [Batch], and [Log.Append] writes
// the batch. [Log.Sync] comes before the database batch that holds the mark, so a mark never names a leaf that a crash can lose; [Open] cuts
// off all leaves behind the mark. Leaves, proofs and tiles (C2SP tlog-tiles) are read at any size up to the log's.
//
// A segment holds 65,536 leaves, each behind its length in two bytes: a bundle of tlog-tiles is a part of one. The hashes of each 256 leaves, and of
// each 256 of those hashes, have files of their own, and so have the offsets of the leaves. Both follow from the segments and are made again
// when they are missing. The hashes of single leaves are computed when they are needed. [Log.Pack] compresses
// full segments; everything is read from them as before. [Repair] makes damaged files anew, from each other and from the logs of other nodes.
package outcomes
