package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"lockstep/client/wire"
	"lockstep/types"
)

// Log has the questions about the log of outcomes.
type Log interface {
	// TradeProof proves the last leaf of a trade, TxProof the first leaf of an accepted transaction, LeafProof any leaf. TxProof does so by the header of a
	// height; 0 is the newest.
	TradeProof(ctx context.Context, id types.TradeID) (wire.Proof, error)
	TxProof(ctx context.Context, id types.TxID, header uint64) (wire.Proof, error)
	LeafProof(ctx context.Context, index uint64) (wire.Proof, error)
	// LightBlock returns a header with its signatures and validators; height 0 is the newest block.
	LightBlock(ctx context.Context, height uint64) (wire.LightBlock, error)
	// LogFile returns a file of C2SP tlog-tiles: "checkpoint", a tile or a bundle. LogKey returns the verifier's key of the checkpoints.
	LogFile(ctx context.Context, path string) ([]byte, error)
	LogKey() string
}

// serveLog serves the log as C2SP tlog-tiles has it, below /v1/log: the API's document describes no files.
func (s *server) serveLog(mux *http.ServeMux) {
	const prefix = "/v1/log/"
	file := func(contentType string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			content, err := s.ledger.LogFile(r.Context(), strings.TrimPrefix(r.URL.Path, prefix))
			s.writeFile(w, contentType, content, err)
		}
	}
	mux.HandleFunc("GET "+prefix+"checkpoint", file("text/plain; charset=utf-8"))
	mux.HandleFunc("GET "+prefix+"tile/{path...}", file("application/octet-stream"))
	mux.HandleFunc("GET "+prefix+"key", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		if s.ledger.LogKey() == "" {
			err = types.Refuse(types.CodeNotFound, "this ledger has no key for checkpoints")
		}
		s.writeFile(w, "text/plain; charset=utf-8", []byte(s.ledger.LogKey()+"\n"), err)
	})
}

func (s *server) writeFile(w http.ResponseWriter, contentType string, content []byte, err error) {
	if err != nil {
		if problem, ok := errors.AsType[*problem](s.refuse(err)); ok {
			writeProblem(w, problem)
			return
		}
		panic(err)
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(content) // a client that has gone needs none
}

func (s *server) tradeProof(ctx context.Context, in *tradeIDInput) (*answer[wire.Proof], error) {
	proof, err := s.ledger.TradeProof(ctx, in.ID)
	proof.Path = filled(proof.Path)
	return respond(s, proof, err)
}

type tradeIDInput struct {
	ID types.TradeID `path:"id" doc:"the id of a trade"`
}

type txIDInput struct {
	ID     types.TxID `path:"id" doc:"the id of a transaction"`
	Header uint64     `query:"header" doc:"prove by the header of this height; without it, by the newest"`
}

func (s *server) txProof(ctx context.Context, in *txIDInput) (*answer[wire.Proof], error) {
	proof, err := s.ledger.TxProof(ctx, in.ID, in.Header)
	proof.Path = filled(proof.Path)
	return respond(s, proof, err)
}

type leafInput struct {
	Index uint64 `path:"index" doc:"the index of a leaf, from 0"`
}

func (s *server) leafProof(ctx context.Context, in *leafInput) (*answer[wire.Proof], error) {
	proof, err := s.ledger.LeafProof(ctx, in.Index)
	proof.Path = filled(proof.Path)
	return respond(s, proof, err)
}

type headerInput struct {
	Height height `path:"height" doc:"the height of a block, or 'latest'"`
}

func (s *server) lightBlock(ctx context.Context, in *headerInput) (*answer[wire.LightBlock], error) {
	light, err := s.ledger.LightBlock(ctx, in.Height.number)
	return respond(s, light, err)
}
