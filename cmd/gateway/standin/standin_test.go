package standin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"sluice/cmd/gateway/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 10 * time.Second

func receive(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case s := <-from:
		return s
	case <-time.After(limit):
		t.Fatal("nothing arrives")
		return ""
	}
}

func TestBrokerCarriesMessages(t *testing.T) {
	b, err := standin.NewBroker()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(b.URL()).SetClientID("t"))
	if tok := c.Connect(); !tok.WaitTimeout(limit) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	defer c.Disconnect(0)
	got := make(chan string, 1)
	if tok := c.Subscribe("a/#", 1, func(_ paho.Client, m paho.Message) { got <- string(m.Payload()) }); !tok.WaitTimeout(limit) {
		t.Fatal("no SUBACK")
	}
	c.Publish("a/b", 1, false, "21")
	if s := receive(t, got); s != "21" {
		t.Fatalf("got %q", s)
	}
}

func TestHubFollowsWhatAStreamStores(t *testing.T) {
	h, err := standin.NewHub(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	stored, published := make(chan string, 10), make(chan string, 10)
	if err := h.Follow("READINGS", func(b []byte) { stored <- string(b) }); err != nil {
		t.Fatal(err)
	}
	if err := h.Follow("", func(b []byte) { published <- string(b) }); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(h.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, _ := jetstream.New(nc)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>"}}); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct{ text, id string }{{"one", "1"}, {"one", "1"}, {"two", "2"}} {
		if _, err := js.Publish(ctx, "readings.a", []byte(m.text), jetstream.WithMsgID(m.id)); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := receive(t, stored), receive(t, stored); a != "one" || b != "two" {
		t.Fatalf("stored %q, %q", a, b)
	}
	if a, b := receive(t, published), receive(t, published); a != "one" || b != "one" {
		t.Fatalf("published %q, %q", a, b)
	}
}

func TestTSDBParsesLines(t *testing.T) {
	var points []standin.Point
	db, err := standin.NewTSDB(func(p standin.Point) { points = append(points, p) })
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer http.DefaultClient.CloseIdleConnections()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "climate,device=s1,area=a t=21.5,n=3i,ok=true 1000\nclimate,device=s2 t=1 2000\n")
	z.Close()
	post := func(body io.Reader, encoding string) int {
		r, _ := http.NewRequest("POST", db.URL()+"/api/v2/write?org=o&bucket=b&precision=ns", body)
		r.Header.Set("Content-Encoding", encoding)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if code := post(&zipped, "gzip"); code != 204 {
		t.Fatalf("answers %d", code)
	}
	if len(points) != 2 || points[0].Tags["area"] != "a" || points[0].Fields["n"] != int64(3) || points[1].Time != 2000 {
		t.Fatalf("points: %+v", points)
	}
	if code := post(strings.NewReader("not line protocol"), ""); code != 400 {
		t.Fatalf("answers %d to garbage", code)
	}
	if requests, lines := db.Counts(); requests != 2 || lines != 2 {
		t.Fatalf("counts %d requests, %d lines", requests, lines)
	}
}

func TestBrokerFollowsATemplate(t *testing.T) {
	for template, topic := range map[string]string{
		"a/x{gateway}/{device}": "a/xg/s1",
		"$aws/rules/{device}":   "$aws/rules/s1",
		"{area}/b":              "hall/b",
		"plain/topic":           "plain/topic",
	} {
		b, err := standin.NewBroker()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		got := make(chan string, 10)
		if err := b.Follow(template, func(payload []byte) { got <- string(payload) }); err != nil {
			t.Fatal(err)
		}
		c := paho.NewClient(paho.NewClientOptions().AddBroker(b.URL()).SetClientID("t"))
		if tok := c.Connect(); !tok.WaitTimeout(limit) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		defer c.Disconnect(0)
		c.Publish(topic, 1, false, template)
		if s := receive(t, got); s != template {
			t.Errorf("%s: got %q", template, s)
		}
	}
}
