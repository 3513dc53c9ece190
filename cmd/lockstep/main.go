// Command lockstep is the whole of Lockstep in one program: a node of the ledger, a wallet, trading, meters, and a
// demonstration of all of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the zones of agents and readers, for containers and systems that have none

	"github.com/alecthomas/kong"

	"lockstep/client"
	"lockstep/internal/disk"
	"lockstep/types"
)

// Exit codes of every command.
const (
	exitFine   = 0
	exitFailed = 1 // refused or failed
	exitUsage  = 2 // wrong use
	exitStill  = 3 // the ledger stands still, and the command has not waited on
)

// cli is the tree of commands. Each group has a file of its own.
type cli struct {
	globals

	Demo       demoCmd       `cmd:"" help:"Watch a community trade a day of energy on a real ledger. Needs no set-up."`
	Sim        simCmd        `cmd:"" help:"Simulate a community of many households: the same seed, the same results."`
	App        appCmd        `cmd:"" help:"Open your page in a browser: see and steer it all, with your wallet."`
	Agent      agentCmd      `cmd:"" help:"Let your household trade by itself."`
	Node       nodeCmd       `cmd:"" help:"Run a node of a ledger."`
	Wallet     walletCmd     `cmd:"" help:"Keys, balances, payments."`
	Offer      offerCmd      `cmd:"" help:"Standing offers of goods."`
	Order      orderCmd      `cmd:"" help:"Bids and offers in auctions."`
	Goods      goodsCmd      `cmd:"" help:"Goods that are not energy: files and licence keys, sealed to their buyer, and goods that flow."`
	Notify     notifyCmd     `cmd:"" help:"Be told in time of what needs you."`
	Home       homeCmd       `cmd:"" help:"Show prices and trades in Home Assistant."`
	Books      booksCmd      `cmd:"" help:"Journals and statements of your trades."`
	Trade      tradeCmd      `cmd:"" help:"Trades, from E1 (pay) to E4 (collect)."`
	Name       nameCmd       `cmd:"" help:"Your own names for keys, kept in the wallet."`
	Member     memberCmd     `cmd:"" help:"Members of the ledger, and requests to become one."`
	Governance governanceCmd `cmd:"" help:"Decisions of the operators: validators, parameters, members, upgrades."`
	Meter      meterCmd      `cmd:"" help:"Meters and their signed readings."`
	Evidence   evidenceCmd   `cmd:"" help:"Signed records of charging stations: judge them, and put their readings on the ledger."`
	Terms      termsCmd      `cmd:"" help:"Explain terms: the value of honesty, and the losses of each side."`
	Market     marketCmd     `cmd:"" help:"Auctions that anyone can recompute."`
	Log        logCmd        `cmd:"" help:"The log of outcomes, to which every block commits."`
	Receipt    receiptCmd    `cmd:"" help:"Receipts: files that prove to a person who was not there how a trade ended."`
	Trust      trustCmd      `cmd:"" help:"Headers by which the reader of a receipt follows the validators."`
	Tx         txCmd         `cmd:"" help:"Look up a transaction."`
	Bench      benchCmd      `cmd:"" help:"Measure the trades a second of this machine, and show its bottleneck."`
	Codes      codesCmd      `cmd:"" help:"List the codes with which ledger and node refuse, with advice for each."`
	Version    versionCmd    `cmd:"" help:"Print the version, and the format of the ledgers that it reads."`

	Completion completionCmd `cmd:"" help:"Print a script that completes commands in bash, zsh or fish."`
	Man        manCmd        `cmd:"" help:"Print a manual page, or write all of them."`

	TownNode townNodeCmd `cmd:"" hidden:"" help:"The node of the town of a demonstration."`
	Scrypt   scryptCmd   `cmd:"" hidden:"" help:"Encrypt or decrypt a wallet file for a program that keeps little memory."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs the program with these arguments and streams, and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	if err := disk.CheckLimits(); err != nil {
		fmt.Fprintln(stderr, "lockstep:", err)
		return exitFailed
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var root cli
	exited := -1
	given := &ids{}
	parser, err := kong.New(&root, append(given.options(),
		kong.Name("lockstep"),
		kong.Description("Trade in which payment and goods unlock each other, with no third party.\n\n"+
			"Begin with \"lockstep demo\". Exit codes: 0 fine, 1 refused or failed, 2 wrong use, 3 the ledger stands still."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Vars{"home": defaultHome()},
		kong.ShortUsageOnError(),
	)...)
	if err != nil {
		fmt.Fprintln(stderr, "lockstep:", err)
		return exitFailed
	}
	args = bindDashed(askedForHelp(args))
	command, err := parser.Parse(args)
	if err != nil && len(args) > 1 && args[len(args)-1] == "help" {
		command, err = parser.Parse(append(args[:len(args)-1:len(args)-1], "--help"))
	}
	if exited >= 0 { // --help was asked for and given
		return exited
	}
	a := &app{globals: &root.globals, in: stdin, out: &cleanWriter{to: stdout}, err: &cleanWriter{to: stderr}}
	if err != nil {
		a.report(wrongUse(err))
		return exitUsage
	}
	a.call = called(parser.Model, command, args)
	if err := checkGiven(command); err != nil {
		a.report(err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = given.complete(ctx, a)
	if err == nil {
		err = given.fillLabels(command, a)
	}
	if err == nil {
		err = command.Run(a)
	}
	if err != nil {
		a.report(err)
		var usage *usageError
		if errors.As(err, &usage) {
			return exitUsage
		}
		if _, still := errors.AsType[*client.StandsStill](err); still {
			return exitStill
		}
		return exitFailed
	}
	return exitFine
}

type codesCmd struct{}

func (codesCmd) Run(a *app) error {
	type row struct {
		Code     uint32 `json:"code"`
		Name     string `json:"name"`
		Sentence string `json:"sentence"`
	}
	var rows []row
	for _, info := range types.CodeList() {
		rows = append(rows, row{uint32(info.Code), info.Name, info.Sentence})
	}
	return a.show(rows, func(p *page) {
		for _, r := range rows {
			p.row(fmt.Sprint(r.Code), r.Name, r.Sentence)
		}
	})
}
