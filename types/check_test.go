package types_test

import (
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
		"16 meters":             {func(g *types.Goods) { g.Meters = manyGauges(16) }, types.CodeOK},
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
		"17 meters":             {func(g *types.Goods) { g.Meters = manyGauges(17) }, types.CodeGoods},
		"meter without flow":    {func(g *types.Goods) { g.Meters[0].Direction = 0 }, types.CodeGoods},
		"meter with odd flow":   {func(g *types.Goods) { g.Meters[0].Direction = 3 }, types.CodeGoods},
		"register too long":     {func(g *types.Goods) { g.Meters[0].Register = strings.Repeat("r", 33) }, types.CodeText},
		"register unprintable":  {func(g *types.Goods) { g.Meters[0].Register = "\x1b[2J" }, types.CodeText},
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

func manyGauges(n int) []types.Gauge {
	gauges := make([]types.Gauge, n)
	for i := range gauges {
		gauges[i] = types.Gauge{Meter: types.MeterID{byte(i)}, Direction: types.DirectionImport}
	}
	return gauges
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
			a.Goods.Meters = nil
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
		"meter terms, no meter":   {func(a *types.Agreement) { a.Fallback = &types.Meter{}; a.Goods.Meters = nil }, types.CodeFallback},
		"arbiter terms":           {func(a *types.Agreement) { a.Fallback = &types.Arbiter{Key: keyOf("arbiter")} }, types.CodeOK},
		"two gauges":              {func(a *types.Agreement) { a.Goods.Meters = manyGauges(2) }, types.CodeGoods},
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
		"a fee in no asset at all": {func(p *types.Params) { p.MinFee = 1 }, types.CodeMalformed},
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
		asset := types.Asset{Code: code}
		if err := asset.Check(); (err == nil) != ok || err != nil && types.CodeOf(err) != types.CodeAssetForm {
			t.Errorf("%q: %v", code, err)
		}
	}
	asset := types.Asset{Code: "EUR", Decimals: types.MaxDecimals}
	if err := asset.Check(); err != nil {
		t.Error(err)
	}
	asset.Decimals++
	if err := asset.Check(); types.CodeOf(err) != types.CodeAssetForm {
		t.Errorf("19 decimals: %v", err)
	}
}

func TestMeterCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		corrupt func(*types.RegisteredMeter)
		want    types.Code
	}{
		"nothing":         {func(*types.RegisteredMeter) {}, types.CodeOK},
		"longest key":     {func(m *types.RegisteredMeter) { m.Key = make([]byte, 256) }, types.CodeOK},
		"no key":          {func(m *types.RegisteredMeter) { m.Key = nil }, types.CodeMeterForm},
		"key too long":    {func(m *types.RegisteredMeter) { m.Key = make([]byte, 257) }, types.CodeMeterForm},
		"retired already": {func(m *types.RegisteredMeter) { m.RetiredAt = 1 }, types.CodeMeterForm},
	} {
		meter := sampleMeter()
		c.corrupt(&meter)
		if err := meter.Check(); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
