package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
)

// outcomesAtOnce stand in one message.
const outcomesAtOnce = 500

func outcomesOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodGet, Path: "/v1/outcomes", OperationID: "outcomes", Summary: "What becomes of transactions, as it is decided",
		Description: "Server-sent events, for who submits much: each tells what a block made of up to 500 of its transactions. Its data is in " +
			"JSON as Outcomes, its id \"height:index\" that of the last of them. For the rest it is as /v1/events.",
		Responses: streamOf("Outcomes"),
	}
	describeProblems(&op, http.StatusConflict)
	return op
}

type outcomesInput struct {
	From uint64   `query:"from" doc:"the first height; without it, what comes next"`
	Last position `header:"Last-Event-ID" doc:"the id of the last message that was received"`
}

func (s *server) outcomes(ctx context.Context, in *outcomesInput) (*huma.StreamResponse, error) {
	return s.openStream(ctx, in.Last, in.From, writeOutcomes)
}

func writeOutcomes(out io.Writer, block *wire.Block, first int) error {
	for ; first < len(block.Txs); first += outcomesAtOnce {
		part := block.Txs[first:min(first+outcomesAtOnce, len(block.Txs))]
		outcomes := wire.Outcomes{Height: block.Height, Txs: make([]wire.Outcome, len(part))}
		for i, tx := range part {
			outcomes.Txs[i] = wire.Outcome{ID: tx.ID, Code: tx.Code}
		}
		data, err := json.Marshal(outcomes)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "event: outcomes\nid: %d:%d\ndata: %s\n\n", block.Height, first+len(part)-1, data); err != nil {
			return err
		}
	}
	return nil
}
