package notify

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Counts are the metrics of the notices.
type Counts struct {
	queued    *prometheus.CounterVec
	delivered *prometheus.CounterVec
}

// NewCounts registers the metrics of a queue.
func NewCounts(registry *prometheus.Registry, q *Queue) (*Counts, error) {
	c := &Counts{
		queued: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lockstep_notices_total", Help: "Notices that were queued, by kind.",
		}, []string{"kind"}),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lockstep_notice_deliveries_total", Help: "Attempts to deliver a notice, by sink and result: sent, failed (to be tried again), lost.",
		}, []string{"sink", "result"}),
	}
	for _, collector := range []prometheus.Collector{
		c.queued, c.delivered,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lockstep_notices_pending", Help: "Notices that wait for a sink."},
			func() float64 { return float64(len(q.Pending())) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lockstep_notices_height", Help: "The block up to which events are done."},
			func() float64 { return float64(q.Cursor()) }),
	} {
		if err := registry.Register(collector); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Counts) sent(sink string)   { c.delivery(sink, "sent") }
func (c *Counts) failed(sink string) { c.delivery(sink, "failed") }
func (c *Counts) lost(sink string)   { c.delivery(sink, "lost") }

func (c *Counts) delivery(sink, result string) {
	if c != nil {
		c.delivered.WithLabelValues(sink, result).Inc()
	}
}

func (c *Counts) add(kind Kind) {
	if c != nil {
		c.queued.WithLabelValues(string(kind)).Inc()
	}
}
