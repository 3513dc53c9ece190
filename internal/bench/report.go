package bench

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"lockstep/internal/table"
	"lockstep/types"
)

// Report is the result of one measurement.
type Report struct {
	Mode       string `json:"mode"`
	Mix        string `json:"mix"`
	Actions    int    `json:"actions"`
	Keys       int    `json:"keys"`
	Clients    int    `json:"clients"`
	Validators int    `json:"validators,omitempty"`
	Cores      int    `json:"cores"`
	Seed       uint64 `json:"seed"`

	Trades  int     `json:"trades"`
	Txs     int     `json:"txs"`
	Seconds float64 `json:"seconds"`
	Offered float64 `json:"offered_trades_per_s,omitempty"`

	TradesPerS  float64 `json:"trades_per_s"` // over a time: of those seconds, once the pairs have spread out
	TxsPerS     float64 `json:"txs_per_s"`
	LimitPerS   float64 `json:"limit_trades_per_s"`
	LimitBy     string  `json:"limit_by"`
	Ratio       float64 `json:"ratio"`
	Bottleneck  string  `json:"bottleneck"`
	TogetherPer float64 `json:"parts_together_trades_per_s"`

	Times                        // of a transaction, from when it was due until it was final
	Trade         Times          `json:"trade"` // from when a trade was due until E3 was final
	Blocks        Blocks         `json:"blocks"`
	CoresUsed     float64        `json:"cores_used"` // of them, on average: fewer than there are mean waiting, or other programs
	CPUPerTrade   float64        `json:"cpu_us_per_trade"`
	BytesPerTrade float64        `json:"bytes_per_trade"`      // of transactions as they travel
	DiskPerTrade  float64        `json:"disk_bytes_per_trade"` // growth of all files
	RSS           float64        `json:"rss_mb"`               // at most: the whole process, or the largest node in mode net
	Refused       map[string]int `json:"refused,omitempty"`
	Limits        Limits         `json:"limits"`
	Conserved     bool           `json:"conserved"`
}

// Blocks is how the blocks came.
type Blocks struct {
	Count int     `json:"count"`
	Txs   float64 `json:"txs_per_block"`
	Times         // between two blocks that held something
}

func newReport(o *Options, limits *Limits, t *tally, used usage) *Report {
	trades := float64(max(t.trades, 1))
	limit, narrowest := limits.derive(o.Mode)
	r := &Report{
		Mode: o.Mode, Mix: o.Mix, Actions: o.Actions, Keys: o.Keys, Clients: o.Clients, Cores: runtime.GOMAXPROCS(0), Seed: o.Seed,
		Trades: t.trades, Txs: t.txs, Seconds: t.took().Seconds(), Offered: o.Rate,
		TradesPerS: float64(t.trades) / t.took().Seconds(), TxsPerS: float64(t.txs) / t.took().Seconds(),
		LimitPerS: limit.trades, LimitBy: limit.name, Bottleneck: narrowest.name, TogetherPer: limits.together(o.Mode),
		Times: timesOf(t.steps), Trade: timesOf(t.whole),
		Blocks:      Blocks{Count: len(t.blocks) + 1, Txs: float64(t.blockTxs) / float64(len(t.blocks)+1), Times: timesOf(t.blocks)},
		CoresUsed:   used.cpu.Seconds() / t.took().Seconds(),
		CPUPerTrade: float64(used.cpu.Microseconds()) / trades, BytesPerTrade: float64(t.bytes) / trades,
		DiskPerTrade: float64(used.disk) / trades, RSS: float64(used.rss) / (1 << 20),
		Limits: *limits, Conserved: true, // or there would be an error instead of a report
	}
	if o.Mode == ModeNet {
		r.Validators = o.Validators
	}
	if pace := t.pace(settling, settling+o.Duration); o.steady() && pace > 0 {
		r.TradesPerS = pace * float64(o.Actions)
		r.TxsPerS = r.TradesPerS * float64(t.txs) / trades
	}
	if r.LimitPerS > 0 {
		r.Ratio = r.TradesPerS / r.LimitPerS
	}
	r.Refused = refusals(t.refused)
	return r
}

func refusals(counts map[types.Code]int) map[string]int {
	if len(counts) == 0 {
		return nil
	}
	named := map[string]int{}
	for code, count := range counts {
		named[code.String()] = count
	}
	return named
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	out := table.New(w)
	out.Line("%s trades/s = %.0f %% of the %s that %s on this machine (mode %s).",
		number(r.TradesPerS), 100*r.Ratio, number(r.LimitPerS), allow(r.LimitBy), r.Mode)
	out.Line("%s\n", r.verdict())
	row := func(name, format string, args ...any) { out.Row(name, fmt.Sprintf(format, args...)) }
	row("trades", "%s in %.1f s, %s transactions (%s/s), %d actions in each", number(float64(r.Trades)), r.Seconds, number(float64(r.Txs)), number(r.TxsPerS), r.Actions)
	if r.Offered > 0 {
		row("offered", "%s trades/s", number(r.Offered))
	}
	row("transaction final after", "%.1f ms (p50), %.1f (p95), %.1f (p99), %.1f (max)", r.P50, r.P95, r.P99, r.Max)
	row("trade done after", "%.1f ms (p50), %.1f (p95), %.1f (p99), %.1f (max)", r.Trade.P50, r.Trade.P95, r.Trade.P99, r.Trade.Max)
	row("blocks", "%d of %.0f transactions, one in %.1f ms (p50), %.1f (p99), %.1f (max)", r.Blocks.Count, r.Blocks.Txs, r.Blocks.P50, r.Blocks.P99, r.Blocks.Max)
	row("a trade costs", "%.0f µs of a core (%.1f of %d were used), %.0f bytes on the wire, %.0f on the disk", r.CPUPerTrade, r.CoresUsed, r.Cores, r.BytesPerTrade, r.DiskPerTrade)
	row("memory", "%.0f MB at most%s", r.RSS, map[bool]string{true: ", the largest of " + fmt.Sprint(r.Validators) + " nodes", false: ", with the load generator in it"}[r.Mode == ModeNet])
	for code, count := range r.Refused {
		row("refused", "%s with %s", number(float64(count)), code)
	}
	out.Line("\nEach part alone, on %d cores:", r.Cores)
	l := &r.Limits
	row("signature checks", "%s trades/s (%s checks/s in batches on all cores)", number(l.Verify), number(l.Signatures))
	row("decoding", "%s trades/s (all cores)", number(l.Decode))
	row("the rules", "%s trades/s (one core)", number(l.Rules))
	row("the rules on the store", "%s trades/s (one core, the state read from memory or the disk)", number(l.Stored))
	row("the commitment", "%s trades/s (one core, %.0f changes of the state a trade)", number(l.Commit), l.Changes)
	row("the store", "%s trades/s (written and synced as this mode does, with the commitment; one fsync takes %.1f ms)", number(l.Store), l.Fsync)
	if l.Engine > 0 {
		row("the bare engine", "%s trades/s (one validator that decides blocks and does nothing with them)", number(l.Engine))
	}
	row("all that this mode uses", "%s trades/s, if they shared the cores perfectly", number(r.TogetherPer))
	out.Line("\nThe books add up: all the money that was issued is there.")
	return out.Flush()
}

// verdict names the bottleneck. When the speed is far below the parts' together, it is none of them.
func (r *Report) verdict() string {
	if r.Offered > 0 && r.TradesPerS > 0.9*r.Offered {
		return "It kept up with what was offered; see the times."
	}
	if r.TradesPerS < r.TogetherPer/2 {
		return fmt.Sprintf("The bottleneck is none of the parts, which together allow %s: it lies between them (%s), or other programs use the machine.",
			number(r.TogetherPer), between(r.Mode))
	}
	return fmt.Sprintf("The bottleneck: %s %s.", allow(r.Bottleneck), number(r.narrowest()))
}

func (r *Report) narrowest() float64 {
	_, narrowest := r.Limits.derive(r.Mode)
	return narrowest.trades
}

// between names the work of a mode besides the parts that are measured alone.
func between(mode string) string {
	switch mode {
	case ModeRules, ModeStore:
		return "the load generator"
	case ModeNode:
		return "pool and consensus"
	case ModeAPI:
		return "the API and its clients, pool and consensus"
	}
	return "all nodes share the cores; API, gossip, pool and consensus"
}

// allow joins the name of a part with its verb.
func allow(name string) string {
	if strings.HasSuffix(name, "s") {
		return name + " allow"
	}
	return name + " allows"
}

// number writes a number of things with its thousands apart.
func number(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
