package main

import (
	"errors"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rogpeppe/go-internal/testscript"
)

// publish is the command "publish TOPIC PAYLOAD": a device publishes to the broker at
// $BROKER, and what it says is kept for those who come later.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish TOPIC PAYLOAD")
	}
	client := paho.NewClient(paho.NewClientOptions().AddBroker(ts.Getenv("BROKER")).SetClientID("script"))
	ts.Check(done(client.Connect()))
	defer client.Disconnect(0)
	ts.Check(done(client.Publish(args[0], 1, true, args[1])))
}

func done(token paho.Token) error {
	if !token.WaitTimeout(10 * time.Second) {
		return errors.New("the broker does not answer")
	}
	return token.Error()
}
