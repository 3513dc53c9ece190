package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/internal/agent/config"
	"lockstep/internal/agent/runner"
	"lockstep/internal/light"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/wallet"
)

type agentCmd struct {
	Init    agentInitCmd    `cmd:"" help:"Write a commented configuration from a few answers."`
	Check   agentCheckCmd   `cmd:"" help:"Explain a configuration, and try each of its connections."`
	Confirm agentConfirmCmd `cmd:"" help:"Consent to the limits of a configuration. The agent runs within confirmed limits alone."`
	Run     agentRunCmd     `cmd:"" help:"Trade by itself, until interrupted."`
	Word    agentWordCmd    `cmd:"" help:"Tell the agent whether the goods of a trade came that no meter counts."`
	Gateway agentGatewayCmd `cmd:"" help:"Print the key by which the wallet signs the readings of an unsigned meter, for an operator to enrol."`
}

// agentFlags name the configuration of an agent. Its wallet is that of the flags, else that of the file.
type agentFlags struct {
	walletFlags
	File string `arg:"" optional:"" help:"The agent's configuration in YAML; by default agent.yaml in the home folder." type:"path"`
}

func (f *agentFlags) file(a *app) string {
	if f.File != "" {
		return f.File
	}
	return filepath.Join(a.Home, "agent.yaml")
}

// maxAgentFile bounds a configuration.
const maxAgentFile = 1 << 20

// load reads the configuration, and takes the settings of node and wallet from it that the flags leave open. Files that it names
// are beside it unless their names are absolute.
func (f *agentFlags) load(a *app) (*config.Config, error) {
	path := f.file(a)
	text, err := plaintext.ReadFile(path, maxAgentFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration at %s: write one with \"lockstep agent init\"", path)
	} else if err != nil {
		return nil, err
	}
	c, err := config.Load(text)
	if err != nil {
		return nil, misuse("%s: %v", path, err)
	}
	beside := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(filepath.Dir(path), name)
	}
	if a.NodeURL == "" {
		a.NodeURL = c.Node
	}
	if f.Wallet == "" {
		f.Wallet = beside(c.Wallet)
	}
	if f.Account == 0 {
		f.Account = c.Account
	}
	if f.PassphraseFile == "" {
		f.PassphraseFile = beside(c.PassphraseFile)
	}
	if folder := os.Getenv(credentialsFolder); f.PassphraseFile == "" && folder != "" {
		f.PassphraseFile = filepath.Join(folder, "passphrase")
	}
	if c.State = beside(c.State); c.State == "" {
		c.State = path + ".state"
	}
	for _, source := range c.Sources {
		source.File, source.PasswordFile, source.TokenFile = beside(source.File), beside(source.PasswordFile), beside(source.TokenFile)
	}
	if c.Direct != nil {
		c.Direct.Splits = beside(c.Direct.Splits)
	}
	if c.Prices != nil {
		c.Prices.TokenFile = beside(c.Prices.TokenFile)
	}
	return c, nil
}

// credentialsFolder is the variable by which systemd names the folder of a service's credentials.
const credentialsFolder = "CREDENTIALS_DIRECTORY"

// prepared is an agent that is ready to run.
type prepared struct {
	config *config.Config
	setup  *agent.Setup
	terms  string // that the owner consents to
	point  *types.Point
	assets []types.Asset
}

// prepare makes the agent of a configuration for an account on a ledger.
func prepare(ctx context.Context, c *config.Config, w *wallet.Wallet, account *wallet.Account, node *client.Client, ledger *client.Ledger) (*prepared, error) {
	facts := config.Ledger{Params: ledger.Params, Genesis: ledger.Status.Genesis}
	for _, text := range append([]string{c.Market.Asset}, c.Limits.Assets...) {
		assets, err := agentAssets(ctx, text, w, node)
		if err != nil {
			return nil, err
		}
		for _, asset := range assets {
			if !known(facts.Assets, asset) {
				facts.Assets = append(facts.Assets, asset)
			}
		}
	}
	points, err := node.KeyPoints(ctx, account.Key())
	if err != nil {
		return nil, err
	}
	for _, point := range points.Points {
		facts.Points = append(facts.Points, point.Point)
	}
	setup, err := c.Setup(account.Key(), &facts)
	if err != nil {
		return nil, misuse("%v", err)
	}
	p := &prepared{config: c, setup: setup, terms: config.Terms(setup, facts.Genesis), assets: facts.Assets}
	for i := range facts.Points {
		if facts.Points[i].ID() == setup.Flow.Point {
			p.point = &facts.Points[i]
		}
	}
	return p, nil
}

func known(assets []types.Asset, asset types.Asset) bool {
	for _, other := range assets {
		if other.ID() == asset.ID() {
			return true
		}
	}
	return false
}

// agentAssets finds the assets that a text can mean: one by its ID, or those of a code that the wallet trusts or the ledger recognises.
func agentAssets(ctx context.Context, text string, w *wallet.Wallet, node *client.Client) (found []types.Asset, err error) {
	var id types.AssetID
	if id.UnmarshalText([]byte(text)) == nil {
		asset, err := node.Asset(ctx, id)
		return []types.Asset{asset.Asset}, err
	}
	for _, trusted := range w.Trusted() {
		if trusted.Asset.Code == text || trusted.Label == text {
			found = append(found, trusted.Asset)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	for asset, err := range node.AllAssets(ctx, text) {
		if err != nil {
			return nil, err
		}
		if asset.Recognised {
			found = append(found, asset.Asset)
		}
	}
	if len(found) == 0 {
		err = types.Refuse(types.CodeNotFound, "market.asset: neither your wallet trusts nor the ledger recognises an asset %q: name its ID, or trust it first (lockstep wallet trust)", text)
	}
	return found, err
}

// open opens the wallet of the agent and binds it to the ledger.
func (f *agentFlags) open(ctx context.Context, a *app) (*session, *prepared, error) {
	c, err := f.load(a)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.session(ctx, &f.walletFlags)
	if err != nil {
		return nil, nil, err
	}
	p, err := prepare(ctx, c, s.wallet, s.account, s.node, s.ledger)
	if err != nil {
		s.wallet.Close()
		return nil, nil, err
	}
	return s, p, nil
}

// runner returns the runner of a prepared agent, which lasts as long as the context.
func (p *prepared) runner(ctx context.Context, a *app, s *session) (*runner.Runner, error) {
	r := runner.Config{Setup: p.setup, Node: s.node, Signer: s.signer, Log: a.logger(), File: p.config.State, Words: wordsFolder(p.config)}
	if p.config.Believe != config.BelieveNode {
		checks, err := p.light(ctx, s)
		if err != nil {
			return nil, err
		}
		r.Belief = light.NewBelief(checks, s.account.Key())
	}
	if p.config.Direct != nil {
		r.Splits = p.config.Direct.Splits
	}
	if source := p.config.PriceSource(); source != nil {
		r.Prices = source
	}
	r.Meter = p.meter(s.account)
	return runner.New(r), nil
}

// meter returns the sources of the household; nil without any.
func (p *prepared) meter(account *wallet.Account) *runner.Meter {
	c := p.config
	if len(c.Sources) == 0 {
		return nil
	}
	m := &runner.Meter{Sources: c.Sources, Point: p.point}
	if c.Meter != nil {
		m.Use, m.Make = c.Meter.Import, c.Meter.Export
		m.Sign = c.Meter.Sign && p.point != nil && runner.GatewayOf(account, p.point)
	}
	if c.Battery != nil {
		m.Level = c.Battery.Level
	}
	return m
}

type agentRunCmd struct {
	agentFlags
	DryRun bool          `help:"Carry nothing out: print what the agent would do."`
	For    time.Duration `help:"End after so much time of running; by default when interrupted." placeholder:"TIME"`
	Notify string        `help:"Tell you when something needs you, by this configuration of notices." type:"path" placeholder:"FILE"`
}

// Run runs the agent until it is interrupted.
func (c *agentRunCmd) Run(ctx context.Context, a *app) error {
	c.cipher = scryptChild{}
	go thrift(ctx)
	s, p, err := c.await(ctx, a)
	if err != nil {
		return err
	}
	defer s.wallet.Close()
	if err := config.CheckConsent(config.ConsentFile(c.path(a), c.Account), p.terms); err != nil && !c.DryRun {
		return &wallet.Error{Reason: wallet.ReasonConsent, Detail: err.Error()}
	}
	if c.For > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.For)
		defer stop()
	}
	r, err := p.runner(ctx, a, s)
	if err != nil {
		return err
	}
	r.DryRun = c.DryRun
	if c.Notify != "" {
		if r.Notice, err = a.tellOfAgent(ctx, c.Notify, s.node, s.account.Key()); err != nil {
			return err
		}
	}
	if c.DryRun {
		said := map[string]bool{}
		r.Transacted = func(t agent.Transact) { printActs(a, s, t, said) }
	}
	if !a.JSON {
		fmt.Fprintf(a.err, "The agent of %s runs on ledger %q. Interrupt to stop.\n", s.account.Key(), s.params.ChainID)
	}
	defer a.tellWhenStill(ctx, s.node)()
	return r.Run(ctx)
}

// await opens the wallet of the agent, and waits for a node that is not up: after a power cut the agent may be first.
func (c *agentRunCmd) await(ctx context.Context, a *app) (*session, *prepared, error) {
	begin := time.Now()
	for told := false; ; told = true {
		s, p, err := c.agentFlags.open(ctx, a)
		if types.CodeOf(err) != types.CodeUnavailable || c.For > 0 && told && time.Since(begin) >= c.For {
			return s, p, err
		}
		if !told {
			a.logger().Warn("the node does not answer: the agent waits for it", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(nodePause):
		}
	}
}

// nodePause is the time between two questions to a node that does not answer.
const nodePause = 2 * time.Second

// printActs prints a transaction that a dry run leaves out, each act once.
func printActs(a *app, s *session, t agent.Transact, said map[string]bool) {
	for _, act := range t.Acts {
		text := act.Name()
		if said[text] {
			continue
		}
		said[text] = true
		if place, ok := act.(agent.Place); ok {
			o := &place.Order
			text += fmt.Sprintf(": %s at %s or better", quantity(o.Quantity, o.Product.Unit), s.lotPrice(&o.Product, o.Lot, o.Limit))
		}
		fmt.Fprintf(a.out, "would %s\n", text)
	}
}

type agentConfirmCmd struct {
	agentFlags
	yesFlag
}

// Run shows the limits and keeps the consent.
func (c *agentConfirmCmd) Run(ctx context.Context, a *app) error {
	s, p, err := c.agentFlags.open(ctx, a)
	if err != nil {
		return err
	}
	defer s.wallet.Close()
	fmt.Fprintf(a.err, "%s", p.terms)
	if !c.Yes {
		yes, err := s.answer("Let the agent trade by itself within these limits", "add -y to say yes beforehand")
		if err != nil {
			return err
		}
		if !yes {
			return notAccepted()
		}
	}
	path := config.ConsentFile(c.path(a), c.Account)
	if err := config.Confirm(path, p.terms); err != nil {
		return err
	}
	return a.show(map[string]string{"confirmed": path}, func(out *page) {
		out.line("The limits are confirmed. Changed ones need it again.")
	})
}

type agentGatewayCmd struct{ walletFlags }

// Run prints the key of the account's gateway.
func (c *agentGatewayCmd) Run(a *app) error {
	w, err := c.walletFlags.open(a)
	if err != nil {
		return err
	}
	defer w.Close()
	account, err := w.Account(c.Account)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%x", account.Gateway())
	return a.show(map[string]string{"gateway": key, "owner": account.Key().String()}, func(out *page) {
		out.line("%s", key)
		out.line("An operator enrols it with: lockstep meter enrol --native --export 01-00:02.08.00*FF %s %s", account.Key(), key)
	})
}

// nameList writes names with commas.
func nameList(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
