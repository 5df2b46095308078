package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// perSubscribe is how many filters go into one packet: some brokers take no more.
const perSubscribe = 8

// subscribed is what a broker's session is subscribed to. It is kept in a file,
// for a needless SUBSCRIBE makes the broker send all retained messages again.
type subscribed struct {
	Broker   string   `json:"broker"`
	ClientID string   `json:"client_id"`
	QoS      int      `json:"qos"`
	Filters  []string `json:"filters"` // sorted
}

// subscriptions remembers what the session is subscribed to, across connections
// and, when it has a file, across restarts. It is used by one goroutine.
type subscriptions struct {
	path   string // "" for none
	want   subscribed
	have   []string // sorted
	warned string   // the refused filters that were logged last
}

func newSubscriptions(dir string, d *Driver) *subscriptions {
	s := &subscriptions{want: subscribed{
		Broker: d.broker.String(), ClientID: d.cfg.ClientID, QoS: d.cfg.QoS, Filters: d.routes.table.Load().filters(),
	}}
	if dir != "" && d.cfg.Session == "persistent" {
		s.path = filepath.Join(dir, "mqtt-"+d.name+".json")
		s.have = s.read()
	}
	return s
}

// read returns the filters on file. What cannot be read or belongs to another
// session counts as none: subscribing again does no harm.
func (s *subscriptions) read() []string {
	var kept subscribed
	text, err := os.ReadFile(s.path)
	if err != nil || json.Unmarshal(text, &kept) != nil {
		return nil
	}
	if kept.Broker != s.want.Broker || kept.ClientID != s.want.ClientID || kept.QoS != s.want.QoS {
		return nil
	}
	slices.Sort(kept.Filters)
	return slices.Compact(kept.Filters)
}

// keep notes that the session is subscribed to filters.
func (s *subscriptions) keep(filters []string) error {
	s.have = filters
	if s.path == "" {
		return nil
	}
	now := s.want
	now.Filters = filters
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return replace(s.path, append(text, '\n'))
}

// replace writes a file so that after a crash it holds the old text or the new.
func replace(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes changes of names in dir survive a power cut, on systems that
// can.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// forget notes that the session is a new one. The file goes before anything is
// subscribed: were it to outlive a crash, the rest would never be.
func (c *connection) forget() {
	c.subs.have = nil
	if c.subs.path == "" {
		return
	}
	err := os.Remove(c.subs.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err = errors.Join(err, syncFolder(filepath.Dir(c.subs.path))); err != nil {
		c.log.Warn("subscriptions of an earlier session cannot be removed", "err", err)
	}
}

// subscribe makes the session's subscriptions what the devices need.
func (c *connection) subscribe(ctx context.Context) error {
	s := c.subs
	missing := without(s.want.Filters, s.have)
	gone := without(s.have, s.want.Filters)
	if len(missing)+len(gone) == 0 {
		return nil
	}
	refused, err := c.add(ctx, missing)
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		if err := c.confirmed(ctx, c.client.Unsubscribe(gone...)); err != nil {
			return fmt.Errorf("unsubscribe at %v: %w", c.broker, err)
		}
	}
	if err := s.keep(without(s.want.Filters, refused)); err != nil {
		c.log.Warn("subscriptions are not kept, retained messages will come again", "err", err)
	}
	return nil
}

// add subscribes to filters and returns those that the broker refused. When it
// refuses all of the driver's filters that is an error.
func (c *connection) add(ctx context.Context, filters []string) (refused []string, err error) {
	var tokens []*paho.SubscribeToken // of the packets on their way
	for chunk := range slices.Chunk(filters, perSubscribe) {
		wanted := make(map[string]byte, len(chunk))
		for _, filter := range chunk {
			wanted[filter] = byte(c.cfg.QoS)
		}
		token := c.client.SubscribeMultiple(wanted, nil).(*paho.SubscribeToken)
		tokens = append(tokens, token)
		if token.Error() != nil {
			break
		}
	}
	for _, token := range tokens {
		if err := c.confirmed(ctx, token); err != nil {
			return nil, fmt.Errorf("subscribe at %v: %w", c.broker, err)
		}
		for filter, granted := range token.Result() {
			if granted > 2 {
				refused = append(refused, filter)
			} else if int(granted) < c.cfg.QoS {
				c.log.Warn("broker grants a lower qos", "filter", filter, "qos", granted, "wanted", c.cfg.QoS)
			}
		}
	}
	slices.Sort(refused)
	if len(refused) > 0 && len(refused) == len(c.subs.want.Filters) {
		return nil, fmt.Errorf("subscribe at %v: broker refuses %s", c.broker, strings.Join(refused, ", "))
	}
	c.warn(refused)
	return refused, nil
}

// warn logs the filters that the broker refuses, once.
func (c *connection) warn(refused []string) {
	now := strings.Join(refused, ", ")
	if now != "" && now != c.subs.warned {
		c.log.Warn("broker refuses subscriptions", "filters", now)
	}
	c.subs.warned = now
}

// confirmed waits until the broker has answered.
func (c *connection) confirmed(ctx context.Context, token paho.Token) error {
	late := time.NewTimer(c.cfg.Timeout)
	defer late.Stop()
	select {
	case <-token.Done():
		if err := token.Error(); err != nil && !c.client.IsConnectionOpen() {
			return &lostError{c.broker, err}
		}
		return token.Error()
	case err := <-c.lost:
		return &lostError{c.broker, err}
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fmt.Errorf("no answer within %v", c.cfg.Timeout)
	}
}

// without returns what is in a and not in b; both are sorted.
func without(a, b []string) []string {
	var left []string
	for _, s := range a {
		if _, found := slices.BinarySearch(b, s); !found {
			left = append(left, s)
		}
	}
	return left
}
