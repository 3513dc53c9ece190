package page

import (
	"cmp"
	"context"
	"encoding/json"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"lockstep/types"
)

// The reference of the node's API: the OpenAPI document, written out as a page without scripts.

// openAPI is the part of a document that the page shows.
type openAPI struct {
	Info struct {
		Title, Version, Description string
	} `json:"info"`
	Paths      map[string]map[string]apiOperation `json:"paths"`
	Components struct {
		Schemas map[string]*apiSchema `json:"schemas"`
	} `json:"components"`
}

type apiOperation struct {
	ID          string         `json:"operationId"`
	Summary     string         `json:"summary"`
	Description string         `json:"description"`
	Parameters  []apiParameter `json:"parameters"`
	Body        *struct {
		Required bool                  `json:"required"`
		Content  map[string]apiContent `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Description string                `json:"description"`
		Content     map[string]apiContent `json:"content"`
	} `json:"responses"`
	Security []map[string][]string `json:"security"`
}

type apiContent struct {
	Schema *apiSchema `json:"schema"`
}

type apiParameter struct {
	Name        string     `json:"name"`
	In          string     `json:"in"`
	Description string     `json:"description"`
	Required    bool       `json:"required"`
	Schema      *apiSchema `json:"schema"`
}

type apiSchema struct {
	Ref         string                `json:"$ref"`
	Type        any                   `json:"type"`
	Format      string                `json:"format"`
	Description string                `json:"description"`
	Enum        []any                 `json:"enum"`
	Items       *apiSchema            `json:"items"`
	OneOf       []*apiSchema          `json:"oneOf"`
	Properties  map[string]*apiSchema `json:"properties"`
	Required    []string              `json:"required"`
	Default     any                   `json:"default"`
	Minimum     *float64              `json:"minimum"`
	Maximum     *float64              `json:"maximum"`
	Extra       any                   `json:"additionalProperties"`
}

// docsView is the content of the reference.
type docsView struct {
	Version, Text string
	Groups        []docsGroup
	Schemas       []docsSchema
	Codes         []types.CodeInfo
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Text string
	Token                           bool
	Parameters                      []docsField
	Body                            template.HTML
	Answers                         []docsAnswer
}

type docsAnswer struct {
	Status, Text string
	Type         template.HTML
}

type docsField struct {
	Name, In, Text string
	Type           template.HTML
	Required       bool
}

type docsSchema struct {
	Name, Text string
	Type       template.HTML // of one that is no object
	Fields     []docsField
}

// apiDocs renders the reference of the API.
func (c *screen) apiDocs() error {
	c.Nav, c.Title = "docs", string(c.T("docs.title"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	view, err := c.facts.document(c.r.Context())
	if err != nil {
		return err
	}
	return c.render("docs", view)
}

// document reads the node's document. It is kept until the node has another version.
func (f *facts) document(ctx context.Context) (*docsView, error) {
	f.docLock.Lock()
	defer f.docLock.Unlock()
	if f.doc.known && f.now().Sub(f.doc.at) < factLife {
		return f.doc.value, nil
	}
	text, err := f.node.Document(context.WithoutCancel(ctx)) // others may wait for the answer
	if err != nil {
		return nil, err
	}
	document := openAPI{}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, types.Refuse(types.CodeUnavailable, "the node's description of its API can't be read: %v", err)
	}
	f.doc = kept[*docsView]{documentView(&document), true, f.now()}
	return f.doc.value, nil
}

// documentView puts a document in order: operations by the first part of their path, schemas by their name.
func documentView(d *openAPI) *docsView {
	v := &docsView{Version: d.Info.Version, Text: d.Info.Description, Codes: types.CodeList()}
	var operations []docsOperation
	for path, methods := range d.Paths { // in any order: sorted below
		for method, operation := range methods {
			operations = append(operations, operationView(strings.ToUpper(method), path, &operation))
		}
	}
	slices.SortFunc(operations, func(a, b docsOperation) int {
		return cmp.Or(cmp.Compare(groupOf(a.Path), groupOf(b.Path)), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	for i := range operations {
		name := groupOf(operations[i].Path)
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Name != name {
			v.Groups = append(v.Groups, docsGroup{Name: name})
		}
		group := &v.Groups[len(v.Groups)-1]
		group.Operations = append(group.Operations, operations[i])
	}
	for name, schema := range d.Components.Schemas { // in any order: sorted below
		if schema == nil {
			continue
		}
		one := docsSchema{Name: name, Text: schema.Description}
		if len(schema.Properties) == 0 {
			one.Type = typeOf(schema)
		}
		for field, value := range schema.Properties { // in any order: sorted below
			if value == nil {
				continue
			}
			one.Fields = append(one.Fields, docsField{Name: field, Text: value.Description, Type: typeOf(value), Required: slices.Contains(schema.Required, field)})
		}
		slices.SortFunc(one.Fields, func(a, b docsField) int { return cmp.Compare(a.Name, b.Name) })
		v.Schemas = append(v.Schemas, one)
	}
	slices.SortFunc(v.Schemas, func(a, b docsSchema) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

// groupOf is the first part of a path below the version of the API.
func groupOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "/v1"), "/"), "/")
	return first
}

func operationView(method, path string, o *apiOperation) docsOperation {
	one := docsOperation{ID: o.ID, Method: method, Path: path, Summary: o.Summary, Text: o.Description}
	for _, way := range o.Security {
		one.Token = one.Token || len(way) > 0
	}
	for i := range o.Parameters {
		p := &o.Parameters[i]
		one.Parameters = append(one.Parameters, docsField{Name: p.Name, In: p.In, Text: p.Description, Type: typeOf(p.Schema), Required: p.Required})
	}
	if o.Body != nil {
		one.Body = contentType(o.Body.Content)
	}
	for status, answer := range o.Responses { // in any order: sorted below
		one.Answers = append(one.Answers, docsAnswer{Status: status, Text: answer.Description, Type: contentType(answer.Content)})
	}
	slices.SortFunc(one.Answers, func(a, b docsAnswer) int { return cmp.Compare(a.Status, b.Status) })
	return one
}

func contentType(content map[string]apiContent) (text template.HTML) {
	var names []string
	for name := range content { // in any order: sorted
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if text != "" {
			text += ", "
		}
		text += typeOf(content[name].Schema) + template.HTML(` <span class="soft">`+escape(name)+`</span>`)
	}
	return text
}

const refPrefix = "#/components/schemas/"

// typeOf writes the type of a value, with links to the schemas that it names.
func typeOf(s *apiSchema) template.HTML {
	if s == nil {
		return ""
	}
	if name, found := strings.CutPrefix(s.Ref, refPrefix); found {
		return template.HTML(`<a href="#schema-` + escape(name) + `">` + escape(name) + `</a>`)
	}
	if len(s.OneOf) > 0 {
		return joined(s.OneOf)
	}
	var names []string
	switch t := s.Type.(type) {
	case string:
		names = []string{t}
	case []any:
		for _, name := range t {
			if text, ok := name.(string); ok {
				names = append(names, text)
			}
		}
	}
	text := template.HTML(escape(strings.Join(names, " or ")))
	if s.Items != nil {
		text = "list of " + typeOf(s.Items)
	}
	if s.Format != "" && s.Format != "int64" && s.Format != "int32" {
		text += template.HTML(" " + escape(s.Format))
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, value := range s.Enum {
			if text, ok := value.(string); ok {
				values = append(values, "<code>"+escape(text)+"</code>")
			}
		}
		text += template.HTML(": " + strings.Join(values, ", "))
	}
	if s.Maximum != nil {
		least := 0.0
		if s.Minimum != nil {
			least = *s.Minimum
		}
		text += template.HTML(" " + strconv.FormatFloat(least, 'f', -1, 64) + " to " + strconv.FormatFloat(*s.Maximum, 'f', -1, 64))
	}
	if number, ok := s.Default.(float64); ok {
		text += template.HTML(", " + strconv.FormatFloat(number, 'f', -1, 64) + " by default")
	}
	return text
}

func joined(list []*apiSchema) (text template.HTML) {
	for i, one := range list {
		if i > 0 {
			text += " or "
		}
		text += typeOf(one)
	}
	return text
}
