package study

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lockstep/internal/plaintext"
	"lockstep/internal/sim"
	"lockstep/types"
)

// Scenario describes a community and its days. Shares are percentages of the households; a range is drawn from, evenly, for each
// household.
type Scenario struct {
	Name       string   `yaml:"name"`
	Households int      `yaml:"households"`
	Slots      int      `yaml:"slots"` // quarter-hours; 96 are a day
	Seed       uint64   `yaml:"seed"`
	Season     string   `yaml:"season"`   // of the standard profiles: summer or winter
	Town       bool     `yaml:"town"`     // the twelve households of the demonstration, with its cheats and its cloud, in place of all that is drawn
	Honest     bool     `yaml:"honest"`   // with town: every household keeps its word, and no cloud comes
	Profiles   string   `yaml:"profiles"` // CSV of measured houses, in place of the season and of roofs, heat pumps and cars
	Use        Range    `yaml:"use"`      // kWh a year
	Roofs      Roofs    `yaml:"roofs"`
	Sky        Range    `yaml:"sky"` // percent of a cloudless day's sun, drawn for each day
	Batteries  Battery  `yaml:"batteries"`
	HeatPumps  Load     `yaml:"heat_pumps"`
	Cars       Load     `yaml:"cars"`
	Tariffs    Tariffs  `yaml:"tariffs"`
	PerDay     Range    `yaml:"per_day"` // ct that a household agrees to pay in any 24 hours; without it there is no limit
	Cheats     Cheats   `yaml:"cheats"`
	Offline    Span     `yaml:"offline"`       // households whose agents are away
	Meters     Broken   `yaml:"broken_meters"` // roofs whose meters read nothing
	Clouds     []Cloud  `yaml:"clouds"`
	Restarts   []Outage `yaml:"restarts"` // of the ledger
	Records    Records  `yaml:"records"`
	Rules      []string `yaml:"rules"` // that are compared on the same days

	Communities Communities `yaml:"communities"` // of a region: see [RunRegion]

	Day *sim.Profile `yaml:"-"` // the day whose energy the households share; nil: that of the season

	place int // of the community in its region
}

// Range is from a least to a most value.
type Range struct {
	From uint64 `yaml:"from"`
	To   uint64 `yaml:"to"`
}

// Roofs are the households with panels.
type Roofs struct {
	Share  uint64   `yaml:"share"`
	Power  Range    `yaml:"watts"`
	Facing []string `yaml:"facing"`
}

// Battery are the households with a battery, which keeps a household's own sun for its own use.
type Battery struct {
	Share    uint64 `yaml:"share"` // of the roofs
	Capacity Range  `yaml:"wh"`
	Power    uint64 `yaml:"watts"`
}

// Load are households that use more in some hours of the day.
type Load struct {
	Share uint64 `yaml:"share"`
	Daily Range  `yaml:"wh_a_day"`
	From  string `yaml:"from"` // time of day
	Until string `yaml:"until"`
}

// Tariffs are the prices outside of the community, in ct/kWh.
type Tariffs struct {
	Buy    Range `yaml:"buy"`
	FeedIn Range `yaml:"feed_in"`
}

// Cheats are households that break their word from a time of the first day on.
type Cheats struct {
	Undelivered uint64 `yaml:"undelivered"` // of the roofs: they sell and feed nothing in
	Withheld    uint64 `yaml:"withheld"`    // of the households: they take deliveries and release nothing
	From        string `yaml:"from"`
}

// Records let the orders of a household demand a record of the other side.
type Records struct {
	Demand uint64 `yaml:"demand"` // in percent; 0 demands none
	After  int    `yaml:"after"`  // once so many trades have failed the household
}

// Span is a share of the households in some hours of each day.
type Span struct {
	Share uint64 `yaml:"share"`
	From  string `yaml:"from"`
	Until string `yaml:"until"`
}

// Broken is a share of the roofs from a time of the first day on.
type Broken struct {
	Share uint64 `yaml:"share"`
	From  string `yaml:"from"`
}

// Cloud is sun that no forecast had left out.
type Cloud struct {
	From    string `yaml:"from"`
	Until   string `yaml:"until"`
	Remains uint64 `yaml:"remains"` // percent of the sun
	Roofs   uint64 `yaml:"roofs"`   // percent of the roofs below it
}

// Outage is a stop of the ledger on the first day.
type Outage struct {
	At      string `yaml:"at"`
	Minutes int    `yaml:"minutes"`
}

// The market rules that can be compared with the auction of the ledger.
const (
	RuleUniform  = "uniform"
	RulePayAsBid = "pay-as-bid"
	RuleStatic   = "static"
	RuleProRata  = "pro-rata"
	RuleNone     = "none"
)

func allRules() []string {
	return []string{RuleUniform, RulePayAsBid, RuleStatic, RuleProRata, RuleNone}
}

// Bounds of a scenario. The largest is a city of a million kilowatt-hours a year.
const (
	maxHouseholds = 10_000
	maxSlots      = 40 * sim.SlotsPerDay
	maxFile       = 1 << 20
	maxWh         = 1_000_000
	maxCents      = 50        // the highest price of the ledger
	maxPerDay     = 1_000_000 // ct
	percent       = 100
)

// Default is a street in summer: a third of the houses have a roof, and some of all break their word from noon on.
func Default() Scenario {
	return Scenario{
		Name: "street", Households: 12, Slots: sim.SlotsPerDay, Seed: 1, Season: sim.Summer,
		Use:       Range{1_500, 6_000},
		Roofs:     Roofs{Share: 33, Power: Range{5_000, 12_000}, Facing: []string{"east", "south", "west"}},
		Sky:       Range{percent, percent},
		Batteries: Battery{Capacity: Range{5_000, 10_000}, Power: 3_000},
		HeatPumps: Load{Daily: Range{8_000, 20_000}, From: "00:00", Until: "24:00"},
		Cars:      Load{Daily: Range{4_000, 10_000}, From: "18:00", Until: "24:00"},
		Tariffs:   Tariffs{Buy: Range{26, 36}, FeedIn: Range{6, 12}},
		Cheats:    Cheats{Undelivered: 20, Withheld: 10, From: "12:00"},
		Offline:   Span{From: "12:00", Until: "14:00"},
		Meters:    Broken{From: "12:00"},
		Rules:     allRules(),

		Communities: Communities{Roofs: Range{0, 60}},
	}
}

// Error is a fault of a scenario or of its profiles, with the remedy.
type Error struct {
	File   string // empty for a value of the command line
	Line   int    // zero: the file as a whole
	Detail string
}

func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Detail
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Detail)
	}
	return fmt.Sprintf("%s line %d: %s", e.File, e.Line, e.Detail)
}

// Read reads a scenario from a YAML file. Keys that it does not know are refused; values that it leaves out are those of [Default]. The file
// of its profiles is looked for beside it.
func Read(path string) (Scenario, error) {
	s := Default()
	text, err := plaintext.ReadFile(path, maxFile)
	if err != nil {
		return s, err
	}
	s.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil && !errors.Is(err, io.EOF) { // an empty file changes nothing
		return s, yamlError(path, err)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return s, &Error{File: path, Detail: "it has more than one document: leave out what follows the line ---"}
	}
	if s.Profiles != "" && !filepath.IsAbs(s.Profiles) {
		s.Profiles = filepath.Join(filepath.Dir(path), s.Profiles)
	}
	if err := s.Check(); err != nil {
		var fault *Error
		if errors.As(err, &fault) {
			fault.File, fault.Line = path, lineOf(string(text), fault.Detail)
		}
		return s, err
	}
	return s, nil
}

// yamlFault is a fault as the reader of YAML tells it.
var yamlFault = regexp.MustCompile(`line (\d+): (.*)`)

// unknownKey is a key that no part of a scenario has.
var unknownKey = regexp.MustCompile(`^field (\S+) not found in type \S+`)

// yamlError tells the line of a fault in the form of a file.
func yamlError(path string, err error) error {
	fault := &Error{File: path, Detail: strings.TrimPrefix(err.Error(), "yaml: ")}
	if found := yamlFault.FindStringSubmatch(err.Error()); found != nil {
		fault.Line, _ = strconv.Atoi(found[1]) // digits
		fault.Detail = found[2]
	}
	if found := unknownKey.FindStringSubmatch(fault.Detail); found != nil {
		fault.Detail = fmt.Sprintf("there is no %.40q in this part of a scenario", found[1])
	}
	return fault
}

// lineOf finds the line of the key that a fault begins with; zero when the file leaves it out.
func lineOf(text, detail string) int {
	key, _, _ := strings.Cut(detail, " ")
	parts := strings.Split(strings.TrimSuffix(key, ":"), ".")
	line, part := 0, 0
	for i, content := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(strings.TrimSpace(content), "- "), parts[part]+":") {
			line = i + 1
			if part++; part == len(parts) {
				break
			}
		}
	}
	return line
}

func fault(format string, args ...any) error { return &Error{Detail: fmt.Sprintf(format, args...)} }

// Check checks all values of a scenario.
func (s *Scenario) Check() error {
	if s.Town {
		s.Households = sim.TownSize
		if s.Records == (Records{}) {
			s.Records = Records{Demand: sim.DemandedRecord, After: sim.Patience}
		}
	}
	switch {
	case s.Town && s.Profiles != "":
		return fault("town and profiles: choose one of them")
	case s.Honest && !s.Town:
		return fault("honest is for the town: leave the cheats and the clouds of this scenario out")
	case s.Records.Demand > percent || s.Records.After < 0 || s.Records.After > maxSlots:
		return fault("records.demand %d after %d trades: choose a percentage from 0 to 100 and 0 to %d trades", s.Records.Demand, s.Records.After, maxSlots)
	case s.Name == "" || types.CheckText("name", s.Name, maxName) != nil:
		return fault("name %q: choose 1 to %d bytes that are all seen", clipped(s.Name), maxName)
	case s.Households < 2 || s.Households > maxHouseholds:
		return fault("households %d: choose 2 to %d", s.Households, maxHouseholds)
	case s.Slots < 1 || s.Slots > maxSlots:
		return fault("slots %d: choose 1 to %d quarter-hours; a day has %d", s.Slots, maxSlots, sim.SlotsPerDay)
	case s.Season != sim.Summer && s.Season != sim.Winter:
		return fault("season %q: choose %s or %s", s.Season, sim.Summer, sim.Winter)
	}
	for _, share := range []struct {
		name  string
		value uint64
	}{
		{"roofs.share", s.Roofs.Share}, {"batteries.share", s.Batteries.Share}, {"heat_pumps.share", s.HeatPumps.Share}, {"cars.share", s.Cars.Share},
		{"cheats.undelivered", s.Cheats.Undelivered}, {"cheats.withheld", s.Cheats.Withheld}, {"offline.share", s.Offline.Share}, {"broken_meters.share", s.Meters.Share},
	} {
		if share.value > percent {
			return fault("%s %d: a share is a percentage from 0 to 100", share.name, share.value)
		}
	}
	for _, r := range []struct {
		name        string
		value       Range
		least, most uint64
	}{
		{"use", s.Use, 1, maxWh}, {"roofs.watts", s.Roofs.Power, 1, maxWh}, {"sky", s.Sky, 0, percent}, {"batteries.wh", s.Batteries.Capacity, 1, maxWh},
		{"heat_pumps.wh_a_day", s.HeatPumps.Daily, 0, maxWh}, {"cars.wh_a_day", s.Cars.Daily, 0, maxWh},
		{"tariffs.buy", s.Tariffs.Buy, 2, maxCents}, {"tariffs.feed_in", s.Tariffs.FeedIn, 2, maxCents},
		{"per_day", s.PerDay, 0, maxPerDay},
	} {
		if r.value.From > r.value.To || r.value.From < r.least || r.value.To > r.most {
			return fault("%s from %d to %d: choose a range within %d to %d", r.name, r.value.From, r.value.To, r.least, r.most)
		}
	}
	if s.Batteries.Power == 0 || s.Batteries.Power > maxWh {
		return fault("batteries.watts %d: choose 1 to %d", s.Batteries.Power, maxWh)
	}
	for _, facing := range s.Roofs.Facing {
		if !slices.Contains([]string{"east", "south", "west"}, facing) {
			return fault("roofs.facing %q: choose from east, south and west", facing)
		}
	}
	if len(s.Roofs.Facing) == 0 {
		return fault("roofs.facing is empty: choose from east, south and west")
	}
	for _, rule := range s.Rules {
		if !slices.Contains(allRules(), rule) {
			return fault("rules %q: choose from %s", rule, strings.Join(allRules(), ", "))
		}
	}
	if err := s.checkRegion(); err != nil {
		return err
	}
	return s.checkTimes()
}

// checkTimes checks the times of day.
func (s *Scenario) checkTimes() error {
	moments := []struct{ name, value string }{
		{"heat_pumps.from", s.HeatPumps.From}, {"heat_pumps.until", s.HeatPumps.Until}, {"cars.from", s.Cars.From}, {"cars.until", s.Cars.Until},
		{"cheats.from", s.Cheats.From}, {"offline.from", s.Offline.From}, {"offline.until", s.Offline.Until}, {"broken_meters.from", s.Meters.From},
	}
	for _, cloud := range s.Clouds {
		moments = append(moments, struct{ name, value string }{"clouds.from", cloud.From}, struct{ name, value string }{"clouds.until", cloud.Until})
		if cloud.Remains > percent || cloud.Roofs > percent {
			return fault("clouds.remains %d of clouds.roofs %d: percentages from 0 to 100", cloud.Remains, cloud.Roofs)
		}
	}
	for _, outage := range s.Restarts {
		moments = append(moments, struct{ name, value string }{"restarts.at", outage.At})
		if outage.Minutes < 0 || outage.Minutes > maxOutage {
			return fault("restarts.minutes %d: choose 0 to %d", outage.Minutes, maxOutage)
		}
	}
	for _, m := range moments {
		if _, err := quarterOf(m.value); err != nil {
			return fault("%s %q: write a quarter-hour of the day, from 00:00 to 24:00", m.name, m.value)
		}
	}
	return nil
}

const maxOutage = 24 * 60 // minutes

// quarterOf is the quarter-hour of the day that begins at a time.
func quarterOf(clock string) (int, error) {
	if clock == "24:00" {
		return sim.SlotsPerDay, nil
	}
	at, err := time.Parse("15:04", clock)
	if err != nil || at.Minute()%15 != 0 || len(clock) != len("15:04") {
		return 0, os.ErrInvalid
	}
	return at.Hour()*4 + at.Minute()/15, nil
}

// quarter is quarterOf for a time that was checked.
func quarter(clock string) int {
	q, err := quarterOf(clock)
	if err != nil {
		return 0
	}
	return q
}
