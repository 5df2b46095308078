package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"sluice/protocol/checksum"
	"sluice/protocol/frame"
)

// judgeCRC holds a checksum of the catalogue against its check value.
func judgeCRC(c corpusCase) error {
	var config struct {
		Name  string
		Width int
	}
	var want struct{ Check string }
	if err := errors.Join(json.Unmarshal(c.Config, &config), json.Unmarshal(c.Expected, &want)); err != nil {
		return err
	}
	check, err := strconv.ParseUint(want.Check, 0, 64)
	if err != nil {
		return err
	}
	sum, ok := checksum.Lookup(config.Name)
	if got := sum.Of(c.Inputs[0]); !ok || sum.Name() != config.Name || sum.Width()*8 != config.Width || got != check {
		return fmt.Errorf("%q of %d bytes gives %#x, want %#x", sum.Name(), sum.Width(), got, check)
	}
	return nil
}

// framed is what the SLIP and COBS cases state.
type framed struct {
	Decoded *string `json:"decoded_hex"`
	Encoded bool    `json:"encode_gives_input"`
	Frames  []struct {
		OK  bool
		Hex string
	}
}

func judgeSLIP(c corpusCase) error {
	encode := func(dst, payload []byte) []byte {
		packet := frame.AppendSLIP(dst, payload)
		return packet[1 : len(packet)-1] // the cases have no END
	}
	return judgeFramed(c, frame.Config{SLIP: &frame.SLIP{}}, frame.DecodeSLIP, encode, "\xc0")
}

func judgeCOBS(c corpusCase) error {
	var config struct{ Variant string }
	if err := json.Unmarshal(c.Config, &config); err != nil {
		return err
	}
	body := func(encode func(dst, payload []byte) []byte) func(dst, payload []byte) []byte {
		return func(dst, payload []byte) []byte { return bytes.TrimSuffix(encode(dst, payload), []byte{0}) }
	}
	switch config.Variant {
	case "cobs":
		return judgeFramed(c, frame.Config{COBS: &frame.COBS{}}, frame.DecodeCOBS, body(frame.AppendCOBS), "\x00")
	case "cobsr":
		return judgeFramed(c, frame.Config{COBSR: &frame.COBS{}}, frame.DecodeCOBSR, body(frame.AppendCOBSR), "\x00")
	}
	return fmt.Errorf("unknown variant %q", config.Variant)
}

// judgeFramed judges a case of a kind whose frames end with end, both with the
// plain decoder and with the reader.
func judgeFramed(c corpusCase, kind frame.Config, decode func(dst, body []byte) ([]byte, bool), encode func(dst, payload []byte) []byte, end string) error {
	input := c.Inputs[0]
	got, ok := decode(nil, input)
	if c.Error != nil {
		if ok {
			return fmt.Errorf("%x decodes to %x", input, got)
		}
		return nil
	}
	var want framed
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	var frames []string
	for _, f := range want.Frames {
		if f.OK {
			frames = append(frames, f.Hex)
		}
	}
	stream := input
	if want.Decoded != nil {
		if hex.EncodeToString(got) != *want.Decoded || !ok {
			return fmt.Errorf("%x decodes to %x, want %s", input, got, *want.Decoded)
		}
		if back := encode(nil, got); want.Encoded && !bytes.Equal(back, input) {
			return fmt.Errorf("%x is encoded as %x, want %x", got, back, input)
		}
		if *want.Decoded != "" {
			frames = append(frames, *want.Decoded)
		}
		stream = append(bytes.Clone(input), end...)
	}
	read, err := readFrames(kind, stream)
	if err != nil || !slices.Equal(read, frames) {
		return fmt.Errorf("%x holds the frames %v, want %v: %w", stream, read, frames, err)
	}
	return nil
}

// readFrames returns the frames of a stream in hexadecimal digits.
func readFrames(kind frame.Config, stream []byte) ([]string, error) {
	r, err := frame.New(kind)
	if err != nil {
		return nil, err
	}
	var frames []string
	r.Feed(stream)
	for f, ok := r.Next(); ok; f, ok = r.Next() {
		frames = append(frames, hex.EncodeToString(f))
	}
	return frames, nil
}
