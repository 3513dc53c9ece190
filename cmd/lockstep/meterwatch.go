package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"lockstep/meter/source"
	"lockstep/types"
)

type meterWatchCmd struct {
	File  string        `arg:"" help:"The source's configuration in YAML; - for standard input."`
	For   time.Duration `help:"End after this time; by default when interrupted, or at the end of a file." placeholder:"TIME"`
	Count int           `help:"End after this many readings." placeholder:"N"`
	Slot  time.Duration `help:"Length of the slots by which the energy is added up." default:"15m"`
}

// maxSourceFile bounds a configuration.
const maxSourceFile = 1 << 20

// watchedReading is a reading in JSON.
type watchedReading struct {
	Value    string     `json:"value"`
	Measures string     `json:"measures"`
	Number   string     `json:"number"` // W or Wh
	At       types.Time `json:"at"`
	Meter    string     `json:"meter,omitempty"`
	Event    string     `json:"event,omitempty"`
}

// watchedSlot is the energy of a slot in JSON, in exact Wh: fractions as a/b.
type watchedSlot struct {
	Value    string     `json:"value"`
	From     types.Time `json:"from"`
	Until    types.Time `json:"until"`
	Import   string     `json:"import_wh"`
	Export   string     `json:"export_wh"`
	Complete bool       `json:"complete"`
	State    string     `json:"state"`
}

func (c *meterWatchCmd) Run(ctx context.Context, a *app) error {
	text, err := a.input(c.File, maxSourceFile)
	if err != nil {
		return err
	}
	config, err := source.Load(text)
	if err != nil {
		return types.Refuse(types.CodeMalformed, "%s: %v", c.File, err)
	}
	if c.For > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, c.For)
		defer end()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	series := map[string]*source.Series{}
	for i := range config.Values {
		series[config.Values[i].Name] = config.NewSeries(&config.Values[i], c.Slot)
	}
	seen := 0
	var failed error
	err = source.Open(config, a.logger()).Run(ctx, func(r source.Reading) {
		if c.Count > 0 && seen >= c.Count || failed != nil {
			return
		}
		seen++
		if failed = a.showReading(&r, series[r.Value].Take(r)); failed != nil || seen == c.Count {
			stop()
		}
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return types.Refuse(types.CodeMalformed, "%v", err)
	}
	return a.showSlots(config, series)
}

func (a *app) showReading(r *source.Reading, event source.Event) error {
	if a.JSON {
		return json.NewEncoder(a.out).Encode(watchedReading{
			r.Value, string(r.Measures), r.Number.String(), types.Time(max(r.At, 0)), r.Meter, string(event),
		})
	}
	unit := "W"
	if r.Measures == source.Energy {
		unit = "Wh"
	}
	text := fmt.Sprintf("%s  %-12s  %v %s", stamp(types.Time(max(r.At, 0))), printable(r.Value), r.Number, unit)
	if r.Meter != "" {
		text += ", meter " + printable(r.Meter)
	}
	if event != source.Taken {
		text += ", " + string(event)
	}
	_, err := fmt.Fprintln(a.out, text)
	return err
}

// showSlots prints the energy of each slot.
func (a *app) showSlots(config *source.Config, series map[string]*source.Series) error {
	encoder := json.NewEncoder(a.out)
	p := newPage(a.out)
	if !a.JSON {
		p.line("")
		p.row("slot", "value", "import", "export", "state")
	}
	for _, v := range config.Values {
		for _, sum := range series[v.Name].Slots() {
			shown := watchedSlot{
				v.Name, types.Time(max(sum.From, 0)), types.Time(max(sum.Until, 0)), sum.Import.RatString(), sum.Export.RatString(), sum.Complete(), slotState(&sum),
			}
			if !a.JSON {
				p.row(stamp(shown.From), v.Name, sum.Import.FloatString(3)+" Wh", sum.Export.FloatString(3)+" Wh", shown.State)
			} else if err := encoder.Encode(shown); err != nil {
				return err
			}
		}
	}
	return p.Flush()
}

func slotState(sum *source.Sum) string {
	text := "complete"
	if covered := time.Duration(sum.Covered) * time.Millisecond; sum.Covered < sum.Until-sum.From {
		text = covered.String() + " measured"
	}
	if sum.Estimated {
		text += ", estimated"
	}
	if sum.Incomplete {
		text += ", incomplete"
	}
	return text
}

type meterTemplatesCmd struct{}

func (meterTemplatesCmd) Run(a *app) error {
	type shown struct {
		Name       string            `json:"name"`
		Title      string            `json:"title"`
		Source     string            `json:"source"`
		Parameters map[string]string `json:"parameters"` // with their defaults
	}
	var all []shown
	for _, name := range source.Templates() {
		t, err := source.ReadTemplate(name)
		if err != nil {
			return err
		}
		all = append(all, shown{name, t.Title, t.Source, t.Parameters})
	}
	return a.show(all, func(p *page) {
		p.row("template", "product", "needs", "may have")
		for _, t := range all {
			var needed, others []string
			for parameter, value := range t.Parameters {
				if value == "" {
					needed = append(needed, parameter)
				} else {
					others = append(others, parameter)
				}
			}
			slices.Sort(needed)
			slices.Sort(others)
			p.row(t.Name, t.Title, strings.Join(needed, " "), strings.Join(others, " "))
		}
	})
}
