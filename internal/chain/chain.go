package chain

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	cstypes "github.com/cometbft/cometbft/consensus/types"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/pex"
	"github.com/cometbft/cometbft/proxy"
	cmttypes "github.com/cometbft/cometbft/types"
	ldberrors "github.com/syndtr/goleveldb/leveldb/errors"

	"lockstep/internal/disk"
	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// Chain is one node of a chain. It is safe for concurrent use.
type Chain struct {
	config  Config
	store   *store.Store
	feed    *feed
	pool    *pool
	failure *failure
	clock   *clock
	logger  *slog.Logger
	engine  *cmtnode.Node
	driven  *application // by the engine
	sync    *blockSync
	fresh   bool // it had no state when it was opened, and begins with a snapshot
	genesis types.Hash
	opened  []dbm.DB  // the engine's databases
	blocks  *database // that of its blocks
	stop    chan struct{}
	started bool
	votes   votes
	address cmttypes.Address // of this node's key among the validators
	custody *custody
	signer  *stamper
	pruning sync.WaitGroup
}

// Open opens the engine on a store and replays the blocks that the store lacks. [Chain.Run] makes new blocks.
func Open(config Config, s *store.Store, logger *slog.Logger) (*Chain, error) {
	params := s.Genesis()
	c := &Chain{config: config.withDefaults(&params), store: s, feed: newFeed(s), failure: newFailure(), logger: logger, stop: make(chan struct{})}
	err := c.openClock()
	var began []types.Validator
	var carried *ledger.Carried
	if err == nil {
		began, carried, err = beginningOf(filesOf(config.Dir).Genesis, s.Height())
	}
	if err == nil {
		c.pool, err = newPool(s, c.feed, c.clock, c.config)
	}
	if err == nil {
		c.driven = &application{
			params: params, began: began, carried: carried, rules: c.config.rules, idle: c.config.Idle, until: c.config.Until, store: s, pool: c.pool, feed: c.feed,
			failure: c.failure, clock: c.clock, logger: logger, stop: c.stop, relays: c.relays, seen: map[types.Hash]*types.Tx{},
		}
		if err = c.driven.checkRules(); err == nil {
			err = c.openEngine(c.driven, logger)
		}
	}
	if err == nil {
		c.driven.retention.told = max(c.engine.BlockStore().Base(), 1)
		c.driven.retention.from.Store(int64(s.Base()) + 1)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the chain: %w", err), c.Close())
	}
	return c, nil
}

// openClock creates the clock by which this node signs.
func (c *Chain) openClock() error {
	validators, err := Validators(c.config.Dir)
	if err != nil {
		return err
	}
	if c.store != nil {
		if governance := c.store.Governance(); governance != nil {
			validators = len(governance.Validators)
		}
	}
	several := validators > 1
	if several && c.config.ClockAhead != 0 {
		return errors.New("clock_ahead is for a ledger with one validator: with several, their clocks decide on the time together")
	}
	var last time.Time
	if c.store != nil && c.store.Height() >= c.store.First() {
		head, err := c.store.Head()
		if err != nil {
			return err
		}
		last = head.Clock().BlockTime.Std()
		if err := head.Close(); err != nil {
			return err
		}
	}
	c.clock = newClock(c.config, last, several, c.logger)
	return nil
}

func (c *Chain) openEngine(application abci.Application, logger *slog.Logger) (err error) {
	defer func() { // the engine panics when its files contradict each other or the store
		if r := recover(); r != nil {
			err = asError(r)
		} else if err == nil || !strings.Contains(err.Error(), "error during handshake") {
			return
		}
		err = fmt.Errorf("the engine's files in %s contradict each other or the state (%w): a file is damaged or of another backup; restore a backup of the node's whole folder, or, "+
			"with several validators, make the node anew", c.config.Dir, err)
	}()
	config, err := c.config.engineConfig()
	if err != nil {
		return err
	}
	files := filesOf(c.config.Dir)
	if err := startGenesis(files.Genesis, time.Now()); err != nil {
		return err
	}
	if err := checkAddresses(config.P2P.AddrBookFile(), c.logger); err != nil {
		return err
	}
	validator, err := loadValidator(files)
	if err != nil {
		return err
	}
	c.address = validator.GetAddress()
	nodeKey, err := p2p.LoadNodeKey(files.NodeKey)
	if err != nil {
		return fmt.Errorf("read the node's key: %w; restore its file from a backup", err)
	}
	if c.genesis, err = genesisHash(files.Genesis); err != nil {
		return err
	}
	if c.custody, err = openCustody(files, validator, &c.config, c.clock.now, c.failure, c.logger); err != nil {
		return err
	}
	c.signer = &stamper{FilePV: validator, custody: c.custody, clock: c.clock, failure: c.failure, stop: c.stop, signed: c.config.signed}
	c.sync = newBlockSync(c.failure, c.stop, logger)
	c.fresh = c.config.Sync != nil && c.store != nil && c.store.Height() < c.store.First()
	c.sync.joins = c.fresh
	if c.driven != nil {
		c.driven.custody, c.driven.sync = c.custody, c.sync
	}
	options := []cmtnode.Option{c.sync.replace}
	if c.config.Sync != nil {
		if err := c.forgetSync(config.DBDir()); err != nil {
			return err
		}
		config.StateSync.Enable = true // after the check of the configuration, which asks for servers of the engine's own interface
		config.StateSync.DiscoveryTime = syncDiscovery
		options = append(options, cmtnode.StateProvider(&headers{sync: c.config.Sync, genesis: files.Genesis}))
	}
	c.engine, err = cmtnode.NewNode(config, c.signer, nodeKey,
		proxy.NewConnSyncLocalClientCreator(application), // so that an idle proposer doesn't hold up anything else
		func() (*cmttypes.GenesisDoc, error) { return loadGenesis(files.Genesis) }, c.openDatabase,
		c.sync.watch(cmtnode.DefaultMetricsProvider(config.Instrumentation)), engineLogger{logger, c.stop, c.failure, c.replays}, options...)
	if err == nil && c.sync.Reactor == nil {
		err = errors.New("the engine has another block sync than this program expects")
	}
	if err == nil && c.config.every > 0 {
		if reactor, ok := c.engine.Switch().Reactor("PEX"); ok {
			if exchange, ok := reactor.(*pex.Reactor); ok {
				exchange.SetEnsurePeersPeriod(c.config.every)
			}
		}
	}
	return err
}

// syncDiscovery is how long a node that begins with a snapshot asks its peers for theirs, again and again until there is one.
const syncDiscovery = 5 * time.Second

// openDatabase opens a database for the engine and registers it, so that Close can close it if the engine never starts.
func (c *Chain) openDatabase(context *cmtconfig.DBContext) (dbm.DB, error) {
	db, err := dbm.NewGoLevelDBWithOpts(context.ID, context.Config.DBDir(), c.config.databaseOptions(context.ID))
	if err != nil {
		return nil, databaseError(context.ID, context.Config.DBDir(), err)
	}
	own := &database{DB: db, name: context.ID, failure: c.failure}
	if context.ID == blockDatabase {
		if own.DB, err = newBlockParts(db); err != nil {
			return nil, errors.Join(err, db.Close())
		}
		c.blocks = own
	}
	c.opened = append(c.opened, own)
	return own, nil
}

// databaseError explains a database that can't be opened. It reports damage only when the database does.
func databaseError(name, dir string, cause error) error {
	if ldberrors.IsCorrupted(cause) || errors.Is(cause, errPart) {
		return fmt.Errorf("the engine's database %q in %s is damaged: restore a backup of the node's folder, or, with several validators, make the node anew; "+
			"keep the files until then (%w)", name, dir, cause)
	}
	return fmt.Errorf("open the engine's database %q: %w", name, disk.Explain(dir, cause))
}

// Run takes part in the chain until the context ends or something fails that must stop the node. Call it once.
func (c *Chain) Run(ctx context.Context) error {
	if c.feed != nil {
		c.feed.began()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer c.pruning.Wait()
	defer cancel()
	votes, err := c.subscribe(ctx) // before the first of them comes
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it ends before it begins
	}
	if err != nil {
		return fmt.Errorf("follow the votes: %w", err)
	}
	c.replaying(true)
	err = c.engine.Start()
	c.replaying(false)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the node can't listen for other nodes on %s: the address is in use, perhaps by another node; stop that one, or choose another as \"p2p_listen\" in node.json (%w)", c.config.Listen, err)
	}
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	c.started = true
	state, err := c.consensus()
	if err != nil {
		return err
	}
	c.votes.state.Store(state)
	ended := make(chan struct{})
	go func() { // ends with the engine, at the latest when it is closed
		state.Wait()
		close(ended)
	}()
	go c.watchClock(ctx, state)
	go c.watchVotes(ctx, votes)
	c.pruning.Go(func() { c.prune(ctx) })
	select {
	case <-ctx.Done():
		return nil
	case <-c.failure.done:
		return fmt.Errorf("the chain has halted: %w", c.failure.err)
	case <-ended:
		select {
		case <-c.failure.done: // our own failure tells more
			return fmt.Errorf("the chain has halted: %w", c.failure.err)
		default:
			return errors.New("the chain has halted: consensus has failed, see the log")
		}
	}
}

// replaying marks that the engine replays its log, during its start.
func (c *Chain) replaying(yes bool) {
	if c.driven != nil {
		c.driven.replaying.Store(yes)
	}
}

// replays reports whether the engine replays its log.
func (c *Chain) replays() bool { return c.driven != nil && c.driven.replaying.Load() }

// ErrRestart asks the caller to open the node again, to continue at once. Errors around it say why.
var ErrRestart = errors.New("the node has to be opened again")

// watchClock reads the wall clock also without blocks. The engine waits for the wall-clock time of the last decided block: after the clock
// went back it would wait for as long as it was ahead.
func (c *Chain) watchClock(ctx context.Context, state *consensus.State) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	lag := lag{near: c.fresh}
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		c.clock.now()
		c.nudge()
		c.watchLag(state, &lag, time.Now())
		if err := c.clock.save(); err != nil {
			c.logger.Debug(err.Error()) // the next start judges by the last block
		}
		if round := state.GetRoundState(); round.Step == cstypes.RoundStepNewHeight && time.Until(round.StartTime) > clockSlack {
			c.failure.set(fmt.Errorf("the wall clock went back while the engine was between two blocks, and it would wait until the clock is there again: %w", ErrRestart))
		}
	}
}

// consensus returns the engine's consensus, to detect its end: the engine recovers from a panic in it and continues.
func (c *Chain) consensus() (*consensus.State, error) {
	environment, err := c.engine.ConfigureRPC()
	if err != nil {
		return nil, fmt.Errorf("reach the engine's consensus: %w", err)
	}
	state, ok := environment.ConsensusState.(*consensus.State)
	if !ok {
		return nil, fmt.Errorf("the engine's consensus is a %T", environment.ConsensusState)
	}
	return state, nil
}

// Close stops the engine after a block that is being written. Run must have returned or never been called.
func (c *Chain) Close() error {
	close(c.stop)
	var err error
	switch {
	case c.started:
		if err = c.engine.Stop(); err == nil {
			c.engine.Wait()
		}
	default:
		err = c.closeUnstarted()
	}
	if c.driven != nil {
		c.driven.executing.Wait() // of a proposal that was not decided
	}
	if c.clock != nil {
		_ = c.clock.save() // else the next start judges by the last block
	}
	if c.pool != nil {
		err = errors.Join(err, c.pool.close())
	}
	if err != nil {
		return fmt.Errorf("close the chain: %w", err)
	}
	return nil
}

func (c *Chain) closeUnstarted() error {
	var err error
	if c.engine != nil {
		err = errors.Join(c.engine.EventBus().Stop(), c.engine.ProxyApp().Stop())
	}
	for _, db := range c.opened {
		err = errors.Join(err, db.Close())
	}
	return err
}

// Submit submits a transaction to the pool. The error is a refusal, or the context's.
func (c *Chain) Submit(ctx context.Context, tx *types.Tx) error {
	return c.pool.submit(ctx, own, tx)[0]
}

// SubmitAll submits transactions to the pool in their order. Each is judged independently, unless it builds on another. The errors are those
// of [Chain.Submit].
func (c *Chain) SubmitAll(ctx context.Context, txs []*types.Tx) []error {
	return c.pool.submit(ctx, own, txs...)
}

// Outcome returns the known outcome of a transaction; false when there is none.
func (c *Chain) Outcome(id types.TxID) (Outcome, bool, error) {
	pending := c.pool.has(id) // before the store: a transaction is stored before it leaves the pool
	receipt, err := c.store.Receipt(id)
	if err != nil {
		return Outcome{}, false, err
	}
	switch {
	case receipt != nil && (receipt.Code == types.CodeOK || !pending):
		return Outcome{Tx: id, Height: receipt.Height, Code: receipt.Code, Detail: receipt.Detail}, true, nil
	case pending:
		return Outcome{Tx: id, Pending: true}, true, nil
	}
	dropped, ok := c.feed.droppedOutcome(id)
	return dropped, ok, nil
}

// Await returns the final outcome of a transaction. It also waits for a transaction that no node has seen yet.
func (c *Chain) Await(ctx context.Context, id types.TxID) (Outcome, error) {
	final, cancel := c.feed.wait(id)
	defer cancel()
	outcome, known, err := c.Outcome(id)
	if err != nil || known && !outcome.Pending {
		return outcome, err
	}
	select {
	case outcome := <-final:
		return outcome, nil
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	case <-c.stop:
		return Outcome{}, errStopping()
	}
}

// Blocks yields every block from a height on (0: the next one), then each as it is committed, until the context ends.
func (c *Chain) Blocks(ctx context.Context, from uint64) iter.Seq2[*store.Block, error] {
	if from == 0 {
		from = c.store.Height() + 1
	}
	return c.feed.blocks(ctx, from)
}

// Transactions returns the transactions of a block as submitted, or nil when this node lacks the block. A transaction that can't be decoded is nil.
func (c *Chain) Transactions(height uint64) []*types.Tx {
	block := c.engine.BlockStore().LoadBlock(int64(height))
	if block == nil {
		return nil
	}
	txs := make([]*types.Tx, len(block.Txs))
	for i, raw := range block.Txs {
		if tx, err := types.DecodeTx(raw); err == nil {
			txs[i] = tx
		}
	}
	return txs
}

// Status is the state of a node in its network.
type Status struct {
	Waiting    int // transactions in the pool
	Peers      int
	Validators int
	Genesis    types.Hash // of the genesis file, the same on every node of a chain
	Node       string     // how its peers name the node

	SinceBlock time.Duration // since the last block
	Halted     bool          // no block for longer than an idle chain waits
	Troubles   []string      // sentences on problems with the clock and the validator's key
	Beginning  string        // why there is no block yet, where the node waits for others
}

// beginning names the wait of a node without blocks, or nothing.
func (c *Chain) beginning(peers int) string {
	switch {
	case c.store.Height() >= c.store.First() || len(c.config.Peers) == 0:
		return ""
	case c.config.Sync != nil:
		return fmt.Sprintf("this node has no block yet: it waits for a snapshot from its peers, of which %d are connected, and for headers from the node that \"sync\" in its settings names", peers)
	}
	return fmt.Sprintf("this node has no block yet: it waits for blocks, or votes, of its peers, of which %d are connected", peers)
}

// stranded says that no peer gives the node its next block, or nothing.
func (c *Chain) stranded(since time.Duration) string {
	reactor, ok := c.engine.Switch().Reactor("CONSENSUS")
	if !ok || since <= c.config.HaltedAfter || !c.engine.IsRunning() || c.engine.Switch().Peers().Size() == 0 {
		return ""
	}
	if syncing, ok := reactor.(interface{ WaitSync() bool }); !ok || !syncing.WaitSync() {
		return ""
	}
	return fmt.Sprintf("this node fell behind, and no peer gives it block %d: they may keep only later ones. Make it anew from a backup of another node, with its own keys "+
		"and last signature: lockstep node restore FILE --keys-of DIR", c.store.Height()+1)
}

// lonely says that none of the nodes to follow is connected while no block comes, or nothing.
func (c *Chain) lonely(since time.Duration) string {
	if since <= c.config.HaltedAfter || len(c.config.Peers) == 0 || !c.engine.IsRunning() || c.engine.Switch().Peers().Size() > 0 {
		return ""
	}
	return "no other node is connected: none of p2p_peers answers, or they are connected with a copy of this folder, which has the same name among nodes: stop one of the two"
}

// outdated says that the operators have decided on rules that this program does not have, before the node stops for them, or nothing.
func (c *Chain) outdated() string {
	governance := c.store.Governance()
	if governance == nil {
		return ""
	}
	for i := range governance.Scheduled {
		next, height := &governance.Scheduled[i], c.store.Height()
		if _, known := ledger.RulesOf(c.config.rules, next.Change.Rules); !known {
			return fmt.Sprintf("from block %d on, %d blocks from now, the ledger follows version %d of its rules, and this program has versions up to %d: the node stops there. "+
				"Install a program with version %d before", next.From, next.From-min(height, next.From), next.Change.Rules, c.config.rules[len(c.config.rules)-1].Version, next.Change.Rules)
		}
	}
	return ""
}

// Status returns the state of the node.
func (c *Chain) Status() Status {
	since := c.feed.since()
	troubles := c.clock.troubles()
	for _, trouble := range []string{c.custody.trouble(), c.stranded(since), c.lonely(since), c.outdated()} {
		if trouble != "" {
			troubles = append(troubles, trouble)
		}
	}
	status := Status{
		Waiting: c.pool.size(), Validators: c.validators(), SinceBlock: since, Genesis: c.genesis, Node: string(c.engine.NodeInfo().ID()),
		Halted: since > c.config.HaltedAfter, Troubles: troubles,
	}
	if c.engine.IsRunning() {
		status.Peers = c.engine.Switch().Peers().Size()
	}
	status.Beginning = c.beginning(status.Peers)
	return status
}
