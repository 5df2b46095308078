package mqtt

import (
	"errors"
	"testing"

	"sluice/protocol"
)

func take(o *owed) (ids []int) {
	text, _ := o.take(nil, nil)
	for ; len(text) > 0; text = text[4:] {
		ids = append(ids, int(text[2])<<8|int(text[3]))
	}
	return ids
}

func fill(o *owed, n int) []*delivery {
	pool := newPool()
	var ds []*delivery
	for i := range n {
		d := pool.Get().(*delivery)
		d.id, d.qos, d.resends = uint16(i+1), 1, true
		d.origin = protocol.Origin{Driver: "floor", PacketID: d.id}
		o.add(d)
		ds = append(ds, d)
	}
	return ds
}

func TestOwedKeepsOrder(t *testing.T) {
	o := newOwed()
	ds := fill(o, 4)
	ds[1].done(nil)
	ds[2].done(nil)
	if ids := take(o); ids != nil {
		t.Errorf("acknowledges %v before the first is kept", ids)
	}
	ds[0].done(nil)
	if ids := take(o); len(ids) != 3 || ids[0] != 1 || ids[2] != 3 {
		t.Errorf("acknowledges %v, want 1 2 3", ids)
	}
	ds[3].done(nil)
	if ids := take(o); len(ids) != 1 || ids[0] != 4 {
		t.Errorf("acknowledges %v, want 4", ids)
	}
	if o.count != 0 || o.head != nil || o.tail != nil {
		t.Errorf("%d deliveries are left", o.count)
	}
}

func TestOwedStopsAtRefusal(t *testing.T) {
	o := newOwed()
	ds := fill(o, 3)
	ds[1].done(errors.New("disk full"))
	select {
	case <-o.refusal:
	default:
		t.Error("the refusal is not told")
	}
	ds[2].done(nil)
	ds[0].done(nil)
	if ids := take(o); len(ids) != 1 || ids[0] != 1 {
		t.Errorf("acknowledges %v, want only 1", ids)
	}
	if o.add(newPool().Get().(*delivery)) {
		t.Error("takes a newer message after a refusal")
	}
	o.close()
}

func TestOwedIsBounded(t *testing.T) {
	o := newOwed()
	fill(o, maxOwed)
	if o.add(newPool().Get().(*delivery)) {
		t.Error("takes more than there are packet ids")
	}
	select {
	case <-o.refusal:
	default:
		t.Error("the connection is not given up")
	}
}

func TestDoneAfterClose(t *testing.T) {
	o := newOwed()
	ds := fill(o, 3)
	ds[0].done(nil)
	o.close()
	ds[1].done(nil)
	ds[2].done(errors.New("late"))
	if ids := take(o); ids != nil {
		t.Errorf("acknowledges %v on a closed connection", ids)
	}
}
