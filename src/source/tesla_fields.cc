#include "source/tesla_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace rhodes {
namespace {

// By number; empty: never given out.
constexpr std::array<std::string_view, 260> kFields = {
    "Unknown",
    "DriveRail",
    "ChargeState",
    "BmsFullchargecomplete",
    "VehicleSpeed",
    "Odometer",
    "PackVoltage",
    "PackCurrent",
    "Soc",
    "DCDCEnable",
    "Gear",
    "IsolationResistance",
    "PedalPosition",
    "BrakePedal",
    "DiStateR",
    "DiHeatsinkTR",
    "DiAxleSpeedR",
    "DiTorquemotor",
    "DiStatorTempR",
    "DiVBatR",
    "DiMotorCurrentR",
    "Location",
    "GpsState",
    "GpsHeading",
    "NumBrickVoltageMax",
    "BrickVoltageMax",
    "NumBrickVoltageMin",
    "BrickVoltageMin",
    "NumModuleTempMax",
    "ModuleTempMax",
    "NumModuleTempMin",
    "ModuleTempMin",
    "RatedRange",
    "Hvil",
    "DCChargingEnergyIn",
    "DCChargingPower",
    "ACChargingEnergyIn",
    "ACChargingPower",
    "ChargeLimitSoc",
    "FastChargerPresent",
    "EstBatteryRange",
    "IdealBatteryRange",
    "BatteryLevel",
    "TimeToFullCharge",
    "ScheduledChargingStartTime",
    "ScheduledChargingPending",
    "ScheduledDepartureTime",
    "PreconditioningEnabled",
    "ScheduledChargingMode",
    "ChargeAmps",
    "ChargeEnableRequest",
    "ChargerPhases",
    "ChargePortColdWeatherMode",
    "ChargeCurrentRequest",
    "ChargeCurrentRequestMax",
    "BatteryHeaterOn",
    "NotEnoughPowerToHeat",
    "SuperchargerSessionTripPlanner",
    "DoorState",
    "Locked",
    "FdWindow",
    "FpWindow",
    "RdWindow",
    "RpWindow",
    "VehicleName",
    "SentryMode",
    "SpeedLimitMode",
    "CurrentLimitMph",
    "Version",
    "TpmsPressureFl",
    "TpmsPressureFr",
    "TpmsPressureRl",
    "TpmsPressureRr",
    "SemitruckTpmsPressureRe1L0",
    "SemitruckTpmsPressureRe1L1",
    "SemitruckTpmsPressureRe1R0",
    "SemitruckTpmsPressureRe1R1",
    "SemitruckTpmsPressureRe2L0",
    "SemitruckTpmsPressureRe2L1",
    "SemitruckTpmsPressureRe2R0",
    "SemitruckTpmsPressureRe2R1",
    "TpmsLastSeenPressureTimeFl",
    "TpmsLastSeenPressureTimeFr",
    "TpmsLastSeenPressureTimeRl",
    "TpmsLastSeenPressureTimeRr",
    "InsideTemp",
    "OutsideTemp",
    "SeatHeaterLeft",
    "SeatHeaterRight",
    "SeatHeaterRearLeft",
    "SeatHeaterRearRight",
    "SeatHeaterRearCenter",
    "AutoSeatClimateLeft",
    "AutoSeatClimateRight",
    "DriverSeatBelt",
    "PassengerSeatBelt",
    "DriverSeatOccupied",
    "SemitruckPassengerSeatFoldPosition",
    "LateralAcceleration",
    "LongitudinalAcceleration",
    "Deprecated_2",
    "CruiseSetSpeed",
    "LifetimeEnergyUsed",
    "LifetimeEnergyUsedDrive",
    "SemitruckTractorParkBrakeStatus",
    "SemitruckTrailerParkBrakeStatus",
    "BrakePedalPos",
    "RouteLastUpdated",
    "RouteLine",
    "MilesToArrival",
    "MinutesToArrival",
    "OriginLocation",
    "DestinationLocation",
    "CarType",
    "Trim",
    "ExteriorColor",
    "RoofColor",
    "ChargePort",
    "ChargePortLatch",
    "Experimental_1",
    "Experimental_2",
    "Experimental_3",
    "Experimental_4",
    "GuestModeEnabled",
    "PinToDriveEnabled",
    "PairedPhoneKeyAndKeyFobQty",
    "CruiseFollowDistance",
    "AutomaticBlindSpotCamera",
    "BlindSpotCollisionWarningChime",
    "SpeedLimitWarning",
    "ForwardCollisionWarning",
    "LaneDepartureAvoidance",
    "EmergencyLaneDepartureAvoidance",
    "AutomaticEmergencyBrakingOff",
    "LifetimeEnergyGainedRegen",
    "DiStateF",
    "DiStateREL",
    "DiStateRER",
    "DiHeatsinkTF",
    "DiHeatsinkTREL",
    "DiHeatsinkTRER",
    "DiAxleSpeedF",
    "DiAxleSpeedREL",
    "DiAxleSpeedRER",
    "DiSlaveTorqueCmd",
    "DiTorqueActualR",
    "DiTorqueActualF",
    "DiTorqueActualREL",
    "DiTorqueActualRER",
    "DiStatorTempF",
    "DiStatorTempREL",
    "DiStatorTempRER",
    "DiVBatF",
    "DiVBatREL",
    "DiVBatRER",
    "DiMotorCurrentF",
    "DiMotorCurrentREL",
    "DiMotorCurrentRER",
    "EnergyRemaining",
    "ServiceMode",
    "BMSState",
    "GuestModeMobileAccessState",
    "Deprecated_1",
    "DestinationName",
    "DiInverterTR",
    "DiInverterTF",
    "DiInverterTREL",
    "DiInverterTRER",
    "Experimental_5",
    "Experimental_6",
    "Experimental_7",
    "Experimental_8",
    "Experimental_9",
    "Experimental_10",
    "Experimental_11",
    "Experimental_12",
    "Experimental_13",
    "Experimental_14",
    "Experimental_15",
    "DetailedChargeState",
    "CabinOverheatProtectionMode",
    "CabinOverheatProtectionTemperatureLimit",
    "CenterDisplay",
    "ChargePortDoorOpen",
    "ChargerVoltage",
    "ChargingCableType",
    "ClimateKeeperMode",
    "DefrostForPreconditioning",
    "DefrostMode",
    "EfficiencyPackage",
    "EstimatedHoursToChargeTermination",
    "EuropeVehicle",
    "ExpectedEnergyPercentAtTripArrival",
    "FastChargerType",
    "HomelinkDeviceCount",
    "HomelinkNearby",
    "HvacACEnabled",
    "HvacAutoMode",
    "HvacFanSpeed",
    "HvacFanStatus",
    "HvacLeftTemperatureRequest",
    "HvacPower",
    "HvacRightTemperatureRequest",
    "HvacSteeringWheelHeatAuto",
    "HvacSteeringWheelHeatLevel",
    "OffroadLightbarPresent",
    "PowershareHoursLeft",
    "PowershareInstantaneousPowerKW",
    "PowershareStatus",
    "PowershareStopReason",
    "PowershareType",
    "RearDisplayHvacEnabled",
    "RearSeatHeaters",
    "RemoteStartEnabled",
    "RightHandDrive",
    "RouteTrafficMinutesDelay",
    "SoftwareUpdateDownloadPercentComplete",
    "SoftwareUpdateExpectedDurationMinutes",
    "SoftwareUpdateInstallationPercentComplete",
    "SoftwareUpdateScheduledStartTime",
    "SoftwareUpdateVersion",
    "TonneauOpenPercent",
    "TonneauPosition",
    "TonneauTentMode",
    "TpmsHardWarnings",
    "TpmsSoftWarnings",
    "ValetModeEnabled",
    "WheelType",
    "WiperHeatEnabled",
    "LocatedAtHome",
    "LocatedAtWork",
    "LocatedAtFavorite",
    "SettingDistanceUnit",
    "SettingTemperatureUnit",
    "Setting24HourTime",
    "SettingTirePressureUnit",
    "SettingChargeUnit",
    "ClimateSeatCoolingFrontLeft",
    "ClimateSeatCoolingFrontRight",
    "LightsHazardsActive",
    "LightsTurnSignal",
    "LightsHighBeams",
    "MediaPlaybackStatus",
    "MediaPlaybackSource",
    "MediaAudioVolume",
    "MediaNowPlayingDuration",
    "MediaNowPlayingElapsed",
    "MediaNowPlayingArtist",
    "MediaNowPlayingTitle",
    "MediaNowPlayingAlbum",
    "MediaNowPlayingStation",
    "MediaAudioVolumeIncrement",
    "MediaAudioVolumeMax",
    "SunroofInstalled",
    "SeatVentEnabled",
    "RearDefrostEnabled",
    "ChargeRateMilePerHour",
    "Deprecated_3",
    "MilesSinceReset",
    "SelfDrivingMilesSinceReset",
};

constexpr std::array<std::string_view, 7> kChargingState = {
    "ChargeStateUnknown",  "ChargeStateDisconnected", "ChargeStateNoPower", "ChargeStateStarting",
    "ChargeStateCharging", "ChargeStateComplete",     "ChargeStateStopped",
};
constexpr std::array<std::string_view, 7> kShiftState = {
    "ShiftStateUnknown", "ShiftStateInvalid", "ShiftStateP",   "ShiftStateR",
    "ShiftStateN",       "ShiftStateD",       "ShiftStateSNA",
};
constexpr std::array<std::string_view, 4> kLaneAssistLevel = {
    "LaneAssistLevelUnknown",
    "LaneAssistLevelNone",
    "LaneAssistLevelWarning",
    "LaneAssistLevelAssist",
};
constexpr std::array<std::string_view, 4> kScheduledChargingModeValue = {
    "ScheduledChargingModeUnknown",
    "ScheduledChargingModeOff",
    "ScheduledChargingModeStartAt",
    "ScheduledChargingModeDepartBy",
};
constexpr std::array<std::string_view, 7> kSentryModeState = {
    "SentryModeStateUnknown", "SentryModeStateOff",   "SentryModeStateIdle",  "SentryModeStateArmed",
    "SentryModeStateAware",   "SentryModeStatePanic", "SentryModeStateQuiet",
};
constexpr std::array<std::string_view, 4> kSpeedAssistLevel = {
    "SpeedAssistLevelUnknown",
    "SpeedAssistLevelNone",
    "SpeedAssistLevelDisplay",
    "SpeedAssistLevelChime",
};
constexpr std::array<std::string_view, 11> kBMSStateValue = {
    "BMSStateUnknown",    "BMSStateStandby", "BMSStateDrive", "BMSStateSupport", "BMSStateCharge", "BMSStateFEIM",
    "BMSStateClearFault", "BMSStateFault",   "BMSStateWeld",  "BMSStateTest",    "BMSStateSNA",
};
constexpr std::array<std::string_view, 4> kBuckleStatus = {
    "BuckleStatusUnknown",
    "BuckleStatusUnlatched",
    "BuckleStatusLatched",
    "BuckleStatusFaulted",
};
constexpr std::array<std::string_view, 7> kCarTypeValue = {
    "CarTypeUnknown", "CarTypeModelS",    "CarTypeModelX",     "CarTypeModel3",
    "CarTypeModelY",  "CarTypeSemiTruck", "CarTypeCybertruck",
};
constexpr std::array<std::string_view, 5> kChargePortValue = {
    "ChargePortUnknown", "ChargePortUS", "ChargePortEU", "ChargePortGB", "ChargePortCCS",
};
constexpr std::array<std::string_view, 5> kChargePortLatchValue = {
    "ChargePortLatchUnknown", "ChargePortLatchSNA",      "ChargePortLatchDisengaged",
    "ChargePortLatchEngaged", "ChargePortLatchBlocking",
};
constexpr std::array<std::string_view, 6> kDriveInverterState = {
    "DriveInverterStateUnknown", "DriveInverterStateUnavailable", "DriveInverterStateStandby",
    "DriveInverterStateFault",   "DriveInverterStateAbort",       "DriveInverterStateEnable",
};
constexpr std::array<std::string_view, 3> kHvilStatus = {
    "HvilStatusUnknown",
    "HvilStatusFault",
    "HvilStatusOK",
};
constexpr std::array<std::string_view, 4> kWindowState = {
    "WindowStateUnknown",
    "WindowStateClosed",
    "WindowStatePartiallyOpen",
    "WindowStateOpened",
};
constexpr std::array<std::string_view, 6> kSeatFoldPosition = {
    "SeatFoldPositionUnknown",       "SeatFoldPositionSNA",    "SeatFoldPositionFaulted",
    "SeatFoldPositionNotConfigured", "SeatFoldPositionFolded", "SeatFoldPositionUnfolded",
};
constexpr std::array<std::string_view, 7> kTractorAirStatus = {
    "TractorAirStatusUnknown",
    "TractorAirStatusNotAvailable",
    "TractorAirStatusError",
    "TractorAirStatusCharged",
    "TractorAirStatusBuildingPressureIntermediate",
    "TractorAirStatusExhaustingPressureIntermediate",
    "TractorAirStatusExhausted",
};
constexpr std::array<std::string_view, 8> kFollowDistance = {
    "FollowDistanceUnknown", "FollowDistance1", "FollowDistance2", "FollowDistance3",
    "FollowDistance4",       "FollowDistance5", "FollowDistance6", "FollowDistance7",
};
constexpr std::array<std::string_view, 5> kForwardCollisionSensitivity = {
    "ForwardCollisionSensitivityUnknown", "ForwardCollisionSensitivityOff",   "ForwardCollisionSensitivityLate",
    "ForwardCollisionSensitivityAverage", "ForwardCollisionSensitivityEarly",
};
constexpr std::array<std::string_view, 19> kGuestModeMobileAccess = {
    "GuestModeMobileAccessUnknown",
    "GuestModeMobileAccessInit",
    "GuestModeMobileAccessNotAuthenticated",
    "GuestModeMobileAccessAuthenticated",
    "GuestModeMobileAccessAbortedDriving",
    "GuestModeMobileAccessAbortedUsingRemoteStart",
    "GuestModeMobileAccessAbortedUsingBLEKeys",
    "GuestModeMobileAccessAbortedValetMode",
    "GuestModeMobileAccessAbortedGuestModeOff",
    "GuestModeMobileAccessAbortedDriveAuthTimeExceeded",
    "GuestModeMobileAccessAbortedNoDataReceived",
    "GuestModeMobileAccessRequestingFromMothership",
    "GuestModeMobileAccessRequestingFromAuthD",
    "GuestModeMobileAccessAbortedFetchFailed",
    "GuestModeMobileAccessAbortedBadDataReceived",
    "GuestModeMobileAccessShowingQRCode",
    "GuestModeMobileAccessSwipedAway",
    "GuestModeMobileAccessDismissedQRCodeExpired",
    "GuestModeMobileAccessSucceededPairedNewBLEKey",
};
constexpr std::array<std::string_view, 8> kTrailerAirStatus = {
    "TrailerAirStatusUnknown",
    "TrailerAirStatusSNA",
    "TrailerAirStatusInvalid",
    "TrailerAirStatusBobtailMode",
    "TrailerAirStatusCharged",
    "TrailerAirStatusBuildingPressureIntermediate",
    "TrailerAirStatusExhaustingPressureIntermediate",
    "TrailerAirStatusExhausted",
};
constexpr std::array<std::string_view, 7> kDetailedChargeStateValue = {
    "DetailedChargeStateUnknown",  "DetailedChargeStateDisconnected", "DetailedChargeStateNoPower",
    "DetailedChargeStateStarting", "DetailedChargeStateCharging",     "DetailedChargeStateComplete",
    "DetailedChargeStateStopped",
};
constexpr std::array<std::string_view, 3> kHvacAutoModeState = {
    "HvacAutoModeStateUnknown",
    "HvacAutoModeStateOn",
    "HvacAutoModeStateOverride",
};
constexpr std::array<std::string_view, 4> kCabinOverheatProtectionModeState = {
    "CabinOverheatProtectionModeStateUnknown",
    "CabinOverheatProtectionModeStateOff",
    "CabinOverheatProtectionModeStateOn",
    "CabinOverheatProtectionModeStateFanOnly",
};
constexpr std::array<std::string_view, 4> kClimateOverheatProtectionTempLimit = {
    "ClimateOverheatProtectionTempLimitUnknown",
    "ClimateOverheatProtectionTempLimitHigh",
    "ClimateOverheatProtectionTempLimitMedium",
    "ClimateOverheatProtectionTempLimitLow",
};
constexpr std::array<std::string_view, 5> kDefrostModeState = {
    "DefrostModeStateUnknown", "DefrostModeStateOff",       "DefrostModeStateNormal",
    "DefrostModeStateMax",     "DefrostModeStateAutoDefog",
};
constexpr std::array<std::string_view, 5> kClimateKeeperModeState = {
    "ClimateKeeperModeStateUnknown", "ClimateKeeperModeStateOff",   "ClimateKeeperModeStateOn",
    "ClimateKeeperModeStateDog",     "ClimateKeeperModeStateParty",
};
constexpr std::array<std::string_view, 5> kHvacPowerState = {
    "HvacPowerStateUnknown",         "HvacPowerStateOff", "HvacPowerStateOn", "HvacPowerStatePrecondition",
    "HvacPowerStateOverheatProtect",
};
constexpr std::array<std::string_view, 9> kFastCharger = {
    "FastChargerUnknown",
    "FastChargerSupercharger",
    "FastChargerCHAdeMO",
    "FastChargerGB",
    "FastChargerACSingleWireCAN",
    "FastChargerCombo",
    "FastChargerMCSingleWireCAN",
    "FastChargerOther",
    "FastChargerSNA",
};
constexpr std::array<std::string_view, 6> kCableType = {
    "CableTypeUnknown", "CableTypeIEC", "CableTypeSAE", "CableTypeGB_AC", "CableTypeGB_DC", "CableTypeSNA",
};
constexpr std::array<std::string_view, 5> kTonneauTentModeState = {
    "TonneauTentModeStateUnknown", "TonneauTentModeStateInactive", "TonneauTentModeStateMoving",
    "TonneauTentModeStateFailed",  "TonneauTentModeStateActive",
};
constexpr std::array<std::string_view, 5> kTonneauPositionState = {
    "TonneauPositionStateUnknown",       "TonneauPositionStateInvalid",   "TonneauPositionStateClosed",
    "TonneauPositionStatePartiallyOpen", "TonneauPositionStateFullyOpen",
};
constexpr std::array<std::string_view, 4> kPowershareTypeStatus = {
    "PowershareTypeStatusUnknown",
    "PowershareTypeStatusNone",
    "PowershareTypeStatusLoad",
    "PowershareTypeStatusHome",
};
constexpr std::array<std::string_view, 7> kPowershareState = {
    "PowershareStateUnknown", "PowershareStateInactive", "PowershareStateHandshaking",
    "PowershareStateInit",    "PowershareStateEnabled",  "PowershareStateEnabledReconnectingSoon",
    "PowershareStateStopped",
};
constexpr std::array<std::string_view, 8> kPowershareStopReasonStatus = {
    "PowershareStopReasonStatusUnknown",      "PowershareStopReasonStatusNone",
    "PowershareStopReasonStatusSOCTooLow",    "PowershareStopReasonStatusRetry",
    "PowershareStopReasonStatusFault",        "PowershareStopReasonStatusUser",
    "PowershareStopReasonStatusReconnecting", "PowershareStopReasonStatusAuthentication",
};
constexpr std::array<std::string_view, 11> kDisplayState = {
    "DisplayStateUnknown", "DisplayStateOff",     "DisplayStateDim",           "DisplayStateAccessory",
    "DisplayStateOn",      "DisplayStateDriving", "DisplayStateCharging",      "DisplayStateLock",
    "DisplayStateSentry",  "DisplayStateDog",     "DisplayStateEntertainment",
};
constexpr std::array<std::string_view, 3> kDistanceUnit = {
    "DistanceUnitUnknown",
    "DistanceUnitMiles",
    "DistanceUnitKilometers",
};
constexpr std::array<std::string_view, 3> kTemperatureUnit = {
    "TemperatureUnitUnknown",
    "TemperatureUnitFahrenheit",
    "TemperatureUnitCelsius",
};
constexpr std::array<std::string_view, 3> kPressureUnit = {
    "PressureUnitUnknown",
    "PressureUnitPsi",
    "PressureUnitBar",
};
constexpr std::array<std::string_view, 3> kChargeUnitPreference = {
    "ChargeUnitUnknown",
    "ChargeUnitDistance",
    "ChargeUnitPercent",
};
constexpr std::array<std::string_view, 5> kTurnSignalState = {
    "TurnSignalStateUnknown", "TurnSignalStateOff",  "TurnSignalStateLeft",
    "TurnSignalStateRight",   "TurnSignalStateBoth",
};
constexpr std::array<std::string_view, 4> kMediaStatus = {
    "MediaStatusUnknown",
    "MediaStatusStopped",
    "MediaStatusPlaying",
    "MediaStatusPaused",
};
constexpr std::array<std::string_view, 4> kSunroofInstalledState = {
    "SunroofInstalledStateUnknown",
    "SunroofInstalledStateNotInstalled",
    "SunroofInstalledStateGen1Installed",
    "SunroofInstalledStateGen2Installed",
};

// The values of the type that the member `value_field` of Value has.
std::span<const std::string_view> ValuesOf(uint32_t value_field) {
  switch (value_field) {
    case 8:
      return kChargingState;
    case 9:
      return kShiftState;
    case 11:
      return kLaneAssistLevel;
    case 12:
      return kScheduledChargingModeValue;
    case 13:
      return kSentryModeState;
    case 14:
      return kSpeedAssistLevel;
    case 15:
      return kBMSStateValue;
    case 16:
      return kBuckleStatus;
    case 17:
      return kCarTypeValue;
    case 18:
      return kChargePortValue;
    case 19:
      return kChargePortLatchValue;
    case 22:
      return kDriveInverterState;
    case 23:
      return kHvilStatus;
    case 24:
      return kWindowState;
    case 25:
      return kSeatFoldPosition;
    case 26:
      return kTractorAirStatus;
    case 27:
      return kFollowDistance;
    case 28:
      return kForwardCollisionSensitivity;
    case 29:
      return kGuestModeMobileAccess;
    case 30:
      return kTrailerAirStatus;
    case 32:
      return kDetailedChargeStateValue;
    case 33:
      return kHvacAutoModeState;
    case 34:
      return kCabinOverheatProtectionModeState;
    case 35:
      return kClimateOverheatProtectionTempLimit;
    case 36:
      return kDefrostModeState;
    case 37:
      return kClimateKeeperModeState;
    case 38:
      return kHvacPowerState;
    case 40:
      return kFastCharger;
    case 41:
      return kCableType;
    case 42:
      return kTonneauTentModeState;
    case 43:
      return kTonneauPositionState;
    case 44:
      return kPowershareTypeStatus;
    case 45:
      return kPowershareState;
    case 46:
      return kPowershareStopReasonStatus;
    case 47:
      return kDisplayState;
    case 48:
      return kDistanceUnit;
    case 49:
      return kTemperatureUnit;
    case 50:
      return kPressureUnit;
    case 51:
      return kChargeUnitPreference;
    case 52:
      return kTurnSignalState;
    case 53:
      return kMediaStatus;
    case 54:
      return kSunroofInstalledState;
    default:
      return {};
  }
}

struct Unit {
  std::string_view field;
  std::string_view unit;
};
constexpr std::array kUnits = std::to_array<Unit>({
    {"ACChargingEnergyIn", "kWh"},
    {"ACChargingPower", "kW"},
    {"BatteryLevel", "%"},
    {"BrakePedalPos", "%"},
    {"BrickVoltageMax", "V"},
    {"BrickVoltageMin", "V"},
    {"ChargeAmps", "A"},
    {"ChargeCurrentRequest", "A"},
    {"ChargeCurrentRequestMax", "A"},
    {"ChargeLimitSoc", "%"},
    {"ChargerVoltage", "V"},
    {"CruiseSetSpeed", "mi/h"},
    {"CurrentLimitMph", "mi/h"},
    {"DCChargingEnergyIn", "kWh"},
    {"DCChargingPower", "kW"},
    {"DiAxleSpeedF", "r/min"},
    {"DiAxleSpeedR", "r/min"},
    {"DiAxleSpeedREL", "r/min"},
    {"DiAxleSpeedRER", "r/min"},
    {"DiHeatsinkTF", "degC"},
    {"DiHeatsinkTR", "degC"},
    {"DiHeatsinkTREL", "degC"},
    {"DiHeatsinkTRER", "degC"},
    {"DiInverterTF", "degC"},
    {"DiInverterTR", "degC"},
    {"DiInverterTREL", "degC"},
    {"DiInverterTRER", "degC"},
    {"DiMotorCurrentF", "A"},
    {"DiMotorCurrentR", "A"},
    {"DiMotorCurrentREL", "A"},
    {"DiMotorCurrentRER", "A"},
    {"DiSlaveTorqueCmd", "N.m"},
    {"DiStatorTempF", "degC"},
    {"DiStatorTempR", "degC"},
    {"DiStatorTempREL", "degC"},
    {"DiStatorTempRER", "degC"},
    {"DiTorqueActualF", "N.m"},
    {"DiTorqueActualR", "N.m"},
    {"DiTorqueActualREL", "N.m"},
    {"DiTorqueActualRER", "N.m"},
    {"DiTorquemotor", "N.m"},
    {"DiVBatF", "V"},
    {"DiVBatR", "V"},
    {"DiVBatREL", "V"},
    {"DiVBatRER", "V"},
    {"EnergyRemaining", "kWh"},
    {"EstBatteryRange", "mi"},
    {"EstimatedHoursToChargeTermination", "h"},
    {"ExpectedEnergyPercentAtTripArrival", "%"},
    {"GpsHeading", "deg"},
    {"HvacLeftTemperatureRequest", "degC"},
    {"HvacRightTemperatureRequest", "degC"},
    {"IdealBatteryRange", "mi"},
    {"InsideTemp", "degC"},
    {"IsolationResistance", "ohm"},
    {"LateralAcceleration", "m/s2"},
    {"LongitudinalAcceleration", "m/s2"},
    {"MediaAudioVolume", "%"},
    {"MilesSinceReset", "mi"},
    {"MilesToArrival", "mi"},
    {"MinutesToArrival", "min"},
    {"ModuleTempMax", "degC"},
    {"ModuleTempMin", "degC"},
    {"Odometer", "mi"},
    {"OutsideTemp", "degC"},
    {"PackCurrent", "A"},
    {"PackVoltage", "V"},
    {"PedalPosition", "%"},
    {"PowershareHoursLeft", "h"},
    {"PowershareInstantaneousPowerKW", "kW"},
    {"RatedRange", "mi"},
    {"RouteTrafficMinutesDelay", "min"},
    {"SelfDrivingMilesSinceReset", "mi"},
    {"Soc", "%"},
    {"TimeToFullCharge", "h"},
    {"TpmsPressureFl", "bar"},
    {"TpmsPressureFr", "bar"},
    {"TpmsPressureRl", "bar"},
    {"TpmsPressureRr", "bar"},
    {"VehicleSpeed", "mi/h"},
});

}  // namespace

std::string TeslaFieldName(uint64_t number) {
  if (number < kFields.size() && !kFields[number].empty()) return std::string(kFields[number]);
  return fmt::format("Field_{}", number);
}

std::string TeslaValueName(uint32_t value_field, uint64_t number) {
  const std::span<const std::string_view> values = ValuesOf(value_field);
  if (number < values.size() && !values[number].empty()) return std::string(values[number]);
  return fmt::format("{}", number);
}

bool IsTeslaEnum(uint32_t value_field) { return !ValuesOf(value_field).empty(); }

bool IsTeslaField(std::string_view name) {
  return std::find(kFields.begin(), kFields.end(), name) != kFields.end() && !name.empty();
}

std::string_view UnitOfTeslaField(std::string_view name) {
  const auto unit = std::lower_bound(kUnits.begin(), kUnits.end(), name,
                                     [](const Unit& entry, std::string_view wanted) { return entry.field < wanted; });
  return unit != kUnits.end() && unit->field == name ? unit->unit : std::string_view();
}

}  // namespace rhodes
