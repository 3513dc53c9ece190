package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"lockstep/internal/agent/config"
	"lockstep/meter/source"
)

type agentInitCmd struct {
	File     string   `arg:"" optional:"" help:"New file; by default agent.yaml in the home folder." type:"path"`
	Role     string   `help:"producer, consumer or both." placeholder:"ROLE"`
	Zone     string   `help:"Zone of the market." placeholder:"ZONE"`
	Asset    string   `help:"Code or ID of the money." placeholder:"ASSET"`
	BuyAt    string   `help:"Highest price for a kWh." placeholder:"PRICE"`
	SellAt   string   `help:"Lowest price for a kWh." placeholder:"PRICE"`
	PerDay   string   `help:"Most money to agree to pay in 24 hours." placeholder:"SUM"`
	Exposure string   `help:"Most money in orders and trades at a time." placeholder:"SUM"`
	Template string   `help:"Template of the meter, see lockstep meter templates." placeholder:"NAME"`
	With     []string `help:"Parameter of the template, once for each." placeholder:"NAME=VALUE"`
}

// Run asks for the answers that the flags leave open, and writes the file. It never overwrites one.
func (c *agentInitCmd) Run(a *app) error {
	path := c.File
	if path == "" {
		path = filepath.Join(a.Home, "agent.yaml")
	}
	for _, q := range []struct {
		answer         *string
		flag, question string
		standard       string
		asked          func() bool
	}{
		{&c.Role, "role", "Does the household buy, sell or both (consumer, producer, both)", "both", nil},
		{&c.Zone, "zone", "Zone of the market", "community", nil},
		{&c.Asset, "asset", "Code of the money", "EUR", nil},
		{&c.BuyAt, "buy-at", "Highest price for a kWh when it buys", "0.28", func() bool { return c.Role != "producer" }},
		{&c.SellAt, "sell-at", "Lowest price for a kWh when it sells", "0.10", func() bool { return c.Role != "consumer" }},
		{&c.PerDay, "per-day", "Most money that it may agree to pay in 24 hours", "5.00", nil},
		{&c.Exposure, "exposure", "Most money that it may have in orders and trades at a time", "20.00", nil},
		{&c.Template, "template", "Template of the meter (lockstep meter templates lists them), or none", "none", nil},
	} {
		if q.asked != nil && !q.asked() || *q.answer != "" {
			continue
		}
		answer, err := a.ask(q.question, q.standard)
		if err != nil {
			return err
		}
		*q.answer = answer
	}
	text, err := c.text()
	if err != nil {
		return err
	}
	if _, err := config.Load([]byte(text)); err != nil {
		return misuse("these answers make no configuration: %v", err)
	}
	if err := createFile(path, []byte(text)); err != nil {
		return err
	}
	return a.show(map[string]string{"file": path}, func(p *page) {
		p.line("Wrote %s. Next: read it, then lockstep agent check, lockstep agent confirm and lockstep agent run.", path)
	})
}

// ask asks a question on a terminal; without one the standard answer counts.
func (a *app) ask(question, standard string) (string, error) {
	in, ok := terminal(a.in)
	if !ok {
		return standard, nil
	}
	fmt.Fprintf(a.err, "%s [%s]: ", question, standard)
	line, err := readLine(in)
	if line = strings.TrimSpace(line); line == "" {
		line = standard
	}
	return line, err
}

func (c *agentInitCmd) text() (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# The configuration of an agent that trades by itself: see docs/reference/agent.md for every key.")
	line("# Unknown keys are refused. Check it with \"lockstep agent check\".")
	line("")
	line("role: %s  # consumer buys, producer sells, both", c.Role)
	line("market:")
	line("  zone: %s", yamlText(c.Zone))
	line("  asset: %s  # a code that your wallet trusts or the ledger recognises, or an ID", yamlText(c.Asset))
	line("")
	line("# Your consent: the agent never goes beyond these. Confirm them with \"lockstep agent confirm\", again after each change.")
	line("limits:")
	line("  per_day: %s  # that it agrees to pay in any 24 hours", yamlText(c.PerDay))
	line("  exposure: %s  # that it has in orders and trades at a time", yamlText(c.Exposure))
	line("  reserve: \"0\"  # that it leaves in the wallet")
	line("  terms: [meter]  # fallback terms that it may touch: meter, hold, arbiter")
	line("  # min_bond: 100%%  # under hold terms: the least bond of a seller, of price and deposit")
	metered := c.Template != "" && c.Template != "none"
	amount := func() {
		line("  amount:")
		if metered {
			line("    forecast: {days: 7, unknown: 200Wh}  # the median of the last days; unknown: until there is one")
		} else {
			line("    fixed: 250Wh  # in each slot; with a meter it can be forecast: {days: 7}")
		}
	}
	if c.Role != "producer" {
		line("")
		line("buy:")
		amount()
		line("  limit:")
		line("    fixed: %s  # the highest price for a kWh; with prices it can be below: 0.02", yamlText(c.BuyAt))
	}
	if c.Role != "consumer" {
		line("")
		line("sell:")
		amount()
		line("  limit:")
		line("    fixed: %s  # the lowest price for a kWh", yamlText(c.SellAt))
	}
	if metered {
		if err := c.sources(line); err != nil {
			return "", err
		}
	}
	line("")
	line("# For an unattended start: a file that only its owner can read (mode 0600), or systemd's credential \"passphrase\".")
	line("# passphrase_file: passphrase.txt")
	return b.String(), nil
}

// sources writes the template with its parameters, and names its values of energy.
func (c *agentInitCmd) sources(line func(string, ...any)) error {
	template, err := source.ReadTemplate(c.Template)
	if err != nil {
		return misuse("--template: %v", err)
	}
	given := map[string]string{}
	for _, pair := range c.With {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return misuse("--with %q: write NAME=VALUE", pair)
		}
		given[name] = value
	}
	conf := source.Config{Template: c.Template, With: given}
	if err := conf.Check(); err != nil {
		return misuse("--template %s: %v", c.Template, err)
	}
	line("")
	line("sources:")
	line("  meter:")
	line("    template: %s  # %s", c.Template, template.Title)
	if len(given) > 0 {
		line("    with:")
		var names []string
		for name := range given { // sorted below
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			line("      %s: %s", name, yamlText(given[name]))
		}
	}
	line("")
	line("meter:  # the household's own meter, as source.value")
	for _, d := range []source.Direction{source.Import, source.Export} {
		for _, v := range conf.Values {
			if v.Direction == d || v.Direction == source.Net {
				line("  %s: meter.%s", d, v.Name)
				break
			}
		}
	}
	line("  sign: false  # true: the wallet signs the readings, once an operator has enrolled the key of \"lockstep agent gateway\"")
	return nil
}

// yamlText writes a text as a scalar of YAML.
func yamlText(text string) string {
	return "\"" + strings.NewReplacer("\\", "\\\\", "\"", "\\\"").Replace(printable(text)) + "\""
}
