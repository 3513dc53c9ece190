// Package home shows the market and a household's trades in Home Assistant, by MQTT discovery: one device with sensors for prices, energy,
// money, locked money and the last trades.
//
// [Messages] turns [Values] into messages: a pure function. [Totals] sums up the trades that have ended, so that the sums only grow and come
// out the same after a restart. A [Feed] asks a node and publishes.
package home
