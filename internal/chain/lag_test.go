package chain

import (
	"testing"
	"time"
)

// TestLag: a node is opened again when it is far behind and comes no nearer, and only when a start can help.
func TestLag(t *testing.T) {
	t.Parallel()
	type look struct {
		after time.Duration
		gap   int64
	}
	for name, c := range map[string]struct {
		looks []look
		want  bool
	}{
		"as high as its peers":                {[]look{{0, 0}, {lagPatience, 1}, {3 * lagPatience, mostLag}}, false},
		"it stays behind":                     {[]look{{0, 0}, {1, mostLag + 1}, {1 + lagPatience, mostLag + 1}}, true},
		"it falls further behind":             {[]look{{0, 0}, {1, 100}, {1 + lagPatience, 130}}, true},
		"not for long":                        {[]look{{0, 0}, {1, 100}, {lagPatience, 130}}, false},
		"it comes nearer":                     {[]look{{0, 0}, {1, 100}, {1 + lagPatience, 75}, {2 + 2*lagPatience, 50}}, false},
		"it comes nearer, but slowly":         {[]look{{0, 0}, {1, 100}, {1 + lagPatience, 76}}, true},
		"it came nearer and stopped":          {[]look{{0, 0}, {1, 100}, {1 + lagPatience, 50}, {2 + 2*lagPatience, 50}}, true},
		"it was high in between":              {[]look{{0, 0}, {1, 100}, {2, 3}, {1 + lagPatience, 100}}, false},
		"a start has not brought it there":    {[]look{{0, 100}, {lagPatience, 100}, {3 * lagPatience, 130}}, false},
		"without peers it knows of no blocks": {[]look{{0, -5}, {lagPatience, -5}, {3 * lagPatience, -5}}, false},
	} {
		l, got, begin := lag{}, false, time.Now()
		for _, look := range c.looks {
			got = got || l.stays(look.gap, begin.Add(look.after))
		}
		if got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
