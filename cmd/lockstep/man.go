package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// manCmd prints or writes manual pages, generated from the tree of commands.
type manCmd struct {
	Command []string `arg:"" optional:"" help:"Command to describe, such as: trade deliver. Without one, the program."`
	Dir     string   `help:"Write the pages of all commands to this folder instead, one file each." type:"path" placeholder:"DIR"`
}

// Help returns the instructions to read a page.
func (manCmd) Help() string {
	return "To read a page: lockstep man trade deliver | man -l -"
}

func (c manCmd) Run(a *app) error {
	root := a.call.model.Node
	if c.Dir == "" {
		node := root
		for _, name := range c.Command {
			child := childOf(node, name)
			if child == nil {
				return misuse("%q is not a command of %s: %s --help lists them", name, manName(node), strings.ReplaceAll(manName(node), "-", " "))
			}
			node = child
		}
		_, err := fmt.Fprint(a.out, manPage(node))
		return err
	}
	if len(c.Command) > 0 {
		return misuse("--dir writes the pages of all commands: leave out %q", strings.Join(c.Command, " "))
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the manual pages: %w", err)
	}
	return writeManPages(root, c.Dir)
}

// childOf finds a visible command below a node.
func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden && child.Name == name {
			return child
		}
	}
	return nil
}

// writeManPages writes the page of a node and of every command below it.
func writeManPages(node *kong.Node, dir string) error {
	if err := os.WriteFile(filepath.Join(dir, manName(node)+".1"), []byte(manPage(node)), 0o644); err != nil {
		return fmt.Errorf("write a manual page: %w", err)
	}
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			if err := writeManPages(child, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// manName is the name of a node's page: lockstep-trade-deliver.
func manName(node *kong.Node) string {
	if node.Parent == nil {
		return node.Name
	}
	return manName(node.Parent) + "-" + node.Name
}

// manPage is a node's page in the man macros of roff. It carries no date, so that a build can be reproduced.
func manPage(node *kong.Node) string {
	var b strings.Builder
	name := manName(node)
	help, detail := node.Help, node.Detail
	if node.Parent == nil {
		help, detail = brief(help), strings.TrimSpace(help)
	}
	fmt.Fprintf(&b, ".TH %s 1 \"\" lockstep \"Lockstep manual\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(strings.TrimSuffix(help, ".")))
	synopsis := node.Summary() // begins with the path without the program
	if node.Parent == nil {
		synopsis = "<command> [flags]"
	}
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B lockstep\n%s\n", roff(synopsis))
	if detail != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff(detail))
	}
	manCommands(&b, node)
	if len(node.Positional) > 0 {
		b.WriteString(".SH ARGUMENTS\n")
		for _, argument := range node.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(argument.Name), roff(argument.Help))
		}
	}
	var own, common []*kong.Flag
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			if slices.Contains(node.Flags, flag) {
				own = append(own, flag)
			} else {
				common = append(common, flag)
			}
		}
	}
	manFlags(&b, "OPTIONS", own)
	manFlags(&b, "COMMON OPTIONS", common)
	b.WriteString(".SH EXIT STATUS\n0 fine, 1 refused or failed, 2 wrong use.\n")
	if node.Parent != nil {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(manName(node.Parent)))
	}
	return b.String()
}

func manCommands(b *strings.Builder, node *kong.Node) {
	begun := false
	for _, child := range node.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		if !begun {
			b.WriteString(".SH COMMANDS\n")
			begun = true
		}
		fmt.Fprintf(b, ".TP\n.BR %s (1)\n%s\n", roff(manName(child)), roff(child.Help))
	}
}

func manFlags(b *strings.Builder, heading string, flags []*kong.Flag) {
	if len(flags) == 0 {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", heading)
	for _, flag := range flags {
		spelled := "\\-\\-" + roff(flag.Name)
		if flag.Short != 0 {
			spelled = "\\-" + string(flag.Short) + ", " + spelled
		}
		if !flag.IsBool() {
			spelled += "=" + roff(flag.FormatPlaceHolder())
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", spelled, roff(flag.Help))
	}
}

// roff escapes a text: a backslash and a hyphen anywhere, and a dot or a quote that would begin a request.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		switch {
		case line == "":
			lines[i] = ".PP"
		case line[0] == '.' || line[0] == '\'':
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
