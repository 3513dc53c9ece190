package node

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/internal/chain"
	"lockstep/types"
)

// SyncSettings let a node without blocks begin with a snapshot of its peers.
type SyncSettings struct {
	From    string `json:"from"`              // the API of a node, which shows headers; they are verified
	Trusted string `json:"trusted,omitempty"` // a header that the operator trusts, as HEIGHT:HASH; without it the genesis is trusted
}

// ParseTrusted reads a trusted header, written as HEIGHT:HASH.
func ParseTrusted(text string) (height uint64, hash types.Hash, err error) {
	number, digits, found := strings.Cut(text, ":")
	height, err = strconv.ParseUint(number, 10, 62)
	if !found || err != nil || height == 0 || hash.UnmarshalText([]byte(digits)) != nil {
		return 0, hash, fmt.Errorf("%q is not HEIGHT:HASH, such as 1200:9f86d0... with 64 hexadecimal digits", text)
	}
	return height, hash, nil
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
	if _, _, err := ParseTrusted(s.Trusted); err != nil {
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
		sync.Height, sync.Hash, err = ParseTrusted(s.Trusted)
	}
	return sync, err
}

// syncAnswer bounds the time of an answer.
const syncAnswer = 10 * time.Second
