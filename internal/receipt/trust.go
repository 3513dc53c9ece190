package receipt

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/internal/chain"
	"lockstep/types"
)

const (
	trustFile    = "lockstep trust"
	trustVersion = "v2"
	lightLine    = "light"
)

// TrustText returns a trust file of light blocks, in ascending order of their heights. It leaves out all that follows from the rest of a line.
func TrustText(blocks []chain.LightBlock) (string, error) {
	var text strings.Builder
	writeLine(&text, trustFile, trustVersion)
	for i := range blocks {
		light := &blocks[i]
		commit, validators, err := light.Compact()
		if err != nil {
			return "", fmt.Errorf("light block %d: %w", light.Height, err)
		}
		writeLine(&text, lightLine, strconv.FormatUint(light.Height, 10), encode(light.Header), encode(commit), encode(validators))
	}
	return text.String(), nil
}

// ReadTrust lets a trust follow the light blocks of a file. Its error is a [PartError], which names the line at fault.
func ReadTrust(text string, trust *chain.Trust) error {
	in := &lines{rest: text}
	head, err := in.next(trustFile, 1)
	if err != nil {
		return err
	}
	if head[0] != trustVersion {
		return &PartError{trustFile, types.Refuse(types.CodeMalformed, "it is a trust file of version %.20q, this program reads %s: export it again", head[0], trustVersion)}
	}
	for in.more() {
		values, err := in.next(lightLine, 4)
		if err != nil {
			return err
		}
		height, err := decodeNumber(lightLine, values[0])
		if err != nil {
			return err
		}
		var parts [3][]byte
		for i := range parts {
			if parts[i], err = decode(lightLine, values[i+1]); err != nil {
				return err
			}
		}
		light, err := chain.ExpandLight(height, parts[0], parts[1], parts[2])
		if err == nil {
			err = trust.Follow(&light)
		}
		if err != nil {
			return &PartError{fmt.Sprintf("%s %d", lightLine, height), err}
		}
	}
	return nil
}
