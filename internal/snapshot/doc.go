// Package snapshot has the form of a snapshot of the state: a head, and a stream of entries that is cut into chunks.
//
// A [Writer] writes one into a [Folder]; a [Reader] takes the chunks one after the other. [Head.Check] proves the head by the app hash of one block,
// before any chunk is loaded; the stream is proved by the hashes in the head: a sum over all entries, and the changes of each block behind the checkpoint
// (ADR 0047). The hashes of chunks prove nothing: they tell the sender of a wrong one.
package snapshot
