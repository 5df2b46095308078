package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/firmware-sim/ledger"
	"sluice/protocol"
)

const (
	inFlight       = 100 // unacknowledged publishes of one connection at most
	connectTimeout = 5 * time.Second
	writeTimeout   = 5 * time.Second
	reconnectAfter = 100 * time.Millisecond
	grace          = 10 * time.Second // for the last acknowledgements
)

// link is one MQTT connection that several devices share. One goroutine runs
// it; publishes that were not acknowledged when a connection was lost are sent
// again, in order, on the next one.
type link struct {
	fleet   *Fleet
	driver  string
	broker  Broker
	id      string
	qos     byte
	devices []*Device
	turn    int
	rate    float64
	pace    *pace
	flights []flight         // published, not yet acknowledged, oldest first
	grace   <-chan time.Time // gives up on the last acknowledgements; nil while devices talk
}

// flight is a publish under way.
type flight struct {
	sample Sample
	ref    ledger.Ref
	token  paho.Token
}

// What happens to connections beside what paho tells.
var (
	errLost     = errors.New("connection to the broker is lost")
	errNoAnswer = errors.New("broker does not answer")
)

func newLink(f *Fleet, driver string, b Broker, qos byte, devices []*Device, rate float64) *link {
	id := fmt.Sprintf("firmware-sim-%s-%d-%08x", driver, len(f.links), rand.Uint32())
	return &link{fleet: f, driver: driver, broker: b, id: id, qos: qos, devices: devices, rate: rate}
}

// run talks until t ends and everything sent is acknowledged. Only a broker
// that was never reached is an error.
func (l *link) run(t *talk) error {
	first := t.Done()
	for {
		client, lost, err := l.connect(first)
		switch {
		case err != nil && first != nil && t.Err() != nil:
			return nil
		case err != nil && first != nil:
			return fmt.Errorf("connect devices of driver %s to %s: %w", l.driver, protocol.QuoteURL(l.broker.URL), err)
		case err == nil:
			if first != nil {
				l.pace = newPace(l.rate, time.Now())
				first = nil
			}
			l.fleet.connected.Add(1)
			err = l.talk(t, client, lost)
			l.fleet.connected.Add(-1)
			client.Disconnect(250)
			if err != nil {
				l.fleet.play.Log.Warn("devices lost their broker", "driver", l.driver, "unconfirmed", len(l.flights), "err", err)
			}
		}
		if err == nil || len(l.flights) == 0 && t.Err() != nil {
			return nil
		}
		select {
		case <-time.After(reconnectAfter):
		case <-l.ending(t):
			return nil
		}
	}
}

// connect returns a connected client and a channel that is closed when the
// connection is lost. It gives up when quit is closed.
func (l *link) connect(quit <-chan struct{}) (paho.Client, <-chan struct{}, error) {
	lost := make(chan struct{}) // closed by paho's connection-lost callback, which comes once at most
	o := paho.NewClientOptions().AddBroker(l.broker.URL).SetClientID(l.id).SetCleanSession(true).
		SetUsername(l.broker.Username).SetPassword(l.broker.Password.Reveal()).
		SetAutoReconnect(false).SetConnectRetry(false).
		SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout).
		SetConnectionLostHandler(func(paho.Client, error) { close(lost) })
	client := paho.NewClient(o)
	token := client.Connect()
	select {
	case <-token.Done():
		return client, lost, token.Error()
	case <-quit:
	case <-time.After(2 * connectTimeout):
	}
	client.Disconnect(0)
	return nil, nil, errNoAnswer
}

// talk publishes on one connection. It returns nil once t has ended and nothing
// is under way any more, or when the time of grace is over.
func (l *link) talk(t *talk, client paho.Client, lost <-chan struct{}) error {
	for i := range l.flights {
		l.fleet.resend(l.flights[i].ref)
		l.flights[i].token = l.publish(client, l.flights[i].sample)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := l.reap(); err != nil {
			return err
		}
		var due <-chan time.Time
		stop := t.Done()
		switch {
		case t.Err() != nil && len(l.flights) == 0:
			return nil
		case t.Err() != nil:
			stop = nil
		case len(l.flights) < inFlight:
			wait := l.pace.wait(time.Now())
			if wait == 0 {
				l.say(t, client)
				continue
			}
			timer.Reset(wait)
			due = timer.C
		}
		select {
		case <-due:
		case <-l.oldest():
		case <-lost:
			return errLost
		case <-stop:
		case <-l.ending(t):
			return nil
		}
	}
}

// ending returns nil while devices talk, and then a channel that fires when the
// time of grace is over.
func (l *link) ending(t *talk) <-chan time.Time {
	if l.grace == nil && t.Err() != nil {
		l.grace = time.After(grace)
	}
	return l.grace
}

// say publishes the next sample of the next device that may send.
func (l *link) say(t *talk, client paho.Client) {
	defer l.pace.done()
	d := l.next()
	if d == nil || !l.fleet.take(t) {
		return
	}
	s, ref := l.fleet.next(d)
	l.flights = append(l.flights, flight{sample: s, ref: ref, token: l.publish(client, s)})
}

// next returns the next device that may send, nil when all have to wait.
func (l *link) next() *Device {
	now := protocol.At(time.Now())
	for range l.devices {
		d := l.devices[l.turn%len(l.devices)]
		l.turn++
		if d.Due(now) {
			return d
		}
	}
	return nil
}

func (l *link) publish(client paho.Client, s Sample) paho.Token {
	return client.Publish(s.Topic, l.qos, false, s.Payload)
}

// oldest is closed when the oldest publish is settled, nil when there is none.
func (l *link) oldest() <-chan struct{} {
	if len(l.flights) == 0 {
		return nil
	}
	return l.flights[0].token.Done()
}

// reap takes the settled publishes off the front. A publish that failed stays,
// to be sent again.
func (l *link) reap() error {
	for len(l.flights) > 0 {
		select {
		case <-l.flights[0].token.Done():
		default:
			return nil
		}
		if err := l.flights[0].token.Error(); err != nil {
			return err
		}
		l.fleet.confirm(l.flights[0].ref)
		l.flights[0] = flight{}
		l.flights = l.flights[1:]
	}
	return nil
}
