package source

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/simonvetter/modbus"

	"lockstep/meter"
)

const modbusTimeout = 5 * time.Second

// words is the number of 16-bit registers of each type.
var words = map[string]uint16{ //nolint:gochecknoglobals // a constant table
	"uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "uint64": 4, "int64": 4, "float32": 2, "float64": 4,
}

func (r *Register) check() error {
	if words[r.Type] == 0 {
		return fmt.Errorf("register type %q is none of uint16, int16, uint32, int32, uint64, int64, float32, float64", r.Type)
	}
	if r.Table != "" && r.Table != "holding" && r.Table != "input" {
		return fmt.Errorf("register table %q is neither holding nor input", r.Table)
	}
	if r.Words != "" && r.Words != "high" && r.Words != "low" {
		return fmt.Errorf("register words %q is neither high nor low", r.Words)
	}
	return nil
}

// A device is a connection to a Modbus server.
type device struct {
	*modbus.ModbusClient
	models []model // of SunSpec; nil until they were looked for
}

// runModbus reads registers at intervals. A device that goes away is connected again.
func (s *Source) runModbus(ctx context.Context, take func(Reading)) error {
	var d *device
	defer func() {
		if d != nil {
			_ = d.Close() // the end
		}
	}()
	return s.poll(ctx, func() (err error) {
		if d == nil {
			if d, err = s.dial(); err != nil {
				return err
			}
		}
		for _, v := range s.all() {
			number, err := d.read(v)
			if err != nil {
				_ = d.Close() // it is connected anew
				d = nil
				return fmt.Errorf("%s: %w", v.Name, err)
			}
			if number == nil {
				s.warn(v.Name, "the device says that it doesn't have the value")
				continue
			}
			r := s.reading(v)
			r.Number = number.Mul(v.scale)
			s.fine(v.Name)
			take(r)
		}
		return nil
	})
}

func (s *Source) dial() (*device, error) {
	client, err := modbus.NewClient(&modbus.ClientConfiguration{
		URL: "tcp://" + s.config.Address, Timeout: modbusTimeout, Logger: log.New(io.Discard, "", 0), // errors are returned
	})
	if err != nil {
		return nil, err
	}
	if err := client.SetUnitId(s.config.Unit); err != nil {
		return nil, err
	}
	return &device{ModbusClient: client}, client.Open()
}

// read returns a value as the device has it; nil if the device marks it as not available.
func (d *device) read(v *Value) (*meter.Decimal, error) {
	if v.SunSpec != "" {
		return d.readSunSpec(v.SunSpec)
	}
	table := modbus.HOLDING_REGISTER
	if v.Register.Table == "input" {
		table = modbus.INPUT_REGISTER
	}
	raw, err := d.raw(v.Register.Address, words[v.Register.Type], table)
	if err != nil {
		return nil, err
	}
	if v.Register.Words == "low" {
		slices.Reverse(raw)
	}
	return decodeRegisters(raw, v.Register.Type)
}

func (d *device) raw(address, count uint16, table modbus.RegType) ([]uint16, error) {
	raw, err := d.ReadRegisters(address, count, table)
	if err == nil && len(raw) != int(count) {
		err = fmt.Errorf("the device answers with %d registers instead of %d", len(raw), count)
	}
	return raw, err
}

// decodeRegisters reads a number of a type from registers, the high word first. A float that is no number is none, and so is nil.
func decodeRegisters(raw []uint16, kind string) (*meter.Decimal, error) {
	var bytes [8]byte
	for i, word := range raw {
		binary.BigEndian.PutUint16(bytes[2*i:], word)
	}
	var text string
	switch kind {
	case "uint16", "uint32", "uint64":
		text = strconv.FormatUint(binary.BigEndian.Uint64(bytes[:])>>(64-16*len(raw)), 10)
	case "int16":
		text = strconv.FormatInt(int64(int16(raw[0])), 10)
	case "int32":
		text = strconv.FormatInt(int64(int32(binary.BigEndian.Uint32(bytes[:]))), 10)
	case "int64":
		text = strconv.FormatInt(int64(binary.BigEndian.Uint64(bytes[:])), 10)
	case "float32":
		return decodeFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(bytes[:]))), 32)
	case "float64":
		return decodeFloat(math.Float64frombits(binary.BigEndian.Uint64(bytes[:])), 64)
	}
	d, err := meter.ParseDecimal(text)
	return &d, err
}

// decodeFloat turns the device's float into the shortest decimal that means it, with which all sums are made.
func decodeFloat(f float64, bits int) (*meter.Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, nil //nolint:nilnil // not available
	}
	d, err := meter.ParseDecimal(strconv.FormatFloat(f, 'e', -1, bits))
	return &d, err
}
