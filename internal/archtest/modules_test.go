package archtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write NOTICE and LICENSES.txt")

// root is the repository, seen from this folder.
const root = "../.."

// A module is one that go list names.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *struct{ Version string }
}

// stub tells whether a module is replaced by a stand-in of ours, see stubs/README.md.
func (m module) stub() bool { return m.Replace != nil && m.Replace.Version == "" }

// modules are those of the built packages, for each system that the program runs on.
func modules(t *testing.T, what ...string) map[string]module {
	t.Helper()
	found := map[string]module{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, cgo := range []string{"0", "1"} {
			list := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, what...)...)
			list.Dir, list.Env = root, append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED="+cgo)
			var failed bytes.Buffer
			list.Stderr = &failed
			out, err := list.Output()
			if err != nil {
				t.Fatalf("go list for %s: %v\n%s", system, err, failed.String())
			}
			for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
				var p struct{ Module *module }
				if err := decoder.Decode(&p); err != nil {
					t.Fatal(err)
				}
				if p.Module != nil && !p.Module.Main {
					found[p.Module.Path] = *p.Module
				}
			}
		}
	}
	return found
}

// TestModules holds the modules that go.mod asks for, and the number of those that the program links, against modules.txt.
func TestModules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	allowed, most := map[string]bool{}, 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case fields[0] == "linked":
			if most, err = strconv.Atoi(fields[1]); err != nil {
				t.Fatal(err)
			}
		case len(fields) < 3:
			t.Errorf("modules.txt does not say what %s is for", fields[0])
		default:
			allowed[fields[0]] = true
		}
	}
	edit := exec.Command("go", "mod", "edit", "-json")
	edit.Dir = root
	out, err := edit.Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Require {
		if !r.Indirect && !allowed[r.Path] {
			t.Errorf("%s is a new direct dependency: if it is worth it, add it to internal/archtest/modules.txt with its job", r.Path)
		}
		if !r.Indirect {
			delete(allowed, r.Path)
		}
	}
	for _, r := range file.Replace {
		if !allowed[r.Old.Path] {
			t.Errorf("%s is replaced and modules.txt does not say why", r.Old.Path)
		}
		delete(allowed, r.Old.Path)
	}
	for path := range allowed {
		t.Errorf("%s is no direct dependency any more: take it out of modules.txt", path)
	}
	linked := modules(t, "./cmd/lockstep")
	maps.DeleteFunc(linked, func(_ string, m module) bool { return m.stub() })
	if len(linked) != most {
		t.Errorf("the program links %d modules on all systems together, modules.txt allows %d: see which are new in NOTICE (make notice), and change the number if they are worth it", len(linked), most)
	}
}

const noticeMark = "Software of others\n------------------\n"

// TestNotice holds NOTICE and LICENSES.txt against the modules and their licences. "make notice" writes both.
func TestNotice(t *testing.T) {
	t.Parallel()
	linked := modules(t, "./cmd/lockstep")
	tests := modules(t, "-test", "./...")
	maps.DeleteFunc(tests, func(path string, _ module) bool { _, ok := linked[path]; return ok })
	head, _, found := strings.Cut(fileText(t, "NOTICE"), noticeMark)
	if !found {
		t.Fatalf("NOTICE has no heading %q", noticeMark)
	}
	var notice, licences strings.Builder
	notice.WriteString(head + noticeMark)
	notice.WriteString(`The program links the modules below, each under its own licence. LICENSES.txt has the texts of the licences. The source of
each module, also of those under the Mozilla Public License 2.0, is at the address that its name is; "go mod download
MODULE@VERSION" fetches it. The modules of Eclipse Paho are under two licences to choose from, and are used here under the Eclipse
Distribution License 1.0. "make notice" writes this list, and a test compares it.

The Go standard library and runtime
    BSD-3-Clause, the text of golang.org/x/text
    Copyright 2009 The Go Authors.
`)
	texts := writeModules(t, &notice, linked)
	notice.WriteString("Only the tests need, and no binary contains:\n\n")
	writeModules(t, &notice, tests)
	notice.WriteString("The linters in tools/go.mod check the source. They are no part of the program. The stand-ins in stubs/ are ours.\n")
	licences.WriteString("The licences of the modules that the program links, see NOTICE for the modules' versions and copyrights.\n\"make notice\" writes this file.\n")
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(&licences, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 100), strings.Join(texts[text], "\n"), text)
	}
	current(t, "NOTICE", notice.String())
	current(t, "LICENSES.txt", licences.String())
}

// writeModules lists modules with their licences and copyrights, and returns the texts of the licences with their modules.
func writeModules(t *testing.T, to *strings.Builder, list map[string]module) map[string][]string {
	t.Helper()
	texts := map[string][]string{}
	for _, path := range slices.Sorted(maps.Keys(list)) {
		m := list[path]
		if m.stub() {
			continue
		}
		files, err := filepath.Glob(filepath.Join(m.Dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		var names, rights []string
		var notice string
		for _, file := range files {
			switch name := strings.ToUpper(filepath.Base(file)); {
			case name == "LICENSE-LOGO": // of a picture, which no binary contains
			case licenceFile.MatchString(name):
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				text := strings.ReplaceAll(string(content), "\r\n", "\n")
				names = append(names, licenceOf(t, path, text))
				lines := copyright.FindAllString(text, -1)
				for _, line := range lines {
					rights = append(rights, strings.Join(strings.Fields(line), " "))
				}
				if len(lines) == 1 { // of several, each stands before the text that it is for
					text = copyright.ReplaceAllString(text, "")
				}
				text = strings.TrimSpace(text)
				texts[text] = append(texts[text], path)
			case name == "NOTICE" || name == "NOTICE.TXT" || name == "NOTICE.MD":
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				notice = strings.TrimSpace(strings.ReplaceAll(string(content), "\r\n", "\n"))
			}
		}
		if len(names) == 0 {
			t.Errorf("%s %s has no licence in %s: nobody may use it", path, m.Version, m.Dir)
		}
		slices.Sort(names)
		fmt.Fprintf(to, "%s %s\n    %s\n", path, m.Version, strings.Join(slices.Compact(names), " and "))
		slices.Sort(rights)
		for _, line := range slices.Compact(rights) {
			fmt.Fprintf(to, "    %s\n", line)
		}
		if notice != "" {
			fmt.Fprintf(to, "    Its NOTICE:\n      %s\n", strings.ReplaceAll(notice, "\n", "\n      "))
		}
	}
	to.WriteByte('\n')
	return texts
}

var (
	licenceFile = regexp.MustCompile(`^(LICEN[CS]E|COPYING|UNLICENSE|EDL)([-.].*)?$`)
	copyright   = regexp.MustCompile(`(?im)^[ \t]*(portions )?copyright( (\(c\)|©) \S| \d{4})[^\n]*$`)
)

// licences are told by sentences that only they have, in this order.
func licenceTable() []struct{ sentence, name string } {
	return []struct{ sentence, name string }{
		{"Eclipse Distribution License - v 1.0", "EDL-1.0 (BSD-3-Clause)"},
		{"Eclipse Public License - v 2.0", "EPL-2.0"},
		{"Mozilla Public License Version 2.0", "MPL-2.0"},
		{"Mozilla Public License, version 2.0", "MPL-2.0"},
		{"Apache License Version 2.0", "Apache-2.0"},
		{"free and unencumbered software released into the public domain", "Unlicense"},
		{"Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"},
		{"Permission to use, copy, modify, and distribute this software for any purpose with or without fee", "ISC"},
		{"Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee", "ISC"},
		{"endorse or promote products derived from this software", "BSD-3-Clause"},
		{"Redistributions in binary form must reproduce the above copyright notice", "BSD-2-Clause"},
		{"has been dedicated to the public domain by the authors", "public domain"},
	}
}

func licenceOf(t *testing.T, path, text string) string {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, l := range licenceTable() {
		if strings.Contains(text, l.sentence) {
			return l.name
		}
	}
	t.Errorf("the licence of %s is none that this project knows: may it be used?\n%.300s", path, text)
	return "unknown"
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil && !(*update && os.IsNotExist(err)) {
		t.Fatal(err)
	}
	return string(text)
}

// current compares a generated file with the wanted text, or writes it.
func current(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join(root, path), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if fileText(t, path) != want {
		t.Errorf("%s is not up to date: run make notice, and look at what changed", path)
	}
}

// TestZones: the program knows time zones on a machine without them, such as in its own container.
func TestZones(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/lockstep")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Fields(string(out)), "time/tzdata") {
		t.Error("cmd/lockstep does not embed time/tzdata")
	}
}
