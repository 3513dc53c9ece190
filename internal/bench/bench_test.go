package bench

import "testing"

// BenchmarkTrade is whole trades in the modes of one process, in the form that benchstat reads; -benchtime 20000x does as many.
func BenchmarkTrade(b *testing.B) {
	for _, mode := range []string{ModeRules, ModeStore, ModeNode} {
		b.Run(mode, func(b *testing.B) {
			report, err := Run(b.Context(), Options{Mode: mode, Trades: b.N, Folder: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op") // it would include the preparation
			b.ReportMetric(report.TradesPerS, "trades/s")
			b.ReportMetric(report.CPUPerTrade, "cpu-us/trade")
			b.ReportMetric(100*report.Ratio, "%limit")
		})
	}
}
