"""The engine alone: memory, snapshots, histograms, beside NumPy and scipp."""

from __future__ import annotations

import time

from peers import Cost, Events, cost
from programs import Engine
from report import Plot, Row, paired, quantity


def spent(answer: dict) -> Cost:
    return cost(answer["seconds"], answer["cpu"])


def by_processor(values: list[Cost]) -> list[float]:
    return [value.cpu for value in values]


def seconds(values: list[float]) -> str:
    return quantity(sorted(values)[len(values) // 2], "s")


def memory(options) -> list[Row]:
    rows = []
    for message, reach in ((2000, 8.6), (50, 9.5)):
        figures, stored = [], []
        number = options.memory_events
        with Engine(message=message) as engine:
            filled = engine.ask("fill", events=number)
            figures.append((filled["rss"] - engine.idle) / filled["events"])
            stored.append((filled["event_bytes"] + filled["pulse_bytes"]) / filled["events"])
            if message == 2000:
                taken = engine.ask("snapshots", seconds=options.seconds)
                rows.append(
                    Row(
                        "kernels",
                        f"snapshot of {number / 1e6:.0f} M events while ingesting, processor time of 9 of 10",
                        [taken["p90_processor_seconds"] * 1e3],
                        "ms",
                        1.0,
                        at_least=False,
                        ours=f"by the clock: median {taken['median_seconds'] * 1e6:.0f} µs",
                        note=f"ingest and sealing want both cores: by the clock 9 of 10 take "
                        f"{taken['p90_seconds'] * 1e3:.1f} ms, the longest processor time was "
                        f"{taken['longest_processor_seconds'] * 1e3:.1f} ms (memory that the host had to back)",
                    )
                )
                rows.append(
                    Row(
                        "kernels",
                        "ingest beside snapshots, share of its rate alone",
                        [taken["beside_rate"] / taken["alone_rate"]],
                        "×",
                        0.95,
                        ours=f"{taken['beside_rate'] / 1e6:.0f} M/s of processor time of all threads",
                        peer=f"{taken['alone_rate'] / 1e6:.0f} M/s",
                    )
                )
        rows.append(
            Row(
                "kernels",
                f"memory at {number / 1e6:.0f} M events, {message} a message",
                figures,
                "B/event",
                reach,
                at_least=False,
                ours=f"accounted for: {stored[0]:.2f} B/event",
                peer="Mantid's plain event: 16",
            )
        )
    return rows


def settled(engine: Engine) -> dict:
    """Figures when what is sealed aside is sealed: until then it is there twice."""
    time.sleep(0.5)
    return engine.ask("fill", events=2000)


def changes(options) -> list[Row]:
    """Memory after three run changes."""
    number = options.events
    with Engine(grace=5) as engine:
        engine.ask("fill", events=number)
        first = settled(engine)["rss"] - engine.idle
        for _ in range(3):
            engine.ask("next_run")
            # Behind its margin a run is complete, and what is older than the grace time is let go of.
            engine.ask("fill", events=number)
        last = settled(engine)
    kept = (last["rss"] - engine.idle) / first
    return [
        Row(
            "kernels",
            "memory after three run changes, of what one run needs",
            [kept],
            "×",
            1.05,
            at_least=False,
            ours=f"{(last['rss'] - engine.idle) / 1e6:.0f} MB",
            peer=f"first run: {first / 1e6:.0f} MB",
            note="with a grace time of 5 s: what it keeps before the newest run is no part of this",
        )
    ]


def histograms(options) -> tuple[list[Row], list[Plot]]:
    number, rounds = options.events, options.rounds
    named = f"{number / 1e6:.0f} M events"
    peers = Events(number)
    ours: dict[str, list[Cost]] = {name: [] for name in ("first", "energy", "d", "sum", "again", "skew", "sealed")}
    theirs: dict[str, list[Cost]] = {name: [] for name in ("scipp", "numpy", "energy", "d", "sum")}
    written: list[float] = []
    with Engine() as engine, Engine() as changing, Engine(skew=0.19) as skewed:
        filled = engine.ask("fill", events=number)
        changing.ask("fill", events=number)
        skewed.ask("fill", events=number)
        # As in every execution but the first two: what was counted before is held, what was before that is not.
        for _ in range(2):
            changing.ask("bin", fresh=0, keep=1)
            changing.ask("fill", events=number // 100)
        for number_of_round in range(rounds):
            # The peers' tables are made just before, which leaves the tables of their pages in the caches. Ours get a
            # pass for that: the first after other work takes up to three times as long.
            engine.ask("bin")
            first = engine.ask("bin")
            ours["first"].append(spent(first))
            ours["sealed"].append(cost(first["seconds"] + filled["seconds"], first["cpu"] + filled["cpu"]))
            changing.ask("bin", fresh=0, keep=1)
            changing.ask("fill", events=number // 100)
            changing.ask("veto", share=0.01)
            # They come in seconds, and are sealed beside that, not in the thousandth of a second before the execution.
            time.sleep(0.2)
            ours["again"].append(spent(changing.ask("bin", fresh=0, keep=1, scale=0.5 + 0.01 * number_of_round)))
            theirs["scipp"].append(peers.scipp_counts(1000))
            theirs["numpy"].append(peers.numpy_counts(1000))
            skewed.ask("bin")
            ours["skew"].append(spent(skewed.ask("bin")))
            for unit in ("energy", "d"):
                engine.ask("bin", unit=unit)
                ours[unit].append(spent(engine.ask("bin", unit=unit)))
                theirs[unit].append(peers.scipp_counts(1000, unit))
            engine.ask("bin", rows="one")
            ours["sum"].append(spent(engine.ask("bin", rows="one")))
            theirs["sum"].append(peers.scipp_sum(1000))
            written.append(engine.ask("bin", write="ye")["write_seconds"])

    # On a machine with other work our threads, which are nice, get less of it: processor time says what the work is.
    chosen = by_processor if options.processor_time else list

    def row(name, key, peer, words, reach):
        other = paired(by_processor(ours[key]), by_processor(theirs[peer]), times=True)
        return Row(
            "kernels",
            f"{named} → {name}",
            paired(chosen(ours[key]), chosen(theirs[peer]), times=True),
            f"× {words}",
            reach,
            ours=f"{seconds(ours[key])}, processor {seconds(by_processor(ours[key]))}",
            peer=f"{seconds(theirs[peer])}, processor {seconds(by_processor(theirs[peer]))}",
            values={
                "ours": ours[key],
                "peer": theirs[peer],
                "oursProcessor": by_processor(ours[key]),
                "peerProcessor": by_processor(theirs[peer]),
                "byProcessorTime": other,
            },
        )

    copies = [copy_seconds(69_632 * 1000 * 4) for _ in range(rounds)]
    again, first, copied = chosen(ours["again"]), chosen(ours["first"]), chosen(copies)
    budget = [a / (0.05 * b + c) for a, b, c in zip(again, first, copied)]
    rows = [
        row("69,632 × 1,000, first time", "first", "scipp", "scipp", 10),
        row("69,632 × 1,000, first time", "first", "numpy", "NumPy", 3),
        row("the same, with taking in and sealing", "sealed", "scipp", "scipp", None),
        row("energy transfer, 69,632 × 1,000", "energy", "energy", "scipp", 8),
        row("d-spacing, 1,000 logarithmic bins", "d", "d", "scipp", 8),
        row("sum of all spectra, 1,000 bins", "sum", "sum", "scipp", 2),
        Row(
            "kernels",
            "after 1 % more, 1 % flipped, another charge: of what is allowed",
            budget,
            "×",
            1.0,
            at_least=False,
            ours=seconds(again),
            peer=f"5 % of the first time + a copy: {seconds([0.05 * b + c for b, c in zip(first, copied)])}",
            note="the result before is still held, so that the counts are copied",
            values={"ours": ours["again"]},
        ),
        Row(
            "kernels",
            "a monitor with 19 % of the events, of the even detector's time",
            [a / b for a, b in zip(chosen(ours["skew"]), first)],
            "×",
            1.3,
            at_least=False,
            ours=seconds(ours["skew"]),
        ),
        Row("kernels", "Y and E written to fresh memory", written, "s", ours=seconds(written)),
    ]
    return rows, []


def copy_seconds(size: int) -> Cost:
    """A copy of as many bytes, into memory that was used before."""
    import numpy as np
    from peers import timed

    source = np.ones(size, dtype=np.uint8)
    target = np.ones(size, dtype=np.uint8)
    return timed(lambda: np.copyto(target, source))


def growth(options) -> list[Plot]:
    """How time and memory grow with the events of a run, and time with the cells of a histogram."""
    again, first, memory_curve, cells = [], [], [], []
    step = options.events // 5
    with Engine() as engine:
        for _ in range(5):
            filled = engine.ask("fill", events=step)
            first.append((filled["kept"], engine.ask("bin", keep=1)["seconds"]))
            memory_curve.append((filled["kept"], (filled["event_bytes"] + filled["pulse_bytes"]) / 1e9))
            engine.ask("fill", events=1_000_000)
            again.append((filled["kept"], engine.ask("bin", fresh=0)["seconds"]))
        for bins in (1, 10, 100, 300, 1000, 3000):
            cells.append((69_632 * bins, engine.ask("bin", bins=bins)["seconds"]))
    return [
        Plot(
            "an execution against the run's length", "events in the run", "s", {"first": first, "each further": again}
        ),
        Plot("memory of a run", "events in the run", "GB", {"events and pulses": memory_curve}),
        Plot(
            "histogram against its size",
            "spectra × bins",
            "s",
            {f"{options.events / 1e6:.0f} M events": cells},
            log_x=True,
        ),
    ]
