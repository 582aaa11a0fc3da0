"""
Plots of results, if matplotlib is installed.
"""

from .connect import DATABASES, SCALES
from .summary import fastest

COLORS = {"sql": "0.6", "joins": "tab:green", "stock": "tab:blue", "package": "tab:red"}
COLUMNS = 4
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
LABELS = {
    "sql": "SQL by hand",
    "joins": "alias_join()",
    "stock": "without alias_join()",
    "package": "a package",
}


def write(results, directory):
    try:
        from matplotlib import pyplot
    except ImportError:
        return
    # The same results give the same files.
    pyplot.rcParams["svg.hashsalt"] = "benchmarks"
    # Text stays text, which is smaller than outlines.
    pyplot.rcParams["svg.fonttype"] = "none"

    def save(figure, name):
        figure.tight_layout(rect=(0, 0, 1, 0.96))
        path = directory / f"{name}.svg"
        figure.savefig(path, metadata={"Creator": None, "Date": None})
        lines = map(str.rstrip, path.read_text().splitlines())
        path.write_text("\n".join(lines) + "\n")
        pyplot.close(figure)

    for result in results:
        save(forms(pyplot, result), f"{result['db']}-{result['size']}")
    for size in SCALES:
        if found := {r["db"]: r for r in results if r["size"] == size}:
            save(times(pyplot, found, size), f"times-{size}")
    for db in DATABASES:
        found = {r["size"]: r for r in results if r["db"] == db}
        if len(found) > 1:
            save(growth(pyplot, found, db), f"growth-{db}")


def forms(pyplot, result):
    """Draw the time of each form against that of the best SQL."""
    workloads = result["workloads"]
    figure, axes = pyplot.subplots(
        len(workloads), figsize=(8, 2 * len(workloads)), squeeze=False
    )
    for axis, (name, workload) in zip(axes.flat, workloads.items()):
        best = fastest(workload, "sql")
        shown = [form for form in workload["forms"] if "total" in form][::-1]
        axis.barh(
            [f"{form['kind']}: {form['name']}" for form in shown],
            [form["total"]["median"] / best for form in shown],
            color=[COLORS[form["kind"]] for form in shown],
        )
        axis.set_title(f"{name}: {workload['title']}", fontsize=9)
        axis.set_xscale("log")
        axis.axvline(1, color="black", linewidth=0.5)
        axis.tick_params(labelsize=7)
    figure.suptitle(f"{NAMES[result['db']]}, {result['size']}: time to the best SQL's")
    return figure


def times(pyplot, results, size):
    """Draw, by database, what the fastest form of each kind takes."""
    figure, axes = pyplot.subplots(
        len(results), figsize=(7, 2 * len(results)), sharex=True, squeeze=False
    )
    names = sorted({name for r in results.values() for name in r["workloads"]})
    for axis, (db, result) in zip(axes.flat, results.items()):
        for number, kind in enumerate(["sql", "joins", "stock"]):
            for place, name in enumerate(names):
                if workload := result["workloads"].get(name):
                    bar(axis, place + (number - 1) * 0.27, workload, kind)
        axis.set_xticks(range(len(names)), names)
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
        axis.tick_params(labelsize=8)
        axis.set_title(NAMES[db], fontsize=9)
        axis.set_ylabel("ms", fontsize=8)
    handles = [
        pyplot.Rectangle((0, 0), 1, 1, color=COLORS[kind], label=LABELS[kind])
        for kind in ["sql", "joins", "stock"]
    ]
    figure.legend(handles=handles, fontsize=8, ncols=3, loc="upper center")
    return figure


def bar(axis, place, workload, kind):
    """Draw a time, or how long all forms of a kind were waited for."""
    time, hatch = fastest(workload, kind), None
    if time is None:
        limits = [
            float(form["problem"].split()[1])
            for form in workload["forms"]
            if form["kind"] == kind and form.get("problem", "").startswith("over ")
        ]
        if not limits:
            return
        time, hatch = 1000 * max(limits), "////"
    axis.bar(
        place,
        time,
        width=0.27,
        facecolor="none" if hatch else COLORS[kind],
        edgecolor=COLORS[kind],
        linewidth=0.5,
        hatch=hatch,
    )


def growth(pyplot, results, db):
    """Draw how the time of each workload grows with the size of the tables."""
    names = list(dict.fromkeys(n for r in results.values() for n in r["workloads"]))
    lines = -(-len(names) // COLUMNS)
    figure, axes = pyplot.subplots(
        lines, COLUMNS, figsize=(2.5 * COLUMNS, 2.2 * lines), squeeze=False
    )
    for axis in axes.flat[len(names) :]:
        axis.remove()
    for axis, name in zip(axes.flat, names):
        for kind in ["sql", "joins", "stock"]:
            points = [
                (SCALES[size], milliseconds)
                for size, result in results.items()
                if name in result["workloads"]
                and (milliseconds := fastest(result["workloads"][name], kind))
            ]
            if points:
                axis.plot(
                    *zip(*sorted(points)),
                    color=COLORS[kind],
                    marker=".",
                    label=LABELS[kind],
                )
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.minorticks_off()
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
    axes[0, 0].set_ylabel("ms")
    axes[0, 0].legend(fontsize=6)
    figure.suptitle(f"{NAMES[db]}: time by size")
    return figure
