package source

import (
	"errors"
	"fmt"
	"slices"

	"github.com/simonvetter/modbus"

	"lockstep/meter"
)

// SunSpec devices list their models from a base address on: id, length, data, until id 0xffff (SunSpec Device Information Model
// Specification, 2021). The points that are read here are of the inverter models 101 to 103 and 111 to 113 and of the meter models 201 to
// 204 and 211 to 214.

// A model is a model that a device has.
type model struct {
	id, address, length uint16 // of its data
}

// A point is a value of a model: its offset in the model's data, its type, and the offset of its scale factor, 0 for none.
type point struct {
	models []uint16
	offset uint16
	kind   string
	scale  uint16
}

// points lists the points by their names in the models.
var points = map[string][]point{ //nolint:gochecknoglobals // a constant table
	"W": {
		{[]uint16{101, 102, 103}, 12, "int16", 13}, {[]uint16{111, 112, 113}, 20, "float32", 0},
		{[]uint16{201, 202, 203, 204}, 16, "int16", 20}, {[]uint16{211, 212, 213, 214}, 26, "float32", 0},
	},
	"WH": {{[]uint16{101, 102, 103}, 22, "acc32", 24}, {[]uint16{111, 112, 113}, 30, "float32", 0}},
	"TotWhExp": {
		{[]uint16{201, 202, 203, 204}, 36, "acc32", 52}, {[]uint16{211, 212, 213, 214}, 58, "float32", 0},
	},
	"TotWhImp": {
		{[]uint16{201, 202, 203, 204}, 44, "acc32", 52}, {[]uint16{211, 212, 213, 214}, 66, "float32", 0},
	},
}

const (
	sunSpecEnd    = 0xffff
	maxModels     = 100
	notAvailable  = -0x8000 // of int16 and sunssf
	largestFactor = 10
)

func checkPoint(name string) error {
	if points[name] == nil {
		return fmt.Errorf("sunspec %q is none of W, WH, TotWhImp, TotWhExp", name)
	}
	return nil
}

// findModels looks for the list of models at the addresses of the standard.
func (d *device) findModels() error {
	for _, base := range []uint16{40000, 0, 50000} {
		head, err := d.raw(base, 2, modbus.HOLDING_REGISTER)
		if err != nil {
			if errors.Is(err, modbus.ErrIllegalDataAddress) || errors.Is(err, modbus.ErrIllegalFunction) {
				continue
			}
			return err
		}
		if head[0] != 0x5375 || head[1] != 0x6e53 { // SunS
			continue
		}
		for at := base + 2; len(d.models) < maxModels; {
			head, err := d.raw(at, 2, modbus.HOLDING_REGISTER)
			if err != nil {
				return err
			}
			if head[0] == sunSpecEnd {
				break
			}
			d.models = append(d.models, model{head[0], at + 2, head[1]})
			next := at + 2 + head[1]
			if next < at {
				return errors.New("the device's list of SunSpec models runs beyond the registers")
			}
			at = next
		}
		return nil
	}
	return errors.New("the device has no SunSpec models at 40000, 0 or 50000: give register addresses instead")
}

func (d *device) readSunSpec(name string) (*meter.Decimal, error) {
	if d.models == nil {
		if err := d.findModels(); err != nil {
			return nil, err
		}
	}
	for _, m := range d.models {
		for _, p := range points[name] {
			if slices.Contains(p.models, m.id) && max(p.offset+1, p.scale) < m.length {
				return d.readPoint(m, p)
			}
		}
	}
	return nil, fmt.Errorf("none of the device's SunSpec models has the point %s", name)
}

func (d *device) readPoint(m model, p point) (*meter.Decimal, error) {
	kind := p.kind
	if kind == "acc32" {
		kind = "uint32"
	}
	raw, err := d.raw(m.address+p.offset, words[kind], modbus.HOLDING_REGISTER)
	if err != nil {
		return nil, err
	}
	if kind == "int16" && int16(raw[0]) == notAvailable || p.kind == "acc32" && raw[0] == 0 && raw[1] == 0 {
		return nil, nil //nolint:nilnil // not available: an accumulator of 0 is not accumulated
	}
	number, err := decodeRegisters(raw, kind)
	if err != nil || number == nil || p.scale == 0 {
		return number, err
	}
	factor, err := d.raw(m.address+p.scale, 1, modbus.HOLDING_REGISTER)
	if err != nil {
		return nil, err
	}
	exponent := int16(factor[0])
	if exponent < -largestFactor || exponent > largestFactor {
		return nil, fmt.Errorf("the device's scale factor is %d", exponent)
	}
	scaled := number.Shift(int(exponent))
	return &scaled, nil
}
