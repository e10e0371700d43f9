"""Prints one message a line, made by ess-streaming-data-types, as JSON: schema, message in hex, values."""

import json

import numpy as np
from streaming_data_types import (
    serialise_6s4t,
    serialise_al00,
    serialise_ep01,
    serialise_ev42,
    serialise_ev44,
    serialise_f144,
    serialise_pl72,
    serialise_x5f2,
)
from streaming_data_types.alarm_al00 import Severity
from streaming_data_types.epics_connection_ep01 import ConnectionInfo
from streaming_data_types.run_start_pl72 import DetectorSpectrumMap


def put(schema, message, **values):
    print(json.dumps({"schema": schema, "hex": message.hex(), "values": values}))


random = np.random.default_rng(20)
for events in (0, 1, 7, 5000):
    tof = random.integers(0, 2**32, events, dtype=np.uint32)
    ids = random.integers(0, 2**32, events, dtype=np.uint32)
    isis = {"period_number": 3, "run_state": 1, "proton_charge": 0.125}
    for frame in (None, isis):
        message = serialise_ev42("NeXus-Streamer", 17, 1_700_000_000_123_456_789, tof, ids, frame)
        put(
            "ev42",
            message,
            source="NeXus-Streamer",
            message_id=17,
            pulse=1_700_000_000_123_456_789,
            tof=tof.tolist(),
            ids=ids.tolist(),
            frame=frame,
        )

for pulses, events in ((1, 0), (1, 40), (3, 2000)):
    times = (1_700_000_000_000_000_000 + 20_000_000 * np.arange(pulses)).tolist()
    first = sorted([0] + random.integers(0, events + 1, pulses - 1).tolist())
    tof = random.integers(0, 2**31, events).tolist()
    for ids in (random.integers(0, 2**31, events).tolist(), []):
        put(
            "ev44",
            serialise_ev44("bank_1", 9, times, first, tof, ids),
            source="bank_1",
            message_id=9,
            times=times,
            first=first,
            tof=tof,
            ids=ids,
        )

spectra, detectors = list(range(1, 150_001)), list(range(1_000_001, 1_150_001))
for detector_map in (None, DetectorSpectrumMap(np.array(spectra), np.array(detectors), 150_000)):
    message = serialise_pl72(
        "job-é",
        "file.nxs",
        start_time=1_700_000_000_123,
        run_name="MERLIN71617",
        instrument_name="MERLIN",
        nexus_structure='{"children": []}',
        detector_spectrum_map=detector_map,
    )
    put(
        "pl72",
        message,
        job="job-é",
        start=1_700_000_000_123,
        name="MERLIN71617",
        instrument="MERLIN",
        structure='{"children": []}',
        entries=0 if detector_map is None else 150_000,
    )

put("6s4t", serialise_6s4t("job", stop_time=1_700_000_001_000), job="job", stop=1_700_000_001_000, name="test_run")
put("6s4t", serialise_6s4t("job", run_name="7"), job="job", stop=None, name="7")

for kind in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"):
    for value in (np.array(3, dtype=kind), np.array([1, 2, 100], dtype=kind), np.array([], dtype=kind)):
        put(
            "f144",
            serialise_f144("IN:MERLIN:CS:SB:Rot", value, 1_700_000_000_000_000_001),
            kind=kind,
            array=value.ndim == 1,
            value=value.tolist(),
        )

for number, severity in enumerate((Severity.OK, Severity.MINOR, Severity.MAJOR, Severity.INVALID)):
    put("al00", serialise_al00("PV", 123, severity, "why"), severity=number)

put("x5f2", serialise_x5f2("a", "1", "b", "c", 1, 2, "{}"))
put("ep01", serialise_ep01(5, ConnectionInfo.CONNECTED, "PV", "service"))

# This package has neither un00 nor pu00: they are laid out here by hand with the flatbuffers library, as
# their published schemas say.
import flatbuffers  # noqa: E402


def table(identifier, fields):
    """fields: (slot, kind, value); strings are made first."""
    builder = flatbuffers.Builder(256)
    strings = {slot: builder.CreateString(value) for slot, kind, value in fields if kind == "string"}
    builder.StartObject(8)
    for slot, kind, value in fields:
        if kind == "string":
            builder.PrependUOffsetTRelativeSlot(slot, strings[slot], 0)
        elif kind == "int64":
            builder.PrependInt64Slot(slot, value, 0)
        elif kind == "uint32":
            builder.PrependUint32Slot(slot, value, None)
        elif kind == "float32":
            builder.PrependFloat32Slot(slot, value, None)
    builder.Finish(builder.EndObject(), file_identifier=identifier)
    return bytes(builder.Output())


put("un00", table(b"un00", [(0, "string", "PV"), (1, "int64", 55), (2, "string", "deg")]), units="deg")
put("un00", table(b"un00", [(0, "string", "PV"), (1, "int64", 55)]), units=None)
put(
    "pu00",
    table(
        b"pu00",
        [
            (0, "string", "frames"),
            (1, "int64", 4),
            (2, "int64", 1_700_000_000_000_000_000),
            (3, "uint32", 0x01000008),
            (4, "uint32", 2),
            (5, "float32", 0.25),
        ],
    ),
    vetos=0x01000008,
    period=2,
    charge=0.25,
)
put(
    "pu00",
    table(b"pu00", [(0, "string", "frames"), (1, "int64", 4), (2, "int64", 1_700_000_000_000_000_000)]),
    vetos=None,
    period=None,
    charge=None,
)
