package httpapi

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/trade"
	"lockstep/types"
)

// huma can't derive the text forms and the closed sums of the domain from the Go types. Each type below replaces a domain type and gives
// its schema.

const schemaPrefix = "#/components/schemas/"

// newSchemas returns a registry with the schemas of the domain types.
func newSchemas() huma.Registry {
	registry := huma.NewMapRegistry(schemaPrefix, schemaName)
	for _, domain := range []reflect.Type{
		reflect.TypeFor[types.Hash](), reflect.TypeFor[types.TxID](), reflect.TypeFor[types.TradeID](), reflect.TypeFor[types.OfferID](),
		reflect.TypeFor[types.AssetID](), reflect.TypeFor[types.PointID](), reflect.TypeFor[types.ProductID](), reflect.TypeFor[types.OrderID](),
		reflect.TypeFor[types.Secret](),
	} {
		registry.RegisterTypeAlias(domain, reflect.TypeFor[hashText]())
	}
	for domain, stand := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[types.SignatureBytes](): reflect.TypeFor[signatureText](),
		reflect.TypeFor[types.HexBytes]():       reflect.TypeFor[hexText](),
		reflect.TypeFor[types.PublicKey]():      reflect.TypeFor[keyText](),
		reflect.TypeFor[types.Amount]():         reflect.TypeFor[amountText](),
		reflect.TypeFor[types.Total]():          reflect.TypeFor[totalText](),
		reflect.TypeFor[types.Rate]():           reflect.TypeFor[rateText](),
		reflect.TypeFor[types.Time]():           reflect.TypeFor[timeText](),
		reflect.TypeFor[types.Duration]():       reflect.TypeFor[spanText](),
		reflect.TypeFor[types.Code]():           reflect.TypeFor[codeText](),
		reflect.TypeFor[types.Part]():           reflect.TypeFor[partText](),
		reflect.TypeFor[types.Phase]():          reflect.TypeFor[phaseText](),
		reflect.TypeFor[types.StepKind]():       reflect.TypeFor[stepText](),
		reflect.TypeFor[types.MeterForm]():      reflect.TypeFor[formText](),
		reflect.TypeFor[types.Direction]():      reflect.TypeFor[directionText](),
		reflect.TypeFor[types.Side]():           reflect.TypeFor[sideText](),
		reflect.TypeFor[types.Entry]():          reflect.TypeFor[entryText](),
		reflect.TypeFor[types.KeyLock]():        reflect.TypeFor[keyLock](),
		reflect.TypeFor[types.Fallback]():       reflect.TypeFor[fallbackSum](),
		reflect.TypeFor[types.Action]():         reflect.TypeFor[actionSum](),
		reflect.TypeFor[types.Act]():            reflect.TypeFor[actSum](),
		reflect.TypeFor[amount]():               reflect.TypeFor[amountText](),
		reflect.TypeFor[outpoint]():             reflect.TypeFor[outpointText](),
		reflect.TypeFor[wait]():                 reflect.TypeFor[spanText](),
		reflect.TypeFor[height]():               reflect.TypeFor[heightText](),
		reflect.TypeFor[moment]():               reflect.TypeFor[timeText](),
		reflect.TypeFor[phase]():                reflect.TypeFor[phaseText](),
		reflect.TypeFor[direction]():            reflect.TypeFor[directionText](),
		reflect.TypeFor[position]():             reflect.TypeFor[positionText](),
		reflect.TypeFor[problem]():              reflect.TypeFor[wire.Problem](),
	} {
		registry.RegisterTypeAlias(domain, stand)
	}
	return registry
}

// quoteNumbers describes the fields whose numbers are in quotes (",string"), a tag that huma ignores. Call it after all types are
// registered.
func quoteNumbers(registry huma.Registry) {
	for name, schema := range registry.Map() {
		for _, field := range reflect.VisibleFields(registry.TypeFromRef(schemaPrefix + name)) {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if property := schema.Properties[name]; property != nil && slices.Contains(strings.Split(options, ","), "string") {
				schema.Properties[name] = text("^(0|[1-9][0-9]{0,19})$", "a number, in quotes because JSON numbers lose precision above 2^53")
				schema.PrecomputeMessages()
			}
		}
	}
}

// schemaName gives the API's view of a domain type another name than the domain type, where both have one name in Go.
func schemaName(t reflect.Type, hint string) string {
	switch t {
	case reflect.TypeFor[wire.Point](), reflect.TypeFor[wire.Claim](), reflect.TypeFor[wire.Trade](), reflect.TypeFor[wire.Offer](), reflect.TypeFor[wire.Asset](),
		reflect.TypeFor[wire.Product](), reflect.TypeFor[wire.Book](), reflect.TypeFor[wire.Auction](),
		reflect.TypeFor[wire.Output](), reflect.TypeFor[wire.Event](), reflect.TypeFor[wire.Governance](), reflect.TypeFor[wire.Decision](), reflect.TypeFor[wire.Validator]():
		return t.Name() + "View"
	}
	if t.PkgPath() == reflect.TypeFor[history.Trade]().PkgPath() {
		return "Historic" + t.Name()
	}
	if t.PkgPath() == reflect.TypeFor[trade.Status]().PkgPath() {
		return "Trade" + t.Name()
	}
	return huma.DefaultSchemaNamer(t, hint)
}

type (
	hashText      struct{}
	signatureText struct{}
	hexText       struct{}
	keyText       struct{}
	amountText    struct{}
	totalText     struct{}
	rateText      struct{}
	timeText      struct{}
	spanText      struct{}
	codeText      struct{}
	partText      struct{}
	phaseText     struct{}
	stepText      struct{}
	formText      struct{}
	directionText struct{}
	sideText      struct{}
	entryText     struct{}
	heightText    struct{}
	positionText  struct{}
	outpointText  struct{}
)

func text(pattern, description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern, Description: description}
}

func (hashText) Schema(huma.Registry) *huma.Schema {
	return text("^[0-9a-fA-F]{64}$", "32 bytes as hexadecimal digits")
}

func (signatureText) Schema(huma.Registry) *huma.Schema {
	return text("^[0-9a-fA-F]{128}$", "an Ed25519 signature as hexadecimal digits")
}

func (hexText) Schema(huma.Registry) *huma.Schema {
	return text("^([0-9a-fA-F]{2})*$", "bytes as hexadecimal digits")
}

func (keyText) Schema(huma.Registry) *huma.Schema {
	return text("^(lk1[02-9ac-hj-np-z]{58}|LK1[02-9AC-HJ-NP-Z]{58})$", "an Ed25519 public key in bech32m (BIP-350)")
}

func (amountText) Schema(huma.Registry) *huma.Schema {
	return text("^(0|[1-9][0-9]{0,19})$", "a number of smallest units, up to 2^64-1")
}

func (totalText) Schema(huma.Registry) *huma.Schema {
	return text("^(0|[1-9][0-9]{0,38})$", "a sum of amounts or quantities, up to 2^128-1")
}

func (rateText) Schema(huma.Registry) *huma.Schema {
	return text(`^[0-9]+(\.[0-9]{1,18})?$`, "smallest units for each unit of goods")
}

func (timeText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

func (spanText) Schema(huma.Registry) *huma.Schema {
	return text(`^([0-9]+(\.[0-9]+)?(ms|h|m|s))+$|^0$`, "a duration such as 1h30m or 250ms")
}

func (heightText) Schema(huma.Registry) *huma.Schema {
	return text("^([1-9][0-9]{0,19}|latest)$", "the height of a block")
}

func (outpointText) Schema(huma.Registry) *huma.Schema {
	return text("^[0-9a-fA-F]{64}:[0-9]{1,10}$", "the address of an output: a transaction, or a trade, and the index there")
}

func (positionText) Schema(huma.Registry) *huma.Schema {
	return text("^[0-9]{1,19}:([0-9]{1,10}|end)$", "the id of a message")
}

// codeText lists the codes as examples, not as an enumeration: clients must accept codes that are added later.
func (codeText) Schema(huma.Registry) *huma.Schema {
	schema := text("^[a-z_0-9]+$", "the rule that refused it; /docs lists the codes. More may be added.")
	for _, info := range types.CodeList() {
		schema.Examples = append(schema.Examples, info.Name)
	}
	return schema
}

func (partText) Schema(huma.Registry) *huma.Schema      { return names[types.Part]() }
func (phaseText) Schema(huma.Registry) *huma.Schema     { return names[types.Phase]() }
func (stepText) Schema(huma.Registry) *huma.Schema      { return names[types.StepKind]() }
func (formText) Schema(huma.Registry) *huma.Schema      { return names[types.MeterForm]() }
func (directionText) Schema(huma.Registry) *huma.Schema { return names[types.Direction]() }
func (sideText) Schema(huma.Registry) *huma.Schema      { return names[types.Side]() }
func (entryText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{types.EntryNobody.String(), types.EntryAnyone.String(), types.EntryMembers.String()}}
}

// names lists the names of a type whose values count from 1. It ends at the first value whose name can't be read.
func names[E ~uint8, P interface {
	*E
	String() string
	UnmarshalText([]byte) error
}]() *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for value := E(1); ; value++ {
		name, read := P(&value).String(), E(0)
		if P(&read).UnmarshalText([]byte(name)) != nil {
			return schema
		}
		schema.Enum = append(schema.Enum, name)
	}
}

// The closed sums: in JSON a variant is an object with its fields and its kind.
type (
	fallbackSum struct{}
	actionSum   struct{}
	actSum      struct{}
)

// keyLock is the JSON of [types.KeyLock].
type keyLock struct {
	Kind string          `json:"kind" enum:"key"`
	Key  types.PublicKey `json:"key"`
}

func (fallbackSum) Schema(r huma.Registry) *huma.Schema {
	return oneOf(r, map[string]any{"hold": types.Hold{}, "meter": types.Meter{}, "arbiter": types.Arbiter{}})
}

func (actionSum) Schema(r huma.Registry) *huma.Schema { return oneOf(r, actions()) }

func (actSum) Schema(r huma.Registry) *huma.Schema {
	acts := map[string]any{}
	for _, info := range types.Actions() {
		if act, ok := info.New().(types.Act); ok {
			acts[info.Kind] = reflect.ValueOf(act).Elem().Interface()
		}
	}
	return oneOf(r, acts)
}

func actions() map[string]any {
	kinds := map[string]any{}
	for _, info := range types.Actions() {
		kinds[info.Kind] = reflect.ValueOf(info.New()).Elem().Interface()
	}
	return kinds
}

// oneOf adds the kind to the schema of each variant, which occurs only in its sum, and returns the choice between the variants.
func oneOf(r huma.Registry, variants map[string]any) *huma.Schema {
	sum := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "kind", Mapping: map[string]string{}}}
	for _, kind := range slices.Sorted(maps.Keys(variants)) {
		ref := r.Schema(reflect.TypeOf(variants[kind]), true, "")
		if variant := r.SchemaFromRef(ref.Ref); variant.Properties["kind"] == nil {
			variant.Properties["kind"] = &huma.Schema{Type: huma.TypeString, Enum: []any{kind}}
			variant.Required = append(variant.Required, "kind")
			variant.PrecomputeMessages()
		}
		sum.OneOf = append(sum.OneOf, ref)
		sum.Discriminator.Mapping[kind] = ref.Ref
	}
	return sum
}
