package receipt

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/internal/chain"
	"lockstep/types"
)

const (
	trustFile = "lockstep trust"
	lightLine = "light"
)

// TrustText returns a trust file of light blocks, in ascending order of their heights.
func TrustText(blocks []chain.LightBlock) string {
	var text strings.Builder
	writeLine(&text, trustFile, version)
	for i := range blocks {
		light := &blocks[i]
		writeLine(&text, lightLine, strconv.FormatUint(light.Height, 10), encode(light.Header), encode(light.Commit), encode(light.Validators))
	}
	return text.String()
}

// ReadTrust lets a trust follow the light blocks of a file. Its error is a [PartError], which names the line at fault.
func ReadTrust(text string, trust *chain.Trust) error {
	in := &lines{rest: text}
	head, err := in.next(trustFile, 1)
	if err != nil {
		return err
	}
	if head[0] != version {
		return &PartError{trustFile, types.Refuse(types.CodeMalformed, "it is a trust file of version %.20q, this program reads %s", head[0], version)}
	}
	for in.more() {
		values, err := in.next(lightLine, 4)
		if err != nil {
			return err
		}
		var light chain.LightBlock
		if light.Height, err = decodeNumber(lightLine, values[0]); err != nil {
			return err
		}
		for i, into := range []*[]byte{&light.Header, &light.Commit, &light.Validators} {
			if *into, err = decode(lightLine, values[i+1]); err != nil {
				return err
			}
		}
		if err := trust.Follow(&light); err != nil {
			return &PartError{fmt.Sprintf("%s %d", lightLine, light.Height), err}
		}
	}
	return nil
}
