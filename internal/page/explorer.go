package page

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/trade"
	"lockstep/types"
)

// mostBlocks bounds the blocks on one page.
const mostBlocks = 15

type explorerView struct {
	Blocks []wire.BlockHead
	Older  string // the height at which the next page begins
	Typed  string // in the search
	Found  []finding
	More   bool   // more was found than is listed
	Wrong  string // why the search found nothing
}

// finding is one result of a search.
type finding struct{ Kind, Path, ID string }

func (c *screen) explorer() error {
	c.Nav, c.Title = "explorer", string(c.T("nav.explorer"))
	view, err := c.blocks()
	if err != nil {
		return err
	}
	return c.render("explorer", view)
}

func (c *screen) blocks() (*explorerView, error) {
	if c.Status, c.Down = c.facts.status(c.r.Context()); c.Down != nil {
		return nil, c.Down
	}
	from := c.Status.Height
	if text := c.r.URL.Query().Get("from"); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return nil, c.tell(types.CodeMalformed, "fault.height", "text", clipped(text))
		}
		from = min(from, n)
	} else {
		c.Live = "blocks"
	}
	view := &explorerView{}
	for height := from; height > 0 && len(view.Blocks) < mostBlocks; height-- {
		block, err := c.ask().Block(c.r.Context(), height)
		if err != nil {
			if len(view.Blocks) > 0 { // the node has pruned the older ones
				return view, nil //nolint:nilerr // what there is is shown
			}
			return nil, err
		}
		view.Blocks = append(view.Blocks, block)
		if height > 1 && len(view.Blocks) == mostBlocks {
			view.Older = strconv.FormatUint(height-1, 10)
		}
	}
	return view, nil
}

// kinds are the kinds of ids that a search looks through, with the pages that show them.
var kinds = []struct{ kind, path string }{ //nolint:gochecknoglobals // a constant table
	{"trade", "/trades/"}, {"transaction", "/transactions/"}, {"asset", "/assets/"}, {"product", "/market/"}, {"offer", "/offers/"},
}

// search finds a block by its height, a key by the member's label for it, and anything else by the beginning of its id or key.
func (c *screen) search() error {
	typed := strings.TrimSpace(c.r.URL.Query().Get("q"))
	text := strings.ToLower(typed)
	if text == "" {
		return c.redirect("/explorer")
	}
	if height, err := strconv.ParseUint(text, 10, 63); err == nil && len(text) < 12 {
		if _, err := c.ask().Block(c.r.Context(), height); err == nil {
			return c.redirect("/blocks/" + text)
		}
	}
	found, more, wrong := []finding(nil), false, ""
	if labelled(text) {
		key, err := c.keyOf(typed)
		if err == nil {
			return c.redirect("/keys/" + key.String())
		}
		wrong = c.explain(err)
	} else if _, _, err := types.PrefixRange(text); err != nil {
		wrong = c.Plain("search.no_id", "text", clipped(typed), "n", types.MinPrefix)
	} else if found, more, err = c.find(text); err != nil {
		return err
	}
	if len(found) == 1 {
		return c.redirect(found[0].Path)
	}
	c.Nav, c.Title = "explorer", string(c.T("nav.explorer"))
	view, err := c.blocks()
	if err != nil {
		return err
	}
	c.Live = ""
	view.Typed, view.Found, view.More = typed, found, more
	if len(found) == 0 {
		if view.Wrong = wrong; wrong == "" {
			view.Wrong = c.Plain("search.none", "text", clipped(typed))
		}
		c.code = http.StatusNotFound
	}
	return c.render("explorer", view)
}

// find lists what begins with some digits of an id or key, and reports whether there is more of it.
func (c *screen) find(prefix string) (found []finding, more bool, err error) {
	looked := kinds
	if strings.HasPrefix(prefix, "lk1") {
		looked = []struct{ kind, path string }{{"key", "/keys/"}}
	}
	for _, kind := range looked {
		ids, err := c.ask().IDs(c.r.Context(), kind.kind, prefix)
		if err != nil {
			return nil, false, err
		}
		for _, id := range ids.IDs {
			path := kind.path + id
			if kind.kind == "offer" && !c.SignedIn() { // to take an offer needs a wallet
				path = "/market?offer=" + id + "#offers"
			}
			found = append(found, finding{kind.kind, path, id})
		}
		more = more || ids.More
	}
	return found, more, nil
}

type blockView struct {
	wire.BlockHead
	Txs    []wire.BlockTx
	Events []eventRow
	Next   string // of the transactions
	More   bool   // there are more events
}

// eventRow is an event in words.
type eventRow struct {
	Text  string
	Trade string
}

func (c *screen) block() error {
	height, err := strconv.ParseUint(c.r.PathValue("height"), 10, 63)
	if err != nil {
		return c.tell(types.CodeMalformed, "fault.height", "text", clipped(c.r.PathValue("height")))
	}
	head, err := c.ask().Block(c.r.Context(), height)
	if err != nil {
		return err
	}
	const mostEvents = 100
	txs, err := c.ask().BlockTxs(c.r.Context(), head.Height, client.Page{After: c.r.URL.Query().Get("after"), Limit: mostOver})
	if err != nil {
		return err
	}
	events, err := c.ask().BlockEvents(c.r.Context(), head.Height, client.Page{Limit: mostEvents})
	if err != nil {
		return err
	}
	view := blockView{BlockHead: head, Txs: txs.Txs, Next: txs.Next, More: events.Next != ""}
	for i := range events.Events {
		event := &events.Events[i]
		row := eventRow{Text: c.Upper(c.W(trade.EventKey(event.Kind)))}
		if (event.Trade != types.TradeID{}) {
			row.Trade = event.Trade.String()
		}
		view.Events = append(view.Events, row)
	}
	c.Nav, c.Title = "explorer", c.Plain("block.title", "n", head.Height)
	return c.render("block", &view)
}

// Does lists the actions of a transaction by their kinds.
func (c *screen) Does(tx *types.Tx) string {
	if tx == nil {
		return ""
	}
	var kinds []string
	for _, action := range tx.Body.Actions {
		kinds = append(kinds, types.ActionKind(action))
	}
	if len(kinds) == 0 {
		return c.Plain("tx.pays")
	}
	return strings.Join(kinds, ", ")
}

type txView struct {
	Receipt wire.Receipt
	Tx      *types.Tx
	JSON    string
}

func (c *screen) transaction() error {
	var id types.TxID
	if err := c.whole("transaction", c.r.PathValue("id"), &id); err != nil {
		return err
	}
	tx, receipt, err := c.findTx(c.r.Context(), id)
	if err != nil {
		return err
	}
	view := txView{Receipt: receipt, Tx: tx}
	if tx != nil {
		text, err := json.MarshalIndent(&tx.Body, "", "  ")
		if err != nil {
			return err
		}
		view.JSON = string(text)
	}
	if receipt.Status == wire.StatusPending {
		c.Live = "blocks"
	}
	c.Nav, c.Title = "explorer", c.Plain("tx.title", "id", shortID(id.String()))
	return c.render("transaction", &view)
}

type assetView struct {
	wire.Asset
	Trusted bool
}

// assetOf looks up the asset that the address names.
func (c *screen) assetOf() (id types.AssetID, asset wire.Asset, err error) {
	if err = c.whole("asset", c.r.PathValue("id"), &id); err != nil {
		return id, asset, err
	}
	asset, err = c.ask().Asset(c.r.Context(), id)
	return id, asset, err
}

func (c *screen) asset() error {
	_, asset, err := c.assetOf()
	if err != nil {
		return err
	}
	c.Nav, c.Title = "explorer", asset.Asset.Code
	return c.render("asset", &assetView{asset, c.trusts(&asset.Asset)})
}

type keyView struct {
	Key      types.PublicKey
	Balances []wire.Balance
	Trades   []tradeRow
	More     bool
	Conduct  []conductRow
	Since    *history.Since // of the conduct
}

// conductRow is how the trades of a key in one asset have ended.
type conductRow struct {
	Asset                    types.AssetID
	Sold, Bought, Kept, Over uint64
}

func (c *screen) key() error {
	var key types.PublicKey
	if err := c.whole("key", c.r.PathValue("key"), &key); err != nil {
		return err
	}
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := keyView{Key: key}
	balances, err := c.ask().Balances(c.r.Context(), key, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Balances = balances.Balances
	trades, err := c.ask().Trades(c.r.Context(), key, false, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.More = trades.Next != ""
	for i := range trades.Trades {
		t := &trades.Trades[i]
		status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
		row := c.openRow(t, &status)
		row.Sum = c.Money(t.Trade.Agreement.Asset, t.Trade.Agreement.Price)
		view.Trades = append(view.Trades, row)
	}
	if conduct, err := c.ask().Conduct(c.r.Context(), key, client.Page{}); err == nil {
		view.Since = conduct.Since
		for i := range conduct.Assets {
			s := &conduct.Assets[i]
			sold, bought := s.AsProducer.All().Trades, s.AsConsumer.All().Trades
			open := s.AsProducer.Open.Trades + s.AsConsumer.Open.Trades
			view.Conduct = append(view.Conduct, conductRow{
				s.Asset, sold, bought, s.AsProducer.Released.Trades + s.AsConsumer.Released.Trades, sold + bought - open,
			})
		}
	}
	c.Nav, c.Live = "explorer", "key:"+key.String()
	c.Title = c.Name(key)
	return c.render("key", &view)
}

// bar is a horizontal bar of parts, drawn as an SVG: a strict policy allows no style in an element.
func bar(class, title string, parts ...barPart) template.HTML {
	var total, x float64
	for _, part := range parts {
		total += part.size
	}
	if total == 0 {
		return ""
	}
	const width = 1000
	var out strings.Builder
	described := `aria-hidden="true"` // a number beside it says the same
	if title != "" {
		described = `role="img" aria-label="` + escape(title) + `"`
	}
	out.WriteString(`<svg class="` + class + `" viewBox="0 0 1000 10" preserveAspectRatio="none" ` + described + `>`)
	for _, part := range parts {
		if part.size <= 0 {
			continue
		}
		w := part.size / total * width
		gap := 0.0
		if x > 0 {
			gap = min(3, w/2)
		}
		out.WriteString(`<rect class="` + part.class + `" x="` + strconv.FormatFloat(x+gap, 'f', 2, 64) + `" y="0" width="` + strconv.FormatFloat(w-gap, 'f', 2, 64) + `" height="10"/>`)
		x += w
	}
	out.WriteString(`</svg>`)
	return template.HTML(out.String())
}

type barPart struct {
	class string
	size  float64
}

// Progress is a bar that is filled by some hundredths.
func (c *screen) Progress(part int) template.HTML {
	return bar("bar", strconv.Itoa(part)+" %", barPart{"fill", float64(part)}, barPart{"rest", float64(100 - part)})
}
