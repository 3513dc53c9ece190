package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"lockstep/internal/node"
	"lockstep/internal/outcomes"
)

type nodeRepairCmd struct {
	nodeFlags
	From    []string `help:"The API of another node of the ledger, from which lost outcomes are fetched. Each is checked against this node's own state. Once for each." placeholder:"URL"`
	History bool     `help:"Also fetch the outcomes that this node does not keep: from before the snapshot by which it joined, or pruned."`
}

// Run repairs the node. Files that could not be repaired are an error.
func (c *nodeRepairCmd) Run(ctx context.Context, a *app) error {
	if c.History && len(c.From) == 0 {
		return misuse("--history fetches outcomes from another node: name its API by --from URL")
	}
	var report node.RepairReport
	err := within(ctx, "repair the node", func() (err error) {
		report, err = node.Repair(ctx, c.dir(a), node.RepairOptions{From: c.From, All: c.History}, a.logger())
		return err
	})
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted: each file of the node in %s is as before or repaired; call it again to go on", c.dir(a))
	}
	if err != nil {
		return err
	}
	err = a.show(report, func(p *page) { showRepair(p, &report) })
	switch {
	case err != nil || report.Log.Whole():
	case c.History:
		err = fmt.Errorf("not all outcomes are there, and the node in %s keeps those that it kept before: name a node that keeps all (\"keep\": \"all\"), --from URL, and call it again before the node starts, which removes those that were fetched", c.dir(a))
	default:
		err = fmt.Errorf("the log of outcomes of the node in %s is not whole: repair it from another node of the ledger, --from URL, or restore a backup", c.dir(a))
	}
	return err
}

func showRepair(p *page, report *node.RepairReport) {
	logged := func(finding outcomes.Finding) outcomes.Finding {
		finding.File = filepath.Join("ledger", "outcomes", finding.File)
		return finding
	}
	for _, finding := range report.Log.Damaged {
		showFinding(p, logged(finding))
	}
	for _, finding := range report.Others {
		showFinding(p, finding)
	}
	for _, refused := range report.Log.Refused {
		p.line("Not asked again: %s: %s.", printable(refused.Source), printable(refused.Why))
	}
	switch {
	case len(report.Log.Damaged) == 0:
		p.line("The log of outcomes is whole: %d outcomes from %d on.", report.Log.Leaves-report.Log.From, report.Log.From)
	case report.Log.Whole():
		p.line("The log of outcomes is whole again: %d outcomes from %d on.", report.Log.Leaves-report.Log.From, report.Log.From)
	}
	if report.Check != nil {
		showCheck(p, report.Check)
	}
}

func showFinding(p *page, finding outcomes.Finding) {
	p.line("%s: %s.", finding.File, finding.Damage)
	if finding.Done != "" {
		p.line("  Repaired: %s.", finding.Done)
		return
	}
	p.line("  NOT REPAIRED: %s.", printable(finding.Why))
}
