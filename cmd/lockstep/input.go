package main

import (
	"lockstep/internal/plaintext"
	"lockstep/meter"
	"lockstep/types"
)

// Bounds of files that commands read.
const (
	maxRecordsFile   = 64 << 20
	maxAgreementFile = 1 << 20
)

// standardInput is the name of standard input in errors.
const standardInput = "standard input"

// input reads a file, or standard input for "-".
func (a *app) input(path string, most int64) ([]byte, error) {
	if path == "-" {
		return plaintext.Read(a.in, standardInput, most)
	}
	return plaintext.ReadFile(path, most)
}

// records reads the records in a file or on standard input. It refuses other known file formats by name.
func (a *app) records(path string) ([][]byte, error) {
	content, err := a.input(path, maxRecordsFile)
	if err != nil {
		return nil, err
	}
	if name, advice := meter.Container(content); name != "" {
		if path == "-" {
			path = standardInput
		}
		return nil, types.Refuse(types.CodeMalformed, "%s is %s, not a file of records: %s", path, name, advice)
	}
	return meter.SplitRecords(content), nil
}
