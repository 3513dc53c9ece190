package source

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Template is the configuration of a product, with parameters in braces.
type Template struct {
	Title      string            `yaml:"title"`
	Source     string            `yaml:"source"`     // the maker's documentation
	Parameters map[string]string `yaml:"parameters"` // with their defaults; "" must be given
	Config     Config            `yaml:"config"`
	Examples   []Example         `yaml:"examples"`
}

// An Example is a message of the product with the numbers that it means, in W and Wh.
type Example struct {
	Topic   string            `yaml:"topic,omitempty"` // of MQTT
	Message string            `yaml:"message"`
	Means   map[string]string `yaml:"means"`
}

//go:embed templates/*.yaml
var templateFiles embed.FS

// Templates lists the names of the templates.
func Templates() []string {
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// ReadTemplate returns a template by its name.
func ReadTemplate(name string) (*Template, error) {
	if !slices.Contains(Templates(), name) {
		return nil, fmt.Errorf("template %.40q is none of %s", name, strings.Join(Templates(), ", "))
	}
	text, err := templateFiles.ReadFile("templates/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	t := new(Template)
	if err := decoder.Decode(t); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return t, nil
}

var parameter = regexp.MustCompile(`\{([a-z_]+)\}`)

// applyTemplate fills the fields that the configuration leaves out.
func (c *Config) applyTemplate() error {
	if c.Template == "" {
		if len(c.With) > 0 {
			return errors.New("with has parameters of a template, and no template is named")
		}
		return nil
	}
	t, err := ReadTemplate(c.Template)
	if err != nil {
		return err
	}
	for name := range c.With {
		if _, known := t.Parameters[name]; !known {
			return fmt.Errorf("template %s has no parameter %q", c.Template, name)
		}
	}
	var missing string
	fill := func(text string) string {
		return parameter.ReplaceAllStringFunc(text, func(braced string) string {
			name := braced[1 : len(braced)-1]
			value, given := c.With[name]
			if !given {
				value = t.Parameters[name]
			}
			if value == "" {
				missing = name
			}
			return value
		})
	}
	own := &t.Config
	for _, f := range []struct{ mine, theirs *string }{
		{&c.Type, &own.Type}, {&c.Broker, &own.Broker}, {&c.Version, &own.Version}, {&c.Keepalive, &own.Keepalive},
		{&c.URL, &own.URL}, {&c.Address, &own.Address}, {&c.TokenFile, &own.TokenFile},
	} {
		if *f.mine == "" {
			*f.mine = fill(*f.theirs)
		}
	}
	if c.Every == 0 {
		c.Every = own.Every
	}
	if c.MaxGap == 0 {
		c.MaxGap = own.MaxGap
	}
	if c.Unit == 0 {
		c.Unit = own.Unit
	}
	if len(c.Values) == 0 {
		for _, v := range own.Values {
			v.Topic, v.Path, v.Serial, v.Time = fill(v.Topic), fill(v.Path), fill(v.Serial), fill(v.Time)
			c.Values = append(c.Values, v)
		}
	}
	if missing != "" {
		return fmt.Errorf("template %s needs the parameter %s: give it under with", c.Template, missing)
	}
	c.Template, c.With = "", nil
	return nil
}
