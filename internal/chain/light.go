package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cometbft/cometbft/light"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// Fetch asks a node for the light block of a height; height 0 is the newest block. Nothing of the answer is believed.
type Fetch func(ctx context.Context, height uint64) (LightBlock, error)

// Faults of a [LightClient] beside those of [Trust].
var (
	ErrExpired = errors.New("expired") // the trusted header is older than the trusting period
	ErrFork    = errors.New("fork")    // two headers of one height are signed
	ErrEarlier = errors.New("earlier") // the header comes before the trusted one
	ErrAhead   = errors.New("ahead")   // the header's time is ahead of the own clock
)

// LightOptions are the settings of a [LightClient].
type LightOptions struct {
	// Period is the trusting period: a header that is older is no ground for later ones, since validators that have left since then could forge them.
	Period time.Duration
	// Drift is the most that a header's time may be ahead of the own clock.
	Drift time.Duration
	// Sequential verifies each header on the way, instead of skipping those between two sets that overlap enough.
	Sequential bool
	// Known is the light block of the trusted header, for nodes that no longer have it; zero: the node is asked.
	Known LightBlock
	// Witnesses are other nodes, whose headers must be the same.
	Witnesses []Fetch
}

// LightClient follows the headers of a ledger from a [Trust] on, by the rules of the engine's light client ([light.Verify]). It is safe for concurrent
// use. It never goes back: a header at a known height has the known hash, or the ledger has forked.
type LightClient struct {
	fetch   Fetch
	trust   *Trust
	genesis *Trust // with which trust began; nil when that was a header
	options LightOptions

	mu            sync.Mutex // held during requests
	first, newest *cmttypes.LightBlock
	known         map[uint64]CheckedHeader
	order         []uint64 // of known, as they came
}

// maxHeaders bounds the remembered headers.
const maxHeaders = 1000

// NewLightClient returns a light client. It asks for nothing yet.
func NewLightClient(trust *Trust, fetch Fetch, options LightOptions) *LightClient {
	c := &LightClient{fetch: fetch, trust: trust, options: options, known: map[uint64]CheckedHeader{}}
	if trust.header == nil {
		genesis := *trust
		c.genesis = &genesis
	}
	return c
}

// Newest returns the newest verified header, after it has asked for a newer one. A node that shows an older one does not change it.
func (c *LightClient) Newest(ctx context.Context, now time.Time) (CheckedHeader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.verify(ctx, 0, now); err != nil {
		return CheckedHeader{}, err
	}
	return c.known[uint64(c.newest.Height)], nil
}

// At returns the header of a height once it is verified.
func (c *LightClient) At(ctx context.Context, height uint64, now time.Time) (CheckedHeader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at(ctx, height, now)
}

func (c *LightClient) at(ctx context.Context, height uint64, now time.Time) (CheckedHeader, error) {
	if known, ok := c.known[height]; ok {
		return known, nil
	}
	return c.verify(ctx, height, now)
}

// Check verifies a header that somebody shows: it must be the verified one of its height, and its own signatures must be good.
func (c *LightClient) Check(ctx context.Context, encodedHeader, encodedCommit []byte, now time.Time) (CheckedHeader, error) {
	header, commit, err := new(Trust).read(encodedHeader, encodedCommit)
	if err != nil {
		return CheckedHeader{}, err
	}
	checked := factsOf(header)
	c.mu.Lock()
	defer c.mu.Unlock()
	known, err := c.at(ctx, checked.Height, now)
	if err != nil {
		return checked, err
	}
	if known.Hash != checked.Hash {
		return checked, faulty(ErrSet, "the validators have signed another header of that block")
	}
	block, err := c.load(ctx, c.fetch, checked.Height)
	if err != nil {
		return checked, err
	}
	if types.Hash(block.ValidatorSet.Hash()) != types.Hash(header.ValidatorsHash) {
		return checked, faulty(ErrSet, "the node shows other validators of block %d than its header names", checked.Height)
	}
	if err := verifyCommit(header, commit, block.ValidatorSet); err != nil {
		return checked, err
	}
	checked.count(commit)
	return checked, nil
}

// Before verifies a header from before the first one by the validators of the genesis, if the client began with that.
func (c *LightClient) Before(encodedHeader, encodedCommit []byte) (CheckedHeader, error) {
	if c.genesis == nil {
		return CheckedHeader{}, faulty(ErrEarlier, "it comes before the trusted header")
	}
	return c.genesis.Check(encodedHeader, encodedCommit)
}

// Begin finds the first trusted header, unless it is known: all later headers can be verified from there on.
func (c *LightClient) Begin(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begin(ctx, now)
}

// verify fetches and verifies a header; height 0 is the newest.
func (c *LightClient) verify(ctx context.Context, height uint64, now time.Time) (CheckedHeader, error) {
	if err := c.begin(ctx, now); err != nil {
		return CheckedHeader{}, err
	}
	if first := uint64(c.first.Height); height > 0 && height < first {
		return CheckedHeader{}, faulty(ErrEarlier, "block %d comes before the trusted block %d: ask for a later proof", height, first)
	}
	target, err := c.load(ctx, c.fetch, height)
	if err != nil {
		return CheckedHeader{}, err
	}
	shown := factsOf(target.Header)
	if known, ok := c.known[shown.Height]; ok {
		if known.Hash != shown.Hash {
			return CheckedHeader{}, c.forked(shown.Height, known.Hash, shown.Hash)
		}
		return known, nil
	}
	from := c.newest
	if target.Height < from.Height {
		from = c.first
	}
	if target.Height < from.Height { // the newest block of a node that is behind
		return CheckedHeader{}, faulty(ErrEarlier, "block %d comes before the trusted block %d: ask a node that has later blocks", target.Height, from.Height)
	}
	if err := c.follow(ctx, c.fetch, from, target, now); err != nil {
		return CheckedHeader{}, err
	}
	if err := c.compare(ctx, from, target, now); err != nil {
		return CheckedHeader{}, err
	}
	return c.keep(target), nil
}

// begin finds the first trusted light block: that of the trusted header, or the newest that follows from the genesis.
func (c *LightClient) begin(ctx context.Context, now time.Time) error {
	if c.first != nil {
		return nil
	}
	height := uint64(0)
	trusted := c.trust.header
	if trusted != nil {
		height = uint64(trusted.height)
	}
	encoded, err := c.options.Known, error(nil)
	if known := *c.trust; height == 0 || encoded.Height != height || known.Follow(&encoded) != nil { // a damaged one is no fault of the node
		encoded, err = c.ask(ctx, c.fetch, height)
	}
	if err != nil {
		return err
	}
	trust := *c.trust // as it was, if this fails
	var block *cmttypes.LightBlock
	err = skip(encoded.Height, func(height uint64) (*LightBlock, error) {
		if height == encoded.Height {
			return &encoded, nil
		}
		between, err := c.ask(ctx, c.fetch, height)
		return &between, err
	}, func() uint64 { return uint64(trust.height) }, func(next *LightBlock) error {
		err := trust.Follow(next)
		if err == nil {
			block, err = decodeLight(&trust, next)
		}
		return err
	}, func(err error) bool { return trusted == nil && errors.Is(err, ErrSet) })
	if err != nil {
		return err
	}
	if trusted != nil && light.HeaderExpired(block.SignedHeader, c.options.Period, now) {
		return c.expired(block.Time)
	}
	if err := c.ahead(block, now); err != nil {
		return err
	}
	*c.trust = trust
	c.first = block
	c.keep(block)
	return nil
}

// Kept returns a verified light block, and its time: the first one if it has that height, or the newest (0).
func (c *LightClient) Kept(height uint64) (block LightBlock, at time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.newest
	if height > 0 {
		kept = c.first
	}
	if kept == nil || height > 0 && uint64(kept.Height) != height {
		return block, at, errors.New("no header is verified yet")
	}
	block, err = encodeLight(kept.SignedHeader, kept.ValidatorSet)
	return block, kept.Time, err
}

// follow verifies a light block by an earlier one.
func (c *LightClient) follow(ctx context.Context, fetch Fetch, from, target *cmttypes.LightBlock, now time.Time) error {
	load := func(height uint64) (*cmttypes.LightBlock, error) {
		if height == uint64(target.Height) {
			return target, nil
		}
		return c.load(ctx, fetch, height)
	}
	check := func(next *cmttypes.LightBlock) error {
		if err := c.ahead(next, now); err != nil {
			return err
		}
		err := light.Verify(from.SignedHeader, from.ValidatorSet, next.SignedHeader, next.ValidatorSet, c.options.Period, now, c.options.Drift, light.DefaultTrustLevel)
		if err == nil {
			from = next
		}
		return err
	}
	low := func() uint64 { return uint64(from.Height) }
	if c.options.Sequential {
		for height := low() + 1; height <= uint64(target.Height); height++ {
			next, err := load(height)
			if err == nil {
				err = check(next)
			}
			if err != nil {
				return c.unverified(height, from, err)
			}
		}
		return nil
	}
	err := skip(uint64(target.Height), load, low, check, func(err error) bool {
		_, apart := errors.AsType[light.ErrNewValSetCantBeTrusted](err)
		return apart
	})
	return c.unverified(uint64(target.Height), from, err)
}

// ahead reports a header whose time is ahead of the own clock: that clock may be the wrong one.
func (c *LightClient) ahead(block *cmttypes.LightBlock, now time.Time) error {
	if block.Time.Before(now.Add(c.options.Drift)) {
		return nil
	}
	return faulty(ErrAhead, "block %d is of %s, and this machine's clock says %s: one of the two is wrong; set the clock of this machine, or ask another node",
		block.Height, block.Time.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// skip checks the block of a height, and blocks between where the sets of validators are too far apart.
func skip[B any](target uint64, load func(uint64) (B, error), low func() uint64, check func(B) error, apart func(error) bool) error {
	for heights := []uint64{target}; len(heights) > 0; {
		next := heights[len(heights)-1]
		block, err := load(next)
		if err == nil {
			err = check(block)
		}
		switch {
		case err == nil:
			heights = heights[:len(heights)-1]
		case apart(err) && next > low()+1:
			heights = append(heights, low()+(next-low())/2)
		default:
			return err
		}
	}
	return nil
}

// unverified explains an error of the engine's verifier.
func (c *LightClient) unverified(height uint64, from *cmttypes.LightBlock, err error) error {
	var known *fault
	if err == nil || errors.As(err, &known) || types.CodeOf(err) != types.CodeInternal || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, expired := errors.AsType[light.ErrOldHeaderExpired](err); expired {
		return c.expired(from.Time)
	}
	return faulty(ErrCommit, "block %d does not follow from the trusted block %d: %w", height, from.Height, err)
}

func (c *LightClient) expired(at time.Time) error {
	return faulty(ErrExpired, "the trusted header is of %s, longer ago than the %d days for which a header is trusted: get a recent one from somebody whom you trust",
		at.UTC().Format(time.DateTime), int(c.options.Period.Hours()/24))
}

func (c *LightClient) forked(height uint64, one, other types.Hash) error {
	return faulty(ErrFork, "two headers of block %d are signed, %s and %s: the validators have forked the ledger; act on nothing and tell its operators", height, one, other)
}

// compare asks the witnesses for the same header. One that does not answer, or shows a header that nobody signed, does not count.
func (c *LightClient) compare(ctx context.Context, from, target *cmttypes.LightBlock, now time.Time) error {
	for _, witness := range c.options.Witnesses {
		theirs, err := c.load(ctx, witness, uint64(target.Height))
		if err != nil || string(theirs.Hash()) == string(target.Hash()) {
			continue
		}
		if c.follow(ctx, witness, from, theirs, now) == nil {
			return c.forked(uint64(target.Height), types.Hash(target.Hash()), types.Hash(theirs.Hash()))
		}
	}
	return nil
}

// ask fetches the light block of a height.
func (c *LightClient) ask(ctx context.Context, fetch Fetch, height uint64) (LightBlock, error) {
	encoded, err := fetch(ctx, height)
	if err == nil && height > 0 && encoded.Height != height {
		err = faulty(ErrHeader, "the node was asked for block %d and shows block %d", height, encoded.Height)
	}
	return encoded, err
}

func (c *LightClient) load(ctx context.Context, fetch Fetch, height uint64) (*cmttypes.LightBlock, error) {
	encoded, err := c.ask(ctx, fetch, height)
	if err != nil {
		return nil, err
	}
	return decodeLight(c.trust, &encoded)
}

// decodeLight decodes a light block whose parts belong together.
func decodeLight(trust *Trust, encoded *LightBlock) (*cmttypes.LightBlock, error) {
	header, commit, set, err := trust.readLight(encoded)
	if err != nil {
		return nil, err
	}
	if uint64(header.Height) != encoded.Height {
		return nil, faulty(ErrHeader, "it is of block %d, and not of block %d", header.Height, encoded.Height)
	}
	block := &cmttypes.LightBlock{SignedHeader: &cmttypes.SignedHeader{Header: header, Commit: commit}, ValidatorSet: set}
	if err := block.ValidateBasic(header.ChainID); err != nil {
		return nil, fmt.Errorf("block %d: %w", header.Height, faulty(ErrHeader, "%w", err))
	}
	return block, nil
}

// keep remembers a verified header.
func (c *LightClient) keep(block *cmttypes.LightBlock) CheckedHeader {
	facts := factsOf(block.Header)
	facts.count(block.Commit)
	if c.newest == nil || block.Height > c.newest.Height {
		c.newest = block
	}
	c.known[facts.Height] = facts
	if c.order = append(c.order, facts.Height); len(c.order) > maxHeaders {
		if oldest := c.order[0]; oldest != uint64(c.newest.Height) && oldest != uint64(c.first.Height) {
			delete(c.known, oldest)
		}
		c.order = c.order[1:]
	}
	return facts
}
