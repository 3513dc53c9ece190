package httpapi

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"lockstep/client/wire"
)

// metrics counts requests and exports the status of the ledger to Prometheus.
type metrics struct {
	handler  http.Handler
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	streams  prometheus.Gauge
}

func newMetrics(ledger Ledger, network Network, registry *prometheus.Registry) (*metrics, error) {
	if registry == nil {
		registry = prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	m := &metrics{
		handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lockstep_api_requests_total", Help: "Requests answered, by route and HTTP status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lockstep_api_request_seconds", Help: "Time to answer, by route.", Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"route"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "lockstep_api_streams", Help: "Streams of events that are open."}),
	}
	for _, collector := range []prometheus.Collector{m.requests, m.duration, m.streams, newStanding(ledger, network)} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("api: metrics: %w", err)
		}
	}
	return m, nil
}

// count counts a request. The route label is the pattern, not the path, which bounds the number of series.
func (m *metrics) count(pattern string, status int, begin time.Time) {
	if pattern == "" {
		pattern = "none"
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(pattern).Observe(time.Since(begin).Seconds())
}

// standing collects the status of the ledger at each scrape, and the sums of its assets.
type standing struct {
	ledger           Ledger
	gauges           []gauge
	issued, inOrders *prometheus.Desc

	network                              Network // nil: none
	needed, heard, signed, looked, apart *prometheus.Desc
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

type gauge struct {
	desc *prometheus.Desc
	of   func(*wire.Status) float64 // NaN: there is no value
}

func newStanding(ledger Ledger, network Network) *standing {
	s := &standing{ledger: ledger}
	chain := prometheus.Labels{"chain": ledger.Params().ChainID}
	add := func(name, help string, of func(*wire.Status) float64) {
		s.gauges = append(s.gauges, gauge{prometheus.NewDesc("lockstep_"+name, help, nil, chain), of})
	}
	add("height", "Height of the last block.", func(s *wire.Status) float64 { return float64(s.Height) })
	add("block_time_seconds", "Unix time of the last block.", func(s *wire.Status) float64 { return float64(s.BlockTime) / 1000 })
	add("clock_skew_seconds", "How far the ledger clock is behind block time.", func(s *wire.Status) float64 { return float64(s.Skew) / 1000 })
	add("since_block_seconds", "How long ago the last block came.", func(s *wire.Status) float64 { return float64(s.SinceBlock) / 1000 })
	add("pool_transactions", "Transactions that wait in the pool.", func(s *wire.Status) float64 { return float64(s.Waiting) })
	add("peers", "Peers that the node is connected to.", func(s *wire.Status) float64 { return float64(s.Peers) })
	add("validators", "Validators of the chain.", func(s *wire.Status) float64 { return float64(s.Validators) })
	add("halted", "1 when no block came for much longer than an idle ledger waits.", func(s *wire.Status) float64 { return oneIf(s.Halted) })
	add("index_height", "The height up to which the index goes.", func(s *wire.Status) float64 {
		if s.Index == 0 { // it keeps none, and can't fall behind
			return math.NaN()
		}
		return float64(s.Index)
	})
	add("disk_free_bytes", "Bytes left on the disk of the node.", func(s *wire.Status) float64 { return float64(s.DiskFree) })
	add("on_disk_height", "The height up to which the state and the log of outcomes are on the disk.", func(s *wire.Status) float64 { return float64(s.OnDisk) })
	add("certificate_end_seconds", "Unix time of the end of the TLS certificate, 0: there is none.", func(s *wire.Status) float64 { return float64(s.CertEnds) / 1000 })
	add("troubles", "Faults that the node reports of itself.", func(s *wire.Status) float64 { return float64(len(s.Troubles)) })
	if network != nil {
		part := func(name, help string, labels ...string) *prometheus.Desc {
			return prometheus.NewDesc("lockstep_"+name, help, labels, chain)
		}
		s.network = network
		s.needed = part("power_needed", "The power of validators without which no block is made.")
		s.heard = part("power_heard", "The power of the validators that are heard.")
		s.signed = part("validator_signed", "How many of the last blocks a validator has signed.", "validator")
		s.apart = part("validator_clock_seconds", "How far the clock of a validator is ahead of the node's, by its last vote.", "validator")
		s.looked = part("validator_blocks", "The last blocks that validator_signed is about.")
	}
	labels := []string{"asset", "code"}
	s.issued = prometheus.NewDesc("lockstep_asset_issued", "Issued money of an asset of the genesis, in smallest units.", labels, chain)
	s.inOrders = prometheus.NewDesc("lockstep_asset_in_orders", "The part of it that orders and standing offers have staked.", labels, chain)
	return s
}

// Describe implements [prometheus.Collector].
func (s *standing) Describe(out chan<- *prometheus.Desc) {
	for _, gauge := range s.gauges {
		out <- gauge.desc
	}
	if s.network != nil {
		for _, desc := range []*prometheus.Desc{s.needed, s.heard, s.signed, s.looked, s.apart} {
			out <- desc
		}
	}
	out <- s.issued
	out <- s.inOrders
}

// Collect implements [prometheus.Collector]. A ledger that does not answer has no values rather than old ones.
func (s *standing) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	status, err := s.ledger.Status(ctx)
	if err != nil {
		return
	}
	for _, gauge := range s.gauges {
		if value := gauge.of(&status); !math.IsNaN(value) {
			out <- prometheus.MustNewConstMetric(gauge.desc, prometheus.GaugeValue, value)
		}
	}
	s.collectValidators(out)
	s.collectAssets(ctx, out)
}

func (s *standing) collectValidators(out chan<- prometheus.Metric) {
	if s.network == nil {
		return
	}
	validators, err := s.network.Validators()
	if err != nil {
		return
	}
	give := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	give(s.needed, float64(validators.Needed))
	give(s.heard, float64(validators.Heard))
	give(s.looked, float64(validators.Blocks))
	for _, validator := range validators.Validators {
		give(s.signed, float64(validator.Signed), validator.Key.String())
		give(s.apart, (float64(validator.Ahead)-float64(validator.Behind))/1000, validator.Key.String())
	}
}

// collectAssets collects the assets that the ledger recognises since genesis: these are few.
func (s *standing) collectAssets(ctx context.Context, out chan<- prometheus.Metric) {
	params := s.ledger.Params()
	for i := range params.Genesis {
		asset, err := s.ledger.Asset(ctx, params.Genesis[i].Asset.ID())
		if err != nil {
			return
		}
		labels := []string{asset.ID.String(), asset.Asset.Code}
		out <- prometheus.MustNewConstMetric(s.issued, prometheus.GaugeValue, float64(asset.Issued), labels...)
		out <- prometheus.MustNewConstMetric(s.inOrders, prometheus.GaugeValue, float64(asset.InOrders), labels...)
	}
}

func metricsOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodGet, Path: "/metrics", OperationID: "metrics", Summary: "Numbers for Prometheus",
		Responses: map[string]*huma.Response{"200": {
			Description: "The text format of Prometheus.",
			Content:     map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}
	describeProblems(&op)
	return op
}

func (s *server) metrics(context.Context, *struct{}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		s.counters.handler.ServeHTTP(w, r)
	}}, nil
}
