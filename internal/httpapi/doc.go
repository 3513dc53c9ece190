// Package httpapi is the HTTP API of a node: OpenAPI 3.1, JSON and server-sent events. Start with [New], which turns a [Ledger] into a
// handler, and [NewServer], which serves it with limits. routes.go is the only table of routes; the OpenAPI document is generated from
// it. Errors are problem documents (RFC 9457) with the ledger's code: problem.go.
package httpapi
