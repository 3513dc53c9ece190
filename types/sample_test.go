package types_test

import (
	"crypto/ed25519"
	"crypto/sha256"

	"lockstep/types"
)

// A small cast, the same in every test and in the frozen vectors: each key's seed is the SHA-256 of its holder's name.
func signer(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("lockstep test key: " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func keyOf(name string) types.PublicKey {
	return types.PublicKey(signer(name).Public().(ed25519.PublicKey))
}

func sign(tx *types.Tx, name string) *types.Tx {
	signature := ed25519.Sign(signer(name), types.SigningMessage(tx.BodyBytes()))
	return tx.WithSignature(types.Signature{Key: keyOf(name), Bytes: types.SignatureBytes(signature)})
}

// signature signs any message.
func signature(name string, message []byte) types.Signature {
	return types.Signature{Key: keyOf(name), Bytes: types.SignatureBytes(ed25519.Sign(signer(name), message))}
}

const (
	second  = types.Duration(1000)
	minute  = 60 * second
	noon    = types.Time(1_782_043_200_000) // 2026-06-21T12:00:00Z
	quarter = 15 * minute
)

func sampleParams() types.Params { return types.DefaultParams("samplestadt") }

func sampleAsset() types.Asset { return types.Asset{Issuer: keyOf("issuer"), Code: "EUR", Decimals: 2} }

func assetID() types.AssetID {
	asset := sampleAsset()
	return asset.ID()
}

func sampleSecret() types.Secret {
	return types.Secret(sha256.Sum256([]byte("lockstep test secret")))
}

// sampleGoods is a quarter-hour of rooftop power, as the producer's own meter exports it.
func sampleGoods() types.Goods {
	return types.Goods{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 1500, Zone: "feeder 7",
		From: noon.Add(quarter), Until: noon.Add(2 * quarter),
		Flow: types.Flow{Point: types.PointID{1, 2, 3}, Direction: types.DirectionExport},
		Note: "rooftop, 屋顶",
	}
}

func sampleDeadlines() types.Deadlines {
	return types.Deadlines{
		PayBy: noon.Add(10 * minute), DeliverBy: noon.Add(14 * minute), ReadingBy: noon.Add(60 * minute), ConfirmBy: noon.Add(120 * minute),
	}
}

func sampleAgreement() types.Agreement {
	return types.Agreement{
		ChainID: "samplestadt", Producer: keyOf("producer"), Consumer: keyOf("consumer"), Goods: sampleGoods(), Asset: assetID(),
		Price: 45_000, Deposit: 450, Bond: 900, Instalments: 5, Deadlines: sampleDeadlines(), Fallback: &types.Hold{}, Nonce: 7,
	}
}

func sampleOffer() types.Offer {
	return types.Offer{
		ChainID: "samplestadt", Producer: keyOf("producer"), Goods: sampleGoods(), Asset: assetID(),
		Price: types.Rate{Mantissa: 30}, Deposit: types.Rate{Mantissa: 3, Exponent: 1}, Bond: types.Rate{Mantissa: 65, Exponent: 2},
		MinFill: 100, Instalments: 5, Deadlines: sampleDeadlines(), Fallback: &types.Hold{}, Nonce: 9,
	}
}

func sampleMeter() types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: types.HexBytes{0x30, 0x2a, 0x01}, Export: []string{"01-00:02.08.00*FF"}}
}

// samplePoint is a sub-meter that had its meter exchanged.
func samplePoint() types.Point {
	exchanged := types.PointMeter{
		From: noon, Form: types.FormOCMF, Key: types.HexBytes{0x30, 0x59}, Serial: "1EMH0012345678",
		Import: []string{"01-00:01.08.00*FF"}, Export: []string{"01-00:02.08.01*FF", "01-00:02.08.02*FF"},
	}
	return types.Point{
		Owner: keyOf("producer"), Parent: types.PointID{4, 5, 6}, Meters: []types.PointMeter{sampleMeter(), exchanged}, RetiredAt: noon.Add(quarter),
		ExportBelow: types.Below{Open: 2, Until: noon},
	}
}

// sampleSlot holds the sample trade's claim and one reading.
func sampleSlot() types.Slot {
	agreement := sampleAgreement()
	goods := agreement.Goods
	return types.Slot{
		Flow: goods.Flow, From: goods.From, Until: goods.Until, Open: 1,
		Claims:   []types.Claim{{Height: 12, Trade: agreement.ID(), Quantity: goods.Quantity, ReadingBy: agreement.Deadlines.ReadingBy}},
		Readings: []types.SlotReading{{At: noon.Add(3 * quarter), From: goods.From, Until: goods.Until, Quantity: 1400}},
	}
}

// sampleTrade is delivered, with two of its five instalments released.
func sampleTrade() types.Trade {
	agreement, secret := sampleAgreement(), sampleSecret()
	return types.Trade{
		Agreement: agreement, Phase: types.PhaseDelivered, Height: 12, Digest: secret.Digest(5), Released: 2, Preimage: types.Secret(secret.Digest(3)),
		Locked: []types.Locked{
			{Part: types.PartPayment, Amount: 27_000},
			{Part: types.PartReturn, Amount: 450},
			{Part: types.PartBond, Amount: 900},
		},
		Steps: []types.Step{
			{Kind: types.StepAgreed, At: noon, Tx: types.TxID{1}}, {Kind: types.StepPaid, At: noon.Add(minute), Tx: types.TxID{2}},
			{Kind: types.StepDelivered, At: noon.Add(2 * minute), Tx: types.TxID{3}},
			{Kind: types.StepReleased, At: noon.Add(3 * minute), Tx: types.TxID{4}},
		},
	}
}

func sampleProduct() types.Product {
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "feeder 7", From: noon.Add(quarter), Until: noon.Add(2 * quarter),
		Asset: assetID(),
	}
}

// sampleOrder is an offer of the sample goods.
func sampleOrder() types.Order {
	return types.Order{
		ChainID: "samplestadt", Owner: keyOf("producer"), Product: sampleProduct(), Side: types.Sell, Number: 1, Quantity: 1500,
		Lot: 1, Limit: 125, MinFill: 100, Expires: noon.Add(quarter), Fallback: &types.Meter{}, Flow: sampleGoods().Flow,
		Deposit: 10, Bond: 500, MinRecord: 95,
	}
}

// sampleBid is a bid for the sample goods, with a tree of four digests.
func sampleBid() types.Order {
	bid := sampleOrder()
	bid.Owner, bid.Side, bid.Flow, bid.Limit, bid.Root, bid.Depth = keyOf("consumer"), types.Bid, types.Flow{}, 300, sampleTree().Root(), 2
	return bid
}

func sampleTree() types.DigestTree {
	digests := make([]types.Hash, 4)
	for i := range digests {
		digests[i] = types.Secret{byte(i)}.Digest(1)
	}
	return types.NewDigestTree(digests)
}

func sampleGrid() types.Grid { return types.DefaultGrids()[0] }

func sampleAuction() types.Auction {
	offer := sampleOrder()
	return types.Auction{
		Product: sampleProduct(), Height: 12, BlockTime: noon.Add(10 * minute), Clock: noon.Add(10 * minute),
		Grid: sampleGrid(), Rounds: []types.Round{{Sellers: 80, Volume: 1500, Price: 210}},
		Results: []types.Result{
			{Owner: keyOf("consumer"), Order: types.OrderID{1}, Standing: 100, Filled: 1500},
			{Owner: keyOf("producer"), Number: 1, Order: offer.ID(), Standing: 97, Filled: 1500},
			{Owner: keyOf("producer"), Number: 2, Order: types.OrderID{2}, Standing: 97, Excluded: "expired"},
		},
		Trades: []types.MatchTrade{{Trade: types.TradeID{1}, Bid: 0, Offer: 1, Quantity: 1500, Price: 315_000, Leaf: 3}},
	}
}

// sampleAgree is submitted by a third key.
func sampleAgree() *types.Agree {
	agree := &types.Agree{Agreement: sampleAgreement(), Mandates: types.Mandates{ValidUntil: noon.Add(5 * minute)}, Submitter: keyOf("submitter")}
	mandate(&agree.Mandates, agree.Message("samplestadt"))
	return agree
}

// sampleSplit divides the locked sum of the sample trade.
func sampleSplit() *types.Split {
	agreement := sampleAgreement()
	split := &types.Split{
		Trade: agreement.ID(), Phase: types.PhaseDelivered, Released: 2, ToProducer: 20_000, ToConsumer: 8_350,
		Mandates: types.Mandates{ValidUntil: noon.Add(5 * minute)}, Submitter: keyOf("consumer"),
	}
	mandate(&split.Mandates, split.Message("samplestadt"))
	return split
}

// mandate has both parties sign a message.
func mandate(m *types.Mandates, message []byte) {
	m.Producer = types.Signature{Key: keyOf("producer"), Bytes: types.SignatureBytes(ed25519.Sign(signer("producer"), message))}
	m.Consumer = types.Signature{Key: keyOf("consumer"), Bytes: types.SignatureBytes(ed25519.Sign(signer("consumer"), message))}
}

// sampleActions is one of each kind.
func sampleActions() []types.Action {
	agreement, offer, secret := sampleAgreement(), sampleOffer(), sampleSecret()
	trade := agreement.ID()
	return []types.Action{
		&types.Issue{Asset: sampleAsset(), Amount: 100_000},
		&types.Redeem{Asset: assetID(), Amount: 250},
		&types.Post{Offer: offer, Stake: 975},
		&types.Cancel{Offer: offer.ID()},
		&types.Take{Offer: offer.ID(), Consumer: keyOf("consumer"), Quantity: 500, Nonce: 3, Digest: secret.Digest(5)},
		&types.Place{Order: sampleOrder()},
		&types.Withdraw{Product: types.ProductID{1}, Owner: keyOf("consumer"), Number: 3},
		sampleAgree(),
		&types.Pay{Trade: trade, Digest: secret.Digest(5)},
		&types.Deliver{Trade: trade},
		&types.Release{Trade: trade, Instalment: 1, Preimage: secret, Path: []types.Hash{{1}, {2}}},
		sampleSplit(),
		&types.Settle{Trade: trade},
		&types.Award{Trade: trade, ToProducer: 45_900, ToConsumer: 450},
		&types.Reading{Flow: sampleGoods().Flow, From: sampleGoods().From, Records: []types.HexBytes{{0xd1, 0xd2}, {0xd3}}},
		&types.Accept{Key: keyOf("consumer"), Asset: assetID()},
		&types.Decline{Key: keyOf("consumer"), Asset: assetID()},
		&types.Draw{Key: keyOf("consumer"), Asset: assetID(), Amount: 300},
		&types.Recognise{Operator: keyOf("operator"), Asset: sampleAsset(), Least: 10},
		&types.Unrecognise{Operator: keyOf("operator"), Asset: assetID()},
		&types.Admit{Operator: keyOf("operator"), Member: types.Member{Key: keyOf("producer"), Name: "Ada, 屋顶"}},
		&types.Enrol{Operator: keyOf("operator"), Owner: keyOf("producer"), Parent: types.PointID{4, 5, 6}, Meter: sampleMeter()},
		&types.Exchange{Operator: keyOf("operator"), Point: types.PointID{1, 2, 3}, Meter: samplePoint().Meters[1]},
		&types.Retire{Operator: keyOf("operator"), Point: types.PointID{1, 2, 3}},
		sampleGovern(),
		sampleDecision().Acts[0],
		sampleDecision().Acts[1],
		sampleDecision().Acts[2],
		sampleDecision().Acts[3],
	}
}

// sampleDecision has every kind of act that stands in a decision only, and one that an operator does alone elsewhere.
func sampleDecision() types.Decision {
	params := sampleParams()
	change := params.Changeable()
	change.Operators, change.Threshold, change.Rules = []types.PublicKey{keyOf("operator"), keyOf("issuer")}, 2, 2
	at := types.Checkpoint{Height: 400, Hash: types.Hash{5}, Until: noon.Add(types.ConsentValidity)}
	consent := types.Consent{At: at, Signature: signature("validator", types.ConsentMessage("samplestadt", keyOf("validator"), at)).Bytes}
	return types.Decision{ChainID: "samplestadt", Nonce: 77, ValidUntil: noon.Add(types.DecisionValidity), Insist: 1, Acts: []types.Act{
		&types.SetValidator{Key: keyOf("validator"), Power: 12, Consent: []types.Consent{consent}},
		&types.SetParams{Replaces: types.Hash{6}, From: 1000, Change: change},
		&types.SetMarket{From: noon, Market: params.Market},
		&types.Dismiss{Member: keyOf("consumer")},
		&types.Admit{Member: types.Member{Key: keyOf("producer"), Name: "Ada"}},
	}}
}

func sampleGovern() *types.Govern {
	decision := sampleDecision()
	return &types.Govern{Decision: decision, Signatures: []types.Signature{signature("operator", decision.Message())}, Submitter: keyOf("producer")}
}

// sampleGovernance has an entry in each of its lists.
func sampleGovernance() types.Governance {
	params := sampleParams()
	params.Later = []types.LaterMarket{{From: noon, Market: params.Market}}
	return types.Governance{
		Params: params, Scheduled: []types.ScheduledParam{{From: 1000, Change: params.Changeable()}},
		Validators: []types.Seat{{Validator: types.Validator{Key: keyOf("validator"), Power: 12}, Silent: 1}},
		Moves:      []types.PowerMove{{Height: 400, Given: 12, Taken: 3}},
	}
}

// sampleBody pays for the sample trade: one input, change back to the consumer.
func sampleBody() types.Body {
	agreement, secret := sampleAgreement(), sampleSecret()
	return types.Body{
		ChainID: "samplestadt", ValidUntil: noon.Add(5 * minute),
		Inputs:  []types.Outpoint{{Tx: types.TxID{0xcc}, Index: 1}},
		Outputs: []types.Output{{Asset: assetID(), Amount: 4_550, Lock: types.ToKey(keyOf("consumer"))}},
		Actions: []types.Action{&types.Pay{Trade: agreement.ID(), Digest: secret.Digest(5)}},
		Memo:    "E1",
	}
}

func sampleTx() *types.Tx { return sign(types.NewTx(sampleBody()), "consumer") }

// sampleOutcomes has a leaf with each kind of effect.
func sampleOutcomes() []types.Outcome {
	trade, auction := sampleTrade(), sampleAuction()
	step := types.StepOf(trade.ID(), types.EventReleased.Number(), &trade)
	step.Ahead = []types.Ahead{{Claims: 2, Quantity: 900, Agreed: 1}}
	list := []types.Outcome{
		{Effects: []types.Effect{&types.Begun{Params: types.Hash{7}}}},
		{Tx: types.TxID{1}, Effects: []types.Effect{&types.Noted{Event: types.EventOffered.Number(), Subject: types.Hash{8}}}},
		{Tx: types.TxID{2}, Effects: []types.Effect{step}},
		{Tx: types.TxID{3}, Part: 1, Effects: []types.Effect{&types.Ended{Event: types.EventCollected.Number(), Trade: &trade}}},
		{Effects: []types.Effect{&types.Matched{Product: types.ProductID{9}, Match: auction.Trades[0]}}},
		{Effects: []types.Effect{&types.Cleared{
			Product: auction.Product, Grid: auction.Grid, BlockTime: auction.BlockTime, Void: types.VoidLate, Rounds: auction.Rounds,
			Orders: uint32(len(auction.Results)), Root: types.ResultsRoot(auction.Results),
		}}},
		{Tx: types.TxID{4}, Effects: []types.Effect{&types.Governed{Number: 3, Signers: []types.PublicKey{keyOf("operator")}, Decision: sampleDecision()}}},
	}
	for i := range list {
		list[i].Height, list[i].At = 12, noon
	}
	return list
}
