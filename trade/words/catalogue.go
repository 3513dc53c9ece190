package words

import "lockstep/trade"

// text is one entry of the catalogue in both languages.
type text struct {
	key     trade.Key
	english string
	chinese string
}

func lookUp(language Language, key trade.Key) (string, bool) {
	for _, list := range [][]text{catalogue, moves} {
		for _, entry := range list {
			if entry.key != key {
				continue
			}
			if language == Chinese {
				return entry.chinese, true
			}
			return entry.english, true
		}
	}
	return "", false
}

// catalogue holds every text. Arguments are in braces; {role's} is the possessive form of {role}.
var catalogue = []text{ //nolint:gochecknoglobals // a constant table
	{trade.PhaseKey(1), "agreed", "已约定"},
	{trade.PhaseKey(2), "paid", "已付款"},
	{trade.PhaseKey(3), "delivered", "已交付"},
	{trade.PhaseKey(4), "released", "已解锁"},
	{trade.PhaseKey(5), "split", "已协商分配"},
	{trade.PhaseKey(6), "settled", "已按读数结算"},
	{trade.PhaseKey(7), "awarded", "已裁决"},
	{trade.PhaseKey(8), "refunded", "已退款"},
	{trade.PhaseKey(9), "lapsed", "已失效"},

	{trade.StateAgreed, "both sides have signed; nothing is locked", "双方已签署交易协议，尚未锁定任何款项"},
	{trade.StateMatched, "an auction matched two orders; nothing is locked", "由拍卖撮合，尚未锁定任何款项"},
	{trade.StatePaid, "payment and deposit are locked", "货款和附加金已锁定"},
	{trade.StateDelivered, "the return is locked like the payment", "返回金与货款以同一把锁锁定"},
	{trade.StatePartlyReleased, "{released} of {instalments} instalments are released", "共{instalments}期，已解锁{released}期"},
	{trade.StateReleased, "the secret is on the ledger and every part has its owner", "解锁信息已上链，各笔款项均有归属"},
	{trade.StateReleasedAndOver, "complete: every part is spent", "交易完成，各笔款项均已取走"},
	{trade.StateSplit, "cancelled by both: they divided the money", "双方协商取消，款项已分配"},
	{trade.StateSettled, "settled by the reading: {quantity} of {total}", "已按读数结算：约定{total}，实际{quantity}"},
	{trade.StateAwarded, "divided by the arbiter", "款项已由仲裁人分配"},
	{trade.StateRefundable, "{role} did not deliver by {until}; the refund is ready", "{role}未在{until}之前交付，可随时取回退款"},
	{trade.StateRefunded, "{role} did not deliver by {until}; the refund is spent", "{role}未在{until}之前交付，退款已取走"},
	{trade.StateLapsed, "{role} did not pay by {until}", "{role}未在{until}之前付款"},

	{trade.ElseLapse, "after {until} the agreement lapses", "{until}之后，交易协议失效"},
	{trade.ElseRefund, "after {until} payment and deposit go back", "{until}之后，货款和附加金退回"},
	{trade.ElseLocked, "{sum} stay locked without an end", "{sum}将一直锁定，没有期限"},
	{trade.ElseSettle, "after {until} anyone can settle by the reading, {quantity} of {total} so far",
		"{until}之后，任何人都可按读数结算（约定{total}，目前读数{quantity}）"},
	{trade.ElseSettleSoon, "{sum} stay locked until anyone settles by the reading, {quantity} of {total}",
		"{sum}保持锁定，直到有人按读数结算（约定{total}，读数{quantity}）"},
	{trade.ElseAward, "after {until} {role} can divide {sum}", "{until}之后，{role}可以分配{sum}"},
	{trade.ElseAwardSoon, "{sum} stay locked until {role} divides or both sides split", "{sum}保持锁定，直到{role}作出分配或双方协商分配"},
	{trade.ElseKeep, "each part stays with its owner; there is no deadline", "各笔款项归其所有者，取款没有期限"},
	{trade.ElseNothing, "the trade is over", "交易已结束"},
	{trade.ElseOnRecord, "it counts against {role} on the record", "计入{role}的不良履约记录"},

	{trade.EffectLocks, "locks {sum} of {role}", "锁定{role}的{sum}"},
	{trade.EffectGives, "{sum} to {role}", "{role}得{sum}"},
	{trade.EffectDivides, "divides {sum} between the two sides", "在双方之间分配{sum}"},
	{trade.EffectReads, "shows how much was delivered", "证明已交付的数量"},

	{trade.OwnerNobody, "nobody's yet", "尚无归属"},
	{trade.OwnerRole, "{role's} to spend", "归{role}所有，可随时支取"},

	{trade.Price, "{sum}, deposit {deposit}, bond {bond}", "{sum}，附加金{deposit}，保证金{bond}"},

	{trade.TermsHold, "hold: without a release everything stays locked", "锁定条款：不解锁则一直锁定"},
	{trade.TermsMeter, "meter: without a release it is settled by the reading", "计量条款：不解锁则按读数结算"},
	{trade.TermsArbiter, "arbiter: without a release {arbiter} divides it", "仲裁条款：不解锁则由{arbiter}分配"},

	{trade.StageAgreed.Key(), "agreed", "约定"},
	{trade.StageMatched.Key(), "matched", "撮合"},
	{trade.StageLapsed.Key(), "lapsed", "失效"},
	{trade.StagePaid.Key(), "E1 paid", "E1 付款"},
	{trade.StageNotDelivered.Key(), "E2 not delivered", "E2 未交付"},
	{trade.StageRefund.Key(), "refund", "退款"},
	{trade.StageDelivered.Key(), "E2 delivered", "E2 交付"},
	{trade.StageSplit.Key(), "split", "协商分配"},
	{trade.StageSettled.Key(), "settled", "结算"},
	{trade.StageAwarded.Key(), "awarded", "裁决"},
	{trade.StageReleased.Key(), "E3 released", "E3 解锁"},
	{trade.StageCollected.Key(), "E4 collected", "E4 收款"},

	{trade.NoteAgreed, "nothing is locked", "未锁定任何款项"},
	{trade.NoteMatched, "by an auction; nothing is locked", "由拍卖撮合，未锁定任何款项"},
	{trade.NotePaid, "payment {sum} and deposit {deposit} are locked", "货款{sum}和附加金{deposit}已锁定"},
	{trade.NoteLapsed, "{role} did not pay; nothing was locked", "{role}未付款，未锁定任何款项"},
	{trade.NoteNotDelivered, "deliver-by has passed", "交付期限已过"},
	{trade.NoteRefunded, "{role} spent payment and deposit again", "{role}已取回货款和附加金"},
	{trade.NoteDelivered, "the deposit became the return, locked like the payment", "附加金转为返回金，与货款以同一把锁锁定"},
	{trade.NoteDeliveredBond, "the deposit became the return, locked like the payment; bond {sum} is locked",
		"附加金转为返回金，与货款以同一把锁锁定；保证金{sum}已锁定"},
	{trade.NoteSplit, "divided as both agreed", "按双方约定分配"},
	{trade.NoteSettled, "by the reading: {quantity} of {total}", "按读数结算：约定{total}，实际{quantity}"},
	{trade.NoteAwarded, "divided by the arbiter", "由仲裁人分配"},
	{trade.NoteReleased, "the secret is on the ledger: return to the consumer, payment and bond to the producer",
		"解锁信息已上链：返回金归消费者，货款和保证金归生产者"},
	{trade.NotePartlyReleased, "{released} of {instalments} instalments so far: {sum} is the producer's", "共{instalments}期，已解锁{released}期：{sum}归生产者"},
	{trade.NoteCollected, "the producer has spent the payment; it had no deadline", "生产者已取走货款（没有期限）"},

	{trade.PartKey(1), "payment", "货款"},
	{trade.PartKey(2), "deposit", "附加金"},
	{trade.PartKey(3), "return", "返回金"},
	{trade.PartKey(4), "bond", "保证金"},

	{trade.MoveKey("pay"), "pay", "付款"},
	{trade.MoveKey("deliver"), "deliver", "交付"},
	{trade.MoveKey("release"), "release", "解锁"},
	{trade.MoveKey("split"), "split", "协商分配"},
	{trade.MoveKey("collect"), "collect", "收款"},
	{trade.MoveKey("take_return"), "take return", "取回返回金"},
	{trade.MoveKey("refund"), "refund", "取回退款"},
	{trade.MoveKey("read"), "read", "提交读数"},
	{trade.MoveKey("settle"), "settle", "结算"},
	{trade.MoveKey("award"), "award", "裁决"},

	{trade.RoleKey(trade.Producer), "producer", "生产者"},
	{trade.RoleKey(trade.Consumer), "consumer", "消费者"},
	{trade.RoleKey(trade.Arbiter), "arbiter", "仲裁人"},
	{trade.RoleKey(trade.Both), "both", "双方"},
	{trade.RoleKey(trade.Anyone), "anyone", "任何人"},
	{trade.RoleKey(trade.Nobody), "nobody", "无"},

	{you, "you", "您"},
	{yours, "yours", "您"},
	{named + trade.Key(trade.Producer), "the producer", "生产者"},
	{named + trade.Key(trade.Consumer), "the consumer", "消费者"},
	{named + trade.Key(trade.Arbiter), "the arbiter", "仲裁人"},
	{owned + trade.Key(trade.Producer), "the producer's", "生产者"},
	{owned + trade.Key(trade.Consumer), "the consumer's", "消费者"},
	{owned + trade.Key(trade.Arbiter), "the arbiter's", "仲裁人"},
	{Colon, ": ", "："},
	{separator, ", ", "，"},

	{trade.EventKey("issued"), "money was issued", "发行了资产"},
	{trade.EventKey("redeemed"), "money was redeemed", "赎回了资产"},
	{trade.EventKey("transferred"), "money was sent", "发生转账"},
	{trade.EventKey("offered"), "an offer was posted", "发布了要约"},
	{trade.EventKey("offer_closed"), "an offer was taken up, cancelled or expired", "要约已售完、撤销或到期"},
	{trade.EventKey("ordered"), "an order was placed or replaced", "提交或替换了订单"},
	{trade.EventKey("withdrawn"), "an order was withdrawn", "撤回了订单"},
	{trade.EventKey("cleared"), "the auction was held", "拍卖已完成"},
	{trade.EventKey("matched"), "an auction made the trade; nothing is locked", "拍卖撮合成交，未锁定任何款项"},
	{trade.EventKey("agreed"), "both sides signed; nothing is locked", "双方签署交易协议，未锁定任何款项"},
	{trade.EventKey("paid"), "the consumer paid; payment and deposit are locked", "消费者已付款，货款和附加金已锁定"},
	{trade.EventKey("delivered"), "the producer delivered; the return is locked like the payment", "生产者已交付，返回金与货款以同一把锁锁定"},
	{trade.EventKey("released"), "the secret of one or more instalments is on the ledger", "一期或多期的解锁信息已上链"},
	{trade.EventKey("split"), "both sides cancelled and divided the money", "双方协商取消并分配了款项"},
	{trade.EventKey("lapsed"), "the consumer did not pay by pay-by", "消费者未在付款期限内付款"},
	{trade.EventKey("collected"), "the producer collected the payment", "生产者已收取货款"},
	{trade.EventKey("refunded"), "the producer did not deliver by deliver-by; the consumer took payment and deposit back",
		"生产者未在交付期限内交付，消费者已取回货款和附加金"},
	{trade.EventKey("returned"), "the consumer took the return", "消费者已取回返回金"},
	{trade.EventKey("settled"), "settled by the reading", "已按读数结算"},
	{trade.EventKey("awarded"), "the arbiter divided the money", "仲裁人已分配款项"},
	{trade.EventKey("read"), "a meter reading was posted", "提交了电表读数"},
	{trade.EventKey("registered"), "a member or a connection point was registered", "登记了成员或接入点"},

	{LabelTrade, "Trade", "交易"},
	{LabelGoods, "Goods", "商品"},
	{LabelPrice, "Price", "货款"},
	{LabelProducer, "Producer", "生产者"},
	{LabelConsumer, "Consumer", "消费者"},
	{LabelTerms, "Terms", "条款"},
	{LabelPhase, "Phase", "阶段"},
	{LabelLocked, "Locked", "锁定"},
	{LabelNext, "Next", "下一步"},
	{LabelCan, "Can", "可以"},
	{LabelElse, "Else", "否则"},
	{LabelYou, "(you)", "（您）"},
	{ColumnPhase, "phase", "阶段"},
	{ColumnYou, "you are", "您是"},
	{ColumnGoods, "goods", "商品"},
	{ColumnPrice, "price", "货款"},
	{ColumnNext, "next", "下一步"},
	{ColumnTrade, "trade", "交易"},
	{NothingLocked, "Nothing is locked.", "没有锁定任何款项。"},
	{TradeIsOver, "The trade is over and has left the ledger's state.", "交易已结束，并已移出账本状态。"},
	{NoTrades, "No trades.", "没有交易。"},
	{AnyTime, "any time", "任何时候"},
	{By, "by {value}", "{value}之前"},
	{TimeLeft, "{value} left", "剩余{value}"},
	{Aside, " ({value})", "（{value}）"},
	{DeadlinePassed, "passed", "已过期"},
}
