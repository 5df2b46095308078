package nmea

// kind says how a field of a sentence is read.
type kind uint8

const (
	number     kind = iota // arg: the unit
	checked                // a number and, in the next field, A or V for it; arg: the unit
	signed                 // a number and, in the next field, N or E (plus), S or W (minus), else no value; arg: the unit
	length                 // a number; arg: how many fields further its unit stands, N, K, S or M
	rate                   // a speed; arg as for length
	whole                  // a whole number
	hexed                  // a whole number in hexadecimal digits
	word                   // text
	letter                 // one of the letters in arg
	status                 // A, or V for a sentence without valid measurements
	validity               // one of the letters in arg, V as for status
	quality                // one of the digits in arg, the first as V for status
	mode                   // FAA mode indicators, one per satellite system; all N: no valid measurements
	latitude               // two fields: ddmm.mmmm and N or S
	longitude              // two fields: dddmm.mmmm and E or W
	clock                  // hhmmss.sss, the instant that the sentence is about
	day                    // ddmmyy, the date of that instant
	dayParts               // three fields: the date as day, month and year
	list                   // as many fields as arg says, kept as one text joined by commas
	rest                   // all further fields, kept as one text joined by commas
	satellites             // all further fields: four per satellite, then perhaps the signal's id
	sensors                // all further fields: four per transducer
	stations               // all further fields, residuals: one per satellite
)

// width is how many fields a kind takes.
func (f *field) width() int {
	switch f.kind {
	case checked, signed, latitude, longitude:
		return 2
	case dayParts:
		return 3
	case list:
		return f.number()
	}
	return 1
}

// measured tells the kinds that a sentence without valid measurements does not
// give.
func (k kind) measured() bool {
	switch k {
	case number, checked, signed, length, rate, latitude, longitude, stations:
		return true
	}
	return false
}

// field is one field of a sentence, or a few that belong together.
type field struct {
	kind kind
	name string // of the metric, "" when the field is only checked
	arg  string // see the kinds
}

// number returns the number that arg is.
func (f *field) number() int {
	n := 0
	for _, c := range f.arg {
		n = n*10 + int(c-'0')
	}
	return n
}

// layout is a type of sentence: the three letters after the talker, or the
// whole name of a proprietary one. Trailing fields may be missing: newer
// versions of the standard added some.
type layout struct {
	name   string
	fields []field
}

// layoutOf returns the layout of a type of sentence, nil for types without one.
func layoutOf(name string) *layout {
	for _, table := range [][]layout{navigation, instruments, messages, proprietary} {
		for i := range table {
			if table[i].name == name {
				return &table[i]
			}
		}
	}
	return nil
}
