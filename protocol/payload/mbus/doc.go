// Package mbus reads the telegrams of the Meter-Bus (EN 13757-3): the answers
// of heat, water, gas and electricity meters, in long frames
// (68 L L 68 C A CI … checksum 16).
//
//   - A metric is named by what it measures, then by what the VIFEs add to that,
//     then by what sets it apart from the present value: energy,
//     volume_flow_max, energy_storage_1_tariff_2_unit_1, power_phase_l1. What
//     VIFEs say that we have no word for is said by their codes, so that such a
//     value is never taken for the plain one: energy_vife_78,
//     power_manufacturer_01. Two records of one name in a telegram are numbered:
//     energy, energy_2. A unit in plain text is the name, its case is kept.
//   - Values come in base units (Wh, J, W, m³, m³/h, kg, °C, K, bar, s, V, A), so
//     that a meter that changes its resolution does not change its metrics: an
//     integer when the telegram counts whole ones, otherwise a float.
//   - What is not available is no value: BCD digits beyond 9, a leading F being
//     the minus sign; the most negative integer; NaN; a date that is none; a
//     record that carries an error.
//   - The device's tags are id, manufacturer, medium and version, as far as the
//     header holds them. The status byte of the header is the metric status. It
//     also lowers the quality of the other metrics: bad after an application
//     error or a permanent one, uncertain after a temporary one or when the
//     meter is busy. A low battery and an alarm leave a value good: it is what
//     the meter measured.
//   - A time is local and a text, "2012-07-10T15:25:00". With a zone in the
//     configuration the meter's present time is the time of the reading, too.
//
// Telegrams that are encrypted are refused with the reason "kind". A gateway
// that has decrypted one leaves the fillers 2f 2f in front; then it is read.
//
// The code is our own: github.com/jonaz/gombus and its successor
// github.com/yottabytesolutions/gombus are not to be had from the Go module
// proxy.
package mbus
