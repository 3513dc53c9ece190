package types_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"lockstep/types"
)

// In each table below a valid value has one thing corrupted and must be refused with one code.

func TestGoodsCheck(t *testing.T) {
	t.Parallel()
	parcel := types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1}
	for _, good := range []types.Goods{sampleGoods(), parcel} {
		if err := good.Check(); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		corrupt func(*types.Goods)
		want    types.Code
	}{
		"largest quantity":      {func(g *types.Goods) { g.Quantity = types.MaxQuantity }, types.CodeOK},
		"longest note":          {func(g *types.Goods) { g.Note = strings.Repeat("n", types.MaxNote) }, types.CodeOK},
		"no zone":               {func(g *types.Goods) { g.Zone = "" }, types.CodeOK},
		"no meter":              {func(g *types.Goods) { g.Flow = types.Flow{} }, types.CodeOK},
		"import":                {func(g *types.Goods) { g.Flow.Direction = types.DirectionImport }, types.CodeOK},
		"no commodity":          {func(g *types.Goods) { g.Commodity = "" }, types.CodeGoods},
		"no unit":               {func(g *types.Goods) { g.Unit = "" }, types.CodeGoods},
		"energy in kWh":         {func(g *types.Goods) { g.Unit = "kWh" }, types.CodeGoods},
		"no quantity":           {func(g *types.Goods) { g.Quantity = 0 }, types.CodeGoods},
		"quantity too large":    {func(g *types.Goods) { g.Quantity = types.MaxQuantity + 1 }, types.CodeGoods},
		"two of an item":        {func(g *types.Goods) { *g = parcel; g.Quantity = 2 }, types.CodeGoods},
		"slot backwards":        {func(g *types.Goods) { g.Until = g.From - 1 }, types.CodeGoods},
		"energy without slot":   {func(g *types.Goods) { g.From, g.Until = 0, 0 }, types.CodeGoods},
		"slot without length":   {func(g *types.Goods) { g.Until = g.From }, types.CodeGoods},
		"slot after 9999":       {func(g *types.Goods) { g.Until = types.MaxTime + 1 }, types.CodeGoods},
		"direction, no point":   {func(g *types.Goods) { g.Flow.Point = types.PointID{} }, types.CodeGoods},
		"point, no direction":   {func(g *types.Goods) { g.Flow.Direction = 0 }, types.CodeGoods},
		"odd direction":         {func(g *types.Goods) { g.Flow.Direction = 3 }, types.CodeGoods},
		"commodity too long":    {func(g *types.Goods) { g.Commodity = strings.Repeat("c", 33) }, types.CodeText},
		"unit with a newline":   {func(g *types.Goods) { g.Unit = "Wh\n" }, types.CodeText},
		"zone not UTF-8":        {func(g *types.Goods) { g.Zone = "\xff" }, types.CodeText},
		"note too long":         {func(g *types.Goods) { g.Note = strings.Repeat("n", types.MaxNote+1) }, types.CodeText},
		"note with a zero":      {func(g *types.Goods) { g.Note = "a\x00b" }, types.CodeText},
		"note with a C1 escape": {func(g *types.Goods) { g.Note = "\u009b31m" }, types.CodeText},
	} {
		goods := sampleGoods()
		c.corrupt(&goods)
		if err := goods.Check(); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestAgreementCheck(t *testing.T) {
	t.Parallel()
	params := sampleParams()
	for name, c := range map[string]struct {
		corrupt func(*types.Agreement)
		want    types.Code
	}{
		"nothing":                {func(*types.Agreement) {}, types.CodeOK},
		"no bond":                {func(a *types.Agreement) { a.Bond = 0 }, types.CodeOK},
		"one instalment":         {func(a *types.Agreement) { a.Instalments = 1 }, types.CodeOK},
		"most instalments":       {func(a *types.Agreement) { a.Instalments = types.MaxInstalments }, types.CodeOK},
		"an instalment per unit": {func(a *types.Agreement) { a.Price = 5 }, types.CodeOK},
		"all that can be":        {func(a *types.Agreement) { a.Price = most - 1; a.Deposit = 1; a.Bond = 0 }, types.CodeOK},
		"windows just right": {func(a *types.Agreement) {
			d := &a.Deadlines
			a.Goods.Flow = types.Flow{}
			d.DeliverBy = d.PayBy.Add(params.MinWindow)
			d.ReadingBy = d.DeliverBy.Add(params.MinWindow)
			d.ConfirmBy = d.ReadingBy.Add(params.MinWindow)
		}, types.CodeOK},
		"another chain":           {func(a *types.Agreement) { a.ChainID = "elsewhere" }, types.CodeChain},
		"a trade with oneself":    {func(a *types.Agreement) { a.Consumer = a.Producer }, types.CodeParties},
		"bad goods":               {func(a *types.Agreement) { a.Goods.Quantity = 0 }, types.CodeGoods},
		"no price":                {func(a *types.Agreement) { a.Price = 0 }, types.CodeTerms},
		"no deposit":              {func(a *types.Agreement) { a.Deposit = 0 }, types.CodeTerms},
		"no instalments":          {func(a *types.Agreement) { a.Instalments = 0 }, types.CodeTerms},
		"too many instalments":    {func(a *types.Agreement) { a.Instalments = types.MaxInstalments + 1 }, types.CodeTerms},
		"worthless instalments":   {func(a *types.Agreement) { a.Price = 4 }, types.CodeTerms},
		"sum too large":           {func(a *types.Agreement) { a.Price = most - 1; a.Deposit = 1; a.Bond = 1 }, types.CodeOverflow},
		"deliver-by too early":    {func(a *types.Agreement) { a.Deadlines.DeliverBy = a.Deadlines.PayBy.Add(params.MinWindow - 1) }, types.CodeDeadlines},
		"reading-by before":       {func(a *types.Agreement) { a.Deadlines.ReadingBy = a.Deadlines.PayBy }, types.CodeDeadlines},
		"confirm-by too early":    {func(a *types.Agreement) { a.Deadlines.ConfirmBy = a.Deadlines.ReadingBy.Add(params.MinWindow - 1) }, types.CodeDeadlines},
		"confirm-by after 9999":   {func(a *types.Agreement) { a.Deadlines.ConfirmBy = math.MaxUint64 }, types.CodeDeadlines},
		"pay-by after confirm-by": {func(a *types.Agreement) { a.Deadlines.PayBy = math.MaxUint64 }, types.CodeDeadlines},
		"no fallback":             {func(a *types.Agreement) { a.Fallback = nil }, types.CodeFallback},
		"meter terms":             {func(a *types.Agreement) { a.Fallback = &types.Meter{} }, types.CodeOK},
		"meter terms, no meter":   {func(a *types.Agreement) { a.Fallback = &types.Meter{}; a.Goods.Flow = types.Flow{} }, types.CodeFallback},
		"arbiter terms":           {func(a *types.Agreement) { a.Fallback = &types.Arbiter{Key: keyOf("arbiter")} }, types.CodeOK},
		"producer anybody":        {func(a *types.Agreement) { a.Producer = types.PublicKey{} }, types.CodeWeakKey},
		"consumer anybody":        {func(a *types.Agreement) { a.Consumer = types.PublicKey{1} }, types.CodeWeakKey},
		"arbiter anybody":         {func(a *types.Agreement) { a.Fallback = &types.Arbiter{} }, types.CodeWeakKey},
		"metered, not energy":     {func(a *types.Agreement) { a.Goods.Commodity = "heat" }, types.CodeGoods},
		"slot of half an hour":    {func(a *types.Agreement) { a.Goods.Until = a.Goods.From.Add(2 * quarter) }, types.CodeGoods},
		"slot off the grid":       {func(a *types.Agreement) { a.Goods.From++; a.Goods.Until++ }, types.CodeGoods},
		"delivered in the slot":   {func(a *types.Agreement) { a.Deadlines.DeliverBy = a.Goods.From + 1 }, types.CodeDeadlines},
		"read in the slot":        {func(a *types.Agreement) { a.Deadlines.ReadingBy = a.Goods.Until }, types.CodeDeadlines},
		"producer as arbiter":     {func(a *types.Agreement) { a.Fallback = &types.Arbiter{Key: a.Producer} }, types.CodeParties},
		"consumer as arbiter":     {func(a *types.Agreement) { a.Fallback = &types.Arbiter{Key: a.Consumer} }, types.CodeParties},
	} {
		agreement := sampleAgreement()
		c.corrupt(&agreement)
		if err := agreement.Check(&params); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestOfferCheck(t *testing.T) {
	t.Parallel()
	params := sampleParams()
	for name, c := range map[string]struct {
		corrupt func(*types.Offer)
		want    types.Code
	}{
		"nothing":                {func(*types.Offer) {}, types.CodeOK},
		"no bond":                {func(o *types.Offer) { o.Bond = types.Rate{} }, types.CodeOK},
		"all or nothing":         {func(o *types.Offer) { o.MinFill = o.Goods.Quantity }, types.CodeOK},
		"another chain":          {func(o *types.Offer) { o.ChainID = "elsewhere" }, types.CodeChain},
		"price not shortest":     {func(o *types.Offer) { o.Price = types.Rate{Mantissa: 300, Exponent: 1} }, types.CodeTerms},
		"deposit not shortest":   {func(o *types.Offer) { o.Deposit = types.Rate{Mantissa: 10, Exponent: 1} }, types.CodeTerms},
		"bond with 19 decimals":  {func(o *types.Offer) { o.Bond = types.Rate{Mantissa: 1, Exponent: 19} }, types.CodeTerms},
		"no price":               {func(o *types.Offer) { o.Price = types.Rate{} }, types.CodeTerms},
		"no deposit":             {func(o *types.Offer) { o.Deposit = types.Rate{} }, types.CodeTerms},
		"smallest fill too dear": {func(o *types.Offer) { o.MinFill = 1; o.Price = types.Rate{Mantissa: 1} }, types.CodeTerms},
		"price too large":        {func(o *types.Offer) { o.Price.Mantissa = math.MaxUint64 }, types.CodeOverflow},
		"sum too large":          {func(o *types.Offer) { o.Price.Mantissa = math.MaxUint64 / o.Goods.Quantity }, types.CodeOverflow},
		"no smallest fill":       {func(o *types.Offer) { o.MinFill = 0 }, types.CodeOfferQuantity},
		"smallest fill too big":  {func(o *types.Offer) { o.MinFill = o.Goods.Quantity + 1 }, types.CodeOfferQuantity},
		"quantity too large":     {func(o *types.Offer) { o.Goods.Quantity = types.MaxQuantity + 1 }, types.CodeGoods},
		"deadlines backwards":    {func(o *types.Offer) { o.Deadlines.DeliverBy = o.Deadlines.PayBy }, types.CodeDeadlines},
		"no fallback":            {func(o *types.Offer) { o.Fallback = nil }, types.CodeFallback},
	} {
		offer := sampleOffer()
		c.corrupt(&offer)
		if err := offer.Check(&params); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A take agrees to the offer's terms, its own quantity, and sums rounded up.
func TestOfferAgreement(t *testing.T) {
	t.Parallel()
	params, offer := sampleParams(), sampleOffer()
	agreement, err := offer.Agreement(501, keyOf("consumer"), 3)
	if err != nil {
		t.Fatal(err)
	}
	if agreement.Price != 15_030 || agreement.Deposit != 151 || agreement.Bond != 326 {
		t.Errorf("price %s, deposit %s, bond %s; want 15030, 150.3 and 325.65 rounded up", agreement.Price, agreement.Deposit, agreement.Bond)
	}
	if agreement.Goods.Quantity != 501 || offer.Goods.Quantity != 1500 || agreement.Nonce != 3 || agreement.Consumer != keyOf("consumer") {
		t.Errorf("%+v", agreement)
	}
	if err := agreement.Check(&params); err != nil {
		t.Error(err)
	}
	again, err := offer.Agreement(501, keyOf("consumer"), 4)
	if err != nil || again.ID() == agreement.ID() {
		t.Errorf("another nonce makes the same trade (%v)", err)
	}
	if _, err := offer.Agreement(math.MaxUint64, keyOf("consumer"), 3); types.CodeOf(err) != types.CodeOverflow {
		t.Errorf("a take beyond counting: %v", err)
	}
}

func TestParamsCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		corrupt func(*types.Params)
		want    types.Code
	}{
		"nothing":                  {func(*types.Params) {}, types.CodeOK},
		"a fee":                    {func(p *types.Params) { p.FeeAsset = assetID(); p.MinFee = 1 }, types.CodeOK},
		"no chain id":              {func(p *types.Params) { p.ChainID = "" }, types.CodeMalformed},
		"chain id too long":        {func(p *types.Params) { p.ChainID = strings.Repeat("c", 33) }, types.CodeMalformed},
		"chain id unprintable":     {func(p *types.Params) { p.ChainID = "a\tb" }, types.CodeText},
		"no clock cap":             {func(p *types.Params) { p.ClockCap = 0 }, types.CodeMalformed},
		"window below 3 caps":      {func(p *types.Params) { p.MinWindow = 3*p.ClockCap - 1 }, types.CodeMalformed},
		"clock cap that wraps":     {func(p *types.Params) { p.ClockCap = math.MaxUint64/3 + 1; p.MaxValidity = p.ClockCap }, types.CodeMalformed},
		"horizon below 4 windows":  {func(p *types.Params) { p.Horizon = 4*p.MinWindow - 1 }, types.CodeMalformed},
		"window that wraps":        {func(p *types.Params) { p.MinWindow = 1 << 62 }, types.CodeMalformed},
		"validity below a cap":     {func(p *types.Params) { p.MaxValidity = p.ClockCap - 1 }, types.CodeMalformed},
		"no slot":                  {func(p *types.Params) { p.Slot = 0 }, types.CodeMalformed},
		"slot of more than a day":  {func(p *types.Params) { p.Slot = 24*60*minute + 1 }, types.CodeMalformed},
		"an operator":              {func(p *types.Params) { p.Operators = []types.PublicKey{keyOf("operator")} }, types.CodeOK},
		"operator anybody":         {func(p *types.Params) { p.Operators = []types.PublicKey{keyOf("operator"), {1}} }, types.CodeWeakKey},
		"a fee in no asset at all": {func(p *types.Params) { p.MinFee = 1 }, types.CodeMalformed},
		"members with an operator": {func(p *types.Params) {
			p.Operators, p.Entries = []types.PublicKey{keyOf("operator")}, p.Entries.OfMembers()
		}, types.CodeOK},
		"members without operator": {func(p *types.Params) { p.Entries = p.Entries.OfMembers() }, types.CodeMalformed},
		"entries by nobody":        {func(p *types.Params) { p.Entries.By = types.EntryNobody }, types.CodeMalformed},
		"a fee of entries":         {func(p *types.Params) { p.FeeAsset = assetID(); p.Entries.Fee = 1 << 40 }, types.CodeOK},
		"too large a fee of them":  {func(p *types.Params) { p.FeeAsset = assetID(); p.Entries.Fee = 1<<40 + 1 }, types.CodeMalformed},
		"a fee of them in nothing": {func(p *types.Params) { p.Entries.Fee = 1 }, types.CodeMalformed},
		"no room for a coin":       {func(p *types.Params) { p.Entries.Coins = 0 }, types.CodeMalformed},
		"no room for an offer":     {func(p *types.Params) { p.Entries.Offers = 0 }, types.CodeMalformed},
		"no room for an order":     {func(p *types.Params) { p.Entries.Orders = 0 }, types.CodeMalformed},
		"no room for a trade":      {func(p *types.Params) { p.Entries.Trades = 0 }, types.CodeMalformed},
		"an asset of genesis":      {func(p *types.Params) { p.Genesis = []types.GenesisAsset{{Asset: sampleAsset()}} }, types.CodeOK},
		"an asset of genesis twice": {func(p *types.Params) {
			p.Genesis = []types.GenesisAsset{{Asset: sampleAsset()}, {Asset: sampleAsset(), Supply: 1}}
		}, types.CodeMalformed},
		"a genesis of nobody": {func(p *types.Params) { p.Genesis = []types.GenesisAsset{{}} }, types.CodeWeakKey},
		"too many at genesis": {func(p *types.Params) { p.Genesis = make([]types.GenesisAsset, 65) }, types.CodeMalformed},
	} {
		params := sampleParams()
		c.corrupt(&params)
		if err := params.Check(); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestAssetCheck(t *testing.T) {
	t.Parallel()
	for code, ok := range map[string]bool{
		"EUR": true, "X": true, "KWH-2026": true, "ABCDEFGHIJKL": true,
		"": false, "ABCDEFGHIJKLM": false, "eur": false, "E R": false, "€": false, "EUR\x00": false,
	} {
		asset := types.Asset{Issuer: keyOf("issuer"), Code: code}
		if err := asset.Check(); (err == nil) != ok || err != nil && types.CodeOf(err) != types.CodeAssetForm {
			t.Errorf("%q: %v", code, err)
		}
	}
	asset := types.Asset{Issuer: keyOf("issuer"), Code: "EUR", Decimals: types.MaxDecimals}
	if err := asset.Check(); err != nil {
		t.Error(err)
	}
	asset.Decimals++
	if err := asset.Check(); types.CodeOf(err) != types.CodeAssetForm {
		t.Errorf("19 decimals: %v", err)
	}
	asset.Decimals--
	asset.Issuer = types.PublicKey{}
	if err := asset.Check(); types.CodeOf(err) != types.CodeWeakKey {
		t.Errorf("issued by anybody: %v", err)
	}
}

func TestMeterCheck(t *testing.T) {
	t.Parallel()
	ocmf := func(m *types.PointMeter) { m.Form, m.Serial = types.FormOCMF, "1EMH0012345678" }
	for name, c := range map[string]struct {
		corrupt func(*types.PointMeter)
		want    types.Code
	}{
		"nothing":              {func(*types.PointMeter) {}, types.CodeOK},
		"ocmf":                 {ocmf, types.CodeOK},
		"longest key":          {func(m *types.PointMeter) { m.Key = make([]byte, 256) }, types.CodeOK},
		"longest serial":       {func(m *types.PointMeter) { ocmf(m); m.Serial = strings.Repeat("s", types.MaxSerial) }, types.CodeOK},
		"most registers":       {func(m *types.PointMeter) { m.Import = make([]string, types.MaxRegisters) }, types.CodeOK},
		"no form":              {func(m *types.PointMeter) { m.Form = 0 }, types.CodeMeterForm},
		"no known form":        {func(m *types.PointMeter) { m.Form = 3 }, types.CodeMeterForm},
		"no key":               {func(m *types.PointMeter) { m.Key = nil }, types.CodeMeterForm},
		"key too long":         {func(m *types.PointMeter) { m.Key = make([]byte, 257) }, types.CodeMeterForm},
		"ocmf, no serial":      {func(m *types.PointMeter) { m.Form = types.FormOCMF }, types.CodeMeterForm},
		"native, a serial":     {func(m *types.PointMeter) { m.Serial = "1" }, types.CodeMeterForm},
		"serial too long":      {func(m *types.PointMeter) { ocmf(m); m.Serial = strings.Repeat("s", types.MaxSerial+1) }, types.CodeText},
		"serial not seen":      {func(m *types.PointMeter) { ocmf(m); m.Serial = "1\u200b2" }, types.CodeText},
		"too many registers":   {func(m *types.PointMeter) { m.Export = make([]string, types.MaxRegisters+1) }, types.CodeMeterForm},
		"register too long":    {func(m *types.PointMeter) { m.Export[0] = strings.Repeat("r", 25) }, types.CodeText},
		"register unprintable": {func(m *types.PointMeter) { m.Export[0] = "\x1b[2J" }, types.CodeText},
	} {
		meter := sampleMeter()
		c.corrupt(&meter)
		if err := meter.Check(); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// The id of a point is that of a key and a serial number together: neither alone, nor a cut elsewhere between them.
func TestPointID(t *testing.T) {
	t.Parallel()
	seen := map[types.PointID]string{}
	for _, m := range []types.PointMeter{
		{Key: types.HexBytes{1, 2}, Serial: "3"}, {Key: types.HexBytes{1}, Serial: "23"}, {Key: types.HexBytes{1, 2}, Serial: "4"}, {Key: types.HexBytes{1, 2}},
		{Key: types.HexBytes{2, 2}, Serial: "3"},
	} {
		name := fmt.Sprintf("%x %q", []byte(m.Key), m.Serial)
		if other, taken := seen[m.ID()]; taken {
			t.Errorf("%s and %s have one id", name, other)
		}
		seen[m.ID()] = name
		again := m
		again.From, again.Form, again.Export = 7, types.FormOCMF, []string{"x"}
		if again.ID() != m.ID() {
			t.Errorf("%s: the id changes with what is not the meter's identity", name)
		}
	}
}

// The meter of a point, and its sold directions, at a moment of block time.
func TestPointAt(t *testing.T) {
	t.Parallel()
	exports, none := []string{"out"}, []string(nil)
	point := types.Point{Meters: []types.PointMeter{
		{From: 100, Serial: "a", Export: exports}, {From: 200, Serial: "b", Export: none}, {From: 300, Serial: "c", Export: exports, Import: []string{"in"}},
	}}
	for at, want := range map[types.Time]string{0: "", 99: "", 100: "a", 199: "a", 200: "b", 299: "b", 300: "c", 999: "c"} {
		m, ok := point.MeterAt(at)
		if ok != (want != "") || ok && m.Serial != want {
			t.Errorf("at %d: %+v, want %q", at, m, want)
		}
		if got := len(point.RegistersAt(types.DirectionExport, at)) > 0; got != (want == "a" || want == "c") {
			t.Errorf("at %d it sells export: %v", at, got)
		}
		if got := len(point.RegistersAt(types.DirectionImport, at)) > 0; got != (want == "c") {
			t.Errorf("at %d it sells import: %v", at, got)
		}
	}
	if !point.SellsFrom(types.DirectionExport, 250, 1000) || !point.SellsFrom(types.DirectionImport, 0, 1000) {
		t.Error("what it will sell doesn't count")
	}
	point.Meters = point.Meters[:2]
	if !point.SellsFrom(types.DirectionExport, 199, 1000) || point.SellsFrom(types.DirectionExport, 200, 1000) {
		t.Error("it does not stop selling when its next meter comes")
	}
	point.Meters, point.RetiredAt = point.Meters[:1], 500
	if !point.SellsFrom(types.DirectionExport, 1499, 1000) || point.SellsFrom(types.DirectionExport, 1500, 1000) {
		t.Error("a retired point does not sell on until its last agreement has to be over")
	}
}
