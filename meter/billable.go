package meter

import (
	"slices"
)

// MaxTariffs is how many registers one direction may be the sum of.
const MaxTariffs = 4

// BillableForm brings the registers by which a direction is billed into their one form, by their names and in order, or says why
// nothing can be billed by them. They are one register, or tariffs of the same quantity, of which each kWh goes through one. Its
// errors are [CodeRegister].
//
// A name is the OBIS code in full, 01-00:02.08.00*FF, so that 1-0:2.8.0, 1-b:2.8.e and 01-00:02.08.00.255 are one register; of a
// meter that writes only the front of the code it is 01-00. Registers of single phases, of demand, of reactive energy and of other
// media are refused, and so is a code outside the standard, since it does not tell its quantity.
func BillableForm(codes []string, d Direction) ([]string, error) {
	var registers []Register
	for _, code := range codes {
		r := parseRegister(code)
		switch {
		case r.name == "":
			return nil, refuse(CodeRegister, "%.40q is not an OBIS code as in 1-0:2.8.0, so nothing says what it counts", code)
		case !r.Energy:
			return nil, refuse(CodeRegister, "register %.40q does not count all the active energy of a direction, as 1-0:1.8.0 and 1-0:2.8.0 do", code)
		case r.Direction != d && r.Direction != Undirected:
			return nil, refuse(CodeRegister, "register %.40q counts %v, not %v", code, r.Direction, d)
		}
		registers = append(registers, r)
	}
	names := make([]string, len(registers))
	for i, r := range registers {
		if names[i] = r.name; len(registers) == 1 {
			break
		}
		switch {
		case r.tariff == "":
			return nil, refuse(CodeRegister, "register %.40q is a total: beside it another one would count the same energy again", r.Code)
		case r.family != registers[0].family:
			return nil, refuse(CodeRegister, "registers %.40q and %.40q are not tariffs of the same quantity", registers[0].Code, r.Code)
		}
	}
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) < len(names) {
		return nil, refuse(CodeRegister, "a register is named twice: %q", codes)
	}
	if len(names) > MaxTariffs {
		return nil, refuse(CodeRegister, "%d tariffs, at most %d can be billed together", len(names), MaxTariffs)
	}
	return names, nil
}

// BillableForms is [BillableForm] for both directions of a meter. A register whose code says no direction leaves nothing for the
// other one: nobody can tell whether the two count the same energy.
func BillableForms(importCodes, exportCodes []string) (imports, exports []string, err error) {
	if imports, err = BillableForm(importCodes, Import); err != nil {
		return nil, nil, err
	}
	if exports, err = BillableForm(exportCodes, Export); err != nil {
		return nil, nil, err
	}
	for _, code := range slices.Concat(imports, exports) {
		if parseRegister(code).Direction == Undirected && len(imports) > 0 && len(exports) > 0 {
			return nil, nil, refuse(CodeRegister, "register %s says no direction, so it is all that its meter can be billed by: leave the other direction out", code)
		}
	}
	return imports, exports, nil
}
