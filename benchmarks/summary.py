"""
What to read out of the results of a workload.
"""


def timed(workload, kind):
    """Return the forms of a kind that were measured, by name."""
    return {
        form["name"]: form
        for form in workload["forms"]
        if form["kind"] == kind and "total" in form
    }


def fastest(workload, kind, clock="total"):
    """Return the time of the fastest form of a kind, or None."""
    forms = timed(workload, kind).values()
    return min((form[clock]["median"] for form in forms if clock in form), default=None)


def divide(a, b):
    return a / b if a and b else None
