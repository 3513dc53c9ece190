package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"lockstep/internal/atomicfile"
	"lockstep/internal/httpapi"
	webpage "lockstep/internal/page"
)

// appCmd serves the page of a member, with the wallet.
type appCmd struct {
	walletFlags
	workFlag
	Listen    string        `help:"Address of the page: a loopback address, since whoever reaches it can try passphrases." default:"127.0.0.1:8646" placeholder:"HOST:PORT"`
	AllowHost []string      `help:"Name by which a proxy on this machine serves the page; once for each." placeholder:"NAME"`
	Idle      time.Duration `help:"Time without use after which a session is over." default:"30m"`
	NoBrowser bool          `help:"Print the address and open no browser."`
	Agent     string        `help:"Let the agent of this configuration trade as long as the page is served." type:"path" placeholder:"FILE"`
}

// pageAddress is the output of the command.
type pageAddress struct {
	Page  string `json:"page"`
	Enter string `json:"enter"` // begins a session once
}

// Run serves the page until it is interrupted.
func (c *appCmd) Run(ctx context.Context, a *app) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return misuse("--listen %q is not an address: write host:port, such as 127.0.0.1:8646", c.Listen)
	}
	if !loopback(host) {
		return misuse("--listen %q can be reached from other machines, and passphrases would cross the network unencrypted: listen on a loopback "+
			"address, and let a proxy on this machine with TLS serve it, see --allow-host", c.Listen)
	}
	if c.Idle < time.Minute {
		return misuse("--idle %s: a session needs at least a minute", c.Idle)
	}
	names := make([]string, len(c.AllowHost))
	for i, name := range c.AllowHost {
		if names[i], err = httpapi.ParseHost(name); err != nil {
			return &usageError{err}
		}
	}
	if err := os.MkdirAll(a.Home, 0o700); err != nil {
		return err
	}
	var agents sync.WaitGroup
	defer agents.Wait()
	ctx, stop := context.WithCancel(ctx)
	chosen, err := newLedgers(ctx, a)
	if err != nil {
		stop()
		return err
	}
	defer chosen.wait()
	defer stop()
	asks, err := chosen.client()
	if err != nil {
		return err
	}
	member := &webpage.Member{File: c.path(a), Account: c.Account, Options: c.options(), Idle: c.Idle, Ledgers: chosen}
	if _, missing := os.Lstat(member.File); c.PassphraseFile != "" && missing == nil {
		if member.Unlocked, err = c.open(a); err != nil {
			return err
		}
	}
	if c.Agent != "" {
		panel, err := c.startAgent(ctx, a, &agents)
		if err != nil {
			return err
		}
		member.Agent = panel
	}
	logger := a.logger()
	p, err := webpage.New(webpage.Config{
		Node: asks, Logger: logger, Member: member,
		KnownHost: func(r *http.Request) bool { return httpapi.KnownHost(r, names) },
	})
	if err != nil {
		return err
	}
	defer p.Close()
	listener, err := net.Listen("tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the page can't listen on %s: the address is in use, perhaps by another page; choose another with --listen HOST:PORT", c.Listen)
	}
	if err != nil {
		return fmt.Errorf("the page can't listen on %s: %w", c.Listen, err)
	}
	address := "http://" + listener.Addr().String()
	if err := a.show(pageAddress{address + "/", address + p.Enter()}, func(out *page) {
		out.line("Your page: %s/\nSign in by this link, once and within 10 minutes: %s%s\nInterrupt to stop.", address, address, p.Enter())
	}); err != nil {
		return err
	}
	if !c.NoBrowser {
		a.openBrowser(ctx, a.Home, address+p.Enter())
	}
	return servePage(ctx, a, p, listener)
}

// servePage serves a page until the context ends.
func servePage(ctx context.Context, a *app, p *webpage.Server, listener net.Listener) error {
	go p.Run(ctx)
	server := httpapi.NewServer(ctx, p, httpapi.Limits{AddressConnections: 512}, a.logger())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("the page has stopped: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), pageGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("stop the page: %w", err), server.Close())
	}
	return nil
}

// pageGrace bounds the time that requests in flight may still take when the page stops.
const pageGrace = 3 * time.Second

// openBrowser opens a link in the user's browser, where there is one, through a file in a folder. The link holds a token, and the arguments of a program are open to
// everybody on the machine: so the browser gets a file that only the user can read, which leads on to the link.
func (a *app) openBrowser(ctx context.Context, folder, link string) {
	opener := browserOpener()
	if opener == nil {
		return
	}
	file := filepath.Join(folder, "open-page.html")
	text := fmt.Sprintf("<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url=%[1]s\"><a href=\"%[1]s\">Lockstep</a>\n", html.EscapeString(link))
	if err := atomicfile.Replace(file, []byte(text)); err != nil {
		return
	}
	command := exec.CommandContext(ctx, opener[0], append(slices.Clone(opener[1:]), file)...)
	if command.Start() == nil {
		go func() { _ = command.Wait() }() // a browser that does not start is no failure: the link is printed
	}
}

// browserOpener returns the command that opens a file in the user's browser; nil where there is none.
func browserOpener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	if path, err := exec.LookPath("xdg-open"); err == nil {
		return []string{path}
	}
	return nil
}
