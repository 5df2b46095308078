package protocol_test

// nmeaNames maps the fields of the peer's sentences to our metrics. Beside
// names of metrics there are
//
//	@time, @date   the reading's source time
//	unit(x)        the letter of the unit of metric x
//	=T             a letter that the metric's name implies
//	?x             whether metric x is there
//	#              compared by code of its own
//	-              no measurement, not compared
var nmeaNames = map[string]string{
	"AAM": "ArrivalCircleRadius:arrival_radius ArrivalCircleRadiusUnit:unit(arrival_radius) DestinationWaypointID:waypoint StatusArrivalCircleEntered:arrival_circle StatusPerpendicularPassed:perpendicular",
	"ABM": "Channel:channel FragmentNumber:sentence MMSI:mmsi MessageID:message NumFragments:sentences Payload:# VDLMessageNumber:vdl_message",
	"ACN": "AlertIdentifier:alert AlertInstance:instance Command:command ManufacturerMnemonicCode:manufacturer State:state Time:event_time",
	"ALA": "AlarmAckState:acknowledged Condition:condition InstanceNumber:instance Message:text SubSystemIndicator:subsystem SystemIndicator:system Time:event_time Type:alarm",
	"ALC": "AlertEntries:# EntriesNumber:alerts FragmentNumber:sentence MessageID:message NumFragments:sentences",
	"ALF": "AlertIdentifier:alert AlertInstance:instance Category:category EscalationCounter:escalation FragmentNumber:sentence ManufacturerMnemonicCode:manufacturer " +
		"MessageID:message NumFragments:sentences Priority:priority RevisionCounter:revision State:state Text:text Time:event_time",
	"ALR": "AlarmIdentifier:alarm Condition:condition Description:text State:acknowledged Time:event_time",
	"APB": "BearingOriginToDest:bearing_origin BearingOriginToDestType:bearing_origin_reference BearingPresentToDest:bearing BearingPresentToDestType:bearing_reference " +
		"CrossTrackErrorMagnitude:cross_track_error CrossTrackUnits:unit(cross_track_error) DestinationWaypointID:waypoint DirectionToSteer:steer FFAMode:mode " +
		"Heading:heading_to_steer HeadingType:heading_to_steer_reference StatusArrivalCircleEntered:arrival_circle StatusGeneralWarning:status StatusLockWarning:lock_status " +
		"StatusPerpendicularPassed:perpendicular",
	"ARC":     "AlertIdentifier:alert AlertInstance:instance Command:command ManufacturerMnemonicCode:manufacturer Time:event_time",
	"BBM":     "Channel:channel FragmentNumber:sentence MessageID:message NumFragments:sentences Payload:# VDLMessageNumber:vdl_message",
	"BEC":     nmeaWaypoint + " BearingMagneticValid:?bearing_magnetic BearingTrueValid:?bearing DistanceNauticalMilesValid:?distance",
	"BOD":     nmeaLegs,
	"BWC":     nmeaWaypoint + " BearingMagneticType:=M BearingTrueType:=T DistanceNauticalMilesUnit:=N FFAMode:mode",
	"BWR":     nmeaWaypoint + " BearingMagneticType:=M BearingTrueType:=T DistanceNauticalMilesUnit:=N FFAMode:mode",
	"BWW":     nmeaLegs,
	"DBK":     "DepthFathoms:depth_below_keel_fathoms DepthFathomsUnit:unit(depth_below_keel_fathoms) DepthFeet:depth_below_keel_feet DepthFeetUnit:unit(depth_below_keel_feet) DepthMeters:depth_below_keel DepthMetersUnit:unit(depth_below_keel)",
	"DBS":     "DepthFathoms:depth_below_surface_fathoms DepthFathomUnit:unit(depth_below_surface_fathoms) DepthFeet:depth_below_surface_feet DepthFeetUnit:unit(depth_below_surface_feet) DepthMeters:depth_below_surface DepthMeterUnit:unit(depth_below_surface)",
	"DBT":     "DepthFathoms:depth_below_transducer_fathoms DepthFeet:depth_below_transducer_feet DepthMeters:depth_below_transducer",
	"DPT":     "Depth:depth_below_transducer Offset:transducer_offset RangeScale:range_scale",
	"DSC":     "Acknowledgement:acknowledgement Address:address Category:category CommandTypeOrTeleCommand2:communication DistressCause:ship_cause DistressCauseOrTeleCommand1:cause ExpansionIndicator:expansion FormatSpecifier:format MMSI:ship PositionOrCanal:position TimeOrTelephoneNumber:event_time",
	"DTM":     "AltitudeOffsetMeters:altitude_offset BaseSentence:- DatumName:reference_datum LatitudeOffsetMinute:latitude_offset LocalDatumCode:datum LocalDatumSubcode:datum_subdivision LongitudeOffsetMinute:longitude_offset",
	"EVE":     "Message:text TagCode:tag Time:event_time",
	"FIR":     "AlarmAckState:acknowledged Condition:condition DivisionIndicator1:division DivisionIndicator2:division_number FireDetectorNumberOrCount:detector Message:text SystemIndicator:system Time:event_time Type:type",
	"GGA":     "Altitude:altitude DGPSAge:dgps_age DGPSId:dgps_station FixQuality:fix HDOP:hdop Latitude:latitude Longitude:longitude NumSatellites:satellites Separation:geoid_separation Time:@time",
	"GLL":     "FFAMode:mode Latitude:latitude Longitude:longitude Time:@time Validity:status",
	"GNS":     "Age:dgps_age Altitude:altitude HDOP:hdop Latitude:latitude Longitude:longitude Mode:# NavStatus:nav_status SVs:satellites Separation:geoid_separation Station:dgps_station Time:@time",
	"GSA":     "FixType:fix_type HDOP:hdop Mode:selection PDOP:pdop SV:# SystemID:system VDOP:vdop",
	"GSV":     "Info:# MessageNumber:sentence NumberSVsInView:satellites_in_view TotalMessages:sentences",
	"HBT":     "Interval:interval MessageID:message OperationStatus:equipment",
	"HDG":     "Deviation:magnetic_deviation DeviationDirection:# Heading:heading_magnetic Variation:# VariationDirection:#",
	"HDM":     "Heading:heading_magnetic MagneticValid:?heading_magnetic",
	"HSC":     "MagneticHeading:heading_to_steer_magnetic MagneticHeadingType:=M TrueHeading:heading_to_steer TrueHeadingType:=T",
	"MDA":     "AbsoluteHum:absolute_humidity AirTemp:air_temperature AirTempValid:?air_temperature BarsValid:?pressure DewPoint:dew_point DewPointValid:?dew_point InchesValid:?pressure_inhg KnotsValid:?wind_speed MagneticValid:?wind_direction_magnetic MetersValid:?wind_speed_ms PressureBar:pressure PressureInch:pressure_inhg RelativeHum:relative_humidity TrueValid:?wind_direction WaterTemp:water_temperature WaterTempValid:?water_temperature WindDirectionMagnetic:wind_direction_magnetic WindDirectionTrue:wind_direction WindSpeedKnots:wind_speed WindSpeedMeters:wind_speed_ms",
	"MTW":     "CelsiusValid:?water_temperature Temperature:water_temperature",
	"MWV":     "Reference:wind_reference StatusValid:# WindAngle:wind_angle WindSpeed:wind_speed WindSpeedUnit:unit(wind_speed)",
	"PCDIN":   "Data:# PGN:pgn Source:source Timestamp:timer",
	"PKLDS":   "Course:course Date:@date Extension:extension Fleet:fleet Latitude:latitude Longitude:longitude SentanceVersion:- Speed:speed Status:unit_status Time:@time UnitID:unit Validity:status Variation:magnetic_variation",
	"PKLSH":   "Fleet:fleet Latitude:latitude Longitude:longitude Time:@time UnitID:unit Validity:status",
	"PKNID":   "Extension:extension SentanceVersion:version Status:unit_status UnitID:unit",
	"PRDID":   "Heading:heading Pitch:pitch Roll:roll",
	"PSKPDPT": "BottomEchoStrength:echo_strength ChannelNumber:channel Depth:depth_below_transducer Offset:transducer_offset RangeScale:range_scale TransducerLocation:location",
	"PSONCMS": "AccelerationX:acceleration_x AccelerationY:acceleration_y AccelerationZ:acceleration_z BaseSentence:- MagneticFieldX:magnetic_x MagneticFieldY:magnetic_y MagneticFieldZ:magnetic_z Quaternion0:quaternion_0 Quaternion1:quaternion_1 Quaternion2:quaternion_2 Quaternion3:quaternion_3 RateOfTurnX:turn_x RateOfTurnY:turn_y RateOfTurnZ:turn_z SensorTemperature:temperature",
	"RMB": "ArrivalStatus:arrival_circle CrossTrackErrorNauticalMiles:cross_track_error DataStatus:status DestinationLatitude:waypoint_latitude DestinationLongitude:waypoint_longitude " +
		"DestinationWaypointID:waypoint DirectionToSteer:steer FFAMode:mode OriginWaypointID:origin RangeToDestinationNauticalMiles:distance TrueBearingToDestination:bearing VelocityToDestinationKnots:closing_speed",
	"RMC": "Course:course Date:@date FFAMode:mode Latitude:latitude Longitude:longitude NavStatus:nav_status Speed:speed Time:@time Validity:status Variation:magnetic_variation",
	"ROT": "RateOfTurn:rate_of_turn Valid:#",
	"RSA": "PortRudderAngle:rudder_port PortRudderAngleStatus:# StarboardRudderAngle:rudder_starboard StarboardRudderAngleStatus:#",
	"RSD": "BaseSentence:- BearingLine1:bearing_line1 BearingLine2:bearing_line2 CursorBearingDegrees:cursor_bearing CursorRangeFromOwnShip:cursor_range DisplayRotation:display_rotation Origin1Bearing:origin1_bearing Origin1Range:origin1_range Origin2Bearing:origin2_bearing Origin2Range:origin2_range RangeScale:range_scale RangeUnit:unit(range_scale) VariableRangeMarker1:range_marker1 VariableRangeMarker2:range_marker2",
	"THS": "Heading:heading Status:status",
	"TLL": "BaseSentence:- ReferenceTarget:reference_target TargetLatitude:target_latitude TargetLongitude:target_longitude TargetName:target_name TargetNumber:target TargetStatus:target_status TimeUTC:target_time",
	"TTD": "FragmentNumber:sentence MessageID:message NumFragments:sentences Payload:#",
	"TTM": "BaseSentence:- Bearing:target_bearing BearingType:bearing_reference CourseType:course_reference DistanceCPA:closest_distance ReferenceTarget:reference_target SpeedUnits:unit(target_speed) TargetCourse:target_course TargetDistance:target_distance TargetName:target_name TargetNumber:target TargetSpeed:target_speed TargetStatus:target_status TimeCPA:closest_time TimeUTC:target_time TypeOfAcquisition:acquisition",
	"TXT": "ID:text_id Message:text Number:sentence TotalNumber:sentences",
	"VDR": "DriftKnots:drift DriftUnit:unit(drift) SetDegreesMagnetic:set_magnetic SetDegreesMagneticUnit:=M SetDegreesTrue:set SetDegreesTrueUnit:=T",
	"VHW": "MagneticHeading:heading_magnetic SpeedThroughWaterKPH:water_speed_kmh SpeedThroughWaterKnots:water_speed TrueHeading:heading",
	"VLW": "SinceResetInWater:water_trip SinceResetInWaterUnit:unit(water_trip) SinceResetOnGround:ground_trip SinceResetOnGroundUnit:unit(ground_trip) TotalInWater:water_distance TotalInWaterUnit:unit(water_distance) TotalOnGround:ground_distance TotalOnGroundUnit:unit(ground_distance)",
	"VSD": "Destination:destination EstimatedArrivalDay:arrival_day EstimatedArrivalMonth:arrival_month EstimatedArrivalTime:arrival_time NavigationalStatus:nav_status PersonsOnBoard:persons RegionalApplication:regional StaticDraughtMeters:draught TypeOfShipAndCargo:ship_type",
	"VTG": "FFAMode:mode GroundSpeedKPH:speed_kmh GroundSpeedKnots:speed MagneticTrack:course_magnetic TrueTrack:course",
	"VWR": "MeasuredAngle:wind_angle MeasuredDirectionBow:wind_side " + nmeaWindSpeeds,
	"VWT": "TrueAngle:wind_angle TrueDirectionBow:wind_side " + nmeaWindSpeeds,
	"WPL": "Ident:waypoint Latitude:waypoint_latitude Longitude:waypoint_longitude",
	"XDR": "Measurements:#",
	"XTE": "CrossTrackErrorMagnitude:cross_track_error CrossTrackUnits:unit(cross_track_error) DirectionToSteer:steer FFAMode:mode StatusGeneralWarning:status StatusLockWarning:lock_status",
	"ZDA": "Day:day Month:month OffsetHours:zone_hours OffsetMinutes:zone_minutes Time:@time Year:year",
}

const (
	nmeaWaypoint   = "BearingMagnetic:bearing_magnetic BearingTrue:bearing DestinationWaypointID:waypoint DistanceNauticalMiles:distance Latitude:waypoint_latitude Longitude:waypoint_longitude Time:@time"
	nmeaLegs       = "BearingMagnetic:bearing_magnetic BearingMagneticType:=M BearingTrue:bearing BearingTrueType:=T DestinationWaypointID:destination OriginWaypointID:origin"
	nmeaWindSpeeds = "SpeedKPH:wind_speed_kmh SpeedKPHUnit:unit(wind_speed_kmh) SpeedKnots:wind_speed SpeedKnotsUnit:unit(wind_speed) SpeedMPS:wind_speed_ms SpeedMPSUnit:unit(wind_speed_ms)"
)
