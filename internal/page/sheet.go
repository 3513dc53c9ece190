package page

import (
	"encoding/base64"
	"strings"
)

// Sheet returns the style sheet of the page for a file that stands alone: its font is part of it.
func Sheet() (string, error) {
	sheet, err := files.ReadFile("static/page.css")
	if err != nil {
		return "", err
	}
	font, err := files.ReadFile("static/inter.woff2")
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(string(sheet), `url("inter.woff2")`, `url("data:font/woff2;base64,`+base64.StdEncoding.EncodeToString(font)+`")`), nil
}
