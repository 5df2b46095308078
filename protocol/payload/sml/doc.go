// Package sml reads the files of the Smart Message Language, version 1.04 (BSI
// TR-03109-1), that electricity meters in Germany push out every second or so.
//
// A file may stand in its transport frame (1b1b1b1b 01010101 … 1b1b1b1b 1a, the
// number of fill bytes, a checksum) or be bare. Every SML_GetList.Res in it
// becomes a reading; opening, closing and the answers to other requests hold
// none.
//
//   - A metric is named by its OBIS code, "1-0:1.8.0"; the last group is said
//     only when it is not 255: "1-0:1.8.0*1". A status word beside a value is a
//     metric of its own, "1-0:1.8.0_status".
//   - A number with a scaler below zero is a float, others are integers. Octets
//     are text when all of them are printable ASCII, otherwise hexadecimal
//     digits. Lists are no value.
//   - The device's tags are server_id in hexadecimal digits and manufacturer,
//     when the server id has the form of DIN 43863-5.
//   - Most meters send the seconds since they were switched on. Only a timestamp
//     becomes the time of the reading, and only after the year 2000: before, it
//     is a clock that nobody has set. Entries with a time of their own are a
//     reading of their own.
//
// Two families of meters need leniency. Holley's DTZ541 computes CRC-16/KERMIT
// in place of X-25 and sends a time without the list around it; nothing tells it
// beforehand, so either checksum is taken. DZG's DVS74 sends a power from 327.68
// W to 655.35 W as a negative number; its maker gave the range of the serial
// numbers.
//
// The code is our own: github.com/andig/gosml, github.com/mfmayer/gosml,
// github.com/databus23/go-sml and 3e8.eu/go/sml are not to be had from the Go
// module proxy.
package sml
