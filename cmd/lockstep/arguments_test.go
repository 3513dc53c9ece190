package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// say runs the program in an empty home folder and returns its exit code and its output.
func say(t *testing.T, args ...string) (code int, printed string) {
	t.Helper()
	var out bytes.Buffer
	code = run(append(args, "--home", t.TempDir()), strings.NewReader(""), &out, &out)
	return code, out.String()
}

// TestNothingIsNotAbsent gives every flag of every command a zero, a negative number and an empty text: each is refused,
// unless the flag says that zero has a meaning.
func TestNothingIsNotAbsent(t *testing.T) {
	t.Parallel()
	var root cli
	parser, err := kong.New(&root, kong.Vars{"home": "."})
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		flag, ok := node.(*kong.Flag)
		if !ok {
			return next(nil)
		}
		kind := flag.Target.Type()
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if kind.Kind() == reflect.Bool {
			return next(nil)
		}
		for _, text := range []string{"0", "-1", "", "0s", "-5m", "NaN", "1970-01-01T00:00:00Z"} {
			value := reflect.New(flag.Target.Type()).Elem()
			if err := flag.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text}), value); err != nil {
				continue // the parser has refused it
			}
			if flag.Enum != "" {
				continue // the parser refuses what is not one of them
			}
			given := value
			if given.Kind() == reflect.Pointer {
				given = given.Elem()
			}
			if !given.IsZero() && text != "-1" && text != "NaN" && text != "-5m" || (given.Kind() == reflect.String || given.Kind() == reflect.Slice) && text != "" {
				continue // a text that is judged by its command
			}
			tried++
			err := checkValue("--"+flag.Name, value, flag.Tag.Has("zero"))
			allowed := flag.Tag.Has("zero") && (text == "0" || text == "0s")
			if (err == nil) != allowed {
				t.Errorf("--%s %q: refused %t (%v)", flag.Name, text, err != nil, err)
			}
		}
		return next(nil)
	})
	if err != nil || tried < 100 {
		t.Fatalf("%d tries, %v", tried, err)
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	trade := strings.Repeat("ab", 32)
	for command, want := range map[string]string{
		"trade release " + trade + " --instalment 0":           "--instalment 0 is not possible: give 1 or more",
		"trade key " + trade + " --instalment 0 --out x":       "--instalment 0 is not possible",
		"trade list --most 0":                                  "--most 0 is not possible",
		"trade list --most -5":                                 "--most -5 is not possible",
		"trade watch --count -1":                               "--count -1 is not possible",
		"node init --validators 0":                             "--validators 0 is not possible: give 1 or more",
		"node init --api 0.0.0.0:99999":                        "the port is not a number from 0 to 65535",
		"node init --api nowhere":                              `--api "nowhere" is not an address`,
		"node start --api 1:2:3":                               `--api "1:2:3" is not an address`,
		"node init --clock-cap -5s":                            "--clock-cap -5s is too short",
		"node init --clock-cap 5":                              `--clock-cap "5" is not a length of time: write it like 90s`,
		"node init --slot 999us":                               "--slot 999µs is too short",
		"offer post --asset EUR --price 3 --pay-within 0":      "--pay-within 0s is too short",
		"offer post --asset EUR --price 3 --instalments 0":     "--instalments 0 is not possible",
		"offer post --asset EUR --price 3 --instalments 65536": `"65536" is not a whole number from 0 to 65535`,
		"offer post --asset EUR --price 3 --zone=":             "--zone is empty",
		"bench --rate NaN":                                     "--rate NaN is not a number",
		"bench --rate -5":                                      "--rate -5 is not possible: give 0 or more",
		"wallet balance --key=":                                `"" is not a key`,
		"wallet balance --wallet=":                             "--wallet: the name is empty: leave it out, or give a file",
		"wallet balance --wallet /":                            "/ is a folder: name the wallet's file in it",
		"wallet balance --wallet nowhere.age":                  "name another file by --wallet, or make one: lockstep wallet new",
		"demo --compare --report day.html":                     "--compare plays nothing, so --report has no effect",
		"demo --text --slot 12:20":                             "there is no auction for the slot \"12:20\"",
		"demo --text --slot 03:00":                             "there is no auction for the slot \"03:00\"",
		"demo --text --no-browser":                             "--no-browser serves the page until it is interrupted, and --text",
		"demo --report=":                                       "--report: the name is empty",
		"demo --report /":                                      "--report: open /: is a directory",
		"demo --report nowhere/day.html":                       "choose a file in a folder that exists",
		"trade show ab":                                        `"ab" is not the beginning of an id: give 4 to 64 digits`,
		"trade show zzzz":                                      `"zzzz" is not the beginning of an id: 'z' may not stand in it`,
		"trade sign log.go":                                    "log.go: this is not the file of a proposal",
		"wallet send lk1frum5umkdwdrfwgtpzvjlwxng0e5e6n4kzvjwd3lc4a57qlsuxjshv0v2p -5 EUR": "an amount can't be negative",
		"node status --node ftp.example": `--node "ftp.example" has no scheme`,
		"node status --node 127.0.0.1:1": "the node at http://127.0.0.1:1 can't be reached",
		"node status --node [::1]:1":     "the node at http://[::1]:1 can't be reached",
		"node start":                     "node init --home",
		"trade nonsense":                 "trade --help",
	} {
		code, printed := say(t, strings.Fields(command)...)
		if code == exitFine || !strings.Contains(printed, want) {
			t.Errorf("%s: exit code %d\n%s", command, code, printed)
		}
	}
}

func TestWaysToAskForHelp(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"help": "Usage: lockstep <command>", "help trade take": "Usage: lockstep trade take", "trade take help": "Usage: lockstep trade take", "trade help": "Usage: lockstep trade",
	} {
		var out bytes.Buffer
		if code := run(strings.Fields(command), strings.NewReader(""), &out, &out); code != exitFine || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d\n%s", command, code, out.String())
		}
	}
	var out bytes.Buffer
	if code := run([]string{"--version"}, strings.NewReader(""), &out, &out); code != exitFine || !strings.HasPrefix(out.String(), "lockstep ") {
		t.Errorf("--version: exit code %d, %s", code, out.String())
	}
}

// TestNextStepsAreCommands looks up every next step that the source names.
func TestNextStepsAreCommands(t *testing.T) {
	t.Parallel()
	var root cli
	parser, err := kong.New(&root, kong.Vars{"home": "."})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\.next\("([^"]*)"`)
	found := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range named.FindAllStringSubmatch(string(content), -1) {
			found++
			(&invocation{model: parser.Model}).flagsOf(strings.Fields(step[1])) // panics if there is none
		}
	}
	if found < 5 {
		t.Errorf("only %d next steps were found", found)
	}
}

// TestNextSteps takes the next steps that commands print, and types them.
func TestNextSteps(t *testing.T) {
	t.Parallel()
	var root cli
	parser, err := kong.New(&root, kong.Vars{"home": "."})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"wallet", "balance", "--home", "/a b", "--wallet=it's.age", "--account", "2", "--json"}
	command, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{call: called(parser.Model, command, args)}
	want := ` trade list --home '/a b' --wallet 'it'\''s.age' --account 2`
	if got := a.next("trade list"); !strings.HasSuffix(got, want) {
		t.Errorf("it prints %s\nwant      ...%s", got, want)
	}
	if got := a.next("node start"); !strings.HasSuffix(got, ` node start --home '/a b'`) {
		t.Errorf("it prints %s", got)
	}
}
