package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload/vedirect"
)

// judgeVEDirect compares the blocks of a capture, which are cut by the frame
// reader and, to see those with a wrong checksum refused, by their last line.
func judgeVEDirect(c corpusCase) error {
	var want struct {
		Blocks []vedirectBlock
		Whole  [][2]string `json:"fields_of_first_whole_block"`
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	framed, err := framedBlocks(c)
	if err != nil {
		return err
	}
	switch {
	case want.Whole != nil:
		if len(framed) == 0 {
			return errors.New("no block")
		}
		return vedirectBlock{Fields: want.Whole}.judge(framed[0])
	case want.Blocks[0].Readings != nil:
		if len(framed) > 0 {
			return errors.New("a block with a wrong checksum is a frame")
		}
		return want.Blocks[0].judgeWords(c.Inputs[0])
	}
	cut := regexp.MustCompile(`(?s).*?\r\nChecksum\t.`).FindAll(latin1(c.Inputs[0]), -1)
	if len(cut) != len(want.Blocks) {
		return fmt.Errorf("%d blocks, want %d", len(cut), len(want.Blocks))
	}
	for i, block := range want.Blocks {
		raw := fromLatin1(cut[i])
		if !block.OK {
			if err := vedirect.New(vedirect.DefaultConfig()).Decode(&protocol.Batch{}, raw); err == nil {
				return fmt.Errorf("block %d is read", i)
			}
			if raw = raw[bytes.Index(raw, []byte("\r\n")):]; !addsUp(raw) {
				continue
			}
			// The capture begins with the last byte of an earlier block, which
			// the case counts in and the frame reader does not.
		}
		if len(framed) == 0 {
			return fmt.Errorf("block %d is no frame", i)
		}
		if err := errors.Join(block.judge(raw), block.judge(framed[0])); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
		framed = framed[1:]
	}
	if len(framed) > 0 {
		return fmt.Errorf("%d more frames", len(framed))
	}
	return nil
}

func addsUp(block []byte) bool {
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	return sum%256 == 0
}

// latin1 and fromLatin1 let an expression see bytes as characters.
func latin1(p []byte) []byte {
	var text []rune
	for _, c := range p {
		text = append(text, rune(c))
	}
	return []byte(string(text))
}

func fromLatin1(text []byte) []byte {
	var p []byte
	for _, r := range string(text) {
		p = append(p, byte(r))
	}
	return p
}

// framedBlocks cuts the capture, in the pieces that the case states.
func framedBlocks(c corpusCase) ([][]byte, error) {
	var config struct {
		Chunks []int `json:"chunk_lengths"`
	}
	if err := json.Unmarshal(c.Config, &config); err != nil {
		return nil, err
	}
	reader, err := frame.New(frame.Config{VEDirect: &frame.VEDirect{Max: 4096}})
	if err != nil {
		return nil, err
	}
	var blocks [][]byte
	for rest := c.Inputs[0]; len(rest) > 0; {
		n := len(rest)
		if len(config.Chunks) > 0 {
			n, config.Chunks = min(n, config.Chunks[0]), config.Chunks[1:]
		}
		reader.Feed(rest[:n])
		for block, ok := reader.Next(); ok; block, ok = reader.Next() {
			blocks = append(blocks, bytes.Clone(block))
		}
		rest = rest[n:]
	}
	return blocks, nil
}

// vedirectBlock is a block as the capture's tools or a peer state it.
type vedirectBlock struct {
	OK       bool `json:"checksum_ok"`
	Fields   [][2]string
	Readings []struct {
		Name, Unit string
		Value      any
	}
}

// judge compares every field with what it says as a text.
func (w vedirectBlock) judge(block []byte) error {
	var b protocol.Batch
	if err := vedirect.New(vedirect.Config{Checksum: "required"}).Decode(&b, block); err != nil {
		return err
	}
	metrics := b.Readings[0].Metrics
	if len(metrics) != len(w.Fields) {
		return fmt.Errorf("got %v, want %v", metrics, w.Fields)
	}
	for i, field := range w.Fields {
		want := protocol.String(field[1])
		n, err := strconv.ParseInt(field[1], 0, 64)
		switch {
		case slices.Contains([]string{"FW", "FWE", "SER#", "BMV"}, field[0]):
		case field[1] == "ON" || field[1] == "OFF":
			want = protocol.Bool(field[1] == "ON")
		case err == nil:
			want = protocol.Int(n)
		}
		if metrics[i].Name != field[0] || metrics[i].Value != want {
			return fmt.Errorf("got %v, want %v", metrics[i], field)
		}
	}
	return nil
}

// vedirectLabels maps the peer's names.
var vedirectLabels = map[string]string{
	"channel1_voltage": "V", "battery_current": "I", "panel_voltage": "VPV", "panel_power": "PPV", "load_current": "IL", "load_output_state": "LOAD",
	"yield_total": "H19", "yield_today": "H20", "yield_yesterday": "H22", "max_power_today": "H21", "max_power_yesterday": "H23", "day_sequence": "HSDS", "firmware": "FW",
}

// judgeWords compares a block whose checksum the source made wrong, so that it
// has to be refused, and read without it. The peer scales what has a unit.
func (w vedirectBlock) judgeWords(block []byte) error {
	d := vedirect.New(vedirect.DefaultConfig())
	var b protocol.Batch
	if err := d.Decode(&b, block); reasonOf(err) != "checksum" {
		return fmt.Errorf("the wrong checksum: %v", err)
	}
	if err := d.Decode(&b, block[:bytes.Index(block, []byte("\r\nChecksum"))]); err != nil {
		return err
	}
	for _, want := range w.Readings {
		label := vedirectLabels[want.Name]
		at := slices.IndexFunc(vedirect.Labels(), func(l vedirect.Label) bool { return l.Label == label })
		m := metricOf(&b.Readings[0], label)
		if at < 0 || m == nil {
			return fmt.Errorf("no %s, which is %s", label, want.Name)
		}
		known := vedirect.Labels()[at]
		got, isNumber := m.Value.Number()
		switch {
		case !isNumber:
			if strings.TrimLeft(m.Value.String(), "0") != fmt.Sprint(want.Value) {
				return fmt.Errorf("%s: got %v, want %v", label, m, want.Value)
			}
			continue
		case want.Unit != "":
			got *= known.Scale
		}
		if math.Abs(got-want.Value.(float64)) > 1e-9 || want.Unit != "" && known.Unit != want.Unit {
			return fmt.Errorf("%s: got %v %s, want %v %s", label, got, known.Unit, want.Value, want.Unit)
		}
	}
	return nil
}
