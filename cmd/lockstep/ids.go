package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"lockstep/types"
	"lockstep/wallet"
)

// shortDigits are enough of an ID to tell it from others in a table.
const shortDigits = 12

// short returns the beginning of an ID, which every command takes in place of the whole ID.
func short(id fmt.Stringer) string { return id.String()[:shortDigits] }

// shortened is an argument that holds the beginning of an ID. The node knows the rest.
type shortened struct {
	value        *kong.Value
	kind, prefix string
}

// ids parses the IDs among the arguments of a command, whole or shortened.
type ids struct {
	shortened []shortened
	labels    []labelled
}

// kinds maps the types of IDs that can be shortened to their names in the API.
func kinds() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[types.TradeID](): "trade", reflect.TypeFor[types.OfferID](): "offer", reflect.TypeFor[types.ProductID](): "product",
		reflect.TypeFor[types.TxID](): "transaction", reflect.TypeFor[types.PointID](): "point", reflect.TypeFor[types.PublicKey](): "key",
	}
}

// options returns the parser options for IDs, files and times.
func (r *ids) options() (options []kong.Option) {
	for kind, name := range kinds() {
		options = append(options, forBoth(kind, &idMapper{r, name})...)
	}
	for _, name := range []string{"path", "existingfile"} {
		mapper := kong.NewRegistry().RegisterDefaults().ForNamedValue(name, reflect.ValueOf(""))
		options = append(options, kong.NamedMapper(name, fileMapper{mapper}))
	}
	return append(options, forBoth(reflect.TypeFor[types.Time](), momentMapper{})...)
}

// fileMapper reads the name of a file. An empty one would become the folder of the process; an empty variable of the environment
// counts as none.
type fileMapper struct{ kong.Mapper }

func (m fileMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if ctx.Scan.Peek().Value == "" {
		for _, variable := range ctx.Value.Tag.Envs {
			if value, set := os.LookupEnv(variable); set && value == "" {
				ctx.Scan.Pop()
				return nil
			}
		}
		return errors.New("the name is empty: leave it out, or give a file")
	}
	return m.Mapper.Decode(ctx, target)
}

// forBoth registers a mapper for a type and for pointers to it, which tell an absent flag from a given one.
func forBoth(kind reflect.Type, mapper kong.Mapper) []kong.Option {
	pointer := kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		value := reflect.New(kind)
		target.Set(value)
		return mapper.Decode(ctx, value.Elem())
	})
	return []kong.Option{kong.TypeMapper(kind, mapper), kong.TypeMapper(reflect.PointerTo(kind), pointer)}
}

type idMapper struct {
	ids  *ids
	kind string
}

// Decode reads a whole ID, or notes the beginning of one. A key must be whole where money goes to it or rights come from it:
// anybody can search for a key that begins like another's. A field that only asks about a key has the tag "find".
func (m *idMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("id", &text); err != nil {
		return err
	}
	into, ok := target.Addr().Interface().(interface{ UnmarshalText([]byte) error })
	if !ok {
		return fmt.Errorf("%s is no id", target.Type())
	}
	err := into.UnmarshalText([]byte(text))
	if err == nil {
		return nil
	}
	if m.kind == "key" && strings.HasPrefix(text, wallet.NameMark) {
		if err := wallet.CheckLabel(strings.TrimPrefix(text, wallet.NameMark)); err != nil {
			return err
		}
		m.ids.labels = append(m.ids.labels, labelled{ctx.Value, text})
		return nil
	}
	prefix := strings.ToLower(text)
	isKey := strings.HasPrefix(prefix, "lk1")
	if isKey != (m.kind == "key") || isKey && !ctx.Value.Tag.Has("find") {
		return err
	}
	low, high, notOne := types.PrefixRange(prefix)
	if notOne != nil {
		return notOne
	}
	if low == high {
		return err
	}
	m.ids.shortened = append(m.ids.shortened, shortened{ctx.Value, m.kind, prefix})
	return nil
}

// complete asks the node for the rest of each shortened ID.
func (r *ids) complete(ctx context.Context, a *app) error {
	if len(r.shortened) == 0 {
		return nil
	}
	node, err := a.connect()
	if err != nil {
		return err
	}
	for _, s := range r.shortened {
		found, err := node.IDs(ctx, s.kind, s.prefix)
		if err != nil {
			return err
		}
		switch {
		case len(found.IDs) == 0:
			return types.Refuse(types.CodeNotFound, "no %s that this ledger keeps has an id that begins with %s", s.kind, s.prefix)
		case len(found.IDs) > 1:
			list := "\n  " + strings.Join(found.IDs, "\n  ")
			if found.More {
				list += "\n  and more"
			}
			return misuse("%s is the beginning of several ids; give more digits of the one you mean:%s", s.prefix, list)
		}
		if err := fill(s.value.Target, found.IDs[0]); err != nil {
			return err
		}
	}
	return nil
}

// fill sets an argument to an ID.
func fill(target reflect.Value, id string) error {
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		target = target.Elem()
	}
	into, ok := target.Addr().Interface().(interface{ UnmarshalText([]byte) error })
	if !ok {
		return fmt.Errorf("%s is no id", target.Type())
	}
	return into.UnmarshalText([]byte(id))
}
