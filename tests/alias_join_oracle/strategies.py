"""Random queries, and what is done with them."""

from dataclasses import replace
from random import Random

from . import spec
from .coverage import features
from .drafts import Draft
from .joins import Joins
from .rows import make
from .schema import TABLES

# Those with most relations first.
MODELS = ("Item", "Note", "Owner", "Place", "Rate", "Tag", "Cell")


class Queries(Joins):
    def narrow(self, draft):
        """Filters and annotations, in any order."""
        if draft.lazy:
            # Each call that refers to it may join a to-many relation again.
            if self.chance(60):
                draft.filter()
            return
        if self.chance(25):
            draft.annotate()
        if self.chance(55):
            draft.filter()
        if self.chance(15):
            draft.annotate()
            draft.filter(depth=1)

    def settle(self, draft):
        """Make the next join push the query down."""
        again = draft.pushed and not self.areas.pushed_twice
        if self.areas.pushdown and not draft.unmatched and not again:
            self.pick((draft.group, draft.distinct, draft.slice, draft.window))()

    def query(self, nesting=1):
        draft = Draft(self, self.pick(MODELS[: 4 if self.chance(80) else 7]))
        joins = self.pick((1, 1, 1, 2, 2, 3, 0)) if self.areas.alias_join else 0
        if joins and self.chance(30):
            self.narrow(draft)
        if joins and self.chance(25):
            self.settle(draft)
        relations = self.areas.relations and not draft.stage
        if relations and self.chance(20 if joins else 70):
            self.relate(draft)
            joins = min(joins, 1) if not draft.lazy else 0
        for number in range(joins):
            if number and self.chance(15):
                self.settle(draft)
            self.join(draft, nesting)
            if self.chance(30):
                draft.filter(depth=2)
        self.narrow(draft)
        combinable = not draft.pushed and (
            self.areas.combine_relations or not draft.aliases
        )
        if self.areas.combine and combinable and not draft.lazy and self.chance(12):
            joins = self.areas.alias_join and self.chance(40)
            draft.either(self.join_left if joins else None)
        if not draft.lazy and not draft.stage and self.chance(20):
            draft.beyond()
        return draft

    def join_left(self, draft):
        """| loses no rows by a LEFT JOIN."""
        self.join(draft, 0, types=("left",))

    def finish(self, draft):
        """What the query shows, and in which order."""
        if draft.lazy:
            ref = self.pick([r for r in draft.positive if r.path[0] == draft.lazy])
            draft.project([(ref.name, ref)])
            if self.chance(30):
                draft.order()
            return
        end = self.pick(("values", "values", "values", "rows", "group"))
        if draft.unmatched:
            # Model instances need a row of the model.
            end = "values"
        if end == "values" and draft.columns is None:
            draft.values()
        elif end == "group" and draft.columns is None:
            draft.group()
        elif end == "values" and not draft.stage and self.chance(10):
            draft.window()
        if draft.stage in ("", "windowed") and self.chance(15):
            draft.distinct()
        if self.chance(25):
            draft.slice()
        elif self.chance(40):
            draft.order()

    def check(self):
        draft = self.query()
        flat = not draft.stage and draft.columns is None
        flat = flat and not draft.lazy and not draft.unmatched
        if flat and not draft.pushed and self.chance(30):
            return self.use(draft)
        self.finish(draft)
        return spec.Check(draft.query)

    def use(self, draft):
        """Something else than reading the rows of a flat query."""
        check = spec.Check(draft.query)
        uses = ["in", "exists", "aggregate", "pages", "value", "prefetch"]
        # Pickling evaluates the querysets that an expression was made of.
        if self.areas.pickle and not any(
            feature.endswith("QueryLookup") for feature in features(check)
        ):
            uses.append("pickle")
        hydratable = [name for name, model in draft.aliases.items() if model]
        if self.areas.hydrate and hydratable:
            uses.append("hydrate")
        if self.areas.writes:
            uses.append("update")
            if self.areas.plain_deletes or draft.aliases.keys() - draft.lazy_aliases:
                uses.append("delete")
            uses += ["assign"] if draft.aliases else []
        check = replace(check, use=self.pick(uses))
        shown = [ref for ref in draft.refs if ref not in draft.hidden]
        if check.use == "aggregate":
            return replace(check, aggregate=draft.aggregate(shown))
        if check.use == "pages":
            draft.order(total=True)
            return replace(check, query=draft.query)
        if check.use == "value":
            return replace(check, value=self.pick(shown))
        if check.use == "assign":
            return replace(check, value=self.assigned(draft))
        if check.use == "hydrate":
            return replace(check, alias=self.pick(hydratable))
        return check

    def assigned(self, draft):
        """What update() may set the column in WRITES to."""
        kind = "text" if draft.model == "Place" else "int"
        aliases = draft.aliases.keys() - draft.lazy_aliases
        same = [
            ref
            for ref in draft.refs
            if ref.name in TABLES[draft.model] or ref.path[0] in aliases
            if ref.kind == kind
        ]
        aliased = [ref for ref in same if ref.path[0] in aliases]
        if aliased and self.chance(70):
            return self.pick(aliased)
        return self.operand(kind, same)


def make_case(seed, areas, checks=3):
    random = Random(seed)
    data = make(random)
    queries = Queries(random, areas)
    count = random.randint(1, checks)
    return spec.Case(data, tuple(queries.check() for _ in range(count)))
