package sim_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"lockstep/internal/page"
	"lockstep/internal/sim"
)

// nodeFolder and nodeAddress, in the environment, make the test's program the node of a town.
const (
	nodeFolder  = "LOCKSTEP_TOWN_NODE"
	nodeAddress = "LOCKSTEP_TOWN_API"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(nodeFolder); dir != "" {
		if err := sim.ServeNode(context.Background(), dir, os.Getenv(nodeAddress), "test", os.Stdin, slog.New(slog.DiscardHandler)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// openTown opens a town of a summer's afternoon that is quick enough for a test.
func openTown(t *testing.T, edit func(*sim.TownOptions)) *sim.Town {
	t.Helper()
	profile, err := sim.Standard(sim.Summer)
	if err != nil {
		t.Fatal(err)
	}
	houses := sim.Honest(sim.Households(1))
	options := sim.TownOptions{
		Profile: profile, Households: houses, From: 52, To: 60, Speed: 1, Window: 2500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Node: func(dir, api string) *exec.Cmd {
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), nodeFolder+"="+dir, nodeAddress+"="+api)
			return command
		},
	}
	if edit != nil {
		edit(&options)
	}
	town, err := sim.OpenTown(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- town.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := town.Close(); err != nil {
			t.Error(err)
		}
	})
	return town
}

// await waits until the scene of a town is as a test wants it.
func await(t *testing.T, town *sim.Town, what string, until func(*page.TownScene) bool) page.TownScene {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		scene := town.Scene()
		if until(&scene) {
			return scene
		}
		if time.Since(begin) > 2*time.Minute {
			t.Fatalf("%s: not in the town: %+v", what, scene)
		}
	}
}

// event finds the newest event of a kind; nil when there is none.
func event(scene *page.TownScene, kind page.TownKind) *page.TownEvent {
	for i := range scene.Events {
		if scene.Events[i].Kind == kind {
			return &scene.Events[i]
		}
	}
	return nil
}

func house(scene *page.TownScene, name string) *page.TownHouse {
	for i := range scene.Houses {
		if scene.Houses[i].Name == name {
			return &scene.Houses[i]
		}
	}
	return nil
}

// TestTown: a town trades by itself; a cheat, a cloud and a killed node have the consequences that the scene tells; the day begins again.
func TestTown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a town at its own pace: make test runs it, without the race detector")
	}
	town := openTown(t, nil)
	scene := await(t, town, "trade", func(s *page.TownScene) bool { return s.Begun && len(s.Flows) > 0 && s.Price > 0 })
	var sold, bought uint64
	for _, h := range scene.Houses {
		sold, bought = sold+h.Sells, bought+h.Buys
	}
	if sold == 0 || sold != bought || event(&scene, page.TownBegins) == nil {
		t.Errorf("sold %d Wh, bought %d, events %+v", sold, bought, scene.Events)
	}
	await(t, town, "savings", func(s *page.TownScene) bool { return house(s, "Elm").Saved > 0 })

	birch := house(&scene, "Birch").Place
	if err := town.Steer(birch, page.TownSteer{Conduct: page.ConductDelivers}); err != nil {
		t.Fatal(err)
	}
	undelivered := func(s *page.TownScene) *page.TownEvent { // on a busy machine another household may miss its slot too
		for i := range s.Events {
			if e := &s.Events[i]; e.Kind == page.TownUndelivered && e.House == birch {
				return e
			}
		}
		return nil
	}
	scene = await(t, town, "an undelivered trade", func(s *page.TownScene) bool { return undelivered(s) != nil })
	if e := undelivered(&scene); e.Lost == 0 || e.Lost < e.Price || len(e.Others) == 0 || e.Read != 0 || !house(&scene, "Birch").NoDelivery {
		t.Errorf("undelivered: %+v", e)
	}
	if err := town.Steer(birch, page.TownSteer{Conduct: page.ConductDelivers, On: true}); err != nil {
		t.Fatal(err)
	}
	town.SendCloud(true)
	scene = await(t, town, "a short delivery", func(s *page.TownScene) bool {
		if s.Cloud == "" { // on a busy machine households miss the gates of a whole hour
			town.SendCloud(true)
		}
		return event(s, page.TownShort) != nil
	})
	if e := event(&scene, page.TownShort); e.Read == 0 || e.Read >= e.Energy || e.Lost == 0 {
		t.Errorf("short: %+v", e)
	}
	town.SendCloud(false)

	if err := town.KillNode(); err != nil {
		t.Fatal(err)
	}
	if err := town.KillNode(); err == nil {
		t.Error("a dead node was killed")
	}
	scene = await(t, town, "the outage", func(s *page.TownScene) bool { return !s.Node.Running && !s.Node.Answers })
	if e := event(&scene, page.TownKilled); e == nil || e.Spending == 0 || e.Locked == 0 || scene.Node.Failure != "" {
		t.Errorf("killed: %+v, %+v", e, scene.Node)
	}
	if err := town.StartNode(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := town.StartNode(t.Context()); err != nil {
		t.Errorf("a second start: %v", err)
	}
	scene = await(t, town, "trade after the outage", func(s *page.TownScene) bool { return s.Node.Answers && len(s.Flows) > 0 })
	if event(&scene, page.TownBack) == nil {
		t.Errorf("events: %+v", scene.Events)
	}
	await(t, town, "the next day", func(s *page.TownScene) bool {
		return s.Day >= 2 && event(s, page.TownMorning) != nil && len(s.Flows) > 0
	})
}

// TestTownByHand: a household that is driven by hand orders nothing, and its limits are kept; unknown ones are refused.
func TestTownByHand(t *testing.T) {
	t.Parallel()
	town := openTown(t, nil)
	elm := house(new(town.Scene()), "Elm").Place
	for _, bad := range []page.TownSteer{{Conduct: page.ConductLimits}, {Conduct: page.ConductLimits, Bid: 501}, {Conduct: page.ConductLimits, Bid: 19}} {
		if err := town.Steer(elm, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	if err := town.Steer(elm, page.TownSteer{Conduct: page.ConductLimits, Bid: 20}); err != nil {
		t.Fatal(err)
	}
	kiln := house(new(town.Scene()), "Kiln").Place
	if err := town.Steer(kiln, page.TownSteer{Conduct: page.ConductByHand, On: true}); err != nil {
		t.Fatal(err)
	}
	begun := await(t, town, "trade", func(s *page.TownScene) bool { return s.Begun })
	const later = 6 // slots, of which none was open when the households were steered
	last := map[string]bool{}
	scene := await(t, town, "some slots", func(s *page.TownScene) bool {
		if s.From != begun.From {
			last[s.From] = true
		}
		return len(last) >= later && len(s.Flows) > 0
	})
	if house(&scene, "Elm").Buys > 0 || house(&scene, "Kiln").Buys > 0 || !house(&scene, "Kiln").ByHand {
		t.Errorf("Elm %+v, Kiln %+v", house(&scene, "Elm"), house(&scene, "Kiln"))
	}
}

// visitor is a browser without scripts.
type visitor struct {
	*http.Client
	t *testing.T
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{&http.Client{Jar: jar}, t}
}

func (v *visitor) read(answer *http.Response, err error) (int, string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// TestTownPages: the page of the town needs its link; a household opens on a page of its own, signed in by a link that works once, and is
// steered from its own seat alone.
func TestTownPages(t *testing.T) {
	t.Parallel()
	town := openTown(t, nil)
	address, enter := serveTown(t, town)
	stranger := newVisitor(t)
	for _, path := range []string{"/", "/town/open/0", "/market"} {
		if code, text := stranger.read(stranger.Get(address + path)); code != http.StatusUnauthorized || strings.Contains(text, "wakes") {
			t.Errorf("a stranger sees %s: %d", path, code)
		}
	}
	v := newVisitor(t)
	v.read(v.Get(enter))
	await(t, town, "trade", func(s *page.TownScene) bool { return s.Begun && len(s.Flows) > 0 })
	code, text := v.read(v.Get(address + "/"))
	if code != http.StatusOK || !strings.Contains(text, "in the town") || !strings.Contains(text, `class="rib near"`) {
		t.Fatalf("%d: %s", code, text)
	}
	token := csrf.FindStringSubmatch(text)[1]
	if code, _ := v.read(v.PostForm(address+"/town/cloud", url.Values{"on": {"yes"}, "csrf": {"wrong"}})); code != http.StatusBadRequest {
		t.Errorf("a form without the session's token: %d", code)
	}
	if scene := town.Scene(); scene.Cloud != "" {
		t.Error("it sent a cloud")
	}
	v.read(v.PostForm(address+"/town/cloud", url.Values{"on": {"yes"}, "csrf": {token}}))
	if scene := town.Scene(); scene.Cloud == "" {
		t.Error("no cloud came")
	}
	cedar := house(new(town.Scene()), "Cedar").Place
	if code, text := v.read(v.Get(fmt.Sprintf("%s/town/open/%d", address, cedar))); code != http.StatusOK || !strings.Contains(text, "You are in") {
		t.Fatalf("open Cedar: %d %s", code, text)
	}
	link, err := town.Enter(t.Context(), cedar)
	if err != nil {
		t.Fatal(err)
	}
	own := newVisitor(t)
	own.read(own.Get(link))
	base := link[:strings.Index(link, "/enter")]
	if code, _ := stranger.read(stranger.Get(link)); code != http.StatusUnauthorized {
		t.Errorf("the link works twice: %d", code)
	}
	if code, text := own.read(own.Get(base + "/")); code != http.StatusOK || !strings.Contains(text, "Cedar") || !strings.Contains(text, "Yours to spend") {
		t.Errorf("Cedar's page: %d %s", code, text)
	}
	code, text = own.read(own.Get(base + "/town"))
	if code != http.StatusOK || strings.Contains(text, "/town/node") || strings.Contains(text, "Kiln") {
		t.Errorf("Cedar's seat: %d %s", code, text)
	}
	token = csrf.FindStringSubmatch(text)[1]
	for path, want := range map[string]int{"/town/house/0": http.StatusNotFound, "/town/node": http.StatusNotFound, fmt.Sprintf("/town/house/%d", cedar): http.StatusOK} {
		if code, text := own.read(own.PostForm(base+path, url.Values{"csrf": {token}, "conduct": {"hand"}, "on": {"yes"}})); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if scene := town.Scene(); !house(&scene, "Cedar").ByHand || scene.Houses[0].ByHand || !scene.Node.Running {
		t.Error("it steered another household, or not its own")
	}
	for _, limits := range []url.Values{{"bid": {"abc"}}, {"bid": {"1.25"}}, {"bid": {"-1"}}, {"bid": {"99"}}} {
		limits["csrf"], limits["conduct"], limits["ask"] = []string{token}, []string{"limits"}, []string{"1"}
		if code, _ := own.read(own.PostForm(fmt.Sprintf("%s/town/house/%d", base, cedar), limits)); code < 400 || code >= 500 {
			t.Errorf("%v: %d", limits, code)
		}
	}
}

// serveTown serves the page of a whole town.
func serveTown(t *testing.T, town *sim.Town) (address, enter string) {
	t.Helper()
	served, err := page.New(page.Config{Node: town.Client(), Logger: slog.New(slog.DiscardHandler), Town: &page.Seat{Town: town, House: page.WholeTown}})
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(t, served)
	return server, server + served.Enter()
}

func newServer(t *testing.T, served *page.Server) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	go served.Run(ctx)
	server := httptest.NewServer(served)
	t.Cleanup(func() {
		cancel()
		server.CloseClientConnections()
		server.Close()
		served.Close()
	})
	return server.URL
}
