package frame

import "time"

// Config says how messages are framed; at most one field is set, and none means
// lines. In the file a kind without settings is written as a word: "frame: slip".
//
// Max is the longest frame in bytes as they come over the line, default 4096; of
// kinds with delimiters it does not count those. Longer frames are skipped and
// counted.
type Config struct {
	Lines     *Lines     `yaml:"lines"`
	Delimited *Delimited `yaml:"delimited"`
	Fixed     *Fixed     `yaml:"fixed"`
	Prefixed  *Prefixed  `yaml:"prefixed"`
	Idle      *Idle      `yaml:"idle"`
	SLIP      *SLIP      `yaml:"slip"`
	COBS      *COBS      `yaml:"cobs"`
	COBSR     *COBS      `yaml:"cobsr"`
	NMEA      *NMEA      `yaml:"nmea"`
	DSMR      *DSMR      `yaml:"dsmr"`
	SML       *SML       `yaml:"sml"`
	MBus      *MBus      `yaml:"mbus"`
	VEDirect  *VEDirect  `yaml:"vedirect"`
	ModbusRTU *ModbusRTU `yaml:"modbus_rtu"`
}

// Lines are texts that end with a line end. Empty lines are not delivered.
type Lines struct {
	EOL        string    `yaml:"eol"`        // auto (default: LF, CRLF or CR), lf, crlf or cr
	Terminator string    `yaml:"terminator"` // in its place: text, or bytes such as "hex:0d0a"
	Max        int       `yaml:"max"`        // bytes of the longest frame, default 4096
	Checksum   *Checksum `yaml:"checksum"`
}

// Delimited are frames between a start and an end; the payload is what stands
// between them. Without escapes it must hold neither.
type Delimited struct {
	Start     string    `yaml:"start"`      // text, or bytes such as "hex:02"; "": what follows an end
	End       string    `yaml:"end"`        // may be the same as start
	Escape    string    `yaml:"escape"`     // one byte: the byte that follows it stands for itself
	EscapeXOR int       `yaml:"escape_xor"` // 0 to 255: or for itself combined with this
	Trailer   int       `yaml:"trailer"`    // bytes behind the end that belong to the frame, such as a checksum
	Max       int       `yaml:"max"`        // bytes of the longest frame, default 4096
	Checksum  *Checksum `yaml:"checksum"`   // over the frame without escapes; default: before the end, or the trailer's last bytes
}

// Fixed are frames of one length. The payload is the whole frame.
type Fixed struct {
	Length   int           `yaml:"length"` // bytes
	Sync     string        `yaml:"sync"`   // what each frame begins with: text, or bytes such as "hex:424d"
	Gap      time.Duration `yaml:"gap"`    // a line that is quiet for so long has lost the rest of a frame; 0: never
	Checksum *Checksum     `yaml:"checksum"`
}

// Prefixed are frames that say how long they are. The payload is the whole
// frame.
type Prefixed struct {
	Sync     string        `yaml:"sync"`    // what each frame begins with: text, or bytes such as "hex:424d"
	Offset   int           `yaml:"offset"`  // where the length stands, from the frame's first byte
	Width    int           `yaml:"width"`   // its bytes: 1 (default), 2 or 4
	Order    string        `yaml:"order"`   // their order: big (default) or little
	Counts   string        `yaml:"counts"`  // payload (default: what stands between header and trailer) or frame (all of it)
	Header   int           `yaml:"header"`  // bytes before the payload; default: up to and with the length
	Trailer  int           `yaml:"trailer"` // bytes behind it
	Gap      time.Duration `yaml:"gap"`     // a line that is quiet for so long has lost the rest of a frame; 0: never
	Max      int           `yaml:"max"`     // bytes of the longest frame, default 4096
	Checksum *Checksum     `yaml:"checksum"`
}

// Idle are frames that end when the line is quiet.
type Idle struct {
	Gap      time.Duration `yaml:"gap"` // how long, default 20ms
	Max      int           `yaml:"max"` // bytes of the longest frame, default 4096
	Checksum *Checksum     `yaml:"checksum"`
}

// SLIP are packets as RFC 1055 frames them.
type SLIP struct {
	Max      int       `yaml:"max"` // bytes of the longest frame, default 4096
	Checksum *Checksum `yaml:"checksum"`
}

// COBS are packets in consistent overhead byte stuffing, each with a zero behind
// it.
type COBS struct {
	Max      int       `yaml:"max"` // bytes of the longest frame, default 4096
	Checksum *Checksum `yaml:"checksum"`
}

// NMEA are the sentences of NMEA 0183, from $ or ! to the checksum.
type NMEA struct {
	Checksum string `yaml:"checksum"` // required (default) or optional: sentences without one are taken too
	Max      int    `yaml:"max"`      // bytes of the longest frame, default 4096
}

// DSMR are the telegrams of a smart meter's P1 port, from / to ! or the checksum
// behind it. Versions before 4 have none.
type DSMR struct {
	Max int `yaml:"max"` // bytes of the longest frame, default 4096
}

// SML are files of the smart message language in its transport of version 1. The
// payload is the file without escapes and fill bytes.
type SML struct {
	Max int `yaml:"max"` // bytes of the longest frame, default 4096
}

// MBus are the frames of the wired M-Bus. The payload is the whole frame.
type MBus struct{}

// VEDirect are the text blocks of Victron's VE.Direct; HEX records between and
// inside them are left out.
type VEDirect struct {
	Max int `yaml:"max"` // bytes of the longest frame, default 4096
}

// ModbusRTU are the requests and responses of a Modbus line that is listened
// to. The payload is the whole frame, from the address to the checksum.
type ModbusRTU struct {
	Gap time.Duration `yaml:"gap"` // a line that is quiet for so long has ended a frame, default 20ms
}

const (
	defaultMax = 4096
	mostMax    = 1 << 20

	// searchedMax is the most for kinds that are searched for inside what was
	// rejected, since noise may make a reader look at a byte once for each of
	// so many beginnings.
	searchedMax = 1 << 16

	// defaultGap is more than 3.5 characters at 2400 baud, and than the 16 ms
	// for which USB adapters collect bytes.
	defaultGap = 20 * time.Millisecond
)

// DefaultConfig returns the framing that holds where the file is silent: lines
// that end with LF, CRLF or CR.
func DefaultConfig() Config { return Config{} }

// Gap returns how long the line has to be quiet before the Reader is told; 0:
// never.
func (c Config) Gap() time.Duration {
	switch {
	case c.Idle != nil:
		return orGap(c.Idle.Gap)
	case c.ModbusRTU != nil:
		return orGap(c.ModbusRTU.Gap)
	case c.Fixed != nil:
		return c.Fixed.Gap
	case c.Prefixed != nil:
		return c.Prefixed.Gap
	}
	return 0
}

func orGap(gap time.Duration) time.Duration {
	if gap == 0 {
		return defaultGap
	}
	return gap
}

func orMax(most int) int {
	if most == 0 {
		return defaultMax
	}
	return most
}
