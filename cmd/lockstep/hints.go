package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// invocation is how the program was called: what a next step has to repeat.
type invocation struct {
	model *kong.Application
	given []givenFlag
}

type givenFlag struct{ name, value string }

// carried are the flags that a next step needs too: where the node is, and which wallet acts.
func carried() []string {
	return []string{"home", "node", "token-file", "dir", "wallet", "account", "passphrase-file"}
}

// called finds the flags that were given and have to be carried on, as they were typed.
func called(model *kong.Application, command *kong.Context, args []string) *invocation {
	call := &invocation{model: model}
	for _, step := range command.Path {
		if step.Flag == nil || !slices.Contains(carried(), step.Flag.Name) {
			continue
		}
		for i, arg := range args {
			name, value, joined := strings.Cut(arg, "=")
			if name != "--"+step.Flag.Name {
				continue
			}
			if !joined && i+1 < len(args) {
				value = args[i+1]
			}
			call.given = slices.DeleteFunc(call.given, func(g givenFlag) bool { return g.name == step.Flag.Name })
			call.given = append(call.given, givenFlag{step.Flag.Name, value})
		}
	}
	return call
}

// next is a command as it works when it is typed next: with the arguments given here, and the flags of this call that it
// takes too. Only the flags whose default was overridden are repeated.
func (a *app) next(command string, args ...string) string {
	path := strings.Fields(command)
	words := append([]string{programName()}, path...)
	if a.call != nil {
		flags := a.call.flagsOf(path)
		for _, given := range a.call.given {
			if slices.Contains(flags, given.name) && !slices.Contains(args, "--"+given.name) {
				words = append(words, "--"+given.name, quoted(given.value))
			}
		}
	}
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	return strings.Join(words, " ")
}

// flagsOf lists the flags that a command takes.
func (c *invocation) flagsOf(path []string) []string {
	node := c.model.Node
	for _, word := range path {
		at := slices.IndexFunc(node.Children, func(child *kong.Node) bool { return child.Name == word })
		if at < 0 {
			panic("a next step names a command that is not there: " + strings.Join(path, " "))
		}
		node = node.Children[at]
	}
	var names []string
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			names = append(names, flag.Name)
		}
	}
	return names
}

// programName is how this program can be called again: by its name when the shell finds it, else as it was called.
func programName() string {
	const name = "lockstep"
	self := os.Args[0]
	if _, err := exec.LookPath(name); err == nil || filepath.Base(self) == self {
		return name
	}
	if strings.Contains(self, string(filepath.Separator)+"go-build") { // go run removes what it built
		return "go run ./cmd/lockstep"
	}
	return quoted(self)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted writes a word as a shell reads it back.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
