package meter

import (
	"bytes"
	"encoding/hex"
	"strings"
)

// sniffed bounds how far [Container] looks into a file.
const sniffed = 64 << 10

// Container names a file that holds meter records in a wrapping that [SplitRecords] doesn't open, and says how to take
// them out. It returns "" for a file of records, and for one that it does not know.
func Container(file []byte) (name, advice string) {
	text := bytes.TrimLeft(file[:min(len(file), sniffed)], "\ufeff \t\r\n")
	has := func(words ...string) bool {
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) {
				return true
			}
		}
		return false
	}
	const evidenceAdvice = "lockstep evidence check FILE takes the records out and judges them"
	const base64Advice = "decode it (base64 -d FILE > record.ocmf) and give that file"
	switch {
	case len(text) == 0 || bytes.HasPrefix(text, []byte(ocmfHeader)) || bytes.HasPrefix(text, []byte(nativeHeader)):
		return "", ""
	case text[0] == '<' && has("<signedData", "<encodedData", "<values"):
		return "an XML container of the S.A.F.E. transparency software",
			evidenceAdvice
	case text[0] == '<':
		return "an XML file", "give the records in it, one a line"
	case (text[0] == '{' || text[0] == '[') && has("signedMeterData"):
		return "an OCPP message with a SignedMeterValue",
			evidenceAdvice
	case (text[0] == '{' || text[0] == '[') && has("SignedData"):
		return "an OCPP 1.6 message with sampled values in the format SignedData",
			evidenceAdvice
	case (text[0] == '{' || text[0] == '[') && has("signed_data", "signed_values"):
		return "an OCPI message with signed data", evidenceAdvice
	case (text[0] == '{' || text[0] == '[' || text[0] == '"') && has(`OCMF|{\"`):
		return "JSON in which the record is a text", "give the text alone, as jq -r prints it"
	case text[0] == '{' && has(`"RD"`, `"FV"`):
		return "the payload of an OCMF record without its signature", "give the whole record: OCMF|payload|signature"
	case text[0] == '{' || text[0] == '[':
		return "a JSON file", "give the records in it, one a line"
	case bytes.HasPrefix(text, []byte("AP;")):
		return "a record in Alfen's own form", "ask the charging station for OCMF"
	case bytes.HasPrefix(text, []byte("\x1b\x1b\x1b\x1b")) || bytes.HasPrefix(bytes.ToLower(text), []byte("1b1b1b1b")):
		return "a message in SML", "ask the meter or its gateway for OCMF"
	}
	return encoded(text, base64Advice)
}

// encoded names a text in hex or base64 by its decoded content.
func encoded(text []byte, base64Advice string) (name, advice string) {
	line := strings.Trim(string(text[:min(len(text), 2*len(ocmfHeader)+90)]), "\"'")
	line = strings.Join(strings.Fields(line), "")
	digits, _ := cutPrefixFold(line, "0x")
	if raw, err := hex.DecodeString(digits[:min(len(digits), 2*len(ocmfHeader))]); err == nil && string(raw) == ocmfHeader {
		return "an OCMF record in hex", "decode it (xxd -r -p FILE > record.ocmf) and give that file"
	}
	raw, ok := decodeBase64(line[:len(line)-len(line)%4])
	if !ok {
		raw, ok = decodeBase64(line)
	}
	switch inner := strings.TrimLeft(string(raw), "\ufeff \t\r\n"); {
	case !ok:
		return "", ""
	case strings.HasPrefix(inner, ocmfHeader):
		return "an OCMF record in base64", base64Advice
	case strings.HasPrefix(inner, "<"):
		return "an XML container in base64", base64Advice
	case strings.HasPrefix(inner, "{"):
		return "a JSON message in base64", base64Advice
	}
	return "", ""
}
