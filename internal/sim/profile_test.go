package sim

import (
	"encoding/csv"
	"errors"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// sharedProfiles is where the published tables lie, outside the repository.
const sharedProfiles = "../../../shared/data/profiles/"

func openShared(t *testing.T, name string) *os.File {
	t.Helper()
	file, err := os.Open(sharedProfiles + name)
	if err != nil {
		t.Skip("no shared data here")
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestPublishedLoads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file, month string
		table       Day
	}{
		{"bdew_h25.csv", "Juni", summerTables().household},
		{"bdew_g25.csv", "Juni", summerTables().business},
		{"bdew_h25.csv", "Dezember", winterTables().household},
		{"bdew_g25.csv", "Dezember", winterTables().business},
	} {
		rows, err := csv.NewReader(openShared(t, test.file)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		column := 0
		for i := range rows[0] {
			if rows[0][i] == test.month && rows[1][i] == "WT" {
				column = i
			}
		}
		for slot, wh := range test.table {
			published, err := strconv.ParseUint(strings.Replace(rows[slot+2][column], ".", "", 1), 10, 64)
			if err != nil || published != wh {
				t.Errorf("%s %s slot %d: %d in the table, %s published (%v)", test.file, test.month, slot, wh, rows[slot+2][column], err)
			}
		}
	}
}

// TestComputedRoofs does the calculation that tables.go tells of.
func TestComputedRoofs(t *testing.T) {
	t.Parallel()
	const latitude, tilt, toRadians = 51, 30, math.Pi / 180
	sinLat, cosLat := math.Sincos(latitude * toRadians)
	sinTilt, cosTilt := math.Sincos(tilt * toRadians)
	compute := func(declination, offset, azimuth float64, slot int) float64 {
		sinDec, cosDec := math.Sincos(declination * toRadians)
		sinAz, cosAz := math.Sincos(azimuth * toRadians)
		solar := (float64(slot)+0.5)/4 - offset + 10.0/15
		sinHour, cosHour := math.Sincos(15 * (solar - 12) * toRadians)
		up := sinLat*sinDec + cosLat*cosDec*cosHour
		if up <= 0 {
			return 0
		}
		direct := 1353 * math.Pow(0.7, math.Pow(1/up, 0.678))
		east, north := -cosDec*sinHour, cosLat*sinDec-sinLat*cosDec*cosHour
		facing := max(0, sinTilt*(sinAz*east+cosAz*north)+cosTilt*up)
		onPlane := direct*facing + 0.1*direct*(1+cosTilt)/2
		return onPlane * 0.80 * 0.25 * 1000 // Wh of 1,000 kW in a quarter-hour
	}
	for _, season := range []struct {
		tables              tables
		declination, offset float64
	}{{summerTables(), 23.3, 2}, {winterTables(), -23.3, 1}} {
		for azimuth, roof := range map[float64]Day{90: season.tables.east, 180: season.tables.south, 270: season.tables.west} {
			for slot, wh := range roof {
				if want := compute(season.declination, season.offset, azimuth, slot); math.Abs(want-float64(wh)) > 0.51 {
					t.Errorf("azimuth %v slot %d: %d in the table, %.2f computed", azimuth, slot, wh, want)
				}
			}
		}
	}
}

func TestStandardProfile(t *testing.T) {
	t.Parallel()
	for season, sunHours := range map[string][2]uint64{Summer: {5_500, 7_000}, Winter: {600, 2_000}} {
		profile, err := Standard(season)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Customer{Dwelling, Business} {
			day := profile.Load(kind, 3_650) // on average 10 kWh a day
			if sum := day.Sum(); sum < 8_000 || sum > 14_000 {
				t.Errorf("%s %s: %d Wh a day of 3,650 kWh a year", season, kind, sum)
			}
		}
		for _, roof := range []Roof{EastRoof, SouthRoof, WestRoof} {
			day := profile.Sun(roof, 1_000)
			if sum := day.Sum(); sum < sunHours[0] || sum > sunHours[1] {
				t.Errorf("%s %s: %d Wh a day of 1 kW", season, roof, sum)
			}
			if day[0] != 0 || day[SlotsPerDay-1] != 0 {
				t.Errorf("%s %s: sun at midnight", season, roof)
			}
		}
		if nothing := profile.Sun(NoRoof, 1_000); nothing.Sum() != 0 {
			t.Errorf("%s: a house without a roof makes %d Wh", season, nothing.Sum())
		}
		from, until := profile.Slot(48)
		if until.Since(from) != types.DurationOf(slotLength) || !strings.HasSuffix(profile.Start.Format("15:04"), "00:00") {
			t.Errorf("%s: slot 48 is from %s until %s of a day that starts at %s", season, from, until, profile.Start)
		}
	}
	var refused *OptionError
	if _, err := Standard("spring"); !errors.As(err, &refused) {
		t.Errorf("spring: %v", err)
	}
}

func TestApportionSum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var parts [SlotsPerDay]uint64
		for i := range parts {
			parts[i] = rapid.Uint64().Draw(t, "part")
		}
		unit := rapid.Uint64Min(SlotsPerDay+1).Draw(t, "unit")
		exact, got := new(big.Int), new(big.Int)
		for i, share := range apportion(parts, unit) {
			exact.Add(exact, new(big.Int).SetUint64(parts[i]))
			got.Add(got, new(big.Int).SetUint64(share))
			if share != parts[i]/unit && share != parts[i]/unit+1 {
				t.Fatalf("part %d: %d of %d/%d", i, share, parts[i], unit)
			}
		}
		exact.Add(exact, new(big.Int).SetUint64(unit/2))
		if exact.Div(exact, new(big.Int).SetUint64(unit)).Cmp(got) != 0 {
			t.Fatalf("the shares add up to %s, not %s", got, exact)
		}
	})
}
