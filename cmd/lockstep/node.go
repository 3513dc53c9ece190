package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/node"
	"lockstep/types"
)

type nodeCmd struct {
	Init          nodeInitCmd          `cmd:"" help:"Make the folder of a new ledger with this node as its validator."`
	Join          nodeJoinCmd          `cmd:"" help:"Make the folder of a node that follows an existing ledger."`
	ID            nodeIDCmd            `cmd:"" name:"id" help:"Print how other nodes know this one: its address and its validator key."`
	Start         nodeStartCmd         `cmd:"" help:"Run the node until it is interrupted."`
	Consent       nodeConsentCmd       `cmd:"" help:"Sign with the validator key of a node that follows a ledger that it is willing to become a validator."`
	Status        nodeStatusCmd        `cmd:"" help:"Print the status of a running node and its ledger."`
	Backup        nodeBackupCmd        `cmd:"" help:"Keep all data of a node in one file, while it runs or not."`
	Restore       nodeRestoreCmd       `cmd:"" help:"Make the folder of a node from a backup, and check all of it."`
	Check         nodeCheckCmd         `cmd:"" help:"Recompute all data of a stopped node: commitment, sums, indexes."`
	Repair        nodeRepairCmd        `cmd:"" help:"Repair the damaged files of a stopped node: its log of outcomes from other nodes, its index and snapshots by itself."`
	Clock         nodeClockCmd         `cmd:"" help:"Compare the machine's clock with the time of a stopped node's ledger; let the ledger's time stay ahead."`
	Token         nodeTokenCmd         `cmd:"" help:"Make, list and revoke access tokens of clients."`
	ExportGenesis nodeExportGenesisCmd `cmd:"" help:"Write the genesis of a ledger that continues that of a stopped node under a new name."`
	Continue      nodeContinueCmd      `cmd:"" help:"Make the folder of a node of a ledger that continues another, with the keys of the old node."`
	Reindex       nodeReindexCmd       `cmd:"" help:"Rebuild the query index of a stopped node from the data on its disk."`
}

// nodeFlags name the folder of a node.
type nodeFlags struct {
	Dir string `help:"Folder of the node; by default node in the home folder." type:"path" placeholder:"DIR"`
}

func (f *nodeFlags) dir(a *app) string {
	if f.Dir != "" {
		return f.Dir
	}
	return a.nodeDir()
}

// reach returns a client of the node in the folder, or of the one that the flags name. A folder that is named must hold a node.
func (f *nodeFlags) reach(a *app) (*client.Client, error) {
	if f.Dir != "" {
		if _, err := node.LoadSettings(f.Dir); errors.Is(err, node.ErrNoNode) {
			return nil, err
		}
	}
	return a.connectTo(f.dir(a))
}

// isOf refuses the status of another node than the one in the folder, which then does not run: another one may have its address.
func (f *nodeFlags) isOf(a *app, status *wire.Status) error {
	own, err := node.IDOf(f.dir(a))
	switch {
	case err != nil && f.Dir != "":
		return err
	case err != nil || status.Node == "" || own == status.Node:
		return nil
	case f.Dir == "" && a.NodeURL != "": // another node is asked for on purpose
		return nil
	}
	return fmt.Errorf("the node in %s does not run, or not at that address: another node of ledger %q answers there; start it, or name the other's folder by --dir", f.dir(a), status.ChainID)
}

type nodeInitCmd struct {
	nodeFlags
	ChainID     string            `help:"Name of the ledger. Choose one that no other ledger has: a signature is valid on every ledger of the same name. By default a new one, such as lockstep-5e0c93a1." placeholder:"NAME"`
	API         string            `help:"Address on which the API listens." default:"127.0.0.1:8645" placeholder:"HOST:PORT"`
	ClockCap    time.Duration     `help:"The most that one gap between blocks advances the ledger clock." default:"10s"`
	MinWindow   time.Duration     `help:"Least time between two deadlines; at least 3 clock caps." default:"30s"`
	MaxValidity time.Duration     `help:"How far ahead a transaction's valid-until may lie." default:"1h"`
	Slot        time.Duration     `help:"Length of a slot of metered goods." default:"15m"`
	EvidenceAge time.Duration     `help:"How long evidence against a validator counts. No node removes blocks before that." default:"48h"`
	Operator    []types.PublicKey `help:"Key that may admit members and enrol meters; repeat the flag for each." placeholder:"KEY"`
	Threshold   uint32            `help:"How many of the operators must sign a decision." default:"1" placeholder:"K"`
	Market      marketFlags       `embed:"" prefix:"market-"`
	accessFlags
	indexFlags
	Entries entryFlags `embed:"" prefix:"entries-"`
	Fee     feeFlags   `embed:"" prefix:"fee-"`

	Validators int      `help:"Make the folders node0, node1 and so on of a ledger with this many validators." placeholder:"N"`
	Host       []string `help:"Machine of a validator, once for each in order; by default all are on this one." placeholder:"HOST"`
}

func (c *nodeInitCmd) Run(a *app) error {
	name, err := c.name()
	if err != nil {
		return err
	}
	params := types.DefaultParams(name)
	params.ClockCap, params.MinWindow = types.DurationOf(c.ClockCap), types.DurationOf(c.MinWindow)
	params.MaxValidity, params.Slot = types.DurationOf(c.MaxValidity), types.DurationOf(c.Slot)
	params.Operators = c.Operator
	if c.Threshold != 1 {
		params.Threshold = c.Threshold
	}
	if params.Market, err = c.Market.params(); err != nil {
		return err
	}
	params.Entries = c.Entries.bounds(len(c.Operator) > 0)
	if err := c.Fee.apply(&params); err != nil {
		return err
	}
	if err := params.Check(); err != nil {
		return &usageError{err}
	}
	if c.EvidenceAge < chain.MinEvidenceAge {
		return &usageError{fmt.Errorf("--evidence-age: %s is too short: set %s or more", c.EvidenceAge, chain.MinEvidenceAge)}
	}
	if c.Validators > 0 || len(c.Host) > 0 {
		return c.initAll(a, params)
	}
	if err := checkListen("--api", c.API); err != nil {
		return err
	}
	settings := node.DefaultSettings()
	settings.API, settings.Hosts, settings.Origins = c.API, c.AllowHost, c.AllowOrigin
	if err := c.indexFlags.apply(&settings); err != nil {
		return err
	}
	if err := node.Init(c.dir(a), node.InitOptions{Params: params, Settings: settings, Evidence: c.EvidenceAge}); err != nil {
		if errors.Is(err, node.ErrUsed) {
			return fmt.Errorf("%w: %s", err, a.next("node start"))
		}
		return err
	}
	made := struct {
		Dir    string       `json:"dir"`
		Params types.Params `json:"params"`
	}{c.dir(a), params}
	return a.show(made, func(p *page) {
		p.line("Made ledger %q in %s.", params.ChainID, made.Dir)
		p.line("%s", bound(&params))
		c.Market.initialRules(p, &params.Market)
		p.line("Start its node with: %s", a.next("node start"))
		if c.Dir != "" && c.Dir != a.nodeDir() {
			p.line("Other commands find it by: --node http://%s --token-file %s", reachable(c.API), quoted(filepath.Join(c.Dir, "api.token")))
		}
	})
}

// name returns the name of the new ledger. The default is unique: a signature names its ledger, and is valid on another ledger
// with the same name, where the signer may have the same keys.
func (c *nodeInitCmd) name() (string, error) {
	if c.ChainID != "" {
		return c.ChainID, nil
	}
	var unique [4]byte
	if _, err := rand.Read(unique[:]); err != nil {
		return "", err
	}
	return fmt.Sprintf("lockstep-%x", unique), nil
}

type nodeStartCmd struct {
	nodeFlags
	API        string `help:"Listen on this address instead of the one in the node's settings." placeholder:"HOST:PORT"`
	PlainHTTP  bool   `help:"Speak plain HTTP on an address that other machines reach: a proxy or a container keeps others away."`
	Until      uint64 `help:"Take part in no block after this one: the ledger stands still there once a third of the power does so, and the node stays with the others until it is interrupted." placeholder:"HEIGHT"`
	SignNow    bool   `help:"Sign blocks at once although this folder is a copy or a restored backup: no other node has its validator's key any more."`
	TrustClock bool   `help:"Follow the machine's clock although it has jumped ahead: it is right."`
	accessFlags
}

// accessFlags name further hosts and sites that may reach the API.
type accessFlags struct {
	AllowHost   []string `help:"Name by which a proxy on this machine makes the API known; once for each." placeholder:"NAME"`
	AllowOrigin []string `help:"Site whose pages may read the API in a browser, such as https://market.example; once for each." placeholder:"URL"`
}

// indexFlags say whether a node keeps the query index.
type indexFlags struct {
	NoIndex bool   `help:"Keep no index of the past: the node answers no questions on history, such as a validator that others don't ask. It can be switched on later."`
	IndexAt string `help:"With --no-index, the API of a node that keeps one: this node sends those who ask there." placeholder:"URL"`
}

func (f *indexFlags) apply(settings *node.Settings) error {
	if f.IndexAt != "" && !f.NoIndex {
		return misuse("--index-at is for a node with --no-index: this one answers questions on history itself")
	}
	index := !f.NoIndex
	settings.Index, settings.IndexAt = &index, f.IndexAt
	return nil
}

func (c *nodeStartCmd) Run(ctx context.Context, a *app) error {
	if c.API != "" {
		if err := checkListen("--api", c.API); err != nil {
			return err
		}
	}
	settings, err := node.LoadSettings(c.dir(a))
	if errors.Is(err, node.ErrNoNode) {
		return fmt.Errorf("%w: %s, or follow the ledger of others: lockstep node join", err, a.next("node init"))
	}
	if err != nil {
		return err
	}
	boundMemory(settings.MemoryMB)
	logger := a.logger()
	for {
		err := c.serve(ctx, a, logger)
		if !errors.Is(err, node.ErrRestart) || ctx.Err() != nil {
			return err
		}
		logger.Warn("the node is opened anew", "why", err)
	}
}

// serve runs the node once.
func (c *nodeStartCmd) serve(ctx context.Context, a *app, logger *slog.Logger) error {
	var n *node.Node
	err := within(ctx, "start the node", func() (err error) {
		n, err = node.Open(node.Config{
			Dir: c.dir(a), API: c.API, Version: version(), SignNow: c.SignNow, Until: c.Until, TrustClock: c.TrustClock, PlainHTTP: c.PlainHTTP,
			Hosts: c.AllowHost, Origins: c.AllowOrigin,
		}, logger)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.err, "Ledger %q: API on http://%s. Interrupt to stop.\n", n.Params().ChainID, n.APIAddress())
	if public := n.PublicAddress(); public != "" {
		fmt.Fprintf(a.err, "For other machines: https on %s.\n", public)
	}
	running, stopped := context.WithCancel(ctx)
	err = n.Run(ctx)
	stopped() // from here on the wait is bounded
	if closing := within(running, "stop the node", n.Close); err == nil {
		err = closing
	}
	return err
}

// stopAtMost bounds the wait for a disk when the program is to end.
const stopAtMost = 20 * time.Second

// within runs a function that works on the disk. Once the context ends it waits for a bounded time only: a failing disk can block
// the function, and a kill does no harm.
func within(ctx context.Context, what string, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(stopAtMost):
		return fmt.Errorf("%s: not done after %s, the program ends without it; committed data are safe", what, stopAtMost)
	}
}

type nodeStatusCmd struct{ nodeFlags }

// Run prints the status. A ledger that stands still is an error of its own, for programs that look after the node.
func (c *nodeStatusCmd) Run(ctx context.Context, a *app) error {
	asked, err := c.reach(a)
	if err != nil {
		return err
	}
	status, err := asked.Status(ctx)
	if err == nil {
		err = c.isOf(a, &status)
	}
	if err != nil {
		return err
	}
	validators, err := asked.Validators(ctx)
	if err != nil && types.CodeOf(err) != types.CodeNotFound && types.CodeOf(err) != types.CodeUnavailable {
		return err
	}
	shown := struct {
		wire.Status
		Signers *wire.Validators `json:"signers,omitempty"`
	}{Status: status}
	if err == nil {
		shown.Signers = &validators
	}
	err = a.show(shown, func(p *page) {
		p.row("ledger", status.ChainID)
		p.row("genesis", status.Genesis.String())
		p.row("height", fmt.Sprint(status.Height))
		p.row("block time", stamp(status.BlockTime))
		p.row("ledger clock", stamp(status.Clock)+" ("+status.Skew.String()+" behind)")
		p.row("commitment", status.Commitment.String())
		p.row("waiting", fmt.Sprintf("%d transactions", status.Waiting))
		p.row("validators", fmt.Sprint(status.Validators))
		p.row("peers", fmt.Sprint(status.Peers))
		p.row("last block", since(status)+" ago")
		if status.OnDisk > 0 {
			p.row("log", fmt.Sprintf("%d blocks not on the disk yet", status.Height-min(status.OnDisk, status.Height)))
		}
		if status.Index > 0 {
			p.row("index", fmt.Sprintf("%d blocks behind", status.Height-min(status.Index, status.Height))+fromBlock(status.IndexFrom))
		}
		if status.From > 0 {
			p.row("history", "from block "+fmt.Sprint(status.From)+" on: ask a node that keeps all for earlier blocks")
		}
		if status.DiskFree > 0 {
			p.row("disk", diskLeft(&status))
		}
		if status.CertEnds > 0 {
			p.row("certificate", "good until "+stamp(status.CertEnds))
		}
		p.row("version", status.Version)
		if status.Halted {
			p.line("THE LEDGER STANDS STILL: no block for %s. Money is safe, and deadlines wait.", since(status))
		}
		for _, trouble := range status.Troubles {
			p.line("Trouble: %s.", trouble)
		}
		if len(validators.Validators) > 1 {
			showValidators(p, &validators)
		}
	})
	if err == nil && status.Halted {
		err = &client.StandsStill{Since: status.SinceBlock}
	}
	return err
}

// diskLeft tells the room on the node's disk, and when it is used up.
func diskLeft(status *wire.Status) string {
	text := disk.Size(status.DiskFree) + " left"
	if status.DiskFullIn > 0 {
		text += ", full in " + status.DiskFullIn.Std().Round(time.Hour).String() + " at the pace of the last day"
	}
	return text
}

// showValidators shows whether a quorum is heard, and how each validator takes part.
func showValidators(p *page, v *wire.Validators) {
	if v.Heard < v.Needed {
		p.line("TOO FEW VALIDATORS ARE HEARD: power %d of %d, and a block needs %d.", v.Heard, v.Power, v.Needed)
	} else {
		p.line("Validators of power %d of %d are heard; a block needs %d.", v.Heard, v.Power, v.Needed)
	}
	p.row("validator", "power", fmt.Sprintf("signed of %d", v.Blocks), "last", "heard", "clock")
	for _, validator := range v.Validators {
		last, heard, clock := "", "no", ""
		switch {
		case validator.Ahead > 0:
			clock = validator.Ahead.String() + " ahead"
		case validator.Behind > 0:
			clock = validator.Behind.String() + " behind"
		}
		if validator.Last > 0 {
			last = fmt.Sprint(validator.Last)
		}
		if validator.Heard {
			heard = "yes"
		}
		p.row(validator.Key.String(), fmt.Sprint(validator.Power), fmt.Sprint(validator.Signed), last, heard, clock)
	}
}

// fromBlock says where a history begins; nothing when it has all.
func fromBlock(from uint64) string {
	if from == 0 {
		return ""
	}
	return fmt.Sprintf(", has the history from block %d on", from)
}

type nodeCheckCmd struct{ nodeFlags }

func (c *nodeCheckCmd) Run(ctx context.Context, a *app) error {
	var report node.CheckReport
	err := within(ctx, "check the node", func() (err error) {
		report, err = node.Check(c.dir(a), a.logger())
		return err
	})
	if err != nil {
		return err
	}
	return a.show(report, func(p *page) { showCheck(p, &report) })
}

func showCheck(p *page, report *node.CheckReport) {
	p.line("Everything agrees at height %d: %d outputs, %d open trades, %d closed.", report.Height, report.Outputs, report.Live, report.Archived)
	if report.From > 1 {
		p.line("The node keeps history from block %d on: trades that were closed before are not among these, and nothing of it was checked.", report.From)
	}
	if len(report.Sums) > 0 {
		p.row("asset", "issued", "= spendable", "+ locked", "+ in orders", "+ fees")
	}
	for _, sum := range report.Sums {
		d := sum.Asset.Decimals
		p.row(name(sum.Asset.Code), sum.Issued.Format(d), "= "+sum.Spendable.Format(d), "+ "+sum.Locked.Format(d), "+ "+sum.InOrders.Format(d), "+ "+sum.Fees.Format(d))
	}
	p.line("Commitment %s, as recomputed from every entry.", report.Commitment)
	p.line("%s", checkedParts(report))
}

// checkedParts names the parts that were checked beside the state.
func checkedParts(report *node.CheckReport) string {
	blocks, rest := "Every block", "The keys, the genesis file and the index are in order."
	if report.From > 1 {
		blocks = fmt.Sprintf("Every block from %d on", report.From)
	}
	if report.Index == (types.Hash{}) {
		rest = "The keys and the genesis file are in order. An index was not checked."
	}
	return blocks + " is whole, signed, and as the state says. " + rest
}

type nodeReindexCmd struct{ nodeFlags }

func (c *nodeReindexCmd) Run(ctx context.Context, a *app) error {
	var report node.IndexReport
	err := within(ctx, "build the index", func() (err error) {
		report, err = node.Reindex(ctx, c.dir(a), a.logger())
		return err
	})
	if err != nil {
		return err
	}
	return a.show(report, func(p *page) {
		p.line("Built the index of %d blocks: %d trades, %d auctions with %d orders, %d keys.",
			report.Blocks, report.Trades, report.Auctions, report.Orders, report.Parties)
		if report.From > 1 {
			p.line("It begins at block %d, since this node does not keep earlier ones.", report.From)
		}
		p.line("Digest %s, the same wherever this ledger is indexed from block %d to this height.", report.Digest, report.From)
	})
}
