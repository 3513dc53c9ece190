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

// outcomesAtOnce bounds the outcomes in one message.
const outcomesAtOnce = 500

func outcomesOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodGet, Path: "/v1/outcomes", OperationID: "outcomes", Summary: "Outcomes of transactions, as they are decided",
		Description: "Server-sent events for clients with many transactions: each has the outcomes of up to 500 transactions of a block. Its data " +
			"is an Outcomes in JSON, its id \"height:index\" that of the last transaction. In all else it is like /v1/events.",
		Responses: streamOf("Outcomes"),
	}
	describeProblems(&op, http.StatusConflict, http.StatusGone)
	return op
}

type outcomesInput struct {
	From uint64   `query:"from" doc:"the first height; without it, the next block"`
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
