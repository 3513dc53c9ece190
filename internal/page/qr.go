package page

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// qrCode draws a text as a QR code, one path for all of it.
func qrCode(text, title string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("page: QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			begin := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > begin {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin, y, x-begin, x-begin)
			}
		}
	}
	const quiet = 2
	return template.HTML(fmt.Sprintf(`<svg class="qrc" viewBox="-%d -%d %d %d" shape-rendering="crispEdges" role="img" aria-label="%s"><path d="%s"/></svg>`,
		quiet, quiet, code.Size+2*quiet, code.Size+2*quiet, escape(title), path.String())), nil
}
