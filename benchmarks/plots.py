"""
Plots of results, if matplotlib is installed.
"""

from .connect import DATABASES, SCALES
from .summary import divide, fastest

COLORS = {"sql": "0.6", "joins": "tab:green", "stock": "tab:blue", "package": "tab:red"}
COLUMNS = 4
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

    def save(figure, name):
        figure.tight_layout()
        figure.savefig(directory / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)

    for result in results:
        save(forms(pyplot, result), f"{result['db']}-{result['size']}")
    for size in SCALES:
        if found := {r["db"]: r for r in results if r["size"] == size}:
            save(ratios(pyplot, found, size), f"ratios-{size}")
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
    figure.suptitle(f"{result['db']}, {result['size']}: time to the best SQL's")
    return figure


def ratios(pyplot, results, size):
    """Draw, by database, what each workload takes against the best SQL."""
    figure, axes = pyplot.subplots(
        1, len(results), figsize=(4 * len(results), 3), sharey=True, squeeze=False
    )
    for axis, (db, result) in zip(axes.flat, results.items()):
        workloads = result["workloads"]
        for offset, kind in [(-0.2, "joins"), (0.2, "stock")]:
            axis.bar(
                [place + offset for place in range(len(workloads))],
                [
                    divide(fastest(workload, kind), fastest(workload, "sql")) or 0
                    for workload in workloads.values()
                ],
                width=0.4,
                color=COLORS[kind],
                label=LABELS[kind],
            )
        axis.set_xticks(range(len(workloads)), workloads, fontsize=7)
        axis.set_yscale("log")
        axis.axhline(1, color="black", linewidth=0.5)
        axis.set_title(db)
    axes[0, 0].set_ylabel("time to the best SQL's")
    axes[0, 0].legend(fontsize=7)
    figure.suptitle(f"Size {size}")
    return figure


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
    figure.suptitle(f"{db}: time by size")
    return figure
