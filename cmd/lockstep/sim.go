package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"lockstep/internal/sim/study"
)

// simCmd plays a scenario of many households without the consensus engine, as often as one likes with the same results.
type simCmd struct {
	Scenario    string   `arg:"" optional:"" help:"Scenario: a YAML file. Without it, a street in summer." type:"existingfile" placeholder:"FILE"`
	Town        bool     `help:"Play the twelve households of the demonstration, with its cheats and its cloud."`
	Households  int      `help:"Number of households, in place of the scenario's." placeholder:"N"`
	Slots       int      `help:"Number of quarter-hours, in place of the scenario's; a day has 96." placeholder:"N"`
	Seed        *uint64  `help:"Seed of all that is drawn, in place of the scenario's." placeholder:"N" zero:""`
	Seeds       int      `help:"Play so many seeds, from the first one on, and print means and spreads." default:"1" placeholder:"N"`
	Profiles    string   `help:"CSV of measured houses (house,time,use_wh,sun_wh), in place of the scenario's." type:"existingfile" placeholder:"FILE"`
	Communities int      `help:"Play a region of so many communities, by arithmetic alone." placeholder:"N"`
	Rules       []string `help:"Market rules to compare, in place of the scenario's: uniform, pay-as-bid, static, pro-rata, none." placeholder:"RULE"`
	CSV         string   `name:"csv" help:"Write the households of each run as CSV." type:"path" placeholder:"FILE"`
	Report      string   `help:"Write the results as one HTML file." type:"path" placeholder:"FILE"`
	Quiet       bool     `help:"Show no progress." short:"q"`
}

// Run plays the scenario.
func (c *simCmd) Run(ctx context.Context, a *app) error {
	scenario, err := c.scenario()
	if err != nil {
		return err
	}
	for flag, file := range map[string]string{"--csv": c.CSV, "--report": c.Report} {
		if err := checkWritable(flag, file); err != nil {
			return err
		}
	}
	if scenario.Communities.Count > 0 {
		return c.region(a, scenario)
	}
	var runs []*study.Result
	for n := range c.Seeds {
		each := scenario
		each.Seed += uint64(n)
		result, err := study.Run(each, study.Options{Context: ctx, Progress: c.progress(a, &each)})
		var fault *study.Error
		switch {
		case errors.As(err, &fault):
			return &usageError{err}
		case errors.Is(err, context.Canceled):
			return errors.New("interrupted: nothing is left of the simulation")
		case err != nil:
			return fmt.Errorf("sim: %w", err)
		}
		runs = append(runs, result)
	}
	sweep := study.NewSweep(runs)
	if err := errors.Join(c.write(c.Report, func(to *bytes.Buffer) error { return sweep.WriteReport(to) }), c.write(c.CSV, func(to *bytes.Buffer) error { return study.WriteCSV(to, runs) })); err != nil {
		return err
	}
	if err := c.show(a, sweep); err != nil {
		return err
	}
	for _, r := range runs {
		if !r.Books.Conserved {
			return errBooks
		}
	}
	return nil
}

// region plays a region and shows it.
func (c *simCmd) region(a *app, scenario study.Scenario) error {
	if c.Seeds > 1 || c.Report != "" {
		return misuse("a region has no --seeds and no --report: leave them out; --csv writes a line for each community")
	}
	r, err := study.RunRegion(scenario)
	if err != nil {
		return &usageError{err}
	}
	if err := c.write(c.CSV, func(to *bytes.Buffer) error { return r.WriteCSV(to) }); err != nil {
		return err
	}
	if a.JSON {
		return a.show(r, nil)
	}
	return r.WriteText(a.out)
}

func (c *simCmd) show(a *app, sweep *study.Sweep) error {
	switch {
	case a.JSON && c.Seeds == 1:
		return a.show(sweep.Runs[0], nil)
	case a.JSON:
		return a.show(sweep, nil)
	case c.Seeds == 1:
		return sweep.Runs[0].WriteText(a.out)
	}
	return sweep.WriteText(a.out)
}

// scenario reads the scenario and puts the values of the command line in place of its own.
func (c *simCmd) scenario() (study.Scenario, error) {
	s := study.Default()
	if c.Scenario != "" {
		var err error
		if s, err = study.Read(c.Scenario); err != nil {
			return s, &usageError{err}
		}
	}
	s.Town = s.Town || c.Town
	if c.Town {
		s.Name = "town"
	}
	if c.Town && c.Households != 0 {
		return s, misuse("--town has its own households: leave --households out")
	}
	if c.Households != 0 {
		s.Households = c.Households
	}
	if c.Communities != 0 {
		s.Communities.Count = c.Communities
	}
	if c.Slots != 0 {
		s.Slots = c.Slots
	}
	if c.Seed != nil {
		s.Seed = *c.Seed
	}
	if c.Profiles != "" {
		s.Profiles = c.Profiles
	}
	if len(c.Rules) > 0 {
		s.Rules = c.Rules
	}
	const mostSeeds = 1000
	if c.Seeds < 1 || c.Seeds > mostSeeds {
		return s, misuse("--seeds %d: choose 1 to %d", c.Seeds, mostSeeds)
	}
	if err := s.Check(); err != nil {
		return s, &usageError{err}
	}
	return s, nil
}

// progress prints a line for each hour of the days that are played.
func (c *simCmd) progress(a *app, s *study.Scenario) func(slot int) {
	const hour = 4
	if c.Quiet {
		return nil
	}
	seed, slots := s.Seed, s.Slots
	return func(slot int) {
		if (slot+1)%hour == 0 || slot+1 == slots {
			fmt.Fprintf(a.err, "seed %d: %d of %d quarter-hours\n", seed, slot+1, slots)
		}
	}
}

// write writes a file, if one is wanted.
func (c *simCmd) write(file string, content func(*bytes.Buffer) error) error {
	if file == "" {
		return nil
	}
	var text bytes.Buffer
	if err := content(&text); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}

// checkWritable checks before the work is done that a file can be written. It leaves no new file.
func checkWritable(flag, name string) error {
	if name == "" {
		return nil
	}
	_, missing := os.Stat(name)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return misuse("%s: %v: choose a file in a folder that exists", flag, err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	if missing != nil {
		return os.Remove(name)
	}
	return nil
}
