package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/client/wire"
	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/internal/table"
	"lockstep/types"
	"lockstep/wallet"
)

type governanceCmd struct {
	Show    governanceShowCmd    `cmd:"" help:"Show operators, validators, the parameters in force, and changes that wait for their block."`
	List    governanceListCmd    `cmd:"" help:"List the decisions of operators that were carried out, newest first."`
	Propose governanceProposeCmd `cmd:"" help:"Propose a decision that several operators sign, one after the other."`
	Sign    governanceSignCmd    `cmd:"" help:"Sign a decision that another operator has proposed, after it was explained to you."`
	Submit  governanceSubmitCmd  `cmd:"" help:"Send a decision to the ledger that enough operators have signed. Anyone can, without a fee."`
}

type governanceShowCmd struct{}

func (c *governanceShowCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	shown, err := s.node.Governance(ctx)
	if err != nil {
		return err
	}
	return a.show(shown, func(p *page) { s.governance(p, &shown) })
}

func (s *session) governance(p *page, shown *wire.Governance) {
	g := &shown.Governance
	if len(g.Params.Operators) == 0 {
		p.row("operators", "none: nobody can change this ledger")
	} else {
		p.row("operators", fmt.Sprintf("%d, of whom %d decide", len(g.Params.Operators), g.Params.Needed()))
	}
	for _, operator := range g.Params.Operators {
		p.row("", s.withLabel(operator))
	}
	total, _ := g.Power()
	p.row("validators", fmt.Sprintf("%d, with a power of %d in all", len(g.Validators), total))
	for _, seat := range g.Validators {
		text := fmt.Sprintf("%s has %d", seat.Validator.Key, seat.Validator.Power)
		if seat.Silent != 0 {
			text += ", and has signed no block yet"
		}
		p.row("", text)
	}
	p.row("rules", fmt.Sprintf("version %d", g.Params.Version()))
	p.row("decisions", fmt.Sprint(shown.Decisions))
	for _, row := range wallet.InForce(g) {
		p.row(row.Name, row.Text)
	}
	for _, row := range wallet.Coming(g) {
		name := ""
		if row.Name == "parameters" {
			name = "coming"
		}
		p.row(name, row.Name+" "+row.Text)
	}
	for _, later := range g.Params.Later {
		p.row("market", "other numbers for slots from "+stamp(later.From)+" on")
	}
}

type governanceListCmd struct{}

func (c *governanceListCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	decisions := []wire.Decision{}
	for decision, err := range s.node.AllDecisions(ctx) {
		if err != nil {
			return err
		}
		decisions = append(decisions, decision)
	}
	return a.show(map[string]any{"decisions": decisions}, func(p *page) {
		if len(decisions) == 0 {
			p.line("The operators have decided nothing yet.")
			return
		}
		p.row("number", "at", "acts", "signers", "transaction")
		for i := range decisions {
			d := &decisions[i].Decided
			p.row(fmt.Sprint(d.Number), stamp(d.At), actsText(&d.Decision), fmt.Sprint(len(d.Signers)), d.Tx.String())
		}
	})
}

// actsText names the acts of a decision.
func actsText(d *types.Decision) string {
	kinds := make([]string, len(d.Acts))
	for i, act := range d.Acts {
		kinds[i] = types.ActionKind(act)
	}
	return strings.Join(kinds, ", ")
}

// motionFlags say where a new decision goes.
type motionFlags struct {
	Out      string         `help:"File to write for the other operators." required:"" type:"path" placeholder:"FILE"`
	ValidFor types.Duration `help:"How long the others have time to sign it." default:"72h"`
}

// proposeFlag makes a command of an operator write a decision for several instead of sending a transaction of one.
type proposeFlag struct {
	Propose string `help:"Where several operators decide: write a decision for them to this file instead." type:"path" placeholder:"FILE"`
}

// operate is transact for an act of operators: of one, or proposed to several.
func (a *app) operate(ctx context.Context, f *walletFlags, yes yesFlag, propose proposeFlag, do func(s *session, d *wallet.Draft) (plan, error)) error {
	if propose.Propose == "" {
		return a.transact(ctx, f, yes, do)
	}
	s, err := a.session(ctx, f)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	p, err := do(s, d)
	if err != nil {
		return err
	}
	acts, err := d.Acts()
	if err != nil {
		return err
	}
	return s.move(ctx, motionFlags{Out: propose.Propose, ValidFor: defaultMotion}, yes, false, p.worst, acts...)
}

// defaultMotion is how long operators have time to sign.
const defaultMotion = types.Duration(3 * 24 * 3600 * 1000)

// council returns the context of the account, and the ledger's governance.
func (s *session) council(ctx context.Context) (wallet.Context, *wallet.Council, error) {
	known, err := s.known(ctx)
	if err != nil {
		return known, nil, err
	}
	shown, err := s.node.Governance(ctx)
	return known, &shown.Governance, err
}

// move proposes a decision: shows it, asks for consent, signs it and writes it to a file.
func (s *session) move(ctx context.Context, out motionFlags, yes yesFlag, insist bool, warnings []string, acts ...types.Act) error {
	known, council, err := s.council(ctx)
	if err != nil {
		return err
	}
	motion, err := s.account.Move(known, out.ValidFor, insist, acts...)
	if err != nil {
		return err
	}
	signed, err := s.signMotion(known, council, motion, yes, warnings)
	if err != nil {
		return err
	}
	if err := createFile(out.Out, signed.Encode()); err != nil {
		return err
	}
	return s.writtenMotion(signed, council, out.Out)
}

// signMotion shows a decision, asks for consent and signs it.
func (s *session) signMotion(known wallet.Context, council *wallet.Council, motion *wallet.Motion, yes yesFlag, warnings []string) (*wallet.Motion, error) {
	if _, err := s.account.SignMotion(known, motion, council); err != nil { // before the user is asked
		return nil, err
	}
	p := plan{ask: "Sign this decision", worst: append(s.explainMotion(known, council, motion), warnings...)}
	if _, err := s.consent(yes, p, wallet.Cost{}); err != nil {
		return nil, err
	}
	return s.account.SignMotion(known, motion, council)
}

// explainMotion describes a decision in aligned lines.
func (s *session) explainMotion(known wallet.Context, council *wallet.Council, motion *wallet.Motion) (lines []string) {
	rows, width := motion.Explain(known, council), 0
	for _, row := range rows {
		width = max(width, table.Width(row.Name))
	}
	for _, row := range rows {
		lines = append(lines, table.Pad(row.Name, width+2)+row.Text)
	}
	return lines
}

// writtenDecision is the result of a command that wrote the file of a decision.
type writtenDecision struct {
	ID        types.Hash        `json:"id"`
	File      string            `json:"file"`
	Signed    []types.PublicKey `json:"signed"`
	Missing   int               `json:"missing"` // signatures
	Operators []types.PublicKey `json:"operators_to_be"`
}

func (s *session) writtenMotion(motion *wallet.Motion, council *wallet.Council, file string) error {
	missing, added := motion.Missing(council)
	written := writtenDecision{motion.Decision().ID(), file, motion.Signers(), missing + len(added), append([]types.PublicKey{}, added...)}
	return s.app.show(written, func(p *page) {
		p.line("Signed: decision %s, by %d.", written.ID, len(written.Signed))
		for _, key := range added {
			p.line("Its new operator %s must sign it too.", key)
		}
		if written.Missing == 0 {
			p.line("Enough have signed %s. Anyone can send it now: %s", file, s.next("governance submit", file))
			return
		}
		p.line("%d more must sign it. Pass %s on; each signs with: lockstep governance sign %s", written.Missing, file, file)
	})
}

func readMotion(file string) (*wallet.Motion, error) {
	content, err := plaintext.ReadFile(file, wallet.MaxMotionBytes)
	if err != nil {
		return nil, err
	}
	motion, err := wallet.ParseMotion(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return motion, nil
}

type governanceSignCmd struct {
	walletFlags
	yesFlag
	File string `arg:"" help:"File of the decision." type:"existingfile"`
	Out  string `help:"Write the signed decision to another file." type:"path" placeholder:"FILE"`
}

func (c *governanceSignCmd) Run(ctx context.Context, a *app) error {
	motion, err := readMotion(c.File)
	if err != nil {
		return err
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	known, council, err := s.council(ctx)
	if err != nil {
		return err
	}
	signed, err := s.signMotion(known, council, motion, c.yesFlag, nil)
	if err != nil {
		return err
	}
	out := c.File
	if c.Out != "" {
		out = c.Out
	}
	if err := atomicfile.Replace(out, signed.Encode()); err != nil {
		return fmt.Errorf("write the signed decision: %w", err)
	}
	return s.writtenMotion(signed, council, out)
}

type governanceSubmitCmd struct {
	walletFlags
	yesFlag
	File string `arg:"" help:"File of the decision." type:"existingfile"`
}

func (c *governanceSubmitCmd) Run(ctx context.Context, a *app) error {
	motion, err := readMotion(c.File)
	if err != nil {
		return err
	}
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		known, council, err := s.council(ctx)
		if err != nil {
			return plan{}, err
		}
		if err := d.Govern(motion, council); err != nil {
			return plan{}, err
		}
		lines := s.explainMotion(known, council, motion)
		return plan{ask: "Carry out this decision", worst: lines, done: "The decision is carried out: " + actsText(motion.Decision())}, nil
	})
}

type governanceProposeCmd struct {
	Validators proposeValidatorsCmd `cmd:"" help:"Validators in and out, and their power."`
	Params     proposeParamsCmd     `cmd:"" help:"Parameters, operators, how many of them decide, or the version of the rules, from a block on."`
	Market     proposeMarketCmd     `cmd:"" help:"The numbers of auctions, for slots from a moment on."`
	Dismiss    proposeDismissCmd    `cmd:"" help:"End a membership."`
}

type proposeValidatorsCmd struct {
	walletFlags
	yesFlag
	motionFlags
	Join   []string `help:"A newcomer, by the file of its consent (lockstep node consent), and its power; once for each." placeholder:"FILE=POWER"`
	Power  []string `help:"Another power for a validator; once for each." placeholder:"KEY=POWER"`
	Remove []string `help:"Remove a validator; once for each." placeholder:"KEY"`
	Insist bool     `help:"Accept that the ledger stands still if validators that have signed no block yet do not run."`
}

func (c *proposeValidatorsCmd) Run(ctx context.Context, a *app) error {
	var acts []types.Act
	chains := []string{}
	for _, text := range c.Join {
		file, power, err := powerOf("--join", text)
		if err != nil {
			return err
		}
		consent, err := readConsent(file)
		if err != nil {
			return err
		}
		chains = append(chains, consent.ChainID)
		acts = append(acts, &types.SetValidator{Key: consent.Key, Power: power, Consent: []types.Consent{consent.Consent}})
	}
	for _, text := range c.Power {
		name, power, err := powerOf("--power", text)
		if err != nil {
			return err
		}
		key, err := types.ParseKey(name)
		if err != nil {
			return misuse("--power %q: %w", text, err)
		}
		acts = append(acts, &types.SetValidator{Key: key, Power: power})
	}
	for _, text := range c.Remove {
		key, err := types.ParseKey(text)
		if err != nil {
			return misuse("--remove %q: %w", text, err)
		}
		acts = append(acts, &types.SetValidator{Key: key})
	}
	if len(acts) == 0 {
		return misuse("name a change: --join FILE=POWER, --power KEY=POWER or --remove KEY")
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(chains, func(chain string) bool { return chain != s.params.ChainID }); i >= 0 {
		return types.Refuse(types.CodeChain, "%s: the consent is for ledger %q, the node is on %q", c.Join[i], chains[i], s.params.ChainID)
	}
	return s.move(ctx, c.motionFlags, c.yesFlag, c.Insist, nil, acts...)
}

type proposeDismissCmd struct {
	walletFlags
	yesFlag
	motionFlags
	Member types.PublicKey `arg:"" help:"Key of the member."`
}

func (c *proposeDismissCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	return s.move(ctx, c.motionFlags, c.yesFlag, false, nil, &types.Dismiss{Member: c.Member})
}
