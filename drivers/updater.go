package drivers

// Updater is an optional interface of a Driver that can take another device list
// without losing its devices: D is its kind of device.
type Updater[D any] interface {
	// Update makes devices the driver's, also while Run runs. What was received
	// before belongs to the devices of before, and is acknowledged as ever; what
	// is received after it returns belongs to the new ones. On error the driver
	// goes on with the devices that it has.
	Update(devices []D) error
}
