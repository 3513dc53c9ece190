package main

import (
	"testing"

	"lockstep/internal/agent/config"
	"lockstep/meter/source"
)

// The file for each role and each template can be read.
func TestAgentInit(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"consumer", "producer", "both"} {
		for _, name := range append(source.Templates(), "none") {
			c := agentInitCmd{Role: role, Zone: "a \"town\" \\ ", Asset: "EUR", BuyAt: "0.28", SellAt: "0.10", PerDay: "5.00", Exposure: "20", Template: name}
			if name != "none" {
				template, err := source.ReadTemplate(name)
				if err != nil {
					t.Fatal(err)
				}
				for parameter, standard := range template.Parameters { // any order
					if standard == "" {
						c.With = append(c.With, parameter+"=example")
					}
				}
			}
			text, err := c.text()
			if err != nil {
				t.Errorf("%s, %s: %v", role, name, err)
				continue
			}
			conf, err := config.Load([]byte(text))
			if err != nil {
				t.Errorf("%s, %s: %v\n%s", role, name, err, text)
				continue
			}
			if conf.Market.Zone != c.Zone {
				t.Errorf("the zone is %q", conf.Market.Zone)
			}
			if name != "none" && conf.Meter.Import == "" && conf.Meter.Export == "" {
				t.Errorf("%s names no value of the meter", name)
			}
		}
	}
}
