package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

// Bounds of the requests to join that a node keeps. A client is an IPv4 address or the /64 network of an IPv6 address.
const (
	mostJoins       = 256
	mostClientJoins = 16
	joinPause       = 10 * time.Second // between two requests of one key
	joinsFile       = "join-requests.json"
	maxJoinsFile    = 1 << 20
)

// joins keeps the requests of newcomers to become members, in a file beside the ledger. They are no part of the ledger: another node has
// others. A request leaves when it has run out or its key is a member.
type joins struct {
	path    string
	chainID string
	member  func(types.PublicKey) bool
	now     func() time.Time

	mu   sync.Mutex
	list []keptJoin // oldest first, one for each key
}

type keptJoin struct {
	Request types.JoinRequest `json:"request"`
	Client  netip.Prefix      `json:"client"`
	At      types.Time        `json:"at"`
}

// openJoins reads the requests in a folder. A file that can't be read is an error: the operator may want to know its content.
func openJoins(path, chainID string, member func(types.PublicKey) bool) (*joins, error) {
	j := &joins{path: path, chainID: chainID, member: member, now: time.Now}
	text, err := plaintext.ReadFile(path, maxJoinsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &j.list)
	}
	if err != nil {
		return nil, fmt.Errorf("read the requests to join in %s: %w; move the file away to go on without them", path, err)
	}
	return j, nil
}

// prune drops the requests that are over.
func (j *joins) prune() {
	now := types.TimeOf(j.now())
	j.list = slices.DeleteFunc(j.list, func(k keptJoin) bool {
		return k.Request.ValidUntil < now || j.member(k.Request.Member.Key)
	})
}

// Add keeps a request, in place of an earlier one of its key.
func (j *joins) Add(_ context.Context, client netip.Prefix, r *types.JoinRequest) error {
	now := types.TimeOf(j.now())
	if err := r.Check(j.chainID, now); err != nil {
		return err
	}
	if j.member(r.Member.Key) {
		return types.Refuse(types.CodeMember, "%s is a member already", r.Member.Key)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.prune()
	next := slices.Clone(j.list)
	if at := slices.IndexFunc(next, func(k keptJoin) bool { return k.Request.Member.Key == r.Member.Key }); at >= 0 {
		kept := &next[at].Request
		since := now.Since(next[at].At)
		recent := since < types.Duration(joinPause.Milliseconds())
		switch same := kept.Member == r.Member; {
		case same && (recent || kept.ValidUntil == r.ValidUntil): // sent again, maybe by another
			return nil
		case r.ValidUntil < kept.ValidUntil: // anybody who has seen an earlier request can send it again
			return types.Refuse(types.CodeReplay, "the key has asked later than that, as %q: send a new request to change it", kept.Member.Name)
		}
		if recent {
			return types.Refuse(types.CodeQuota, "the key has sent a request %s ago: wait until %s have passed before you change it", since, joinPause)
		}
		next = slices.Delete(next, at, at+1)
	}
	ofClient := 0
	for i := range next {
		if next[i].Client == client {
			ofClient++
		}
	}
	switch {
	case ofClient >= mostClientJoins:
		return types.Refuse(types.CodeQuota, "your address has %d requests to join that wait: the operator must decide on them first", ofClient)
	case len(next) >= mostJoins:
		return types.Refuse(types.CodeQuota, "%d requests to join wait at this node, the most that it keeps: tell the operator your key in another way", len(next))
	}
	next = append(next, keptJoin{*r, client, now})
	text, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(j.path, text); err != nil {
		return err
	}
	j.list = next
	return nil
}

// List returns the requests that wait, oldest first.
func (j *joins) List(context.Context) []types.JoinRequest {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.prune()
	list := make([]types.JoinRequest, len(j.list))
	for i := range j.list {
		list[i] = j.list[i].Request
	}
	return list
}
