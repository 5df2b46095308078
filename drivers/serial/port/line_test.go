package port

import (
	"strings"
	"testing"
)

func TestParseLine(t *testing.T) {
	for text, want := range map[string]Line{
		"9600":         {9600, 8, None, 1},
		"19200 8E1":    {19200, 8, Even, 1},
		" 9600  7e2 ":  {9600, 7, Even, 2},
		"300 5O1":      {300, 5, Odd, 1},
		"250000 8N2":   {250000, 8, None, 2},
		"12000000 8N1": {12000000, 8, None, 1},
	} {
		got, err := ParseLine(text)
		if err != nil || got != want {
			t.Errorf("ParseLine(%q) = %v, %v, want %v", text, got, err, want)
		}
		if again, err := ParseLine(got.String()); err != nil || again != got {
			t.Errorf("ParseLine(%q) = %v, %v, want %v", got.String(), again, err, got)
		}
	}
}

func TestParseLineSaysWhatIsExpected(t *testing.T) {
	for text, want := range map[string]string{
		"":               "a baud rate and a format",
		"9600 8 N 1":     "a baud rate and a format",
		"8N1":            "a baud rate from 50 to 12000000",
		"fast":           "a baud rate from 50 to 12000000",
		"49 8N1":         "a baud rate from 50 to 12000000",
		"-9600":          "a baud rate from 50 to 12000000",
		"99999999999999": "a baud rate from 50 to 12000000",
		"9600,8,N,1":     "a baud rate from 50 to 12000000",
		"9600 8M1":       "parity N, E or O",
		"9600 9N1":       "data bits 5 to 8",
		"9600 4N1":       "data bits 5 to 8",
		"9600 8N3":       "stop bits 1 or 2",
		"9600 8N15":      "stop bits 1 or 2",
		"9600 N81":       "data bits 5 to 8",
	} {
		line, err := ParseLine(text)
		if err == nil {
			t.Errorf("ParseLine(%q) = %v, want an error", text, line)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "such as 9600 8N1") {
			t.Errorf("ParseLine(%q): %v, want it to say %q and give an example", text, err, want)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("9600 8N1")
	f.Add("250000")
	f.Fuzz(func(t *testing.T, text string) {
		line, err := ParseLine(text)
		if err != nil {
			return
		}
		if again, err := ParseLine(line.String()); err != nil || again != line {
			t.Errorf("ParseLine(%q) = %v, but its text gives %v, %v", text, line, again, err)
		}
	})
}
