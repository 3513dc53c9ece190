// Package source reads the live values of meters, inverters and home software: by MQTT, HTTP, Modbus TCP, and from files.
//
// Start with [Load], which reads a configuration, and [Open] and [Source.Run], which deliver [Reading] values until the context ends.
// A [Series] turns the readings of one value into energy by slots. [Templates] are configurations for common products.
//
// # From readings to energy
//
// All sums are exact: values stay decimal numbers as written, and sums are rational numbers. No float is added.
//
// A register of energy counts by its differences. A difference that covers the bound of a slot is divided in proportion to time.
// A power counts by its value times the time until the next value: each value holds until the next, as publishers report changes. A
// negative power of a value that is import or export alone counts as nothing.
//
// The rules for irregular readings, with their [Event]:
//
//   - duplicate: a value with the time of the last one is left out.
//   - late: a value from before the last one is left out. A register loses nothing by it, since the next difference covers the time.
//   - gap: readings further apart than the longest gap. A register's difference counts, and the slots in the gap are marked as
//     estimated. A power counts for the longest gap and then not at all, and the slots are marked as incomplete.
//   - reset, exchange: a register's value that can't follow the last one, because it falls or rises faster than the largest power
//     allows, waits for the next value. If that one follows the last good one, the waiting one was a glitch and is dropped. If it
//     follows the waiting one, the register was reset or the meter exchanged: counting begins anew there, nothing is counted between,
//     and the slot is marked as incomplete. A change of the serial number in the reading is an exchange at once.
//   - clock: this machine's clock was set. A register's difference counts in the slot of the new time, marked as estimated; a power
//     does not count across the step.
//   - retained: a message that the broker had kept. It has no time of its own, so it is shown and not counted.
//
// So a single wrong value never counts energy twice; energy that is left out is marked. These sums are for its user's decisions and
// displays: the ledger counts signed records alone.
package source
