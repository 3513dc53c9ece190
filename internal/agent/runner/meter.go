package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"sync"
	"time"

	"lockstep/internal/agent"
	"lockstep/meter"
	"lockstep/meter/source"
	"lockstep/types"
	"lockstep/wallet"
)

// Meter reads a household's energy from its sources.
type Meter struct {
	Sources map[string]*source.Config // checked, by name
	// Use, Make and Level name values as source.value: energy from the grid, into the grid, and in the battery. Empty ones are unknown.
	Use, Make, Level string
	// Sign lets the wallet's gateway sign the energy of each slot, for a connection point with a native meter.
	Sign bool
	// Again is the time after which a source that has ended is read anew; zero is half a minute.
	Again time.Duration
	// Point is the connection point, whose meter signs the records of the sources; nil without one.
	Point *types.Point

	mu     sync.Mutex
	slot   types.Duration
	series map[string]*source.Series
	latest map[string]source.Reading
	done   types.Time // slots that begin before it were told
	kept   []kept
}

// kept is a reading as it is kept in the file.
type kept struct {
	Name   string          `json:"name"`
	Kind   source.Quantity `json:"kind"`
	Number string          `json:"number"`
	At     int64           `json:"at"`
	Meter  string          `json:"meter,omitempty"`
}

// Latest returns the newest reading of each value, by source.value.
func (m *Meter) Latest() map[string]source.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]source.Reading{}
	for name, r := range m.latest {
		all[name] = r
	}
	return all
}

// start runs the sources. Readings that were kept from before a restart count first.
func (m *Meter) start(ctx context.Context, r *Runner, start func(func())) error {
	m.slot = r.Setup.Params.Slot
	m.series, m.latest = map[string]*source.Series{}, map[string]source.Reading{}
	for name, config := range m.Sources {
		for i := range config.Values {
			value := &config.Values[i]
			m.series[name+"."+value.Name] = config.NewSeries(value, m.slot.Std())
		}
	}
	for _, name := range []string{m.Use, m.Make, m.Level} {
		if _, known := m.series[name]; name != "" && !known {
			return fmt.Errorf("no source has a value %q", name)
		}
	}
	for _, k := range r.loadReadings() {
		number, err := meter.ParseDecimal(k.Number)
		if series := m.series[k.Name]; series != nil && err == nil {
			series.Take(source.Reading{Value: k.Name, Measures: k.Kind, Number: number, At: k.At, Own: true, Meter: k.Meter})
			m.kept = append(m.kept, k)
		}
	}
	for name, config := range m.Sources {
		log := r.Log.With("source", name)
		start(func() {
			m.follow(ctx, config, log, func(reading source.Reading) { m.reading(ctx, r, name+"."+reading.Value, reading) })
		})
	}
	return nil
}

// again is the time after which a source that has ended is read anew: a file that has grown, or one with a fault that its user may have mended.
const again = 30 * time.Second

// follow runs a source until the context ends. Readings of a file that were taken before are duplicates, or late.
func (m *Meter) follow(ctx context.Context, config *source.Config, log *slog.Logger, take func(source.Reading)) {
	wait := m.Again
	if wait == 0 {
		wait = again
	}
	var read time.Time // when the file was changed that was read last
	var told string
	for ctx.Err() == nil {
		changed := time.Time{}
		if info, err := os.Stat(config.File); config.File != "" && err == nil {
			changed = info.ModTime()
		}
		if config.File == "" || changed.IsZero() || !changed.Equal(read) {
			err := source.Open(config, log).Run(ctx, take)
			if read = changed; err != nil && ctx.Err() == nil && err.Error() != told {
				told = err.Error()
				log.Error("the source can't be read: the agent tries again", "error", err)
			}
		}
		pause(ctx, wait)
	}
}

// reading takes a value of a source, and tells the slots that are over.
func (m *Meter) reading(ctx context.Context, r *Runner, name string, reading source.Reading) {
	if reading.Record != nil {
		m.record(ctx, r, reading.Record)
	}
	m.mu.Lock()
	m.latest[name] = reading
	series := m.series[name]
	event := source.Kept
	if series != nil {
		event = series.Take(reading)
	}
	counts := name == m.Use || name == m.Make
	if counts && event != source.Kept && event != source.Duplicate && event != source.Late {
		m.kept = append(m.kept, kept{name, reading.Measures, reading.Number.String(), reading.At, reading.Meter})
		r.keepReading(&m.kept, 3*m.slot)
	}
	var slots []agent.Metered
	if counts {
		slots = m.over(types.Time(max(reading.At, 0)))
	}
	m.mu.Unlock()
	if name == m.Level {
		if level, ok := reading.Number.Whole(); ok {
			_ = r.Send(ctx, agent.Stored{Level: level})
		}
	}
	for _, slot := range slots {
		_ = r.Send(ctx, slot)
		if m.Sign {
			m.sign(ctx, r, slot)
		}
	}
}

// over returns the measured slots that have ended by a moment, each once. The caller holds the lock.
func (m *Meter) over(now types.Time) (slots []agent.Metered) {
	slot := types.Time(m.slot)
	last := now - now%slot // this one is not over
	from := max(m.done, last-min(last, 8*slot))
	for ; from < last; from += slot {
		use, known1 := m.energy(m.Use, from, false)
		made, known2 := m.energy(m.Make, from, true)
		if known1 && known2 {
			slots = append(slots, agent.Metered{From: from, Use: use, Make: made})
			m.done = from + slot
		}
	}
	return slots
}

// energy is the whole Wh of a slot; false if the slot was not measured as a whole.
func (m *Meter) energy(name string, from types.Time, export bool) (uint64, bool) {
	if name == "" {
		return 0, true
	}
	sum, ok := m.series[name].Slot(int64(from))
	if !ok || !sum.Complete() {
		return 0, false
	}
	wh := sum.Import
	if export {
		wh = sum.Export
	}
	whole := new(big.Int).Quo(wh.Num(), wh.Denom())
	return whole.Uint64(), whole.IsUint64()
}

// sign makes the gateway's record of a slot. Its page is the number of the slot, so a slot has one record.
func (m *Meter) sign(ctx context.Context, r *Runner, slot agent.Metered) {
	if m.Point == nil || slot.Make == 0 {
		return
	}
	registers := m.Point.RegistersAt(types.DirectionExport, slot.From)
	if len(registers) != 1 {
		return
	}
	register, err := meter.ParseOBIS(registers[0])
	if err != nil {
		return
	}
	record, err := r.Signer.Wallet().SignReading(meter.Native{
		Register: register, Direction: meter.Export, From: int64(slot.From), Until: int64(slot.From.Add(m.slot)),
		Page: uint64(slot.From) / uint64(m.slot), Form: meter.FormQuantity, End: slot.Make,
	})
	if err != nil {
		r.Log.Error("the gateway can't sign a reading", "slot", slot.From, "error", err)
		return
	}
	_ = r.Send(ctx, agent.Signed{Record: agent.Record{Slot: slot.From, Quantity: slot.Make, Bytes: types.HexBytes(record.String())}})
}

// record finds the slot of a signed record, and passes it on if it counts for the point.
func (m *Meter) record(ctx context.Context, r *Runner, record []byte) {
	if m.Point == nil {
		return
	}
	found, err := judge(m.Point, record, m.slot)
	if err != nil {
		r.Log.Debug("a signed record counts for no slot", "error", err)
		return
	}
	_ = r.Send(ctx, agent.Signed{Record: found})
}

// judge proves one record of the point's meter.
func judge(point *types.Point, record []byte, slot types.Duration) (agent.Record, error) {
	const direction = types.DirectionExport
	var proof meter.Proof
	err := errors.New("the point has no meter")
	for i := range point.Meters {
		m := &point.Meters[i]
		if m.Form == types.FormOCMF {
			var key meter.Key
			if key, err = meter.ParseKeyBytes(m.Key); err != nil {
				continue
			}
			proof, err = meter.Prove(key, m.Serial, [][]byte{record}, m.Registers(direction), meter.Direction(direction))
		} else if len(m.Key) >= 32 {
			verify := func(key [32]byte, message, signature []byte) bool {
				return types.VerifyEd25519(key, message, signature)
			}
			proof, err = meter.ProveNative([32]byte(m.Key[len(m.Key)-32:]), verify, [][]byte{record}, m.Registers(direction), meter.Direction(direction))
		}
		if err == nil {
			break
		}
	}
	if err != nil {
		return agent.Record{}, err
	}
	quantity, ok := proof.Wh.Whole()
	if !ok || proof.From < 0 || proof.Until <= proof.From {
		return agent.Record{}, errors.New("it states no energy of a time")
	}
	from := types.Time(proof.From) - types.Time(proof.From)%types.Time(slot)
	if types.Time(proof.Until) > from.Add(slot) {
		return agent.Record{}, fmt.Errorf("it is from %s to %s, which is not inside a slot", types.Time(proof.From), types.Time(proof.Until))
	}
	return agent.Record{Slot: from, Quantity: quantity, Bytes: record}, nil
}

// GatewayOf reports whether the gateway of an account is the present meter of a point.
func GatewayOf(account *wallet.Account, point *types.Point) bool {
	last, key := point.Last(), account.Gateway()
	return last.Form == types.FormNative && len(last.Key) >= 32 && [32]byte(last.Key[len(last.Key)-32:]) == key
}

// Now is the moment of the newest reading that counts; zero before the first.
func (m *Meter) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	var newest int64
	for _, r := range m.latest {
		newest = max(newest, r.At)
	}
	return time.UnixMilli(newest)
}
