package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"lockstep/client/wire"
	"lockstep/internal/component"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// document is the part of an OpenAPI document that the test reads.
type document struct {
	OpenAPI    string `json:"openapi"`
	Info       struct{ Title, Version string }
	Paths      map[string]map[string]operation
	Components struct {
		SecuritySchemes map[string]any `json:"securitySchemes"`
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema json.RawMessage }
	}
	Security []map[string][]string
}

func readDocument(w *world) (doc document, raw any) {
	w.t.Helper()
	_, text := w.ask("GET", "/openapi.json", nil)
	for _, into := range []any{&doc, &raw} {
		if err := json.Unmarshal(text, into); err != nil {
			w.t.Fatal(err)
		}
	}
	return doc, raw
}

// TestFirstDocuments: the documents are written once, also when several clients are the first to ask.
func TestFirstDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var group sync.WaitGroup
	for _, path := range []string{"/openapi.json", "/openapi.yaml", docsPath} {
		for range 2 {
			group.Go(func() {
				if response, text := w.ask("GET", path, nil); response.StatusCode != http.StatusOK || len(text) < 1000 {
					t.Errorf("%s: %s, %d bytes", path, response.Status, len(text))
				}
			})
		}
	}
	group.Wait()
}

// TestRedocly lets redocly judge the document by its recommended rules: neither an error nor a warning.
func TestRedocly(t *testing.T) {
	t.Parallel()
	redocly := component.FindPackage(t, ".bin/redocly")
	_, text := newWorld(t).ask("GET", "/openapi.json", nil)
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), redocly, "lint", "--extends=recommended", "--format=json", file)
	command.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	said, err := command.Output()
	var report struct {
		Totals struct {
			Errors, Warnings, Ignored *int
		}
	}
	if begin := bytes.IndexByte(said, '{'); begin < 0 || json.Unmarshal(said[begin:], &report) != nil || report.Totals.Errors == nil || report.Totals.Warnings == nil {
		t.Fatalf("redocly: %v: %s", err, said)
	}
	if err != nil || *report.Totals.Errors > 0 || *report.Totals.Warnings > 0 {
		t.Errorf("redocly: %v: %s", err, said)
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc, raw := readDocument(w)
	if doc.OpenAPI != "3.1.0" || doc.Info.Title == "" || doc.Info.Version != "test" {
		t.Errorf("head: %s %+v", doc.OpenAPI, doc.Info)
	}
	table := map[string]bool{}
	for _, route := range (&server{token: new([sha256.Size]byte)}).routes() {
		table[strings.ToLower(route.op.Method)+" "+route.op.Path] = true
	}
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			name := method + " " + path
			if !table[name] {
				t.Errorf("%s is in the document and not in the table", name)
			}
			delete(table, name)
			checkOperation(t, name, path, op)
			if ids[op.OperationID] {
				t.Errorf("%s: the operation id %q comes twice", name, op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
	if len(table) > 0 {
		t.Errorf("the document lacks %v", slices.Collect(maps.Keys(table)))
	}
	if op := doc.Paths["/v1/transactions"]["post"]; len(op.Security) != 1 || doc.Components.SecuritySchemes[securityScheme] == nil {
		t.Errorf("the document does not tell that a token is needed")
	}
	checkReferences(t, raw, raw)
}

func checkOperation(t *testing.T, name, path string, op operation) {
	t.Helper()
	if op.OperationID == "" || op.Summary == "" {
		t.Errorf("%s has no name or no summary", name)
	}
	var inPath []string
	for _, match := range regexp.MustCompile(`\{([^}]+)\}`).FindAllStringSubmatch(path, -1) {
		inPath = append(inPath, match[1])
	}
	var described []string
	for _, parameter := range op.Parameters {
		if parameter.In == "path" {
			described = append(described, parameter.Name)
		}
		if required := parameter.In == "path" || op.OperationID == "coins" && parameter.Name == "asset"; parameter.Required != required || len(parameter.Schema) == 0 {
			t.Errorf("%s: parameter %+v", name, parameter)
		}
	}
	if !slices.Equal(inPath, described) {
		t.Errorf("%s: the path has %v, described are %v", name, inPath, described)
	}
	if op.Responses["200"].Description == "" {
		t.Errorf("%s: no good answer is described", name)
	}
	for status, response := range op.Responses {
		problem := status[0] == '4' || status[0] == '5' || status == "default"
		if _, ok := response.Content["application/problem+json"]; ok != problem || response.Description == "" {
			t.Errorf("%s: %s is described as %+v", name, status, response)
		}
	}
}

// checkReferences fails for a reference without a target.
func checkReferences(t *testing.T, root, node any) {
	t.Helper()
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			checkReferences(t, root, item)
		}
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok {
			name, found := strings.CutPrefix(ref, schemaPrefix)
			schemas := root.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
			if !found || schemas[name] == nil {
				t.Errorf("%s leads nowhere", ref)
			}
		}
		for _, item := range node {
			checkReferences(t, root, item)
		}
	}
}

// Real answers of a real ledger match their schemas, and the schemas are strict enough to detect a change.
func TestAnswerSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, trade := w.ledger.Story(t)
	registry, operations := registered(t)
	key, euro := party.Key("producer").String(), party.Euro()
	paths := map[string]string{
		"status": "/v1/status", "params": "/v1/params", "balances": "/v1/keys/" + key + "/balances",
		"coins": "/v1/keys/" + key + "/coins?asset=" + euro.ID().String(), "asset": "/v1/assets/" + euro.ID().String(),
		"output":     "/v1/outputs/" + trade.Outpoint(types.PartBond).String(),
		"key-trades": "/v1/keys/" + key + "/trades", "trade": "/v1/trades/" + trade.String(), "offers": "/v1/offers",
		"ids":    "/v1/ids/trade/" + trade.String()[:6],
		"assets": "/v1/assets", "health": "/healthz", "ready": "/readyz", "transaction": "/v1/transactions/" + story[0].ID().String(),
	}
	for id, path := range paths {
		w.fits(registry, operations[id], path, http.StatusOK)
	}
	for height := range story {
		block := fmt.Sprintf("/v1/blocks/%d", height+1)
		w.fits(registry, operations["block"], block, http.StatusOK)
		w.fits(registry, operations["block-transactions"], block+"/transactions", http.StatusOK)
		w.fits(registry, operations["block-events"], block+"/events", http.StatusOK)
	}
	w.fits(registry, operations["trade"], "/v1/trades/"+strings.Repeat("0", 64), http.StatusNotFound)
	w.fits(registry, operations["trade"], "/v1/trades/x", http.StatusBadRequest)
	w.ledger.Advance(3_600_000) // the trade's bond and return are still to be spent; the offer has run out
	w.fits(registry, operations["trade"], "/v1/trades/"+trade.String(), http.StatusOK)
}

// described is the document against which the tests check all answers.
var described = sync.OnceValues(func() (huma.Registry, []*huma.Operation) {
	registry, operations := describeAll()
	return registry, slices.Collect(maps.Values(operations))
})

// describes checks an answer against the document and refuses values that represent a missing one. Every test passes its answers here.
func (w *world) describes(request *http.Request, response *http.Response, text []byte) {
	w.t.Helper()
	kind := response.Header.Get("Content-Type")
	if kind != "application/json" && kind != wire.ProblemType || request.Method == http.MethodHead {
		return
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		w.t.Errorf("%s: %v", request.URL, err)
		return
	}
	for _, found := range standIns(value) {
		w.t.Errorf("%s: %s stands for nothing: leave it out", request.URL.Path, found)
	}
	registry, operations := described()
	if response.StatusCode == http.StatusMisdirectedRequest || response.StatusCode == http.StatusMethodNotAllowed {
		return // of the server, not of an operation
	}
	for _, op := range operations {
		if op.Method != request.Method || !matches(op.Path, request.URL.Path) {
			continue
		}
		answer := op.Responses[strconv.Itoa(response.StatusCode)]
		if answer == nil || answer.Content[kind] == nil {
			w.t.Errorf("%s %s: %d as %s is not described", op.Method, op.Path, response.StatusCode, kind)
		} else if errs := validate(registry, answer.Content[kind].Schema, value); len(errs) > 0 {
			w.t.Errorf("%s does not fit its description: %v\n%.400s", request.URL, errs, text)
		}
	}
}

// describesMessage is describes for a message of a stream.
func (w *world) describesMessage(path, text string) {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		w.t.Errorf("%s: %v", path, err)
		return
	}
	name := "EventView"
	if strings.HasPrefix(path, "/v1/outcomes") {
		name = "Outcomes"
	}
	registry, _ := described()
	if errs := validate(registry, &huma.Schema{Ref: schemaPrefix + name}, value); len(errs) > 0 {
		w.t.Errorf("a message of %s does not fit its description: %v\n%.400s", path, errs, text)
	}
	for _, found := range standIns(value) {
		w.t.Errorf("a message of %s: %s stands for nothing: leave it out", path, found)
	}
}

// matches reports whether a path matches a pattern.
func matches(pattern, path string) bool {
	parts, given := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(parts) != len(given) {
		return false
	}
	for i, part := range parts {
		if part != given[i] && !strings.HasPrefix(part, "{") {
			return false
		}
	}
	return true
}

// standIns lists the values in an answer that represent a missing one: the time zero, and hashes and keys of zeros.
func standIns(value any) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, item := range value {
			for _, deeper := range standIns(item) {
				found = append(found, name+"."+deeper)
			}
		}
	case []any:
		for _, item := range value {
			found = append(found, standIns(item)...)
		}
	case string:
		if strings.HasPrefix(value, "1970-01-01") || value == strings.Repeat("0", 64) || value == strings.Repeat("0", 128) ||
			value == (types.PublicKey{}).String() {
			found = append(found, value)
		}
	}
	return found
}

// TestDocumentConsistency applies the checks of OpenAPI validators beyond syntax.
func TestDocumentConsistency(t *testing.T) {
	t.Parallel()
	_, raw := readDocument(newWorld(t))
	document := raw.(map[string]any)
	info := document["info"].(map[string]any)
	if license, ok := info["license"].(map[string]any); !ok || license["name"] == "" {
		t.Error("it names no licence")
	}
	if servers, ok := document["servers"].([]any); !ok || len(servers) == 0 {
		t.Error("it names no server")
	}
	if _, ok := document["security"]; !ok {
		t.Error("it does not say that asking needs no token")
	}
	for path, methods := range document["paths"].(map[string]any) {
		for method, op := range methods.(map[string]any) {
			responses := op.(map[string]any)["responses"].(map[string]any)
			if !slices.ContainsFunc(slices.Collect(maps.Keys(responses)), func(status string) bool { return status[0] == '4' }) {
				t.Errorf("%s %s can't be refused", method, path)
			}
		}
	}
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name := range document["components"].(map[string]any)["schemas"].(map[string]any) {
		if !strings.Contains(string(text), `"$ref":"`+schemaPrefix+name+`"`) {
			t.Errorf("schema %s is never used", name)
		}
	}
}

// registered returns the registry of schemas and the operations that refer to it.
func registered(t *testing.T) (huma.Registry, map[string]*huma.Operation) {
	t.Helper()
	return describeAll()
}

func describeAll() (huma.Registry, map[string]*huma.Operation) {
	useProblems()
	config := (&server{}).document()
	api := huma.NewAPI(config, nowhere{})
	operations := map[string]*huma.Operation{}
	for _, route := range (&server{token: new([sha256.Size]byte)}).routes() {
		route.register(api, route.op)
	}
	quoteNumbers(api.OpenAPI().Components.Schemas)
	for _, item := range api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				operations[op.OperationID] = op
			}
		}
	}
	return api.OpenAPI().Components.Schemas, operations
}

// nowhere accepts handlers and serves none: the test needs only the description.
type nowhere struct{}

func (nowhere) Handle(*huma.Operation, func(huma.Context))   {}
func (nowhere) ServeHTTP(http.ResponseWriter, *http.Request) {}

func (w *world) fits(registry huma.Registry, op *huma.Operation, path string, status int) {
	w.t.Helper()
	response, text := w.ask("GET", path, nil)
	if response.StatusCode != status {
		w.t.Fatalf("%s: %d %s", path, response.StatusCode, text)
	}
	kind := response.Header.Get("Content-Type")
	media := op.Responses[fmt.Sprint(status)].Content[kind]
	if media == nil {
		w.t.Fatalf("%s: %d %s is not described", path, status, kind)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		w.t.Fatal(err)
	}
	if errs := validate(registry, media.Schema, value); len(errs) > 0 {
		w.t.Errorf("%s does not fit its description: %v\n%.400s", path, errs, text)
	}
	fields := value.(map[string]any)
	fields["invented"] = 1
	if errs := validate(registry, media.Schema, value); len(errs) == 0 {
		w.t.Errorf("%s: a field that is not described is not noticed", path)
	}
}

func validate(registry huma.Registry, schema *huma.Schema, value any) []error {
	result := &huma.ValidateResult{}
	huma.Validate(registry, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, result)
	return result.Errors
}

// Every action, lock and fallback has a schema, and its JSON matches the schema.
func TestSumSchemas(t *testing.T) {
	t.Parallel()
	registry := newSchemas()
	body := registry.Schema(reflect.TypeFor[types.Body](), true, "")
	quoteNumbers(registry)
	for kind, value := range actions() {
		pointer := reflect.New(reflect.TypeOf(value))
		action := pointer.Interface().(types.Action)
		if got := types.ActionKind(action); got != kind {
			t.Errorf("%q is called %q", kind, got)
		}
		// The zero values of these are invalid.
		if agree, ok := action.(*types.Agree); ok {
			agree.Agreement.Fallback = &types.Arbiter{}
		}
		if split, ok := action.(*types.Split); ok {
			split.Phase = types.PhasePaid
		}
		if post, ok := action.(*types.Post); ok {
			post.Offer.Fallback = &types.Meter{}
		}
		if place, ok := action.(*types.Place); ok {
			place.Order.Side = types.Bid
		}
		if enrol, ok := action.(*types.Enrol); ok {
			enrol.Meter.Form = types.FormOCMF
		}
		if exchange, ok := action.(*types.Exchange); ok {
			exchange.Meter.Form = types.FormOCMF
		}
		if reading, ok := action.(*types.Reading); ok {
			reading.Flow.Direction = types.DirectionImport
		}
		text, err := json.Marshal(types.Body{Actions: []types.Action{action}, Outputs: []types.Output{{Lock: types.ToKey(party.Key("alice"))}}})
		if err != nil {
			t.Fatal(err)
		}
		var parsed any
		if err := json.Unmarshal(text, &parsed); err != nil {
			t.Fatal(err)
		}
		if errs := validate(registry, body, parsed); len(errs) > 0 {
			t.Errorf("%s: %v\n%s", kind, errs, text)
		}
	}
}

func TestSelfContainedDocsPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, page := w.ask("GET", "/docs", nil)
	for _, bad := range []string{"<script", "<link", "<img", "http://", "https://", "@import"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, want := range []string{`id="input_missing"`, "/v1/keys/{key}/trades", "/openapi.yaml"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if _, yaml := w.ask("GET", "/openapi.yaml", nil); !strings.HasPrefix(string(yaml), "components:") && !strings.Contains(string(yaml), "openapi: ") {
		t.Errorf("not YAML: %.80s", yaml)
	}
}
