package config

import (
	"errors"
	"fmt"
	"time"

	"lockstep/internal/agent/plan"
)

// strategy makes the strategy of the file.
func (c *Config) strategy() (s plan.Strategy, err error) {
	if s.Buy, err = c.side("buy", c.Buy, plan.Uses); err != nil {
		return s, err
	}
	s.Sell, err = c.side("sell", c.Sell, plan.Makes)
	return s, err
}

func (c *Config) side(key string, side *Side, history func(*plan.Situation) plan.History) (*plan.Side, error) {
	if side == nil {
		return nil, nil
	}
	amount, err := c.amount(key, &side.Amount, history)
	if err != nil {
		return nil, fmt.Errorf("%s.amount%w", key, err)
	}
	limit, err := c.limit(key, &side.Limit)
	if err != nil {
		return nil, fmt.Errorf("%s.limit%w", key, err)
	}
	return &plan.Side{Amount: amount, Limit: limit}, nil
}

// at prefixes an error with the rest of a key.
func at(key string, err error) error { return fmt.Errorf(".%s: %w", key, err) }

func (c *Config) amount(key string, a *Amount, history func(*plan.Situation) plan.History) (amount plan.Amount, err error) {
	given := 0
	if a.Fixed != "" {
		given++
		wh, err := parseEnergy(a.Fixed)
		if err != nil {
			return nil, at("fixed", err)
		}
		amount = plan.Fixed(wh)
	}
	if a.Forecast != nil {
		given++
		if amount, err = c.forecast(a.Forecast, history); err != nil {
			return nil, at("forecast", err)
		}
	}
	if a.Charge != nil {
		given++
		if key != "buy" {
			return nil, at("charge", errors.New("only buying has charging by price"))
		}
		if amount, err = c.charge(a.Charge); err != nil {
			return nil, at("charge", err)
		}
	}
	if given != 1 {
		return nil, errors.New(": give one of fixed, forecast, charge")
	}
	if !a.Battery {
		return amount, nil
	}
	battery, _, err := c.battery()
	if err != nil {
		return nil, at("battery", err)
	}
	if key == "buy" {
		return battery.Covers(amount), nil
	}
	return battery.Keeps(amount), nil
}

func (c *Config) forecast(f *Forecast, history func(*plan.Situation) plan.History) (plan.Amount, error) {
	if f.Days < 1 || f.Days > maxDays {
		return nil, fmt.Errorf("days: %d is not between 1 and %d", f.Days, maxDays)
	}
	if c.Meter == nil {
		return nil, errors.New("there is no meter whose energy it could learn from: add meter and sources")
	}
	unknown := uint64(0)
	if f.Unknown != "" {
		var err error
		if unknown, err = parseEnergy(f.Unknown); err != nil {
			return nil, fmt.Errorf("unknown: %w", err)
		}
	}
	amount := plan.Forecast(history, f.Days, plan.Fixed(unknown))
	switch {
	case f.Percent > 1000:
		return nil, fmt.Errorf("percent: %d is above 1000", f.Percent)
	case f.Percent > 0:
		amount = plan.Percent(amount, f.Percent)
	}
	return amount, nil
}

func (c *Config) charge(f *Charge) (plan.Amount, error) {
	if c.Prices == nil || c.Prices.From == "flat" {
		return nil, errors.New("it needs prices that differ: add prices")
	}
	power, err := parsePower(f.Power)
	if err != nil {
		return nil, fmt.Errorf("power: %w", err)
	}
	minute, err := parseMinute(f.By)
	if err != nil {
		return nil, fmt.Errorf("by: %w", err)
	}
	need, once := plan.Amount(nil), false
	if f.Energy != "" {
		wh, err := parseEnergy(f.Energy)
		if err != nil {
			return nil, fmt.Errorf("energy: %w", err)
		}
		need, once = plan.Fixed(wh), true
	} else {
		_, target, err := c.battery()
		if err != nil {
			return nil, err
		}
		if c.Battery.Level == "" {
			return nil, errors.New("battery.level is not given: give energy, or the level")
		}
		need = plan.Missing(target)
	}
	charge := plan.ChargeByPrice{Need: need, Once: once, Power: power, By: plan.ByTime{Bands: []plan.Band{{Minute: minute}}, Zone: c.location()}}
	if tariff, err := c.tariff(); err != nil {
		return nil, err
	} else if tariff != nil {
		charge.Tariff = tariff
	}
	return charge.Amount, nil
}

func (c *Config) location() *time.Location {
	if c.zone == nil {
		return time.UTC
	}
	return c.zone
}

// battery returns the battery and the level that charging aims at.
func (c *Config) battery() (b plan.Battery, target uint64, err error) {
	f := c.Battery
	if f == nil {
		return b, 0, errors.New("there is no battery: add the part battery")
	}
	if b.Capacity, err = parseEnergy(f.Capacity); err != nil {
		return b, 0, fmt.Errorf("battery.capacity: %w", err)
	}
	if b.Power, err = parsePower(f.Power); err != nil {
		return b, 0, fmt.Errorf("battery.power: %w", err)
	}
	if f.Reserve != "" {
		if b.Reserve, err = parseEnergy(f.Reserve); err != nil {
			return b, 0, fmt.Errorf("battery.reserve: %w", err)
		}
	}
	if target = b.Capacity; f.Target != "" {
		if target, err = parseEnergy(f.Target); err != nil {
			return b, 0, fmt.Errorf("battery.target: %w", err)
		}
	}
	if b.Reserve > b.Capacity || target > b.Capacity {
		return b, 0, fmt.Errorf("battery: reserve and target must be at most the capacity of %d Wh", b.Capacity)
	}
	return b, target, nil
}

// tariff returns the tariff of the file; nil if there is none, or it is read while the agent runs.
func (c *Config) tariff() (plan.Tariff, error) {
	p := c.Prices
	if p == nil {
		return nil, nil
	}
	switch p.From {
	case "flat":
		price, err := plan.ParsePrice(p.Price)
		if err != nil {
			return nil, fmt.Errorf("prices.price: %w", err)
		}
		return plan.Flat(price), nil
	case "by_time":
		tariff := plan.ByTime{Zone: c.location()}
		for i, band := range p.Bands {
			minute, err := parseMinute(band.At)
			if err != nil {
				return nil, fmt.Errorf("prices.bands: %w", err)
			}
			if i == 0 && minute != 0 || i > 0 && minute <= tariff.Bands[i-1].Minute {
				return nil, fmt.Errorf("prices.bands: the first begins at 00:00 and each later one after the one before, not at %s", band.At)
			}
			price, err := plan.ParsePrice(band.Price)
			if err != nil {
				return nil, fmt.Errorf("prices.bands: %w", err)
			}
			tariff.Bands = append(tariff.Bands, plan.Band{Minute: minute, Price: price})
		}
		if len(tariff.Bands) == 0 {
			return nil, errors.New("prices.bands: there are none")
		}
		return tariff, nil
	}
	return nil, nil
}

func (c *Config) limit(key string, l *Limit) (plan.Limit, error) {
	given, margin, sign := "", "", plan.Price(1)
	for _, part := range []struct {
		key, text string
		sign      plan.Price
	}{{"fixed", l.Fixed, 1}, {"below", l.Below, 1}, {"above", l.Above, -1}} {
		if part.text != "" {
			if given != "" {
				return nil, errors.New(": give one of fixed, below, above")
			}
			given, margin, sign = part.key, part.text, part.sign
		}
	}
	if given == "" {
		return nil, errors.New(": give one of fixed, below, above")
	}
	price, err := plan.ParsePrice(margin)
	if err != nil {
		return nil, at(given, err)
	}
	if given == "fixed" {
		return plan.FixedLimit(price), nil
	}
	if l.Tariff != "" {
		flat, err := plan.ParsePrice(l.Tariff)
		if err != nil {
			return nil, at("tariff", err)
		}
		return plan.Margin(plan.Flat(flat), sign*price), nil
	}
	if c.Prices == nil {
		return nil, at(given, errors.New("there is no tariff: add the part prices, or tariff beside it"))
	}
	tariff, err := c.tariff()
	if err != nil {
		return nil, at(given, err)
	}
	if tariff == nil {
		return plan.Read(sign * price), nil
	}
	return plan.Margin(tariff, sign*price), nil
}
