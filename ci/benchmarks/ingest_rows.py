"""From Kafka into the timeline, beside librdkafka alone and the former processor's loop."""

from __future__ import annotations

from peers import old_loop
from programs import Kafka, feed, simulate
from report import Plot, Row, paired, quantity

# What a topic holds: name, schema, partitions, events a message, share of the events of the others.
TOPICS = [
    ("EVA", "ev44", 1, 2000, 1.0),
    ("EVB", "ev44", 4, 2000, 1.0),
    ("EVC", "ev42", 1, 2000, 1.0),
    ("EVD", "ev42", 4, 2000, 1.0),
    ("EVE", "ev44", 1, 50, 0.2),
]


def rate(values: list[float]) -> str:
    return quantity(sorted(values)[len(values) // 2], "/s")


def fill(kafka: Kafka, name: str, schema: str, partitions: int, message: int, events: int) -> dict:
    """A run of so many events, in pulses of 50 Hz, each message full."""
    kafka.create(name, partitions)
    # Ten messages a pulse where they are large, one where they are small: the low-rate case.
    per_pulse = 10 * message if message >= 1000 else message
    seconds = events / (per_pulse * 50)
    return simulate(
        kafka,
        name,
        *("--schema", schema, "--partitions", str(partitions), "--events-per-message", str(message)),
        *("--rate", str(per_pulse * 50), "--run-seconds", f"{seconds:.3f}", "--runs", "1", "--gap-seconds", "0"),
    )


def rows(options) -> tuple[list[Row], list[Plot]]:
    found: list[Row] = []
    by_partitions: dict[str, list[tuple[float, float]]] = {}
    by_message: list[tuple[float, float]] = []
    simulated: list[float] = []
    with Kafka() as kafka:
        for name, schema, partitions, message, share in TOPICS[: 2 if options.quick else None]:
            events = int(options.feed_events * share)
            sent = fill(kafka, name, schema, partitions, message, events)
            raw, copy, ours, binning, cpu = [], [], [], [], []
            feed(kafka, "raw", name)
            for _ in range(options.rounds):
                # Bytes are the same for all; events only the decoder knows.
                alone, copied, taken = (feed(kafka, how, name) for how in ("raw", "copy", "timeline"))
                raw.append(taken["events"] / alone["seconds"])
                copy.append(taken["events"] / copied["seconds"])
                ours.append(taken["events"] / taken["seconds"])
                cpu.append(taken["events"] / max(taken["cpu"], 0.01))
                if name == "EVB":
                    beside = feed(kafka, "timeline", name, "bin")
                    binning.append(beside["events"] / beside["seconds"])
            if message == 2000:
                simulated.append(events / sent["seconds"])
                by_partitions.setdefault(schema, []).append((partitions, sorted(ours)[len(ours) // 2]))
            if partitions == 1 and schema == "ev44":
                by_message.append((message, sorted(ours)[len(ours) // 2]))
            what = f"Kafka → timeline, {schema}, {message} a message, {partitions} partition{'s' * (partitions > 1)}"
            found.append(
                Row(
                    "ingest",
                    what,
                    paired(ours, raw, times=False),
                    "× librdkafka",
                    0.35,
                    ours=f"{rate(ours)}, {rate(cpu)} of processor time",
                    peer=f"{rate(raw)}; decoded and copied {rate(copy)}",
                    values={"ours": ours, "librdkafka": raw, "copy": copy},
                )
            )
            if partitions == 1:
                loop = [old_loop(kafka.bootstrap, name, options.loop_events) for _ in range(min(options.rounds, 2))]
                found.append(
                    Row(
                        "ingest",
                        what,
                        paired(ours, loop, times=False),
                        "× old loop",
                        20 if message == 2000 else None,
                        ours=rate(ours),
                        peer=rate(loop),
                        note=f"librdkafka alone: {min(paired(raw, loop, times=False)):.0f} to {max(paired(raw, loop, times=False)):.0f} times",
                    )
                )
            if binning:
                found.append(
                    Row(
                        "ingest",
                        "ingest while binning from nothing all the time, share of its rate alone",
                        paired(binning, ours, times=False),
                        "×",
                        0.8,
                        ours=rate(binning),
                        peer=rate(ours),
                    )
                )
            kafka.delete(name)
    found.append(
        Row(
            "ingest",
            "simulated instrument, 2,000 a message",
            simulated,
            "events/s",
            20e6,
            ours=rate(simulated),
            note="from its start, with the broker on the same cores",
        )
    )
    plots = []
    if not options.quick:
        plots = [
            Plot("ingest against partitions", "partitions", "events/s", by_partitions),
            Plot("ingest against events a message", "events a message", "events/s", {"ev44": by_message}, log_x=True),
        ]
    return found, plots
