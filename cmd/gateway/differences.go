package main

import (
	"reflect"
	"slices"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/pipeline"
)

// sameText reports whether two texts of two configurations mean the same.
type sameText func(before, after string) bool

// sameWord is for configurations that stand in the same folder.
func sameWord(before, after string) bool { return before == after }

// sameBelow is for configurations that stand in different folders: what each names
// relative to its own is the same.
func sameBelow(before, after string) sameText {
	return func(a, b string) bool {
		return a == b || strings.TrimPrefix(a, before+"/") == strings.TrimPrefix(b, after+"/")
	}
}

// differences returns the paths, as the file writes them, of the settings that
// differ between two values of one type.
func (same sameText) differences(path string, before, after any) []string {
	return same.compare(path, reflect.ValueOf(before), reflect.ValueOf(after))
}

func (same sameText) compare(path string, a, b reflect.Value) []string {
	differs := []string{path}
	switch {
	case !a.IsValid() && !b.IsValid(): // neither is set
		return nil
	case a.IsValid() != b.IsValid() || a.Type() != b.Type():
		return differs
	}
	switch a.Kind() {
	case reflect.Struct:
		return same.compareFields(path, a, b)
	case reflect.Interface, reflect.Pointer:
		return same.compare(path, a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return differs
		}
		for i := range a.Len() {
			if len(same.compare(path, a.Index(i), b.Index(i))) > 0 {
				return differs
			}
		}
		return nil
	case reflect.Map:
		return same.compareMaps(path, a, b)
	case reflect.String:
		if same(a.String(), b.String()) {
			return nil
		}
		return differs
	}
	if a.Equal(b) {
		return nil
	}
	return differs
}

func (same sameText) compareFields(path string, a, b reflect.Value) (paths []string) {
	for i := range a.NumField() {
		name, options, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case name == "" || options == "inline":
			name = path
		case path != "":
			name = path + "." + name
		}
		paths = append(paths, same.compare(name, a.Field(i), b.Field(i))...)
	}
	return slices.Compact(paths)
}

func (same sameText) compareMaps(path string, a, b reflect.Value) []string {
	if a.Len() != b.Len() {
		return []string{path}
	}
	for _, key := range a.MapKeys() {
		if other := b.MapIndex(key); !other.IsValid() || len(same.compare(path, a.MapIndex(key), other)) > 0 {
			return []string{path}
		}
	}
	return nil
}

// driverSettings is what stands in the file below a driver's name.
func driverSettings(d config.Driver) any {
	return struct {
		MQTT   *mqtt.Config   `yaml:"mqtt"`
		Serial any            `yaml:"serial"`
		Modbus *modbus.Config `yaml:"modbus"`
	}{d.MQTT, d.Serial, d.Modbus}
}

// deviceDifferences says whether a driver's devices or the profiles of these differ.
func (same sameText) deviceDifferences(a, b config.Driver) []string {
	if len(same.differences("", devicesOf(a), devicesOf(b))) == 0 {
		return nil
	}
	if len(same.differences("", placesOf(a), placesOf(b))) == 0 {
		return []string{"profiles"}
	}
	return []string{"devices"}
}

// devicesOf returns the devices of a driver with their profiles.
func devicesOf(d config.Driver) any {
	return struct{ mqtt, serial, modbus any }{d.MQTTDevices, d.SerialDevices, d.ModbusDevices}
}

// placesOf returns the devices of a driver without their profiles.
func placesOf(d config.Driver) any {
	d.MQTTDevices, d.SerialDevices, d.ModbusDevices = slices.Clone(d.MQTTDevices), slices.Clone(d.SerialDevices), slices.Clone(d.ModbusDevices)
	for i := range d.MQTTDevices {
		d.MQTTDevices[i].Decode = nil
	}
	for i := range d.ModbusDevices {
		d.ModbusDevices[i].Decode = nil
	}
	for i := range d.SerialDevices {
		d.SerialDevices[i].Decode = nil
	}
	return devicesOf(d)
}

// sinkSettings is what stands in the file below a sink's name. Where it begins, and
// what it was called, is of no meaning once it has its place.
func sinkSettings(s config.Sink) any {
	s.Delivery.Start, s.Delivery.Was = "", ""
	return struct {
		NATS     any               `yaml:"nats"`
		Influx   any               `yaml:"influx"`
		MQTT     any               `yaml:"mqtt"`
		File     any               `yaml:"file"`
		Delivery pipeline.Delivery `yaml:",inline"`
	}{s.NATS, s.Influx, s.MQTT, s.File, s.Delivery}
}
