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

// invocation is the command line of this call, whose flags a suggested next command repeats.
type invocation struct {
	model *kong.Application
	given []givenFlag
}

type givenFlag struct{ name, value string }

// carried lists the flags that a next command needs too: the address of the node, and the wallet.
func carried() []string {
	return []string{"home", "node", "token-file", "dir", "wallet", "account", "passphrase-file"}
}

// called returns the given flags that the next command must repeat, as they were typed.
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

// next formats a command for the user to type next: with these arguments, and with the flags of this call that it takes too.
// Flags with their default value are not repeated.
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

// programName returns the command that runs this program again: its name when the shell finds it, else its path.
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

// quoted quotes a word for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
