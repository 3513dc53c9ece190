package sim

import "fmt"

// words translates the texts of the page. A text without a translation stays in English.
type words struct{ chinese map[string]string }

func wordsIn(lang string) words {
	if lang == "zh" {
		return words{chineseWords()}
	}
	return words{}
}

func (w words) say(english string) string {
	if chinese, known := w.chinese[english]; known {
		return chinese
	}
	return english
}

// format is say for a text with values.
func (w words) format(english string, values ...any) string {
	return fmt.Sprintf(w.say(english), values...)
}

func chineseWords() map[string]string {
	return map[string]string{
		"A day of the market":    "市场的一天",
		"quarter-hours":          "个一刻钟时段",
		"households":             "户人家",
		"trades":                 "笔交易",
		"matched":                "已撮合",
		"self-sufficiency":       "自给率",
		"saved by all":           "全体节省",
		"price range":            "电价范围",
		"locked at the end":      "日终仍锁定",
		"ct/kWh":                 "欧分/千瓦时",
		"time of day":            "时刻",
		"traded":                 "成交",
		"demand":                 "需求",
		"supply":                 "供给",
		"clearing price":         "出清价",
		"price":                  "电价",
		"what utilities charge":  "电力公司的售价",
		"what the grid pays":     "电网的收购价",
		"asked":                  "求购",
		"offered":                "出售",
		"asked, not matched":     "求购未成交",
		"offered, not matched":   "出售未成交",
		"with a roof":            "有光伏屋顶",
		"without":                "无光伏",
		"Supply and demand":      "供给与需求",
		"Price over the day":     "全天电价",
		"Energy matched and not": "已撮合与未撮合的电量",
		"Money per household":    "各户节省的钱",
		"Money locked in trades": "锁定在交易中的钱",
		"Recompute it by hand":   "手工验算",
		"The books":              "总账",
		"Every quarter-hour":     "每个时段",
		"Upwards what was asked, downwards what was offered; the matched part is the same on both sides.":                                        "向上为求购，向下为出售；两侧的已撮合部分相等。",
		"Saved against buying all from the utility and selling all to the grid.":                                                                 "与全部向电力公司购电、全部卖给电网相比所节省的钱。",
		"Payments, deposits and bonds that were nobody's yet when the quarter-hour ended.":                                                       "每个时段结束时尚不属于任何人的货款、押金与保证金。",
		"Bids from the highest down, offers from the lowest up. To the left of the mark everybody who is served trades, all at the same price.":  "买单由高到低，卖单由低到高。标记左侧的都成交，价格相同。",
		"The price lies between what the grid pays and what utilities charge: near the top when sun is scarce, near the bottom when it abounds.": "电价介于电网收购价与电力公司售价之间：阳光稀缺时接近上限，充裕时接近下限。",
		"Round":           "第",
		"What went wrong": "出了什么问题", "Every household kept its word.": "每户都守约。",
		"%s stops delivering at %s": "%s 从 %s 起不再交货", "%s stops releasing at %s": "%s 从 %s 起不再解锁", "A cloud over %s at %s": "%s 上空在 %s 飘来一片云",
		"It goes on offering and sells %s kWh in %d trades, for %s. It feeds nothing in. It costs it all its bonds, %s: %.1f times the price. The meter showed nothing, so at confirm-by price, deposit and bond were the buyers', %d households. They gain the bonds, and wait up to %s of the ledger clock.": "它继续出售，共卖出 %s 千瓦时、%d 笔交易、合计 %s，却没有馈入。它失去全部保证金 %s，是价款的 %.1f 倍。电表没有读数，因此确认期限一到，货款、附加金与保证金都归买方，共 %d 户。买方得到保证金，按账本时钟最多等待 %s。",
		"It gets %s kWh in %d trades and keeps the secrets. It gains nothing: the meters had read all of it, so at confirm-by the price was the sellers' all the same, %s. It costs it its deposits too, %s. It hits %d households: they lose nothing, but wait up to %s.":                                     "它在 %[2]d 笔交易中收到 %[1]s 千瓦时，却不交出秘密。它一无所获：电表已读到全部电量，确认期限一到，货款 %[3]s 仍归卖方；它还失去附加金 %[4]s。受影响的有 %[5]d 户：没有损失，但最多等待 %[6]s。",
		"Of %s kWh that it had sold in %d trades the meter saw %s kWh. At confirm-by the meter decides: it is paid for what was read, and the same part of its bonds is its own again. The rest, %s of bonds, is the buyers'.":                                                                                 "它在 %[2]d 笔交易中售出 %[1]s 千瓦时，电表只读到 %[3]s 千瓦时。确认期限一到由电表决定：按读数付款，同比例的保证金退还；其余保证金 %[4]s 归买方。",
		" Its record fell to %d %%; those it had failed twice demand %d %%. In auctions with such a demand it wanted to trade %s kWh, and was matched with %s kWh.":                                                                                                                                            " 它的履约记录降到 %d %%，被它辜负两次的住户要求 %d %%。在有此要求的拍卖中，它想交易 %s 千瓦时，成交 %s 千瓦时。",
		"among sellers with a record of at least %d %% and buyers with at least %d %%": "轮：卖方记录不低于 %d %%，买方记录不低于 %d %%",
		"1. The orders": "1. 订单",
		"Every order that took part, bids from the highest limit down, offers from the lowest up. The sum runs along the side.": "所有参与的订单：买单由高到低，卖单由低到高；累计量按各侧依次相加。",
		"2. The price": "2. 价格",
		"At each limit, and between two neighbouring ones: demand is the sum of bids at or above it, supply that of offers at or below it. What can be traded is the smaller of the two. Most is traded in the marked rows, with the smallest imbalance; with supply to spare the price is the lowest of them, with demand to spare the highest, else the middle, rounded down.": "在每个限价处以及相邻限价之间：需求是限价不低于它的买单之和，供给是限价不高于它的卖单之和，可成交量取两者较小者。加粗的行成交最多且失衡最小；供给有余时价格取其中最低价，需求有余时取最高价，两者相等时取中点（向下取整）。",
		"3. Who gets what": "3. 各得多少",
		"The short side is served in full. On the long side better limits come first; at the last limit that gets something, the rest is shared pro rata. Each trade costs its quantity times the price, exactly.": "短缺一侧全部成交；另一侧限价优者先得，最后一档按比例分配。每笔交易的金额恰为电量乘以价格。",
		"4. By machine": "4. 用程序验算",
		"Save these lines as orders.csv and run the command: it knows nothing of this ledger and finds the same.": "把以下内容存为 orders.csv 并运行命令：该命令不依赖本账本，结果应当相同。",
		"order": "订单", "side": "方向", "household": "住户", "limit": "限价", "quantity": "数量", "sum": "累计", "gets": "成交",
		"record": "记录", "demands": "要求", "bid": "买", "offer": "卖", "imbalance": "失衡", "between": "之间", "seller": "卖方", "buyer": "买方",
		"hour": "时刻", "saved": "节省", "to spare": "富余", "sold": "售出", "in need": "所需", "bought": "买入", "in": "收入", "out": "支出", "has": "持有",
		"issued": "发行", "held": "持有", "locked": "锁定", "self-suff.": "自给率", "welfare": "总福利",
		"issued = held + locked: it adds up, to the unit.": "发行 = 持有 + 锁定：分毫不差。",
		"It does not add up:":                              "账目不平：",
		"released":                                         "已放款", "settled by the meter": "按电表结算",
		"Nothing was matched in this quarter-hour.":                           "该时段没有成交。",
		"prices in millionths of a euro for a Wh: ten of them are one ct/kWh": "价格单位：百万分之一欧元/瓦时，其十倍为一欧分/千瓦时",
		"Price and volume": "价格与成交量",
		"Every auction was computed again from its orders when this page was written; all of them agree with the ledger.": "生成本页时已由订单重新计算每场拍卖，结果与账本全部一致。",
	}
}
