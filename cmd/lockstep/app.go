package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"

	"lockstep/internal/disk"
	"lockstep/types"
	"lockstep/wallet"
)

// globals are the flags that every command takes.
type globals struct {
	Home      string        `help:"Folder for the wallet and the node." default:"${home}" env:"LOCKSTEP_HOME" type:"path" placeholder:"DIR"`
	NodeURL   string        `name:"node" help:"Address of the node to ask; by default that of the node in the home folder, else http://127.0.0.1:8645." env:"LOCKSTEP_NODE" placeholder:"URL"`
	TokenFile string        `help:"File with the node's API token; by default that of the node in the home folder." env:"LOCKSTEP_TOKEN_FILE" type:"path" placeholder:"FILE"`
	JSON      bool          `help:"Print one JSON object instead of text."`
	Language  string        `help:"Language of a trade's status: en, zh, or auto for that of the environment (LC_ALL, LC_MESSAGES, LANG)." enum:"auto,en,zh" default:"auto" placeholder:"LANGUAGE"`
	Patience  time.Duration `help:"How long a command waits for a ledger that stands still; then its exit code is 3. 0: without an end." default:"1m" env:"LOCKSTEP_PATIENCE" placeholder:"TIME"`
	Verbose   bool          `help:"Log more, to standard error." short:"v"`
}

func defaultHome() string {
	if dir, err := os.UserHomeDir(); err == nil {
		return filepath.Join(dir, ".lockstep")
	}
	return ".lockstep"
}

// app holds the flags, the streams and the command line for a command.
type app struct {
	*globals
	in   io.Reader
	out  io.Writer
	err  io.Writer
	call *invocation

	opened map[string]*wallet.Wallet // by the place of the file, if a label among the arguments had to be looked up
}

func (a *app) logger() *slog.Logger {
	level := slog.LevelInfo
	if a.Verbose {
		level = slog.LevelDebug
	}
	return slog.New(newLimited(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level})))
}

func (a *app) nodeDir() string { return filepath.Join(a.Home, "node") }

// show prints a value: as JSON with --json, else through text.
func (a *app) show(value any, text func(p *page)) error {
	if a.JSON {
		encoder := json.NewEncoder(a.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	}
	p := newPage(a.out)
	text(p)
	return p.Flush()
}

// usageError marks an error in the command line, as opposed to a command that failed.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func misuse(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// wrongUse returns the error of arguments that can't be parsed, with the command that prints their help.
func wrongUse(err error) error {
	path := ""
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		for _, step := range parse.Context.Path {
			if step.Command != nil {
				path += " " + step.Command.Name
			}
		}
	}
	return &usageError{fmt.Errorf("%w\n  See: %s%s --help", plainly(err), programName(), path)}
}

// failure is the JSON form of an error.
type failure struct {
	Error  string `json:"error"`
	Code   string `json:"code"`
	Advice string `json:"advice,omitempty"`
}

// report prints an error and its advice to standard error.
func (a *app) report(err error) {
	err = disk.Explain(a.Home, err)
	f := failure{Error: err.Error(), Code: "usage"}
	var usage *usageError
	if !errors.As(err, &usage) {
		code := types.CodeOf(err)
		f.Code, f.Advice = code.String(), code.Sentence()
		if reason := wallet.ReasonOf(err); reason != "" {
			f.Code, f.Advice = "wallet_"+string(reason), ""
		} else if code == types.CodeInternal {
			f.Code, f.Advice = "failed", ""
		}
	}
	if a.JSON {
		if encoded, err := json.Marshal(f); err == nil {
			fmt.Fprintln(a.err, string(encoded))
			return
		}
	}
	fmt.Fprintf(a.err, "lockstep: %s\n", f.Error)
	if f.Advice != "" {
		fmt.Fprintf(a.err, "  %s\n", f.Advice)
	}
}

// version returns the revision of the source from which the program was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			revision = setting.Value[:min(12, len(setting.Value))]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			dirty = "+changes"
		}
	}
	if revision == "" {
		return info.Main.Version
	}
	return revision + dirty
}

type versionCmd struct{}

func (versionCmd) Run(a *app) error {
	return a.show(map[string]any{"version": version(), "format": types.Format}, func(p *page) { p.line("lockstep %s, format %d", version(), types.Format) })
}
