"""The demonstration's reduction: counts of every spectrum over time of flight, and their sum."""

from mantid.simpleapi import Rebin, SaveNexusProcessed, SumSpectra, config, mtd


def execute():
    run = mtd["lives"]
    number = run.getRunNumber()
    folder = config["defaultsave.directory"]
    # From 0 to beyond the longest time of flight, so that every event is in the file.
    counts = Rebin(run, "0,100,100000", PreserveEvents=False)
    SaveNexusProcessed(counts, f"{folder}/LIVEDEMO{number}.nxs")
    total = SumSpectra(counts)
    SaveNexusProcessed(total, f"{folder}/LIVEDEMO{number}_sum.nxs")
    charge = run.getRun().getProtonCharge()
    print(
        f"run {number}: {run.getNumberEvents()} events, {charge:.4f} uA.hour, {total.readY(0).max():.0f} in the highest bin"
    )
