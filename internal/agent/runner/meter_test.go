package runner

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/agent"
	"lockstep/meter/source"
	"lockstep/types"
)

// A file that grows is read on, and the readings of a lost agent count again from its file.
func TestMeterOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "house.csv")
	begin := types.Time(1_780_056_000_000)
	text := "time,in,out\n"
	write := func(from, to int) {
		for i := from; i <= to; i++ { // a reading a minute: 10 Wh in, 20 Wh out
			text += fmt.Sprintf("%s,%d,%d\n", begin.Add(types.Duration(i)*60_000), 1000+10*i, 5000+20*i)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(0, 16)
	load := func() *Meter {
		conf, err := source.Load(fmt.Appendf(nil, "type: csv\nfile: %s\nvalues:\n- {name: in, measures: energy, direction: import, unit: Wh, column: in}\n- {name: out, measures: energy, direction: export, unit: Wh, column: out}\n", file))
		if err != nil {
			t.Fatal(err)
		}
		return &Meter{Sources: map[string]*source.Config{"house": conf}, Use: "house.in", Make: "house.out", Again: 20 * time.Millisecond}
	}
	setup := &agent.Setup{Params: types.DefaultParams("town")}
	run := func(m *Meter, check func(<-chan agent.Event)) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		r := New(Config{Setup: setup, Log: slog.New(slog.DiscardHandler), File: filepath.Join(dir, "state")})
		if err := m.start(ctx, r, func(task func()) { go task() }); err != nil {
			t.Fatal(err)
		}
		check(r.inbox)
	}
	next := func(events <-chan agent.Event, from types.Time) {
		t.Helper()
		select {
		case event := <-events:
			if event != (agent.Metered{From: from, Use: 150, Make: 300}) {
				t.Errorf("%+v, want the slot at %s", event, from)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no slot was told")
		}
	}
	run(load(), func(events <-chan agent.Event) {
		next(events, begin)
		write(17, 31)
		if err := os.Chtimes(file, time.Time{}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		next(events, begin+15*60_000)
	})
	// A new agent has the readings of the last one, and the file has only new ones.
	text = "time,in,out\n"
	write(32, 46)
	run(load(), func(events <-chan agent.Event) {
		for {
			event := <-events
			if slot, ok := event.(agent.Metered); ok && slot.From == begin+30*60_000 {
				if slot.Use != 150 || slot.Make != 300 {
					t.Errorf("%+v", slot)
				}
				return
			}
		}
	})
	if err := (&Meter{Use: "house.power"}).start(t.Context(), New(Config{Setup: setup}), func(func()) {}); err == nil {
		t.Error("a value of no source was accepted")
	}
}
