package mqtt

import (
	"context"

	"sluice/drivers"
)

var _ drivers.Updater[Device] = (*Driver)(nil)

// Update makes devices the driver's. The connection and the session stay: the
// driver subscribes to the topics that are new, and unsubscribes those that are
// gone. It implements drivers.Updater.
func (d *Driver) Update(devices []Device) error {
	t, err := newTable(d.name, devices, d.routes.table.Load())
	if err != nil {
		return err
	}
	d.routes.table.Store(t)
	select {
	case d.updated <- struct{}{}:
	default: // the connection has yet to see the last one
	}
	return nil
}

// renew makes the wanted subscriptions those of the present devices if Update has
// changed them while there was no connection.
func (c *connection) renew() {
	select {
	case <-c.updated:
		c.subs.want.Filters = c.routes.table.Load().filters()
	default:
	}
}

// resubscribe makes the session's subscriptions those of the present devices.
func (c *connection) resubscribe(ctx context.Context) error {
	c.subs.want.Filters = c.routes.table.Load().filters()
	return c.subscribe(ctx)
}
