package nmea

// finest is how many parts a minute is read in: 10^-9 of one is 2 µm.
const finest = 1e9

// degrees reads ddmm.mmmm and the letter of the hemisphere. The result is the
// float64 nearest to what is written: one division of two exact integers.
func degrees(text, hemisphere []byte, most int64, letters string) (float64, bool) {
	if len(hemisphere) != 1 || hemisphere[0] != letters[0] && hemisphere[0] != letters[1] {
		return 0, false
	}
	whole, decimals, scale, point := int64(0), int64(0), int64(1), false
	for i, c := range text {
		switch {
		case c == '.' && !point && i > 0:
			point = true
		case c < '0' || c > '9' || whole > most*100:
			return 0, false
		case !point:
			whole = whole*10 + int64(c-'0')
		case scale < finest:
			decimals, scale = decimals*10+int64(c-'0'), scale*10
		}
	}
	minutes := (whole/100*60+whole%100)*scale + decimals
	if len(text) == 0 || whole%100 >= 60 || minutes > most*60*scale {
		return 0, false
	}
	value := float64(minutes) / float64(60*scale)
	if hemisphere[0] == letters[1] && minutes != 0 {
		value = -value
	}
	return value, true
}
