package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"

	"lockstep/client"
	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/internal/practice"
	"lockstep/types"
)

// ledgers lets the user of a page choose the ledger: the practice ledger of this machine, or that of a node. It implements the transport
// of the page's client, which leads each request to the node that is chosen.
type ledgers struct {
	home    string
	context context.Context // of the program: the practice ledger ends with it
	log     *slog.Logger

	mu       sync.Mutex
	base     *url.URL // of the node that is asked
	token    string
	practice *practice.Ledger // once it runs
	chosen   bool             // the practice ledger is asked
	ended    chan struct{}    // closed when the practice ledger has ended
	network  http.RoundTripper
}

// choice is the content of the file that keeps the choice.
type choice struct {
	Practice bool   `json:"practice,omitempty"`
	Node     string `json:"node,omitempty"`
}

// The files of a page in the home folder.
const (
	choiceFile     = "page.json"
	practiceFolder = "practice"
)

// newLedgers returns the ledgers of a page that asks a node at first.
func newLedgers(ctx context.Context, a *app) (*ledgers, error) {
	address, err := a.nodeAddress(a.nodeDir())
	if err != nil {
		return nil, err
	}
	l := &ledgers{home: a.Home, context: ctx, log: a.logger(), network: http.DefaultTransport.(*http.Transport).Clone()} //nolint:forcetypeassert // the standard library's own
	if l.token, err = a.token(a.nodeDir()); err != nil {
		return nil, err
	}
	if l.base, err = url.Parse(address); err != nil {
		return nil, misuse("--node %q is not an address: %v", address, err)
	}
	if a.NodeURL != "" {
		return l, nil
	}
	kept, err := l.kept()
	switch {
	case err != nil:
		return nil, err
	case kept.Practice:
		return l, l.startPractice()
	case kept.Node != "":
		l.token = ""
		l.base, err = url.Parse(kept.Node)
	}
	return l, err
}

// kept reads the choice of an earlier run.
func (l *ledgers) kept() (kept choice, err error) {
	const most = 16 << 10
	text, err := plaintext.ReadFile(filepath.Join(l.home, choiceFile), most)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		err = fmt.Errorf("read the choice of a ledger in %s: %w; remove the file to choose again", filepath.Join(l.home, choiceFile), err)
	}
	return kept, err
}

func (l *ledgers) keep(chosen choice) error {
	text, err := json.Marshal(chosen)
	if err == nil {
		err = atomicfile.Replace(filepath.Join(l.home, choiceFile), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep the choice of a ledger: %w", err)
	}
	return nil
}

// RoundTrip implements [http.RoundTripper].
func (l *ledgers) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	base, token := l.base, l.token
	l.mu.Unlock()
	led := r.Clone(r.Context())
	led.URL.Scheme, led.URL.Host, led.Host = base.Scheme, base.Host, base.Host
	led.URL.Path = base.Path + r.URL.Path
	if r.Method == http.MethodPost && token != "" {
		led.Header.Set("Authorization", "Bearer "+token)
	}
	return l.network.RoundTrip(led)
}

// client returns the client of a page.
func (l *ledgers) client() (*client.Client, error) {
	return client.New("http://the-ledger-of-the-page", client.WithHTTPClient(&http.Client{Transport: l}))
}

// startPractice runs the practice ledger and asks it.
func (l *ledgers) startPractice() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.practice == nil {
		opened, err := practice.Open(filepath.Join(l.home, practiceFolder), version(), l.log)
		if err != nil {
			return err
		}
		l.practice, l.ended = opened, make(chan struct{})
		go func() {
			defer close(l.ended)
			if err := opened.Run(l.context); err != nil && l.context.Err() == nil {
				l.log.Error("the practice ledger has stopped", "error", err)
			}
		}()
	}
	base, err := url.Parse(l.practice.Address())
	if err != nil {
		return err
	}
	l.base, l.token, l.chosen = base, l.practice.Token(), true
	return nil
}

// Practice implements [page.Ledgers].
func (l *ledgers) Practice(context.Context) error {
	if err := l.startPractice(); err != nil {
		return err
	}
	return l.keep(choice{Practice: true})
}

// Welcome implements [page.Ledgers].
func (l *ledgers) Welcome(ctx context.Context, key types.PublicKey) (types.OfferID, error) {
	l.mu.Lock()
	running := l.practice
	l.mu.Unlock()
	if running == nil {
		return types.OfferID{}, types.Refuse(types.CodeUnavailable, "the practice ledger does not run: choose it again")
	}
	return running.Welcome(ctx, key)
}

// Connect implements [page.Ledgers].
func (l *ledgers) Connect(ctx context.Context, address string) error {
	complete, err := completeURL(address)
	if err != nil {
		return fmt.Errorf("%q is not the address of a node: write https://%s, or http://%s on a network that you trust", address, address, address)
	}
	asked, err := client.New(complete)
	if err != nil {
		return err
	}
	if _, err := asked.Status(ctx); err != nil {
		return err
	}
	base, err := url.Parse(complete)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.base, l.token, l.chosen = base, "", false
	l.mu.Unlock()
	return l.keep(choice{Node: complete})
}

// Practising implements [page.Ledgers].
func (l *ledgers) Practising() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chosen
}

// Address implements [page.Ledgers].
func (l *ledgers) Address() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.base.String()
}

// wait waits until the practice ledger has ended, once its context has.
func (l *ledgers) wait() {
	l.mu.Lock()
	ended := l.ended
	l.mu.Unlock()
	if ended != nil {
		<-ended
	}
}
