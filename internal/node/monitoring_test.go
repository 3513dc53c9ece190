package node

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/internal/component"
)

// packaged is the folder of the files that an operator takes for monitoring.
const packaged = "../../packaging"

// TestAlertRules: the alerts come when they should, and not before, by Prometheus's own tool.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	promtool := component.Find(t, "promtool")
	for _, args := range [][]string{{"test", "rules", "lockstep.rules.test.yml"}, {"check", "config", "prometheus.yml"}} {
		command := exec.CommandContext(t.Context(), promtool, args...)
		command.Dir = filepath.Join(packaged, "prometheus")
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestMonitoring: a real Prometheus asks a node, every panel of the dashboard has data, and every alert can be computed.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	program := component.Find(t, "prometheus")
	n, _ := start(t, initNode(t, quickParams()))
	must(t, n.Ledger(), mint(quickParams(), 1000, "peter"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	config, err := os.ReadFile(filepath.Join(packaged, "prometheus", "prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs(filepath.Join(packaged, "prometheus", "lockstep.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(`127.0.0.1:8645`, n.APIAddress(), "scrape_interval: 15s", "scrape_interval: 200ms\n  evaluation_interval: 200ms", "lockstep.rules.yml", rules).
		Replace(string(config))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	prometheus := exec.CommandContext(t.Context(), program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+dir,
		"--web.listen-address="+address, "--log.level=error")
	prometheus.Stderr = os.Stderr
	if err := prometheus.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = prometheus.Process.Kill()
		_ = prometheus.Wait()
	}()
	for _, panel := range panels(t) {
		for _, target := range panel.Targets {
			eventually(t, fmt.Sprintf("panel %q, %s", panel.Title, target.Expr), func() bool { return hasData(t, address, target.Expr) })
		}
	}
	eventually(t, "the rules", func() bool {
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Health string }
				}
			}
		}
		if !fetchJSON(t, "http://"+address+"/api/v1/rules", &answer) || len(answer.Data.Groups) != 1 {
			return false
		}
		for _, rule := range answer.Data.Groups[0].Rules {
			if rule.Health != "ok" {
				return false
			}
		}
		return len(answer.Data.Groups[0].Rules) > 0
	})
}

type panel struct {
	Title   string
	Targets []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(packaged, "grafana", "lockstep.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal(text, &dashboard); err != nil || len(dashboard.Panels) == 0 {
		t.Fatalf("%d panels, %v", len(dashboard.Panels), err)
	}
	return dashboard.Panels
}

// hasData reports whether a query has a result that is a number.
func hasData(t *testing.T, address, query string) bool {
	t.Helper()
	var answer struct {
		Status string
		Data   struct {
			Result []struct{ Value []any }
		}
	}
	if !fetchJSON(t, "http://"+address+"/api/v1/query?query="+url.QueryEscape(query), &answer) || answer.Status != "success" {
		return false
	}
	for _, result := range answer.Data.Result {
		if len(result.Value) == 2 && result.Value[1] != "NaN" {
			return true
		}
	}
	return false
}

func fetchJSON(t *testing.T, address string, answer any) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false // it is starting
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer) == nil
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 600 {
		if holds() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s: never", what)
}
