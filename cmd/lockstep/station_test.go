package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lockstep/types"
)

// station is a charging station whose meter signs OCMF. "station key VAR" sets a variable to the meter's key, "station cdr FILE ID FROM
// UNTIL KWH [TOTAL]" writes a charge detail record of a session of so many kWh, which states TOTAL.
func station(ts *testscript.TestScript, _ bool, args []string) {
	seed := sha256.Sum256([]byte("the meter of a station"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	ts.Check(err)
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	ts.Check(err)
	if args[0] == "key" {
		ts.Setenv(args[1], fmt.Sprintf("%x", spki))
		return
	}
	moment := func(text string) time.Time {
		var at types.Time
		ts.Check(at.UnmarshalText([]byte(text)))
		return at.Std().UTC()
	}
	from, until, kwh, total := moment(args[3]), moment(args[4]), args[5], args[5]
	if len(args) > 6 {
		total = args[6]
	}
	reading := func(at time.Time, reason, value string) string {
		return fmt.Sprintf(`{"TM":"%s+0000 S","TX":"%s","RV":%s,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}`, at.Format("2006-01-02T15:04:05,000"), reason, value)
	}
	payload := fmt.Sprintf(`{"FV":"1.0","GS":"G1","PG":"T1","MS":"M 1","IS":false,"CI":"DE*ABC*E1","RD":[%s,%s]}`, reading(from, "B", "0"), reading(until, "E", kwh))
	digest := sha256.Sum256([]byte(payload))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	ts.Check(err)
	record := fmt.Sprintf(`OCMF|%s|{"SA":"ECDSA-secp256r1-SHA256","SD":"%x"}`, payload, signature)
	cdr := map[string]any{
		"id": args[2], "currency": "EUR", "start_date_time": from.Format(time.RFC3339), "end_date_time": until.Add(time.Second).Format(time.RFC3339),
		"cdr_location": map[string]any{"evse_id": "DE*ABC*E1"}, "total_energy": json.Number(total), "total_cost": map[string]any{"excl_vat": 1},
		"signed_data": map[string]any{
			"encoding_method": "OCMF", "public_key": base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%x", spki)),
			"signed_values": []any{map[string]any{"nature": "End", "plain_data": payload, "signed_data": base64.StdEncoding.EncodeToString([]byte(record))}},
		},
	}
	text, err := json.MarshalIndent(cdr, "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte("\ufeff"+strings.ReplaceAll(string(text), "\n", "\r\n")), 0o600))
}
