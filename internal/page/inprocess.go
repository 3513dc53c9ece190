package page

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// InProcess returns an HTTP client that calls a handler of this process, without a connection: a node's own page asks the same questions
// as any other program.
func InProcess(handler http.Handler) *http.Client { return &http.Client{Transport: inProcess{handler}} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper]. The answer may be a stream.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	inner := r.Clone(ctx)
	inner.RequestURI = r.URL.RequestURI()
	if inner.Host == "" {
		inner.Host = r.URL.Host
	}
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	answer := &answer{header: http.Header{}, writer: writer, begun: make(chan struct{})}
	go func() {
		defer cancel()
		defer func() {
			_ = recover() // the handler has logged it; the answer is cut off
			answer.WriteHeader(http.StatusInternalServerError)
			_ = writer.Close()
		}()
		p.handler.ServeHTTP(answer, inner)
		answer.WriteHeader(http.StatusOK)
	}()
	select {
	case <-answer.begun:
	case <-ctx.Done():
		_ = reader.CloseWithError(ctx.Err())
		return nil, ctx.Err()
	}
	context.AfterFunc(ctx, func() { _ = writer.CloseWithError(ctx.Err()) })
	return &http.Response{
		Status: http.StatusText(answer.status), StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.sent, Body: &body{reader, cancel}, ContentLength: -1, Request: r,
	}, nil
}

// body ends the request when its reader closes it.
type body struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *body) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// answer is the [http.ResponseWriter] of a call within the process.
type answer struct {
	header, sent http.Header
	writer       *io.PipeWriter
	status       int
	once         sync.Once
	begun        chan struct{}
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.begun)
	})
}

func (a *answer) Write(text []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.writer.Write(text)
}

// Flush, SetReadDeadline and SetWriteDeadline implement the interfaces of [http.ResponseController]. A pipe buffers nothing and needs no
// deadline: its reader is in this process.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

func (a *answer) SetReadDeadline(time.Time) error { return nil }

func (a *answer) SetWriteDeadline(time.Time) error { return nil }
