package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/pipeline"
)

func journalCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Look at the journal, check it, deliver from it again",
		Long: `The commands below work on the journal of a configuration, or on the folder that
--dir names. When a gateway runs there, it carries them out and goes on working;
otherwise they open the journal themselves, and no gateway can start meanwhile.

Times are those at which the gateway accepted a reading, by its own clock.`,
		Example: `  gateway journal ls
  gateway journal verify --dir /var/lib/sluice
  gateway journal export --since 2h | gzip > readings.ndjson.gz
  gateway journal replay --sink hub --since 2h`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return usageError{errors.New("name a command of journal")}
		},
	}
	cmd.AddCommand(lsCommand(), inspectCommand(), verifyCommand(), exportCommand(), replayCommand(), trimCommand(), forgetCommand())
	return cmd
}

// order is something to be done with a journal, where it is open: in this process,
// or in the gateway that runs, to which it is sent as JSON.
type order interface {
	name() string  // of the command
	changes() bool // whether it needs more than to look
	// carryOut does it. What there is to say goes to out as JSON, one object
	// per line.
	carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error
}

// newOrder returns an empty order of the given name, nil when there is none.
func newOrder(name string) order {
	for _, o := range []order{
		&lsOrder{}, &inspectOrder{}, &verifyOrder{}, &exportOrder{}, &replayOrder{}, &trimOrder{}, &forgetOrder{},
		&deadLsOrder{}, &deadShowOrder{}, &deadReplayOrder{}, &deadDropOrder{},
	} {
		if o.name() == name {
			return o
		}
	}
	return nil
}

// answer is what an order has to say.
type answer struct {
	out   io.Writer
	notes []string // for people, beside the result
}

// Write adds text as it is.
func (a *answer) Write(b []byte) (int, error) { return a.out.Write(b) }

// say adds v as a line of JSON.
func (a *answer) say(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (a *answer) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

// call is one use of a journal command.
type call struct {
	dir    string // --dir
	asJSON bool   // --json
	screen *screen
}

// flags gives cmd what all journal commands have. result says what --json prints.
func (c *call) flags(cmd *cobra.Command, result string) *cobra.Command {
	cmd.Flags().StringVar(&c.dir, "dir", "", "folder of the journal, instead of a configuration's pipeline.dir")
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "print "+result+" on standard output")
	return cmd
}

// do carries an order out on the journal that args name. Its answer goes to out.
func (c *call) do(cmd *cobra.Command, args []string, o order, out io.Writer) error {
	c.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
	at, err := c.locate(args, cmd.Flags().Changed("dir"))
	if err != nil {
		return err
	}
	result := &answer{out: out}
	err = at.carryOut(cmd.Context(), o, result, slog.New(slog.NewTextHandler(c.screen.notes(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	for _, note := range result.notes {
		c.screen.note("gateway: " + note)
	}
	return err
}

// journalAt is where a journal is and whose it is.
type journalAt struct {
	config pipeline.Config
	sinks  []string // that are configured
}

// locate finds the journal of the configuration that args name, or of --dir if that
// is given.
func (c *call) locate(args []string, given bool) (journalAt, error) {
	if given {
		if len(args) > 0 || c.dir == "" {
			return journalAt{}, usageError{errors.New("takes a configuration file or --dir with a folder, not both")}
		}
		at := journalAt{config: pipeline.DefaultConfig()}
		at.config.Dir = c.dir
		return at, nil
	}
	f, err := loadForJournal(configPath(args))
	if err != nil {
		return journalAt{}, err
	}
	at := journalAt{config: f.Pipeline}
	for _, s := range f.Sinks {
		at.sinks = append(at.sinks, s.Name)
	}
	return at, nil
}

// loadForJournal reads a configuration without insisting on secrets, which are not
// needed to find the journal.
func loadForJournal(path string) (*config.File, error) {
	f, err := load(path, config.Options{})
	if err == nil {
		return f, nil
	}
	const instead = "; --dir names the journal's folder without a configuration"
	var problems config.Problems
	if !errors.As(err, &problems) {
		return nil, usageError{fmt.Errorf("%w%s", err, instead)}
	}
	bare, without := load(path, config.Options{Secrets: config.Skip})
	switch {
	case without != nil:
		return nil, without
	case strings.Contains(bare.Pipeline.Dir, "rehearsal"): // what Skip puts in the place of references
		return nil, err
	}
	return bare, nil
}

// carryOut has the gateway that runs carry o out, or does so itself.
func (at journalAt) carryOut(ctx context.Context, o order, out *answer, log *slog.Logger) error {
	conn, away := dialControl(at.config.Dir)
	if away == nil {
		return send(ctx, conn, o, out)
	}
	var a *pipeline.Archive
	var err error
	if o.changes() {
		a, err = pipeline.Reopen(at.config, at.sinks, log)
	} else {
		a, err = pipeline.Look(at.config.Dir)
	}
	switch {
	case errors.Is(err, pipeline.ErrNoJournal):
		return fmt.Errorf("%w: a gateway makes one when it first runs; --dir or pipeline.dir names the folder", err)
	case err != nil:
		return fmt.Errorf("%w; and no gateway answers there: %w", err, away)
	}
	return errors.Join(o.carryOut(ctx, a, out), a.Close())
}

// lines is a writer that hands on whole lines, without their ends.
type lines struct {
	each func(line []byte) error
	rest []byte
}

// Write takes a part of the text.
func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, after, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			l.rest = append(l.rest, line...)
			return n, nil
		}
		if len(l.rest) > 0 {
			line = append(l.rest, line...)
			l.rest = l.rest[:0]
		}
		if err := l.each(line); err != nil {
			return 0, err
		}
		b = after
	}
}

// moment reads a flag that says a time, or how long ago it was.
func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return time.Now().Add(-ago), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil && !t.IsZero() {
		return t, nil
	}
	return time.Time{}, usageError{fmt.Errorf("--%s is %q, want how long ago, such as 2h, or a time, such as %s", flag, text, momentText(time.Now()))}
}

// momentText is how times are printed for people; --since and the like take it.
func momentText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// sizeText is how sizes are printed for people.
func sizeText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1fGiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1fMiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1fKiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%dB", n)
}

// printable returns a name that may have come from anywhere so that it can be shown.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// readings counts readings for people.
func readings(n uint64) string {
	if n == 1 {
		return "1 reading"
	}
	return fmt.Sprintf("%d readings", n)
}

// unknownSink says that the journal has no cursor of that name.
func unknownSink(name string, known []string) error {
	hint := config.Suggest(name, known)
	switch {
	case len(known) == 0:
		hint = ": it has none"
	case hint == "":
		hint = ": it has " + strings.Join(known, ", ")
	}
	return usageError{fmt.Errorf("journal has no sink %q%s", name, hint)}
}
