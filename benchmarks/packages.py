"""
W1 to W3 with those of the packages that users would pick instead that are installed.
"""

from importlib.util import find_spec

from django.db import connection
from django.db.models import F, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.db.models.sql.constants import LOUTER

from .models import Account, Car, Topic
from .workloads import TARGET, W1, W2, W3


def forms(workload):
    """Yield the name and the function of each form of a workload."""
    for module, vendors, make in [
        ("django_cte", ["sqlite", "postgresql", "mysql"], with_cte),
        ("django_derived_relation", ["postgresql"], derived_relation),
    ]:
        if find_spec(module) and connection.vendor in vendors:
            if (parts := PARTS.get(type(workload))) is not None:
                yield module, make(*parts)


# Model, its columns, source, the source's key, and its columns.
PARTS = {
    W1: (Topic, ["id", "name"], W1.records, "topic_id", ["value"]),
    W2: (Car, ["id"], W2.per_car, "car_id", ["n"]),
    W3: (
        Account,
        ["id", "name"],
        W3.transfers.values(target=TARGET).annotate(s1=Sum("first"), s2=Sum("second")),
        "target",
        ["s1", "s2"],
    ),
}


def or_zero(name, expression):
    return Coalesce(expression, Value(0)) if name == "n" else expression


def with_cte(model, own, source, key, columns):
    from django_cte import CTE, with_cte

    def run():
        cte = CTE(source.values(key, *columns) if key != "target" else source)
        joined = cte.join(model, id=getattr(cte.col, key), _join_type=LOUTER)
        # F() leaves the names of the model's columns to them.
        selected = [or_zero(name, getattr(cte.col, name)) for name in columns]
        return with_cte(cte, select=joined).values_list(*map(F, own), *selected)

    return run


def derived_relation(model, own, source, key, columns):
    from django_derived_relation import DerivedQuerySet, DerivedRelation

    def run():
        rows = source.values(key, *columns) if key != "target" else source
        mine = DerivedRelation(rows, condition=Q(**{f"mine__{key}": F("id")}))
        selected = [or_zero(name, F(f"mine__{name}")) for name in columns]
        return DerivedQuerySet(model).alias(mine=mine).values_list(*own, *selected)

    return run
