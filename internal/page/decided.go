package page

import (
	"html/template"
	"strings"

	"lockstep/client"
	"lockstep/types"
)

// decidedView shows the operators and their last decisions.
type decidedView struct {
	Operators int
	Names     string // of them
	Needed    uint32
	Waiting   int // changes of parameters that wait for their block
	Rows      []decidedRow
	More      uint64
}

// decidedRow is a decision of operators.
type decidedRow struct {
	Number  uint64
	At      string
	Acts    []template.HTML
	Signers []string
	Tx      types.TxID
}

// mostDecided bounds the decisions that are shown.
const mostDecided = 10

// decided asks for the last decisions; nil where nobody decides, or the node does not tell.
func (c *screen) decided() *decidedView {
	ctx := c.r.Context()
	shown, err := c.ask().Governance(ctx)
	g := &shown.Governance
	if err != nil || len(g.Params.Operators) == 0 {
		return nil
	}
	page, err := c.ask().Decisions(ctx, client.Page{Limit: mostDecided})
	if err != nil {
		return nil
	}
	v := &decidedView{Needed: g.Params.Needed(), Waiting: len(g.Scheduled), More: shown.Decisions - min(shown.Decisions, uint64(len(page.Decisions)))}
	names := make([]string, len(g.Params.Operators))
	for i, operator := range g.Params.Operators {
		names[i] = c.Name(operator)
	}
	v.Operators, v.Names = len(names), strings.Join(names, c.Comma())
	for i := range page.Decisions {
		d := &page.Decisions[i].Decided
		row := decidedRow{Number: d.Number, At: c.Stamp(d.At), Tx: d.Tx}
		for _, act := range d.Decision.Acts {
			row.Acts = append(row.Acts, c.act(act))
		}
		for _, signer := range d.Signers {
			row.Signers = append(row.Signers, c.Name(signer))
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// act names an act of operators.
func (c *screen) act(act types.Act) template.HTML {
	switch a := act.(type) {
	case *types.Admit:
		return c.T("act.admit", "name", a.Member.Name)
	case *types.Dismiss:
		return c.T("act.dismiss", "name", c.Name(a.Member))
	case *types.Enrol:
		return c.T("act.enrol", "name", c.Name(a.Owner))
	case *types.Exchange:
		return c.T("act.exchange")
	case *types.Retire:
		return c.T("act.retire")
	case *types.Recognise:
		return c.T("act.recognise", "code", a.Asset.Code)
	case *types.Unrecognise:
		return c.T("act.unrecognise")
	case *types.SetValidator:
		if a.Power == 0 {
			return c.T("act.validator_out", "name", c.Name(a.Key))
		}
		return c.T("act.validator", "name", c.Name(a.Key), "n", a.Power)
	case *types.SetParams:
		return c.T("act.params", "n", a.From)
	case *types.SetMarket:
		return c.T("act.market", "t", c.Stamp(a.From))
	}
	return ""
}
