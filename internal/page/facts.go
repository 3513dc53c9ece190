package page

import (
	"context"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// facts are answers of the node that many pages need, each kept for a moment: the status, assets, names, and how many trades wait.
type facts struct {
	node *client.Client
	now  func() time.Time

	mu     sync.Mutex
	state  wire.Status
	failed error
	at     time.Time
	assets map[types.AssetID]kept[wire.Asset]
	names  map[types.PublicKey]kept[string]
	waits  map[types.PublicKey]kept[int]
	audits map[types.ProductID]recomputed

	days map[types.Time]*shared[dayTrades]

	auditing sync.Mutex // held while an auction is recomputed

	voteLock sync.Mutex // guards the votes
	votes    kept[wire.Validators]

	docLock sync.Mutex // guards the document of the API
	doc     kept[*docsView]

	books shared[books]
}

type kept[T any] struct {
	value T
	known bool
	at    time.Time
}

const (
	statusLife = 500 * time.Millisecond
	waitsLife  = 2 * time.Second
	factLife   = time.Minute
	mostFacts  = 10_000
	askAtMost  = 4 * time.Second // for a fact of the frame, so that a page is served while the node is away
)

func newFacts(node *client.Client, now func() time.Time) *facts {
	return &facts{node: node, now: now, assets: map[types.AssetID]kept[wire.Asset]{}, waits: map[types.PublicKey]kept[int]{}, names: map[types.PublicKey]kept[string]{}, audits: map[types.ProductID]recomputed{}, days: map[types.Time]*shared[dayTrades]{}}
}

// status returns the status of the node, at most half a second old. While the node is away it keeps the last one and says why.
func (f *facts) status(ctx context.Context) (wire.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now().Sub(f.at) < statusLife {
		return f.state, f.failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askAtMost) // a reader who leaves is no reason to say that the node is away
	defer cancel()
	status, err := f.node.Status(ctx)
	if err == nil {
		f.state = status
	}
	f.failed, f.at = err, f.now()
	return f.state, err
}

// asset returns an asset; false when the node does not know it or does not answer.
func (f *facts) asset(ctx context.Context, id types.AssetID) (wire.Asset, bool) {
	f.mu.Lock()
	one, found := f.assets[id]
	f.mu.Unlock()
	if found && f.now().Sub(one.at) < factLife {
		return one.value, one.known
	}
	asset, err := f.node.Asset(ctx, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return one.value, one.known
	}
	if len(f.assets) >= mostFacts {
		clear(f.assets)
	}
	f.assets[id] = kept[wire.Asset]{asset, true, f.now()}
	return asset, true
}

// recognises reports whether an asset of a code is known that the community recognises.
func (f *facts) recognises(code string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.assets { // in any order: one is enough
		if one.value.Recognised && one.value.Asset.Code == code {
			return true
		}
	}
	return false
}

// name returns the name of a member, empty for any other key.
func (f *facts) name(ctx context.Context, key types.PublicKey) string {
	f.mu.Lock()
	one, found := f.names[key]
	f.mu.Unlock()
	if found && f.now().Sub(one.at) < factLife {
		return one.value
	}
	member, err := f.node.Member(ctx, key)
	if err != nil && types.CodeOf(err) != types.CodeNotFound {
		return one.value
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.names) >= mostFacts {
		clear(f.names)
	}
	f.names[key] = kept[string]{member.Name, true, f.now()}
	return member.Name
}

// waiting counts the trades that wait for a key.
func (f *facts) waiting(ctx context.Context, key types.PublicKey) int {
	f.mu.Lock()
	one, found := f.waits[key]
	f.mu.Unlock()
	if found && f.now().Sub(one.at) < waitsLife {
		return one.value
	}
	n := 0
	trades, err := f.node.Trades(ctx, key, true, client.Page{Limit: mostOpen})
	for i := range trades.Trades {
		if waitsFor(&trades.Trades[i], key) {
			n++
		}
	}
	if err != nil {
		return one.value
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waits[key] = kept[int]{n, true, f.now()}
	return n
}

// validators returns how the validators take part, at most some seconds old; none where the node does not tell.
func (f *facts) validators(ctx context.Context) wire.Validators {
	f.voteLock.Lock()
	defer f.voteLock.Unlock()
	if f.votes.known && f.now().Sub(f.votes.at) < dayLife {
		return f.votes.value
	}
	found, err := f.node.Validators(context.WithoutCancel(ctx)) // others may wait for the answer
	if err != nil {
		found = wire.Validators{}
	}
	f.votes = kept[wire.Validators]{found, true, f.now()}
	return found
}

// stale forgets the answers that a block may have changed.
func (f *facts) stale() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = time.Time{}
	clear(f.waits)
}

// forget forgets everything, for another ledger.
func (f *facts) forget() {
	f.voteLock.Lock()
	f.votes = kept[wire.Validators]{}
	f.voteLock.Unlock()
	f.docLock.Lock()
	f.doc = kept[*docsView]{}
	f.docLock.Unlock()
	f.books.forget()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.state, f.failed = time.Time{}, wire.Status{}, nil
	clear(f.assets)
	clear(f.names)
	clear(f.waits)
	clear(f.audits)
	clear(f.days)
}
