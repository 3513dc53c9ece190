package component_test

import (
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/component"
)

// attempt is a test that notes how it ended.
type attempt struct {
	testing.TB
	failed, skipped bool
	said            string
}

func (a *attempt) Helper() {}

func (a *attempt) Fatal(args ...any) { a.failed, a.said = true, args[0].(string) }

func (a *attempt) Skip(args ...any) { a.skipped, a.said = true, args[0].(string) }

func TestFind(t *testing.T) {
	found := &attempt{}
	if path := component.Find(found, "no-such-program", "go"); filepath.Base(path) != "go" || found.failed || found.skipped {
		t.Errorf("go is %q: %+v", path, found)
	}
	for ci, fails := range map[string]bool{"": false, "true": true} {
		t.Setenv("CI", ci)
		missing := &attempt{}
		component.Find(missing, "no-such-program", "nor-this")
		if missing.failed != fails || !fails && !missing.skipped || !strings.Contains(missing.said, "no-such-program or nor-this is not installed") {
			t.Errorf("CI=%q: %+v", ci, missing)
		}
	}
}

func TestFindPython(t *testing.T) {
	missing := &attempt{}
	t.Setenv("CI", "true")
	component.FindPython(missing, "no_such_module")
	if !missing.failed || missing.said != "a python3 with no_such_module is not installed: let .ci/run install it" {
		t.Errorf("%+v", missing)
	}
}
