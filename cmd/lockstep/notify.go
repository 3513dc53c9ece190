package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/internal/books"
	"lockstep/internal/notify"
	"lockstep/trade/words"
	"lockstep/types"
)

type notifyCmd struct {
	Run    notifyRunCmd    `cmd:"" help:"Watch your trades, and tell you what needs you: by a signed webhook and by MQTT. Needs no wallet."`
	Test   notifyTestCmd   `cmd:"" help:"Send a test to each way of a configuration, once and now."`
	List   notifyListCmd   `cmd:"" help:"List the notices that wait for a way. Not while \"notify run\" uses them."`
	Secret notifySecretCmd `cmd:"" help:"Write a new secret for the signatures of a webhook to a file (mode 0600)."`
}

type notifyFile struct {
	Config string `arg:"" help:"Configuration in YAML." type:"path"`
}

type notifyRunCmd struct {
	notifyFile
	Key *types.PublicKey `help:"Watch the trades of this key; by default that of the configuration." find:"" placeholder:"KEY"`
}

// key returns the watched key.
func (c *notifyRunCmd) key(config *notify.Config) (types.PublicKey, error) {
	if c.Key != nil {
		return *c.Key, nil
	}
	if config.Key == "" {
		return types.PublicKey{}, misuse("%s names no key: add key: lk1..., or give --key", c.Config)
	}
	key, err := types.ParseKey(config.Key)
	if err != nil {
		return key, fmt.Errorf("%s: key: %w", c.Config, err)
	}
	return key, nil
}

func (c *notifyRunCmd) Run(ctx context.Context, a *app) error {
	config, err := notify.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	key, err := c.key(config)
	if err != nil {
		return err
	}
	node, err := a.connect()
	if err != nil {
		return err
	}
	return a.tell(ctx, config, node, key, nil)
}

// tell watches the trades of a key and tells its owner, until the context ends. The inbox has the matters of an agent; it may be nil.
func (a *app) tell(ctx context.Context, config *notify.Config, node *client.Client, key types.PublicKey, inbox <-chan notify.Matter) error {
	log := a.logger()
	sinks, closeSinks, err := config.Sinks(log)
	if err != nil {
		return err
	}
	defer closeSinks()
	queue, err := notify.OpenQueue(config.State, sinkNames(sinks)...)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counts, err := notify.NewCounts(registry, queue)
	if err != nil {
		return errors.Join(err, queue.Close())
	}
	if config.Metrics != "" {
		stop, err := serveMetrics(config.Metrics, registry)
		if err != nil {
			return errors.Join(err, queue.Close())
		}
		defer stop()
	}
	language := words.Language(config.Language)
	if language == "" {
		language = a.language()
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, sink := range sinks {
		courier := &notify.Courier{Queue: queue, Sink: sink, Counts: counts, Log: log}
		group.Go(func() error { return courier.Run(ctx) })
	}
	watcher := &notify.Watcher{
		Node: node, Key: key, Queue: queue, Language: language, Counts: counts, Log: log, Inbox: inbox,
		Policy: notify.Policy{Remind: types.DurationOf(config.Remind), Agent: config.Agent},
	}
	group.Go(func() error { return watcher.Run(ctx) })
	if config.Journal != "" {
		assets := newAssetBook(ctx, node)
		keeper := &books.Keeper{Node: node, Key: key, Folder: config.Journal, Assets: assets.look, Log: log}
		group.Go(func() error { keeper.Run(ctx); return nil })
	}
	log.Info("watching", "key", key)
	return errors.Join(group.Wait(), queue.Close())
}

// tellOfAgent tells the owner of an agent, beside it, by a configuration of notices. The agent never waits: it hands its notices over, and a
// failure to tell is logged and tried again while the agent goes on.
func (a *app) tellOfAgent(ctx context.Context, file string, node *client.Client, key types.PublicKey) (hand func(agent.Notice), err error) {
	config, err := notify.LoadConfig(file)
	if err != nil {
		return nil, err
	}
	if err := config.CheckSecrets(); err != nil {
		return nil, err
	}
	config.Agent = true
	inbox, log := make(chan notify.Matter, mostMatters), a.logger()
	go func() {
		for ctx.Err() == nil {
			if err := a.tell(ctx, config, node, key, inbox); err != nil {
				log.Error("you can't be told; the agent goes on", "why", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
		}
	}()
	return func(n agent.Notice) {
		m, needed := matterOf(&n)
		if !needed {
			return
		}
		select {
		case inbox <- m:
		default:
			log.Error("you can't be told fast enough: a matter is left out", "kind", n.Kind, "trade", n.Trade)
		}
	}, nil
}

// mostMatters bounds the matters of an agent that wait to be written down.
const mostMatters = 256

// matterOf returns the matter of an agent's notice; false for one that needs nobody.
func matterOf(n *agent.Notice) (notify.Matter, bool) {
	if !n.Needed {
		return notify.Matter{}, false
	}
	day := n.At.Std().Format(time.DateOnly)
	var trouble notify.Notice
	switch n.Kind {
	case agent.NoticeWord:
		return notify.Matter{Trade: n.Trade}, true
	case agent.NoticeTwin:
		trouble = notify.NewTrouble("twin", day, "Another agent uses your wallet", "A transaction of your key came that this agent did not send.",
			"This agent stands back, so that nothing is paid twice. Stop one of the two.")
	case agent.NoticeDoubt:
		trouble = notify.NewTrouble("doubt", n.Trade.String(), "The node shows a trade that can't be believed", fmt.Sprintf("Trade %s does not fit its id, its lock or its history.", n.Trade),
			"The agent takes no step in it. Ask another node.")
	default:
		trouble = notify.NewTrouble(string(n.Kind), day+n.Trade.String()+n.Detail, "The agent needs you: "+string(n.Kind), fmt.Sprintf("It reports: %s %s", n.Kind, n.Detail))
	}
	return notify.Matter{Trouble: &trouble}, true
}

func sinkNames(sinks []notify.Sink) (names []string) {
	for _, sink := range sinks {
		names = append(names, sink.Name())
	}
	return names
}

// serveMetrics serves the metrics of a registry until its result is called.
func serveMetrics(address string, registry *prometheus.Registry) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't serve metrics at %s: %w; choose another host:port", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() { _ = server.Serve(listener) }() // ends with the command
	return func() { _ = server.Close() }, nil
}

type notifyTestCmd struct{ notifyFile }

// testTime bounds a test of one way, with the time to connect to a broker.
const testTime = 20 * time.Second

func (c *notifyTestCmd) Run(ctx context.Context, a *app) error {
	config, err := notify.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	sinks, closeSinks, err := config.Sinks(a.logger())
	if err != nil {
		return err
	}
	defer closeSinks()
	type result struct {
		Way   string `json:"way"`
		Sent  bool   `json:"sent"`
		Error string `json:"error,omitempty"`
	}
	var results []result
	var failed error
	n := notify.NewTest(time.Now())
	for _, sink := range sinks {
		err := sendTest(ctx, sink, n)
		r := result{Way: sink.Name(), Sent: err == nil}
		if err != nil {
			r.Error = err.Error()
			failed = errors.Join(failed, fmt.Errorf("the test by %s failed: %w", sink.Name(), err))
		}
		results = append(results, r)
	}
	err = a.show(results, func(p *page) {
		for _, r := range results {
			if r.Sent {
				p.line("Sent a test by %s: %s.", r.Way, n.ID)
			}
		}
	})
	return errors.Join(failed, err)
}

// sendTest sends a notice, and waits for a broker that is not connected yet.
func sendTest(ctx context.Context, sink notify.Sink, n notify.Notice) error {
	ctx, stop := context.WithTimeout(ctx, testTime)
	defer stop()
	for {
		err := sink.Send(ctx, n)
		if _, waits := errors.AsType[*notify.RetryAfter](err); !waits || sink.Name() != "mqtt" {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type notifyListCmd struct{ notifyFile }

func (c *notifyListCmd) Run(a *app) error {
	config, err := notify.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	var names []string
	if config.Webhook != nil {
		names = append(names, "webhook")
	}
	if config.MQTT != nil {
		names = append(names, "mqtt")
	}
	queue, err := notify.OpenQueue(config.State, names...)
	if err != nil {
		return err
	}
	pending := queue.Pending()
	if err := queue.Close(); err != nil {
		return err
	}
	return a.show(pending, func(p *page) {
		if len(pending) == 0 {
			p.line("No notice waits.")
			return
		}
		p.row("at", "kind", "notice", "trade")
		for _, n := range pending {
			trade := "-"
			if n.Trade != nil {
				trade = short(n.Trade)
			}
			p.row(stamp(n.At), string(n.Kind), n.Headline, trade)
		}
	})
}

type notifySecretCmd struct {
	File string `arg:"" help:"The new file." type:"path"`
}

func (c *notifySecretCmd) Run(a *app) error {
	if _, err := os.Stat(filepath.Dir(c.File)); err != nil {
		return err
	}
	if err := writeSecret(c.File, []byte(notify.NewSecret()+"\n")); err != nil {
		return err
	}
	return a.show(map[string]string{"file": c.File}, func(p *page) {
		p.line("Wrote a new secret to %s. Give it to the receiver, which checks with it that a notice is yours.", c.File)
	})
}
