package evidence

import (
	"fmt"
	"strings"
	"time"

	"lockstep/meter"
)

// cdrs returns the charge detail records in a file: one alone, a list, or either of them as the data of a response. A SignedData
// object alone, as some operators hand it to drivers, stands for a record of which nothing else is known.
func cdrs(tree *node) []*node {
	switch {
	case tree.kind == '[':
		var all []*node
		for _, item := range tree.items {
			all = append(all, cdrs(item)...)
		}
		return all
	case tree.member("signed_data") != nil && tree.at("signed_data").kind == '{':
		return []*node{tree}
	case tree.member("signed_values") != nil:
		return []*node{{kind: '{', names: []string{"signed_data"}, items: []*node{tree}}}
	case tree.member("total_energy") != nil && tree.member("currency") != nil:
		return []*node{tree}
	}
	if data := tree.member("data"); data != nil {
		return cdrs(data)
	}
	return nil
}

// readCDR reads a charge detail record of OCPI 2.2 to 2.3.
func readCDR(cdr *node, w *wrapper) (Session, error) {
	s := Session{ID: cdr.at("id").str()}
	name := "the charge detail record"
	if s.ID != "" {
		name = fmt.Sprintf("charge detail record %.40q", s.ID)
	}
	for _, id := range []*node{cdr.at("cdr_location", "evse_id"), cdr.at("cdr_location", "evse_uid")} {
		if text := id.str(); text != "" && text != "#NA" && s.Station == "" {
			s.Station = text
		}
	}
	signed := cdr.member("signed_data")
	if signed == nil {
		return s, refuse(CodeNoRecord, "%s has no signed_data, so no meter vouches for its energy", name)
	}
	key := keyOf(signed.member("public_key"))
	for i, value := range signed.at("signed_values").list() {
		place := fmt.Sprintf("signed_values[%d]", i)
		if nature := value.at("nature").str(); nature != "" {
			place += " (" + short(nature) + ")"
		}
		layout, records := readSignedValue(value, signed.at("encoding_method").str(), w)
		if s.Layout == "" {
			s.Layout = layout
		}
		for _, record := range records {
			if record.Place = place; record.Key == "" {
				record.Key = key
			}
			s.Records = append(s.Records, record)
		}
	}
	if len(s.Records) == 0 {
		return s, refuse(CodeNoRecord, "the signed_data of %s has no signed_values", name)
	}
	return s, readStated(cdr, &s.Stated)
}

// readSignedValue takes the records out of a SignedValue, in whichever layout it is.
func readSignedValue(value *node, method string, w *wrapper) (Layout, []Record) {
	plain, data := value.at("plain_data").str(), value.at("signed_data").str()
	records, fault := w.records(data)
	if fault == nil {
		for i := range records {
			records[i].Plain = plain
		}
		return wholeLayout(plain, records), records
	}
	payload, okPayload := payloadOf(plain, 0)
	if section, ok := signatureSection(data, 0); ok && okPayload {
		return LayoutSplit, []Record{{OCMF: []byte(ocmfHeader + string(payload) + "|" + section)}}
	}
	if method != "" && !strings.EqualFold(method, "OCMF") {
		fault = refuse(CodeEncoding, "the encoding_method is %.40q: only OCMF can be judged here", method)
	}
	return "", []Record{{Fault: fault}}
}

func wholeLayout(plain string, records []Record) Layout {
	payload, ok := payloadOf(plain, 0)
	switch {
	case !ok:
		return LayoutWhole
	case len(records) == 1 && strings.Contains(plain, ocmfHeader) && len(plain) > len(ocmfHeader)+len(payload)+len(`|{"SD":""}`):
		return LayoutTwice
	}
	return LayoutStripped
}

// readStated reads the unsigned statements of a charge detail record.
func readStated(cdr *node, stated *Stated) error {
	if total := cdr.member("total_energy"); total != nil {
		energy, err := energyOf("total_energy", total.str(), "kWh", 0)
		if err != nil {
			return err
		}
		stated.Energy = append(stated.Energy, energy)
	}
	if periods := cdr.at("charging_periods").list(); len(periods) > 0 {
		if energy, ok := periodEnergy(periods); ok {
			stated.Energy = append(stated.Energy, energy)
		}
	}
	var err error
	if stated.From, err = momentOf(cdr, "start_date_time"); err != nil {
		return err
	}
	if stated.Until, err = momentOf(cdr, "end_date_time"); err != nil {
		return err
	}
	stated.Meter = cdr.at("meter_id").str()
	if credit := cdr.member("credit"); credit != nil && credit.text == "true" {
		stated.Credits = cdr.at("credit_reference_id").str()
		if stated.Credits == "" {
			stated.Credits = "another one"
		}
	}
	stated.Cost = readCost(cdr)
	return nil
}

// periodEnergy adds up the ENERGY of the charging periods, if they state any.
func periodEnergy(periods []*node) (Energy, bool) {
	sum := Energy{Place: "charging_periods"}
	stated := false
	for _, period := range periods {
		for _, dimension := range period.at("dimensions").list() {
			if dimension.at("type").str() != "ENERGY" {
				continue
			}
			energy, err := energyOf("", dimension.at("volume").str(), "kWh", 0)
			if err != nil {
				return sum, false
			}
			sum.Wh, sum.Step = sum.Wh.Add(energy.Wh), sum.Step.Add(energy.Step)
			stated = true
		}
	}
	return sum, stated
}

// energyOf reads a stated energy in kWh or Wh, times ten to the power of shift.
func energyOf(place, text, unit string, shift int) (Energy, error) {
	number, err := meter.ParseDecimal(text)
	if err != nil || number.Sign() < 0 {
		return Energy{}, refuse(CodeFile, "%s %.40q is not an energy", place, text)
	}
	decimals := 0
	if _, fraction, ok := strings.Cut(text, "."); ok && !strings.ContainsAny(text, "eE") {
		decimals = len(fraction)
	}
	one, _ := meter.ParseDecimal("1")
	switch {
	case strings.EqualFold(unit, "kWh"):
		return Energy{Place: place, Wh: number.Shift(3 + shift), Step: one.Shift(3 + shift - max(decimals, 2))}, nil
	case strings.EqualFold(unit, "Wh") || unit == "":
		return Energy{Place: place, Wh: number.Shift(shift), Step: one.Shift(min(shift, 0))}, nil
	}
	return Energy{}, refuse(CodeUnstated, "%s is in %.20q, which is no unit of energy", place, unit)
}

// momentOf reads a DateTime of OCPI: RFC 3339, in UTC where it names no zone. The years of the epoch stand for a time that is not
// known.
func momentOf(n *node, name string) (*int64, error) {
	text := n.at(name).str()
	if text == "" || strings.HasPrefix(text, "1970-") {
		return nil, nil
	}
	at, ok := parseMoment(text)
	if !ok {
		return nil, refuse(CodeFile, "%s %.40q is not a time as in 2026-03-01T08:00:00Z", name, text)
	}
	return &at, nil
}

func parseMoment(text string) (int64, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMilli(), true
		}
	}
	return 0, false
}
