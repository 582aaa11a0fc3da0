"""
Tables and plots of all results in a directory: python -m benchmarks.report [directory]
"""

import json
import math
import sys
from pathlib import Path

from . import plots
from .connect import DATABASES, SCALES
from .summary import divide, fastest, timed

FIGURES = ["shape", "SQL", "of the database", "stock", "growth"]


def write(directory):
    """Write results.md and, if matplotlib is installed, the plots."""
    results = [json.loads(path.read_text()) for path in directory.glob("*-*.json")]
    results.sort(
        key=lambda r: (DATABASES.index(r["db"]), list(SCALES).index(r["size"]))
    )
    lines = [
        "# Results",
        "",
        "CPU time of the client and the server. *Shape*: the database's time for the "
        "join against the SQL of the same shape, written by hand. *SQL*: the time for "
        "the fastest join against the fastest SQL, and the database's. *Stock*: the "
        "time for the fastest form without `alias_join()` against the fastest join. "
        "*Growth*: the exponent since a tenth of the size.",
        "",
        row("database", "size", "workload", *FIGURES),
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for name, workload in result["workloads"].items():
            lines.append(row(result["db"], result["size"], name, *figures(workload)))
            lines[-1] += f" {growth(results, result, name)} |"
    for result in results:
        lines += ["", f"## {result['db']}, {result['size']}", "", versions(result)]
        for name, workload in result["workloads"].items():
            lines += ["", *table(name, workload)]
    (directory / "results.md").write_text("\n".join(lines) + "\n")
    plots.write(results, directory)


def versions(result):
    return ", ".join(f"{name} {value}" for name, value in result["versions"].items())


def row(*values):
    return f"| {' | '.join(map(str, values))} |"


def ratio(value):
    return "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def figures(workload):
    """Return the ratios of the targets: to the same shape, the best SQL, and stock."""
    sql, joins = timed(workload, "sql"), timed(workload, "joins")
    shapes = [
        f"{name} {ratio(shape(sql[name], form))}"
        for name, form in joins.items()
        if name in sql
    ]
    ours = fastest(workload, "joins")
    return (
        ", ".join(shapes),
        ratio(divide(ours, fastest(workload, "sql"))),
        ratio(
            divide(
                fastest(workload, "joins", "database"),
                fastest(workload, "sql", "database"),
            )
        ),
        ratio(divide(fastest(workload, "stock"), ours)),
    )


def shape(sql, form):
    return divide(form["database"]["median"], sql["database"]["median"])


def growth(results, result, name):
    """Return the exponent of the growth of the fastest join since the size before."""
    sizes = list(SCALES)
    before = sizes[max(sizes.index(result["size"]) - 1, 0)]
    for other in results:
        if (other["db"], other["size"]) == (result["db"], before) and other != result:
            if (earlier := other["workloads"].get(name)) is not None:
                times = fastest(result["workloads"][name], "joins"), fastest(
                    earlier, "joins"
                )
                if all(times):
                    return f"{math.log10(times[0] / times[1]):.2f}"
    return ""


def table(name, workload):
    yield f"### {name}: {workload['title']}, {workload['rows']:,} rows"
    yield ""
    yield row("form", "median ms", "quartiles", "to the best SQL", "database ms")
    yield "|---|---|---|---|---|"
    best = fastest(workload, "sql")
    for form in workload["forms"]:
        title = f"{form['kind']}: {form['name']}"
        if "total" not in form:
            yield row(title, form.get("problem", ""), "", "", "")
            continue
        total = form["total"]
        yield row(
            title,
            f"{total['median']:.3g}",
            f"{total['low']:.3g} to {total['high']:.3g}",
            ratio(divide(total["median"], best)),
            f"{form['database']['median']:.3g}" if "database" in form else "",
        )


if __name__ == "__main__":
    write(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parent / "results"))
