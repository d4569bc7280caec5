"""Draws rows/s and CPU for each row of a bench run as SVG. usage: plot.py RESULTS.tsv OUT.svg [CASE]..."""
import collections
import os
import statistics
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "sluice"  # the same numbers make the same file
import matplotlib.pyplot as plt

TICKS = os.sysconf("SC_CLK_TCK")
Run = collections.namedtuple("Run", "rate client backend")


def read(path):
    cases = {}
    with open(path) as file:
        for line in file:
            case, contender, _, rows, seconds, client, backend, *_ = line.rstrip("\n").split("\t")
            millions = int(rows) / 1e6
            run = Run(int(rows) / float(seconds), int(client) / TICKS / millions, int(backend) / TICKS / millions)
            cases.setdefault(case, {}).setdefault(contender, []).append(run)
    return cases


def main(source, destination, *wanted):
    cases = {case: found for case, found in read(source).items() if not wanted or case in wanted}
    sizes = [len(contenders) for contenders in cases.values()]
    figure, grid = plt.subplots(len(cases), 2, squeeze=False, figsize=(10, 0.9 * len(cases) + 0.35 * sum(sizes)),
                                gridspec_kw={"height_ratios": sizes}, layout="constrained")
    for (case, contenders), (speed, cpu) in zip(cases.items(), grid):
        names = list(contenders)
        rates = [sorted(run.rate for run in runs) for runs in contenders.values()]
        middle = [statistics.median(values) for values in rates]
        speed.barh(names, middle, color=["#4878a8" if name.startswith("job") else "#b0b0b0" for name in names],
                   xerr=[[m - values[0] for m, values in zip(middle, rates)],
                         [values[-1] - m for m, values in zip(middle, rates)]])
        speed.set_title(f"{case}: rows/s, median and range", fontsize=9)
        client = [statistics.median(run.client for run in runs) for runs in contenders.values()]
        backend = [statistics.median(run.backend for run in runs) for runs in contenders.values()]
        cpu.barh(names, client, color="#d8a048", label="client")
        cpu.barh(names, backend, left=client, color="#6a9a5b", label="backend or worker")
        cpu.set_title(f"{case}: CPU seconds per million rows", fontsize=9)
        for axes in (speed, cpu):
            axes.invert_yaxis()
            axes.tick_params(labelsize=8)
        speed.xaxis.set_major_formatter("{x:,.0f}")
        cpu.set_yticklabels([])
    grid[0][1].legend(fontsize=8)
    figure.savefig(destination, metadata={"Date": None})


main(*sys.argv[1:])
