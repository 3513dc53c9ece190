package node

import (
	"context"
	"fmt"
	"time"

	"lockstep/client"
	"lockstep/internal/chain"
)

// SyncSettings let a node without blocks begin with a snapshot of its peers.
type SyncSettings struct {
	From    string `json:"from"`              // the API of a node, which shows headers; they are verified
	Trusted string `json:"trusted,omitempty"` // a header that the operator trusts, as HEIGHT:HASH; without it the genesis is trusted
}

// check reports settings that can't be read. It takes nil.
func (s *SyncSettings) check() error {
	if s == nil {
		return nil
	}
	if _, err := client.New(s.From); err != nil {
		return fmt.Errorf("sync: from: %w", err)
	}
	if s.Trusted == "" {
		return nil
	}
	if _, _, err := chain.ParseTrusted(s.Trusted); err != nil {
		return fmt.Errorf("sync: trusted: %w", err)
	}
	return nil
}

// read returns the settings as the chain takes them. It takes nil.
func (s *SyncSettings) read() (*chain.Sync, error) {
	if s == nil {
		return nil, nil
	}
	node, err := client.New(s.From)
	if err != nil {
		return nil, err
	}
	sync := &chain.Sync{Fetch: func(ctx context.Context, height uint64) (light chain.LightBlock, err error) {
		ctx, cancel := context.WithTimeout(ctx, syncAnswer)
		defer cancel()
		shown, err := node.LightBlock(ctx, height)
		return chain.LightBlock{
			SignedHeader: chain.SignedHeader{Height: shown.Height, Header: shown.Header, Commit: shown.Commit}, Hash: shown.Hash, Validators: shown.Validators,
		}, err
	}}
	if s.Trusted != "" {
		sync.Height, sync.Hash, err = chain.ParseTrusted(s.Trusted)
	}
	return sync, err
}

// syncAnswer bounds the time of an answer.
const syncAnswer = 10 * time.Second
