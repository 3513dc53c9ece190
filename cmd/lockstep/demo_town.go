package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"

	webpage "lockstep/internal/page"
	"lockstep/internal/sim"
)

// onPage chooses between the page and the text. Text is for programs and for files: without a terminal nobody watches.
func (d *demoCmd) onPage(a *app) (bool, error) {
	needsText := ""
	for _, flag := range []struct {
		name  string
		given bool
	}{{"--text", d.Text}, {"--json", a.JSON}, {"--compare", d.Compare}, {"--report", d.Report != ""}, {"--slot", d.Slot != ""}} {
		if flag.given {
			needsText = flag.name
			break
		}
	}
	if d.NoBrowser && needsText != "" {
		return false, misuse("--no-browser serves the page until it is interrupted, and %s is for a run as text that ends: leave one of them out", needsText)
	}
	isTerminal := d.terminal
	if isTerminal == nil {
		isTerminal = func(stream any) bool { _, ok := terminal(stream); return ok }
	}
	onPage := d.NoBrowser || needsText == "" && isTerminal(a.out)
	if d.Keep != "" && !onPage && !d.Compare {
		return false, misuse("--keep is for the town on its page: the day as text needs no folder, since the same seed plays it again; leave it out, or add --no-browser")
	}
	return onPage, nil
}

// live lets a town live on a page until it is interrupted.
func (d *demoCmd) live(ctx context.Context, a *app, profile *sim.Profile) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if !d.Quiet {
		fmt.Fprintln(a.err, "A ledger of its own is made, and a town moves in.")
	}
	options := sim.TownOptions{Profile: profile, Households: d.households(), Folder: d.folder(), Logger: d.logger(a)}
	if d.Speed != nil {
		options.Speed = *d.Speed
	}
	options.Node = func(dir, api string) *exec.Cmd {
		command := exec.Command(program, "town-node", dir, api)
		apart(command)
		if a.Verbose {
			command.Args = append(command.Args, "--verbose")
			command.Stderr = a.err
		}
		return command
	}
	town, err := sim.OpenTown(ctx, options)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := errors.Join(d.serve(ctx, a, town), town.Close()); err != nil || d.Keep == "" {
		return err
	}
	_, err = fmt.Fprintf(a.out, "The ledger is kept. To check all of it again: lockstep --home %s node check\n", d.Keep)
	return err
}

// serve serves the page of the town.
func (d *demoCmd) serve(ctx context.Context, a *app, town *sim.Town) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served, err := webpage.New(webpage.Config{Node: town.Client(), Logger: d.logger(a), Town: &webpage.Seat{Town: town, House: webpage.WholeTown}})
	if err != nil {
		return err
	}
	defer served.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	link := address + served.Enter()
	fmt.Fprintf(a.out, "The town is at this link, once and within 10 minutes: %s\nInterrupt to stop; then nothing is left running.\n", link)
	if !d.NoBrowser {
		a.openBrowser(ctx, town.Folder(), link)
	}
	lived := make(chan error, 1)
	go func() { lived <- town.Run(ctx) }()
	err = servePage(ctx, a, served, listener)
	stop()
	return errors.Join(err, <-lived)
}

// townNodeCmd is the node of the town of "lockstep demo": a process of its own, so that it can be killed.
type townNodeCmd struct {
	Dir string `arg:"" help:"Folder of the node."`
	API string `arg:"" help:"Address of its API."`
}

// Run runs the node until the standard input ends.
func (c *townNodeCmd) Run(ctx context.Context, a *app) error {
	logger := a.logger()
	if !a.Verbose {
		logger = quietLogger()
	}
	return sim.ServeNode(ctx, c.Dir, c.API, version(), a.in, logger)
}
