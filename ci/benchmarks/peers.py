"""The peers: NumPy, scipp, and the former processor's loop over events."""

from __future__ import annotations

import time

import numpy as np

SPECTRA = 69_632
FRAME = 20_000.0


class Cost(float):
    """Seconds on the wall; `cpu` has those of processor time, over all threads."""

    cpu: float


def cost(seconds: float, cpu: float) -> Cost:
    made = Cost(seconds)
    made.cpu = cpu
    return made


def timed(work) -> Cost:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return cost(time.perf_counter() - began, time.process_time() - cpu)


class Events:
    """As many events as the engine has, with the same distribution."""

    def __init__(self, number: int):
        random = np.random.default_rng(7)
        self.ids = random.integers(1, SPECTRA + 1, number, dtype=np.int32)
        self.times = random.random(number) * FRAME

    def numpy_counts(self, bins: int) -> Cost:
        """`bincount` alone: the flat indices are made before."""
        flat = (self.ids - 1).astype(np.int64) * bins + (self.times * (bins / FRAME)).astype(np.int64)
        return timed(lambda: np.bincount(flat, minlength=SPECTRA * bins))

    def table(self):
        import scipp as sc

        number = len(self.ids)
        return sc.DataArray(
            sc.ones(dims=["event"], shape=[number], unit="counts", dtype="float32"),
            coords={
                "tof": sc.array(dims=["event"], values=self.times, unit="us"),
                "id": sc.array(dims=["event"], values=self.ids, unit=None),
            },
        )

    def scipp_counts(self, bins: int, unit: str = "tof") -> Cost:
        """Group by detector, convert, histogram."""
        import scipp as sc

        table = self.table()
        detectors = sc.arange("id", 1, SPECTRA + 1, dtype="int32", unit=None)
        share = sc.array(dims=["id"], values=np.arange(SPECTRA) / SPECTRA)

        def work():
            grouped = table.group(detectors)
            if unit == "tof":
                grouped.hist(tof=sc.linspace("tof", 0.0, FRAME, bins + 1, unit="us"))
            elif unit == "energy":
                k = sc.array(dims=["id"], values=5.22704e6 * (2.5 + share.values) ** 2, unit="meV*us**2")
                late = grouped.bins.coords["tof"] - sc.scalar(2286.3, unit="us")
                grouped.bins.coords["energy"] = sc.scalar(100.0, unit="meV") - k / (late * late)
                grouped.hist(energy=sc.linspace("energy", -200.0, 95.0, bins + 1, unit="meV"))
            else:
                scale = sc.array(
                    dims=["id"], values=1.0 / (505.556 * 12.0 * np.sin(0.2 + share.values)), unit="angstrom/us"
                )
                grouped.bins.coords["d"] = grouped.bins.coords["tof"] * scale
                grouped.hist(d=sc.geomspace("d", 0.1, 10.0, bins + 1, unit="angstrom"))

        return timed(work)

    def scipp_sum(self, bins: int) -> Cost:
        import scipp as sc

        table = self.table()
        edges = sc.linspace("tof", 0.0, FRAME, bins + 1, unit="us")
        return timed(lambda: table.hist(tof=edges))


class Spectrum:
    """In place of Mantid's event list: takes an event and keeps nothing."""

    def addEventQuickly(self, time_of_flight, pulse_time):
        pass


class Workspace:
    """In place of Mantid's: knows every detector, and has one spectrum for all."""

    def __init__(self):
        self.spectrum = Spectrum()

    def getIndicesFromDetectorIDs(self, detectors):
        return detectors

    def getSpectrum(self, index):
        return self.spectrum


def old_loop(bootstrap: str, instrument: str, most: int) -> float:
    """The former processor: one consumer, one partition, each event in turn. Events a second."""
    from confluent_kafka import Consumer, TopicPartition
    from streaming_data_types.eventdata_ev42 import deserialise_ev42
    from streaming_data_types.eventdata_ev44 import deserialise_ev44

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "old-loop", "enable.auto.commit": False})
    consumer.assign([TopicPartition(f"{instrument}_events", 0, 0)])
    workspace, events, began = Workspace(), 0, None
    try:
        while events < most:
            message = consumer.poll(10)
            if message is None or message.error():
                break
            began = began or time.perf_counter()
            payload = message.value()
            if payload[4:8] == b"ev42":
                data = deserialise_ev42(payload)
                ids, times, pulse = data.detector_id, data.time_of_flight, data.pulse_time
            elif payload[4:8] == b"ev44":
                data = deserialise_ev44(payload)
                ids, times, pulse = data.pixel_id, data.time_of_flight, data.reference_time[0]
            else:
                continue
            # As it was written: a list of indices by a look-up of all ids, then each number made one of Python's.
            for index, time_of_flight in zip(workspace.getIndicesFromDetectorIDs(ids.tolist()), times):
                spectrum = workspace.getSpectrum(int(index))
                spectrum.addEventQuickly(int(time_of_flight), pulse)
            events += len(ids)
    finally:
        consumer.close()
    return events / (time.perf_counter() - began) if began else float("nan")
