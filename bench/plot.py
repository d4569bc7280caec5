"""Draws rows/s and CPU for each row of a bench run as SVG. usage: plot.py RESULTS.tsv OUT.svg [CASE]...

Texts and bars are legible on white and on black, and there is no background, so that one file serves both. Text stays
text: the file is small, and its numbers can be found and copied.
"""
import collections
import os
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("svg")
TEXT = "#797979"  # as far from white as from the darkest of the usual backgrounds
matplotlib.rcParams.update({
    "svg.hashsalt": "sluice",  # the same numbers make the same file
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "text.color": TEXT,
})
import matplotlib.pyplot as plt
from matplotlib.patches import Patch

OURS, OTHERS, CLIENT, SERVER = "#2f81c7", "#9aa0a6", "#d9963b", "#5a9e6f"
TICKS = os.sysconf("SC_CLK_TCK")
# Inches.
WIDTH, EDGE = 11, 0.1
BAR = 0.25
HEADING = 0.5  # of a case
HEAD = 0.45    # of the picture
SPEED_AT, SPEED_WIDTH, CPU_AT, CPU_WIDTH = 3.9, 4.2, 8.6, 2.3
Run = collections.namedtuple("Run", "round rate client server")


def read_names():
    names = {}
    for line in pathlib.Path(__file__).with_name("names.tsv").read_text(encoding="utf-8").splitlines():
        what, name, text = line.split("\t")
        names[what, name] = text.replace("`", "")
    return names


def read(path):
    cases = {}
    with open(path) as file:
        for line in file:
            case, contender, number, rows, seconds, client, server, *_ = line.rstrip("\n").split("\t")
            millions = int(rows) / 1e6
            run = Run(number, int(rows) / float(seconds), int(client) / TICKS / millions, int(server) / TICKS / millions)
            cases.setdefault(case, {}).setdefault(contender, []).append(run)
    return cases


def ratio(runs, reference):
    """As report.pl: each round is compared with the same round of the first contender."""
    rates = {run.round: run.rate for run in reference}
    return statistics.median(run.rate / rates[run.round] for run in runs)


def bare(axes, bars):
    axes.set_ylim(bars - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([])
    for side, spine in axes.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(TEXT)
        spine.set_linewidth(0.6)


def draw_case(speed, cpu, contenders, names):
    rates = [sorted(run.rate for run in runs) for runs in contenders.values()]
    clients = [statistics.median(run.client for run in runs) for runs in contenders.values()]
    servers = [statistics.median(run.server for run in runs) for runs in contenders.values()]
    reference = next(iter(contenders.values()))
    bare(speed, len(contenders))
    bare(cpu, len(contenders))
    speed.set_xlim(0, 1.5 * max(values[-1] for values in rates))  # room for what stands behind the bars
    cpu.set_xlim(0, 1.18 * max(map(sum, zip(clients, servers))))
    for y, (name, runs) in enumerate(contenders.items()):
        middle = statistics.median(rates[y])
        ours = name.startswith("job")
        weight = "bold" if ours else "normal"
        speed.barh(y, middle, 0.66, color=OURS if ours else OTHERS, clip_on=False)
        speed.plot([rates[y][0], rates[y][-1]], [y, y], color=TEXT, linewidth=1.2, solid_capstyle="butt", clip_on=False)
        speed.annotate(names.get(("contender", name), name), (0, y), (-5, 0), textcoords="offset points", ha="right",
                       va="center", fontweight=weight)
        speed.annotate(f"{middle:,.0f} (× {ratio(runs, reference):.2f})", (max(rates[y][-1], middle), y), (5, 0),
                       textcoords="offset points", va="center", fontweight=weight)
        cpu.barh(y, clients[y], 0.66, color=CLIENT, clip_on=False)
        cpu.barh(y, servers[y], 0.66, left=clients[y], color=SERVER, clip_on=False)
        cpu.annotate(f"{clients[y] + servers[y]:.2f}", (clients[y] + servers[y], y), (5, 0), textcoords="offset points",
                     va="center", fontweight=weight)


def main(source, destination, *wanted):
    names = read_names()
    cases = {case: found for case, found in read(source).items() if not wanted or case in wanted}
    height = HEAD + EDGE + sum(HEADING + BAR * len(contenders) for contenders in cases.values())
    figure = plt.figure(figsize=(WIDTH, height))
    figure.patch.set_visible(False)
    y = height - HEAD
    for case, contenders in cases.items():
        bars = BAR * len(contenders)
        y -= HEADING + bars
        panels = [figure.add_axes([left / WIDTH, y / height, width / WIDTH, bars / height], facecolor="none")
                  for left, width in ((SPEED_AT, SPEED_WIDTH), (CPU_AT, CPU_WIDTH))]
        draw_case(*panels, contenders, names)
        panels[0].annotate(names.get(("case", case), case), (EDGE / WIDTH, 1), (0, 6), xycoords=("figure fraction", "axes fraction"),
                           textcoords="offset points", fontsize=10.5, fontweight="bold", annotation_clip=False)
    figure.text(SPEED_AT / WIDTH, 1 - EDGE / height, "Rows a second: median, range, ratio to the first", va="top")
    figure.text(CPU_AT / WIDTH, 1 - EDGE / height, "CPU seconds per million rows", va="top")
    figure.legend(handles=[Patch(color=CLIENT, label="client"), Patch(color=SERVER, label="backend or worker")],
                  loc="upper left", bbox_to_anchor=((CPU_AT - 0.06) / WIDTH, 1 - 0.25 / height), ncols=2, frameon=False, borderpad=0,
                  handlelength=1, handleheight=0.8, columnspacing=1.2, labelcolor=TEXT)
    figure.savefig(destination, metadata={"Date": None}, transparent=True)


main(*sys.argv[1:])
