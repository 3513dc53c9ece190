package config

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/types"
)

// parseEnergy reads an energy such as 800Wh or 1.5kWh, in Wh.
func parseEnergy(text string) (uint64, error) {
	return parseUnit(text, "Wh", "an energy such as 800Wh or 1.5kWh")
}

// parsePower reads a power such as 800W or 11kW, in W.
func parsePower(text string) (uint64, error) {
	return parseUnit(text, "W", "a power such as 800W or 11kW")
}

func parseUnit(text, unit, form string) (uint64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(text), unit)
	decimals := uint8(0)
	if kilo, ok := strings.CutSuffix(number, "k"); ok {
		number, decimals = kilo, 3
	} else if mega, ok := strings.CutSuffix(number, "M"); ok {
		number, decimals = mega, 6
	}
	amount, err := types.ParseAmount(strings.TrimSpace(number), decimals)
	if !found || err != nil || amount > types.MaxQuantity {
		return 0, fmt.Errorf("%.40q is not %s, of at most 2^48 %s", text, form, unit)
	}
	return uint64(amount), nil
}

// parseMinute reads a time of the day such as 07:30, in minutes since midnight.
func parseMinute(text string) (int, error) {
	hour, minute, found := strings.Cut(text, ":")
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if !found || err1 != nil || err2 != nil || len(hour) != 2 || len(minute) != 2 || h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, fmt.Errorf("%.20q is not a time of the day such as 07:30", text)
	}
	return h*60 + m, nil
}

// parseShare reads a percentage of up to 1,000 % in hundredths of a percent; empty is none.
func parseShare(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	amount, err := types.ParseAmount(strings.TrimSuffix(text, "%"), 2)
	if err != nil || amount > 100_000 {
		return 0, fmt.Errorf("%.20q is not a percentage such as 12.5%%", text)
	}
	return uint64(amount), nil
}
