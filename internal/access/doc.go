// Package access keeps the named access tokens of a node: the clients that may submit transactions, for how long and at which rate.
//
// A token is 32 random bytes in hexadecimal. The file holds its SHA-256 only, so a copy of the file lets nobody in. [Add], [Revoke] and
// [List] edit the file; a [Book] of a running node follows it, so that a revoked token is refused at once and no restart is needed.
package access
