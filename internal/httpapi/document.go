package httpapi

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/types"
)

const (
	docsPath       = "/docs"
	securityScheme = "token"
)

// document is the head of the OpenAPI document; the routes add themselves.
func (s *server) document() huma.Config {
	schemas := newSchemas()
	schemas.Schema(reflect.TypeFor[wire.Submission](), true, "")
	schemas.Schema(reflect.TypeFor[wire.Submissions](), true, "")
	schemas.Schema(reflect.TypeFor[wire.Outcomes](), true, "")
	schemas.Schema(reflect.TypeFor[wire.Event](), true, "")
	components := &huma.Components{Schemas: schemas}
	if s.token != nil {
		components.SecuritySchemes = map[string]*huma.SecurityScheme{securityScheme: {
			Type: "http", Scheme: "bearer", Description: "the node's access token, needed to submit a transaction",
		}}
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Servers: []*huma.Server{{URL: "/", Description: "this node"}},
			// Questions need no token; the operations that submit override this.
			Security: []map[string][]string{{}},
			Info: &huma.Info{
				Title: "Lockstep", Version: s.version, License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
				Description: "The API of a Lockstep node. Amounts are decimal strings of smallest units, times are RFC 3339 in UTC. " +
					"An error is a problem document (RFC 9457) with the ledger's code.",
			},
			Components: components,
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// serveDocument serves the finished document in JSON and YAML, and a self-contained HTML page, each written when it is first asked for.
func (s *server) serveDocument(mux *http.ServeMux, document *huma.OpenAPI) {
	serve := func(path, contentType string, write func() ([]byte, error)) {
		text := sync.OnceValues(write)
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			content, err := text()
			s.writeFile(w, contentType, content, err)
		})
	}
	serve("/openapi.json", "application/openapi+json", func() ([]byte, error) { return json.Marshal(document) })
	serve("/openapi.yaml", "application/openapi+yaml", document.YAML)
	serve(docsPath, "text/html; charset=utf-8", s.docs)
}

// docs is the page of the documentation.
func (s *server) docs() ([]byte, error) {
	page := docsPage{Version: s.version}
	for _, route := range s.routes() {
		page.Routes = append(page.Routes, route.op)
	}
	for _, info := range types.CodeList() {
		page.Codes = append(page.Codes, docsCode{info, statusOf(info.Code)})
	}
	var html bytes.Buffer
	err := template.Must(template.New("docs").Parse(docsTemplate)).Execute(&html, page)
	return html.Bytes(), err
}

type docsPage struct {
	Version string
	Routes  []huma.Operation
	Codes   []docsCode
}

type docsCode struct {
	types.CodeInfo
	HTTP int
}

const docsTemplate = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Lockstep API</title>
<h1>Lockstep API {{.Version}}</h1>
<p>The whole description, for programs: <a href="/openapi.json">OpenAPI 3.1 in JSON</a>, <a href="/openapi.yaml">in YAML</a>.</p>
<h2>Routes</h2>
<table>
{{range .Routes}}<tr><td>{{.Method}}</td><td><code>{{.Path}}</code></td><td>{{.Summary}}</td></tr>
{{end}}</table>
<h2>Codes</h2>
<p>An error is a problem document (RFC 9457) with one of these codes.</p>
<table>
{{range .Codes}}<tr id="{{.Name}}"><td><code>{{.Name}}</code></td><td>{{.HTTP}}</td><td>{{.Sentence}}</td></tr>
{{end}}</table>
</html>
`
