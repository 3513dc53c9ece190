package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// Bounds of a custody.
const (
	// awayBlocks is for how many blocks a validator may have signed nothing and still sign the next one at once.
	awayBlocks = 5
	// awayPause is how long a validator that was away listens while no block comes.
	awayPause = 10 * time.Second
	// silentBlocks is how many blocks without a signature of its key a copied folder waits for, besides a random number: two copies that are
	// started together don't end their wait together.
	silentBlocks, silentSpread = 2 * awayBlocks, 64
	// silentTime is how long it waits at least: a slow validator may be late with its votes for some blocks.
	silentTime = 30 * time.Second
)

// hold is why a validator doesn't sign.
type hold int

const (
	free    hold = iota // it signs
	away                // others have made blocks without it
	copied              // its folder is a copy: the original may sign too
	doubled             // its key has signed blocks that its own state doesn't know
)

// custody decides whether a node signs with its validator's key. A key must sign on one machine only, and never with a state of its last
// signature that is older than that signature: both would sign two blocks of one height. See ADR 0051.
//
// The votes of the network are the lease: the holder of a key shows it at each height. A node that may not be the only one with its key listens
// first, and signs once the key is silent.
type custody struct {
	file    string // names the folder to which the key belongs
	home    string // this folder, or nothing where the system can't tell
	key     *privval.FilePV
	address cmttypes.Address
	silent  int           // blocks without a signature of the key after which a copy signs
	silence time.Duration // for which the key is silent by then
	logger  *slog.Logger
	failure *failure
	now     func() time.Time // by the clock of the ledger

	mu    sync.Mutex // guards the fields below, and the state of the key
	held  hold
	since time.Time // when it was held, or the last block came since
	began time.Time // when it was held, by the clock of the ledger: later blocks were made while the node listened
	asked bool      // the engine asks for signatures: the node has caught up
	heard time.Time // when it was held, or a signature of the key was last seen
	quiet int       // blocks in a row without a signature of the key, once the engine asks
	other int64     // the newest height that the key has signed elsewhere
	again bool      // a restored folder is to sign at once: it also signs heights again that the ledger has lost
}

// homeFile is the stored form of the folder to which a key belongs.
type homeFile struct {
	Home string `json:"home"`
}

// restoredHome marks a restored folder: it is no folder's name.
const restoredHome = "restored from a backup"

// openCustody takes charge of a validator's key.
func openCustody(files engineFiles, key *privval.FilePV, config *Config, now func() time.Time, failure *failure, logger *slog.Logger) (*custody, error) {
	c := &custody{
		file: files.Home, home: homeOf(files), key: key, address: key.Key.Address, silent: config.silent,
		now: now, failure: failure, logger: logger,
	}
	if c.silence = silentTime; config.silence > 0 {
		c.silence = config.silence
	}
	if c.silent == 0 {
		c.silent = silentBlocks + rand.N(silentSpread) //nolint:gosec // no secret
	}
	text, err := os.ReadFile(c.file)
	switch {
	case config.SignNow && isRestored(files):
		c.again = true
		return c, nil
	case config.SignNow || errors.Is(err, fs.ErrNotExist):
		return c, c.settle()
	case err != nil:
		return nil, fmt.Errorf("read whose validator this is: %w", err)
	}
	var kept homeFile
	if err := json.Unmarshal(text, &kept); err != nil || kept.Home != c.home && c.home != "" || kept.Home == restoredHome {
		c.hold(copied)
		logger.Warn(c.trouble())
	}
	return c, nil
}

// settle writes down that the key belongs to this folder.
func (c *custody) settle() error {
	text, err := json.Marshal(homeFile{c.home})
	if err == nil {
		err = atomicfile.Replace(c.file, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write whose validator this is: %w", err)
	}
	return nil
}

// resettle is settle once the node runs. The caller holds c.mu.
func (c *custody) resettle() error {
	err := c.settle()
	if c.again = false; err != nil {
		c.failure.set(err)
	}
	return err
}

// MarkRestored makes the node of a folder listen before it signs: the folder is a restored backup.
func MarkRestored(dir string) error {
	c := custody{file: filesOf(dir).Home, home: restoredHome}
	return c.settle()
}

// homeOf names a folder on its machine: a copy has another name.
func homeOf(files engineFiles) string {
	inode := inodeOf(filepath.Dir(files.ValidatorState))
	if inode == "" {
		return ""
	}
	machine, _ := os.ReadFile("/etc/machine-id") // absent in a container
	return inode + " " + string(bytes.TrimSpace(machine))
}

// hold stops signing. The caller holds c.mu.
func (c *custody) hold(why hold) {
	if c.held == free {
		c.since, c.began, c.heard = time.Now(), c.now(), time.Now()
	}
	c.held, c.quiet = max(c.held, why), 0
}

var errHeld = errors.New("the node listens whether its key signs elsewhere")

// allow reports why no signature at a height may be given. The caller holds c.mu.
func (c *custody) allow(height int64) error {
	c.asked = true
	signed := c.key.LastSignState.Height
	if c.held == free && (height > signed+awayBlocks || c.again && height <= signed) {
		c.hold(away)
	}
	if c.held != free {
		return errHeld
	}
	if c.again {
		return c.resettle()
	}
	return nil
}

// committed takes note of a decided block: of the signatures of the block before, which it has.
func (c *custody) committed(request *abci.RequestFinalizeBlock) {
	own := false
	for i := range request.DecidedLastCommit.Votes {
		vote := &request.DecidedLastCommit.Votes[i]
		own = own || vote.BlockIdFlag != cmtproto.BlockIDFlagAbsent && bytes.Equal(vote.Validator.Address, c.address)
	}
	c.signed(request.Height-1, own, request.Time)
}

// signed takes note of a block before the last, and whether its commit has a signature of the key. The time is that of the last block: when the
// commit was made.
func (c *custody) signed(height int64, own bool, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case own && height > c.key.LastSignState.Height:
		c.another(height)
	case c.held == free || !c.asked:
	default:
		c.since = time.Now()
		if !at.After(c.began) { // the block is old: the key may have signed later ones
			return
		}
		if c.quiet++; c.quiet >= c.enough() && (c.held == away || time.Since(c.heard) >= c.silence) {
			c.release(height)
		}
	}
}

func (c *custody) enough() int {
	if c.held == away {
		return awayBlocks
	}
	return c.silent
}

// another takes note of a signature that this node didn't give. The caller holds c.mu.
func (c *custody) another(height int64) {
	if c.held != doubled {
		c.logger.Error("the validator's key has signed elsewhere: this node signs nothing", "height", height, "here", c.key.LastSignState.Height)
	}
	c.hold(doubled)
	c.heard = time.Now()
	c.other = max(c.other, height)
}

// vote takes note of a vote that reached the node.
func (c *custody) vote(vote *cmttypes.Vote) {
	if !bytes.Equal(vote.ValidatorAddress, c.address) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	step := int8(stepPrevote)
	if vote.Type == cmtproto.PrecommitType {
		step = stepPrecommit
	}
	last := &c.key.LastSignState
	if known, err := last.CheckHRS(vote.Height, vote.Round, step); err == nil && (!known || !bytes.Equal(last.Signature, vote.Signature)) {
		c.another(vote.Height)
	}
}

// release lets the node sign again. A copy or a restored folder signs from the block after the next one on: another holder of the key may have
// signed up to there. The caller holds c.mu.
func (c *custody) release(height int64) {
	defer c.report()
	if c.held != away {
		height += 2 // it is that of the block before the one that is being decided
	}
	if last := &c.key.LastSignState; height > last.Height {
		raise(last, height)
		last.Save()
	}
	if c.resettle() != nil {
		return
	}
	c.logger.Info("the validator signs again", "from", c.key.LastSignState.Height)
	c.held, c.quiet, c.other = free, 0, 0
}

// isRaised reports whether a state names a height up to which nothing more is signed, without a signature.
func isRaised(s *privval.FilePVLastSignState) bool {
	return s.Height > 0 && s.Round == math.MaxInt32 && s.Step == stepPrecommit && s.Signature == nil && s.SignBytes == nil
}

// isRestored reports whether a folder was restored from a backup, and its validator has not signed since.
func isRestored(files engineFiles) bool {
	var kept homeFile
	text, err := os.ReadFile(files.Home)
	return err == nil && json.Unmarshal(text, &kept) == nil && kept.Home == restoredHome
}

// report turns the panic of a state file that can't be written into a failure of the node.
func (c *custody) report() {
	if r := recover(); r != nil {
		c.failure.set(fmt.Errorf("write down what is signed: %w", asError(r)))
	}
}

// rested lets a validator that was away sign, after a pause in which its key was silent and no block came. It reports whether it did. The last
// signature of a restored folder may be of blocks that nobody has any more: others come in their place.
func (c *custody) rested(height int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != away || !c.asked || time.Since(c.since) < awayPause {
		return false
	}
	if signed := c.key.LastSignState.Height; c.again && signed >= height {
		c.logger.Warn("blocks that this validator has signed are lost: it signs others in their place", "from", height, "to", signed)
		c.key.LastSignState.Height = 0
	}
	c.release(height - 1)
	return true
}

// trouble says why the node doesn't sign, or nothing.
func (c *custody) trouble() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	const how = "When no other node has the key, start this one once with --sign-now"
	switch c.held {
	case copied:
		return fmt.Sprintf("this validator signs nothing yet: its folder is a copy or a restored backup, and the original may sign. It signs by itself after %d blocks "+
			"without a signature of its key (%d so far). %s", c.silent, c.quiet, how)
	case doubled:
		return fmt.Sprintf("this validator signs nothing: its key has signed block %d, and this folder knows only of block %d. Another node has the key, or this is an old "+
			"state: stop one of the two. It signs by itself after %d blocks without a signature of its key (%d so far). %s",
			c.other, c.key.LastSignState.Height, c.silent, c.quiet, how)
	}
	return ""
}

// subscribe asks the engine for the votes that reach the node.
func (c *Chain) subscribe(ctx context.Context) (cmttypes.Subscription, error) {
	const room = 4096 // votes, beyond which the engine ends the subscription
	return c.engine.EventBus().Subscribe(ctx, "custody", cmttypes.EventQueryVote, room)
}

// watchVotes follows the votes that reach the node, until the context ends: for the custody of its key, and the clocks of the others.
func (c *Chain) watchVotes(ctx context.Context, votes cmttypes.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-votes.Canceled():
			var err error
			if votes, err = c.subscribe(ctx); err != nil {
				return // the engine stops
			}
		case message := <-votes.Out():
			if vote, ok := message.Data().(cmttypes.EventDataVote); ok {
				c.custody.vote(vote.Vote)
				c.votes.note(vote.Vote, c.clock.now())
			}
		}
	}
}

// lookAround looks for votes of the key at this height.
func (c *custody) lookAround(now *cstypes.RoundState) {
	index, _ := now.Validators.GetByAddress(c.address)
	if index < 0 {
		return
	}
	for round := range now.Round + 1 {
		for _, votes := range []*cmttypes.VoteSet{now.Votes.Prevotes(round), now.Votes.Precommits(round)} {
			if votes == nil {
				continue
			}
			if vote := votes.GetByIndex(index); vote != nil {
				c.vote(vote)
			}
		}
	}
}

// nudge lets a validator that was away take part in the round that waits for it, with a vote for no block: the engine asks for each vote
// once, and was refused.
func (c *Chain) nudge() {
	state := c.votes.state.Load()
	now := state.GetRoundState()
	c.custody.lookAround(now)
	if now.Step >= cstypes.RoundStepCommit || c.behind(now.Height) || c.alone(now) || !c.custody.rested(now.Height) {
		return // the block is decided, and may be old
	}
	kind := cmtproto.PrevoteType
	switch {
	case now.Step < cstypes.RoundStepPrevote:
		return // it will be asked
	case now.Step >= cstypes.RoundStepPrecommit:
		kind = cmtproto.PrecommitType
	}
	index, _ := now.Validators.GetByAddress(c.custody.address)
	if index < 0 {
		return
	}
	vote := &cmttypes.Vote{
		Type: kind, Height: now.Height, Round: now.Round, Timestamp: c.clock.stamp(), ValidatorAddress: c.custody.address, ValidatorIndex: index,
	}
	signed := vote.ToProto()
	if err := c.signer.SignVote(c.engine.GenesisDoc().ChainID, signed); err != nil {
		c.logger.Warn("a vote can't be signed", "why", err)
		return
	}
	vote.Signature, vote.Timestamp = signed.Signature, signed.Timestamp
	if _, err := state.AddVote(vote, ""); err != nil {
		c.logger.Warn("a vote is not taken", "why", err)
	}
}

// behind reports whether a peer is past a height: one that the node is to stay connected with, since anybody can claim a height, or any where
// no such peer is connected.
func (c *Chain) behind(height int64) bool {
	named, others, anyNamed := c.heights()
	return named > height || others > height && !anyNamed
}

// alone reports whether no peer could show the votes of the other validators.
func (c *Chain) alone(now *cstypes.RoundState) bool {
	return c.engine.Switch().Peers().Size() == 0 && now.Validators.Size() > 1
}

// Held reports whether the validator of this node waits before it signs.
func (c *Chain) Held() bool {
	c.custody.mu.Lock()
	defer c.custody.mu.Unlock()
	return c.custody.held != free
}

// offset is how far the clock of a validator is ahead of this node's, by its last vote.
type offset struct {
	height int64
	ahead  time.Duration
}

// note takes note of the time of a vote. The network's delay makes a clock look behind.
func (v *votes) note(vote *cmttypes.Vote, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.offsets == nil {
		v.offsets = map[string]offset{}
	}
	v.offsets[string(vote.ValidatorAddress)] = offset{vote.Height, vote.Timestamp.Sub(now)}
}

// clockOf returns how far the clock of a validator is ahead by a vote for one of the last blocks, and whether there is one.
func (v *votes) clockOf(address string, height int64) (time.Duration, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	last, ok := v.offsets[address]
	return last.ahead, ok && last.height >= height-1
}

// durations splits a signed length of time.
func durations(d time.Duration) (ahead, behind types.Duration) {
	return types.DurationOf(d), types.DurationOf(-d)
}
