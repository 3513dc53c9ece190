package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"lockstep/types"
)

// askedForHelp rewrites the common ways to ask for help and version that are not flags of this program.
func askedForHelp(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(append([]string{}, args[1:]...), "--help")
	case args[0] == "--version" || args[0] == "-V":
		return []string{"version"}
	}
	return args
}

// dashed matches a value that begins with a dash and can't be a flag: a negative number.
var dashed = regexp.MustCompile(`^-\.?\d`)

// pemBegin is the prefix of a key in PEM form, which can't be a flag either.
const pemBegin = "-----BEGIN "

// bindDashed joins a flag with a value that begins with a dash, which would be parsed as a flag itself: --limit -5 becomes
// --limit=-5, and is checked as a value. A key in PEM form, as a flag's value or as an argument, gets an empty line in front,
// which its reader ignores.
func bindDashed(args []string) []string {
	var bound []string
	for i := 0; i < len(args); i++ {
		flag := args[i]
		if flag == "--" {
			return append(bound, args[i:]...)
		}
		if strings.HasPrefix(flag, "--") && !strings.Contains(flag, "=") && i+1 < len(args) && dashed.MatchString(args[i+1]) {
			i++
			flag += "=" + args[i]
		}
		if strings.HasPrefix(flag, pemBegin) {
			flag = "\n" + flag
		}
		bound = append(bound, flag)
	}
	return bound
}

// checkGiven refuses arguments without a meaning: an empty text, a negative number, and a zero unless the field's tag "zero"
// gives zero a meaning of its own. So an absent flag and a zero are never the same.
func checkGiven(command *kong.Context) error {
	for _, step := range command.Path {
		var name string
		var value *kong.Value
		switch {
		case step.Flag != nil:
			name, value = "--"+step.Flag.Name, step.Flag.Value
		case step.Positional != nil:
			name, value = "<"+step.Positional.Name+">", step.Positional
		default:
			continue
		}
		if err := checkValue(name, value.Target, value.Tag.Has("zero")); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(name string, value reflect.Value, zeroMeans bool) error {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil
		}
		value = value.Elem()
	}
	if span, ok := value.Interface().(time.Duration); ok {
		if zeroMeans && span == 0 || span >= time.Millisecond {
			return nil
		}
		return misuse("%s %s is too short: give a time such as 90s or 15m", name, span)
	}
	least := "1"
	if zeroMeans {
		least = "0"
	}
	negative, zero := false, false
	switch value.Kind() {
	case reflect.String:
		if value.Len() == 0 {
			return misuse("%s is empty: leave it out, or give a value", name)
		}
	case reflect.Slice:
		if value.Len() == 0 {
			return misuse("%s is empty: leave it out, or give a value", name)
		}
		for i := range value.Len() {
			if err := checkValue(name, value.Index(i), zeroMeans); err != nil {
				return err
			}
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		negative, zero = value.Int() < 0, value.Int() == 0
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		zero = value.Uint() == 0
	case reflect.Float64:
		number := value.Float()
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return misuse("%s %v is not a number", name, number)
		}
		negative, zero, least = number < 0, number == 0, "more than 0"
		if zeroMeans {
			least = "0 or more"
		}
	}
	if negative || zero && !zeroMeans {
		if value.Kind() != reflect.Float64 {
			least += " or more"
		}
		return misuse("%s %v is not possible: give %s, or leave it out", name, value, least)
	}
	return nil
}

// notANumber and notASpan match the parser's errors about numbers and durations.
var (
	notANumber = regexp.MustCompile(`^(\S+): expected a valid (\d+) bit (int|uint|float) but got "(.*)"$`)
	notASpan   = regexp.MustCompile(`^(\S+): expected duration but got (.*?): .*$`)
)

// plainly rewrites the errors of the argument parser in the terms of a user.
func plainly(err error) error {
	text := err.Error()
	if found := notANumber.FindStringSubmatch(text); found != nil {
		name, _, _ := strings.Cut(found[1], "=")
		switch kind := found[3]; kind {
		case "float":
			return fmt.Errorf("%s %q is not a number: write it like 2 or 0.5", name, found[4])
		default:
			return fmt.Errorf("%s %q is not a whole number from 0 to %s", name, found[4], largest(found[2], kind))
		}
	}
	if found := notASpan.FindStringSubmatch(text); found != nil {
		name, _, _ := strings.Cut(found[1], "=")
		return fmt.Errorf("%s %s is not a length of time: write it like 90s, 15m or 1h30m", name, found[2])
	}
	if strings.HasPrefix(text, "unknown flag -") && dashed.MatchString(text[len("unknown flag "):]) {
		return errors.New("an amount can't be negative: leave the minus sign out")
	}
	return err
}

func largest(bits, kind string) string {
	n := map[string]uint{"8": 8, "16": 16, "32": 32, "64": 64}[bits]
	if kind == "int" {
		n--
	}
	return types.Amount(1<<n - 1).String()
}
