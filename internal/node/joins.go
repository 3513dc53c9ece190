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

// Bounds of the requests to join that a node keeps. A client is an IPv4 address or the /64 network of an IPv6 address. When all places are taken,
// the network with the most requests gives one up, see [crowded].
const (
	mostJoins       = 256
	mostClientJoins = 16
	joinPause       = 10 * time.Second // between two requests of one key
	joinsFile       = "join-requests.json"
	maxJoinsFile    = 1 << 20
)

// joins keeps the requests of newcomers to become members, in a file beside the ledger. They are no part of the ledger: another node has
// others. A request leaves when it has run out or its key is a member. One that an operator has declined stays with the reason, but takes no place of those that wait.
type joins struct {
	path      string
	chainID   string
	operators []types.PublicKey
	member    func(types.PublicKey) bool
	now       func() time.Time

	mu   sync.Mutex
	list []keptJoin // oldest first, one for each key
}

type keptJoin struct {
	Request types.JoinRequest  `json:"request"`
	Client  netip.Prefix       `json:"client"`
	At      types.Time         `json:"at"`
	Decline *types.JoinDecline `json:"decline,omitempty"`
}

// openJoins reads the requests in a folder. A file that can't be read is an error: the operator may want to know its content.
func openJoins(path string, params *types.Params, member func(types.PublicKey) bool) (*joins, error) {
	j := &joins{path: path, chainID: params.ChainID, operators: params.Operators, member: member, now: time.Now}
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
		declined := next[at].Decline
		switch same := declined == nil && kept.Member == r.Member; {
		case declined != nil && kept.ValidUntil == r.ValidUntil:
			return types.Refuse(types.CodeReplay, "an operator has declined this request: %q; send a new one once you have done what it asks", declined.Reason)
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
	ofClient, waiting := 0, 0
	for i := range next {
		if next[i].Decline != nil {
			continue
		}
		if waiting++; next[i].Client == client {
			ofClient++
		}
	}
	if ofClient >= mostClientJoins {
		return types.Refuse(types.CodeQuota, "your address has %d requests to join that wait: the operator must decide on them first", ofClient)
	}
	if waiting >= mostJoins {
		at := crowded(next, client)
		if at < 0 {
			return types.Refuse(types.CodeQuota, "%d requests to join wait at this node, the most that it keeps, and no network has more of them than yours: tell the operator your key in another way", waiting)
		}
		next = slices.Delete(next, at, at+1)
	}
	return j.replace(append(next, keptJoin{Request: *r, Client: client, At: now}))
}

// crowded returns the request that makes room for one of a client: the newest of the client that has the most, in the network that has the most, at two widths.
// So all networks come to have the same number of requests, and a flood pushes out its own. It is -1 where the client's own network is the one with the most.
func crowded(list []keptJoin, client netip.Prefix) (at int) {
	candidates := make([]int, 0, len(list))
	for i := range list {
		if list[i].Decline == nil {
			candidates = append(candidates, i)
		}
	}
	own := true // the client's network is among the candidates
	for level := range 3 {
		counts := map[netip.Prefix]int{}
		for _, i := range candidates {
			counts[networkOf(list[i].Client, level)]++
		}
		most, largest := networkOf(client, level), 0
		if own {
			counts[most]++
			largest = counts[most]
		}
		for _, i := range slices.Backward(candidates) {
			if n := networkOf(list[i].Client, level); counts[n] > largest {
				most, largest = n, counts[n]
			}
		}
		own = own && most == networkOf(client, level)
		candidates = slices.DeleteFunc(candidates, func(i int) bool { return networkOf(list[i].Client, level) != most })
	}
	if own || len(candidates) == 0 {
		return -1
	}
	return candidates[len(candidates)-1]
}

// networkOf returns the network of a client at a level: first that of a provider, then that of a customer, then the client.
func networkOf(client netip.Prefix, level int) netip.Prefix {
	widths := [3]int{32, 48, 64}
	if client.Addr().Is4() {
		widths = [3]int{16, 24, 32}
	}
	wide, err := client.Addr().Prefix(min(widths[level], client.Bits()))
	if err != nil {
		return client
	}
	return wide
}

// Decline keeps an operator's refusal beside the request that it names. The first one stays.
func (j *joins) Decline(_ context.Context, d *types.JoinDecline) error {
	if err := d.Check(j.chainID, j.operators); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.prune()
	next := slices.Clone(j.list)
	at := slices.IndexFunc(next, func(k keptJoin) bool { return k.Request.Member.Key == d.Key && k.Request.ValidUntil == d.ValidUntil })
	switch {
	case at < 0:
		return types.Refuse(types.CodeNotFound, "no request to join of %s that stands until %s waits at this node: it has run out, was admitted, or was replaced by a later one", d.Key, d.ValidUntil)
	case next[at].Decline != nil && *next[at].Decline == *d: // sent again
		return nil
	case next[at].Decline != nil:
		return types.Refuse(types.CodeReplay, "the request was declined already: %q", next[at].Decline.Reason)
	}
	decline := *d
	next[at].Decline = &decline
	declined := 0
	for i, k := range slices.Backward(next) {
		if k.Decline != nil {
			if declined++; declined > mostJoins {
				next = slices.Delete(next, i, i+1)
			}
		}
	}
	return j.replace(next)
}

// State returns the request of a key, and its refusal if it was declined.
func (j *joins) State(_ context.Context, key types.PublicKey) (types.JoinRequest, *types.JoinDecline, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.prune()
	for i := range j.list {
		if k := &j.list[i]; k.Request.Member.Key == key {
			return k.Request, k.Decline, nil
		}
	}
	return types.JoinRequest{}, nil, types.Refuse(types.CodeNotFound, "no request to join of %s waits at this node: it was never sent, has run out, or gave its place to others; send it again", key)
}

// replace writes a new list.
func (j *joins) replace(next []keptJoin) error {
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
	list := make([]types.JoinRequest, 0, len(j.list))
	for i := range j.list {
		if j.list[i].Decline == nil {
			list = append(list, j.list[i].Request)
		}
	}
	return list
}
