package sim

// The community's money: millionths of a euro, so that the price of a Wh has three digits.
const (
	moneyCode     = "EUR"
	moneyDecimals = 6
	issuerName    = "Bank"
)

// The stakes of a Wh, in millionths of a euro: thousandths of a euro for a kWh. The bond is the highest price that there can be, so that
// breaking a promise never pays, at any value of the energy elsewhere.
const (
	ceiling    = 500
	lotDeposit = 10
	lotBond    = ceiling
)

// zone is that of all goods.
const zone = "community"
