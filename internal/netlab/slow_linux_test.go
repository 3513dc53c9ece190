package netlab

import (
	"fmt"
	"testing"
	"time"

	"lockstep/internal/node"
	"lockstep/types"
)

// BenchmarkSlowLinks measures a ledger whose validators can each send 1,000 kbit/s, as in the field trial of a Tendermint energy market
// (Quartierstrom, 2020), with 20 ms from one to another: with the usual settings, and with slow_links. Run it with -benchtime 1x.
func BenchmarkSlowLinks(b *testing.B) {
	for _, validators := range []int{4, 10, 20, 40} {
		for _, gathered := range []bool{false, true} {
			if validators == 40 && !gathered {
				continue // no transaction becomes final within two minutes
			}
			b.Run(fmt.Sprintf("validators=%d/slow_links=%t", validators, gathered), func(b *testing.B) {
				for b.Loop() {
					slowLinks(b, validators, gathered)
				}
			})
		}
	}
}

func slowLinks(b *testing.B, validators int, gathered bool) {
	const kilobit, idle, busy, pairs = 125, 20 * time.Second, time.Minute, 32
	l := newLab(b, validators, *seed, types.DefaultParams("netlab"), func(s *node.Settings) { s.SlowLinks = gathered })
	l.Links(Link{Delay: 20 * time.Millisecond})
	l.Rate(1000 * kilobit)
	l.Await(2, l.Nodes...)
	measure := func(span time.Duration) (seconds, kilobits float64) {
		sent, height := l.Sent(), l.Height(l.Nodes[0])
		time.Sleep(span)
		return span.Seconds() / float64(max(l.Height(l.Nodes[0])-height, 1)), float64(l.Sent()-sent) / kilobit / span.Seconds() / float64(validators)
	}
	seconds, kilobits := measure(idle)
	b.ReportMetric(seconds, "idle-s/block")
	b.ReportMetric(kilobits, "idle-kbit/s")
	traffic := l.Trade(pairs, *seed)
	traffic.Flows()
	before := traffic.Known()
	seconds, kilobits = measure(busy)
	b.ReportMetric(float64(traffic.Known()-before)/busy.Seconds(), "tx/s")
	b.ReportMetric(traffic.Wait().Seconds(), "s-to-final")
	b.ReportMetric(seconds, "s/block")
	b.ReportMetric(kilobits, "kbit/s")
	traffic.Finish()
	l.Kill(l.Nodes...)
}
