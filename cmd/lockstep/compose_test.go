//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"lockstep/client/wire"
	"lockstep/internal/component"
)

const packaged = "../../packaging"

type composed struct {
	Services map[string]struct {
		Image       string
		Restart     string
		Command     []string
		Ports       []string
		Volumes     []string
		Healthcheck struct{ Test []string }
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) (c composed) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(packaged, "compose", "compose.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// program returns the path of this program: the test binary under its name.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lockstep")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCompose runs the commands of the container's network as processes, below one folder instead of its volume and at free addresses instead of
// its hosts: they make a ledger that goes on, and the checks of their health pass.
func TestCompose(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("whole processes: make test runs them, without the race detector")
	}
	c, lockstep, data := readCompose(t), program(t), t.TempDir()
	here := func(args []string) []string {
		return strings.Split(strings.ReplaceAll(strings.Join(args, "\n"), "/data/", data+"/"), "\n")
	}
	if out, err := exec.Command(lockstep, here(c.Services["init"].Command)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	names := []string{"node0", "node1", "node2", "node3"}
	var open []net.Listener
	places := map[string]string{}
	for _, name := range append([]string{"api0", "api1", "api2", "api3"}, names...) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, listener)
		places[name] = listener.Addr().String()
	}
	for i, name := range names {
		file := filepath.Join(data, "town", name, "node.json")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		local := strings.NewReplacer(`"0.0.0.0:8645"`, `"`+places[fmt.Sprint("api", i)]+`"`, `"0.0.0.0:26656"`, `"`+places[name]+`"`).Replace(string(text))
		if local == string(text) {
			t.Errorf("%s listens elsewhere: %s", name, text)
		}
		for _, other := range names {
			local = strings.ReplaceAll(local, other+":26656", places[other])
		}
		if err := os.WriteFile(file, []byte(local), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, listener := range open {
		listener.Close()
	}
	for _, name := range names {
		command := exec.Command(lockstep, here(c.Services[name].Command)...)
		command.Env = append(os.Environ(), "LOCKSTEP_HOME="+data)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = command.Process.Signal(syscall.SIGINT)
			if err := command.Wait(); err != nil {
				t.Errorf("%s ends with %v", name, err)
			}
		}()
	}
	for _, name := range names {
		check := c.Services[name].Healthcheck.Test
		if len(check) < 3 || check[0] != "CMD" || check[1] != "/lockstep" {
			t.Fatalf("%s: %q", name, check)
		}
		var status wire.Status
		var out []byte
		for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
			command := exec.Command(lockstep, append(here(check[2:]), "--json")...)
			command.Env = append(os.Environ(), "LOCKSTEP_HOME="+data, "LOCKSTEP_NODE=")
			var err error
			if out, err = command.Output(); err == nil {
				if err := json.Unmarshal(out, &status); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				if status.Height > 2 && status.Peers == 3 {
					break
				}
			}
		}
		if status.ChainID != "town" || status.Validators != 4 || status.Peers != 3 || status.Height <= 2 {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestComposeAgrees: the names, ports, volumes and images of the container's files are those of the program's commands and of each other. A service that
// ends is started again.
func TestComposeAgrees(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	setup := strings.Join(c.Services["init"].Command, " ")
	var hosts []string
	for _, found := range regexp.MustCompile(`--host (\S+)`).FindAllStringSubmatch(setup, -1) {
		hosts = append(hosts, found[1])
		if len(c.Services[found[1]].Command) == 0 {
			t.Errorf("no service is named %s", found[1])
		}
	}
	if len(hosts) != 4 || !strings.Contains(setup, "--api 0.0.0.0:8645") || !slices.Equal(c.Services["node0"].Ports, []string{"127.0.0.1:8645:8645"}) {
		t.Errorf("%q, %q", setup, c.Services["node0"].Ports)
	}
	for name, service := range c.Services {
		if (service.Restart == "unless-stopped") != (name != "init") {
			t.Errorf("%s restarts: %q", name, service.Restart)
		}
		for _, volume := range service.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if _, named := c.Volumes[from]; !named {
				if _, err := os.Stat(filepath.Join(packaged, "compose", from)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`ENTRYPOINT ["/lockstep"]`, `CMD ["node", "start", "--api", "0.0.0.0:8645", "--plain-http"]`, "ENV LOCKSTEP_HOME=/data", "VOLUME /data"} {
		if !strings.Contains(string(dockerfile), "\n"+line+"\n") {
			t.Errorf("the Dockerfile lacks %s", line)
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^COPY ([^-\n]\S*)`).FindAllStringSubmatch(string(dockerfile), -1) {
		if _, err := os.Stat(filepath.Join("../..", found[1])); err != nil {
			t.Errorf("the Dockerfile copies %s: %v", found[1], err)
		}
	}
	promtool, dir := component.Find(t, "promtool"), t.TempDir()
	for from, to := range map[string]string{"compose/prometheus.yml": "prometheus.yml", "prometheus/lockstep.rules.yml": "lockstep.rules.yml"} {
		text, err := os.ReadFile(filepath.Join(packaged, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range hosts {
			if to == "prometheus.yml" && !strings.Contains(string(text), `"`+host+`:8645"`) {
				t.Errorf("Prometheus does not ask %s", host)
			}
		}
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", filepath.Join(dir, "prometheus.yml")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
