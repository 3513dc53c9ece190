package advice

import "testing"

func TestMixedName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Clara": false, "Zo\u00eb 2": false, "\u041a\u043b\u0430\u0440\u0430": false, "\u674e\u96f7 Li": false, "\u05d0\u05d1 Ab": false, "": false,
		"\u0421lara": true, "Clar\u03b1": true, "Clara \u0405": true, "\u0391\u0410": true,
	} {
		if MixedName(name) != want {
			t.Errorf("%+q is mixed: %v", name, !want)
		}
	}
}
