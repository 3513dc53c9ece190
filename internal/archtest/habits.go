package archtest

import (
	"go/ast"
	"slices"
)

// checkHabits reports a package without exactly one package comment or with a meaningless name, and calls that have a
// better counterpart in this module.
func checkHabits(p *pkg) []string {
	var findings []string
	if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base"}, p.name) {
		findings = append(findings, p.finding(p.files[0].Name, "%q says nothing: name the package after its job", p.name))
	}
	docs := 0
	for _, file := range p.files {
		if file.Doc != nil && !ast.IsGenerated(file) {
			docs++
		}
	}
	if docs != 1 {
		findings = append(findings, p.finding(p.files[0].Name, "package %s has %d package comments: exactly one says what it is for", p.path, docs))
	}
	for _, file := range p.files {
		findings = append(findings, p.checkStandardVerify(file)...)
		findings = append(findings, p.checkTextInput(file)...)
	}
	return findings
}

// checkStandardVerify reports signature checks by the standard library, which refuses signatures that the ledger's rule
// (ZIP-215) accepts: two nodes could disagree on one.
func (p *pkg) checkStandardVerify(file *ast.File) []string {
	var findings []string
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && isCallOf(file, call, "crypto/ed25519", "Verify", "VerifyWithOptions") {
			findings = append(findings, p.finding(call, "crypto/ed25519 follows another rule than the ledger: use types.VerifyEd25519"))
		}
		return true
	})
	return findings
}

// checkTextInput reports direct reads of text files that people submit: internal/plaintext handles their byte order marks,
// encodings and sizes.
func (p *pkg) checkTextInput(file *ast.File) []string {
	if !slices.Contains([]string{"cmd/lockstep", "internal/node", "internal/sim"}, p.path) {
		return nil
	}
	var findings []string
	ast.Inspect(file, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && (isCallOf(file, call, "os", "ReadFile") || isCallOf(file, call, "io", "ReadAll")) {
			findings = append(findings, p.finding(call, "text from people is read by internal/plaintext: use it"))
		}
		return true
	})
	return findings
}
