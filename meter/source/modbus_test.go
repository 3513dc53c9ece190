package source

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lockstep/internal/component"
)

// simulate starts a Modbus server, of pymodbus, and returns the function that ends it.
func simulate(t testing.TB, port int) (stop func()) {
	t.Helper()
	server := exec.Command(component.FindPython(t, "pymodbus"), "testdata/simulator.py", fmt.Sprint(port))
	var said strings.Builder
	server.Stderr = &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = server.Process.Kill() // the end of a test, or a device that dies
			_ = server.Wait()
		}
	}
	t.Cleanup(func() {
		if stop(); t.Failed() {
			t.Log(said.String())
		}
	})
	reach(t, port)
	return stop
}

const registers = `
values:
- {name: u32, measures: energy, direction: import, unit: Wh, register: {address: 100, type: uint32}}
- {name: low, measures: energy, direction: import, unit: Wh, register: {address: 110, type: uint32, words: low}}
- {name: f32, measures: energy, direction: import, unit: kWh, register: {address: 120, type: float32}}
- {name: f64, measures: power, direction: net, unit: kW, register: {address: 130, type: float64}}
- {name: i64, measures: power, direction: net, unit: W, register: {address: 140, type: int64}}
- {name: i16, measures: power, direction: net, unit: W, scale: "0.1", register: {address: 150, type: int16}}
- {name: nan, measures: power, direction: net, unit: W, register: {address: 160, type: float32}}
- {name: input, measures: power, direction: net, unit: W, register: {address: 10, type: uint16, table: input}}
- {name: inverter, measures: energy, direction: export, unit: Wh, sunspec: WH}
- {name: pv, measures: power, direction: export, unit: W, sunspec: W}
- {name: imported, measures: energy, direction: import, unit: Wh, sunspec: TotWhImp}
- {name: exported, measures: energy, direction: export, unit: Wh, sunspec: TotWhExp}
`

// Registers of each type and SunSpec points are read from a device, which goes away and comes back.
func TestModbus(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	stop := simulate(t, port)
	want := map[string]string{
		"u32": "65538", "low": "70000", "f32": "1234500", "f64": "100", "i64": "-5", "i16": "-2", "input": "4711",
		"inverter": "12345678", "pv": "3210", "imported": "33333.3", "exported": "22222.2",
	}
	ctx, end := context.WithTimeout(t.Context(), 2*time.Minute)
	defer end()
	got, rounds, restarted := map[string]string{}, 0, false
	c := load(t, fmt.Sprintf("type: modbus\naddress: 127.0.0.1:%d\nevery: 1s\n%s", port, registers))
	err := Open(c, quiet()).Run(ctx, func(r Reading) {
		got[r.Value] = r.Number.String()
		if r.Value != "exported" {
			return
		}
		if rounds++; rounds == 1 && !restarted {
			restarted = true
			stop()
			simulate(t, port)
		}
		if rounds == 2 {
			end()
		}
	})
	if err != nil || rounds < 2 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d rounds, %v\ngot  %v\nwant %v", rounds, err, got, want)
	}
}

// The template of a SunSpec inverter finds the numbers of its example in the simulator.
func TestModbusTemplate(t *testing.T) {
	t.Parallel()
	template, err := ReadTemplate("sma")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	simulate(t, port)
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	got := map[string]string{}
	c := load(t, fmt.Sprintf("template: sma\nwith: {host: example}\naddress: 127.0.0.1:%d\n", port))
	if err := Open(c, quiet()).Run(ctx, func(r Reading) {
		if got[r.Value] = r.Number.String(); len(got) == 2 {
			end()
		}
	}); err != nil || fmt.Sprint(got) != fmt.Sprint(template.Examples[0].Means) {
		t.Errorf("%v, %v; want %v", got, err, template.Examples[0].Means)
	}
}
