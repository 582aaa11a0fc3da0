"""Random joins and the queries around them."""

from dataclasses import replace

from hypothesis import strategies as st

from . import spec
from .drafts import Draft
from .maker import Maker, family, table_refs
from .rows import databases
from .schema import LINKS, TABLES, primary_key

MODELS = ("Item", "Note", "Owner", "Place", "Rate", "Tag", "Cell")
ALIASES = ("mine", "other", "third", "fourth")
# Names that generated aliases, tables or keywords have too.
ODD_ALIASES = ("T4", "u0", "alias_join_oracle_note", "select", "été", "Mine_1")


class Queries(Maker):
    # Sources of joins.

    def source(self, outer, nesting):
        """A source, references to its columns, and its model."""
        kinds = ["table", "filtered", "projected", "grouped", "sliced", "distinct"]
        if self.areas.unions:
            kinds.append("union")
        if nesting:
            kinds.append("joined")
        lateral = self.areas.lateral and outer and self.chance(30)
        kind = self.pick(kinds)
        model = self.pick(MODELS)
        if kind == "table" and not lateral:
            return spec.Table(model), table_refs(model), model
        draft = Draft(self, model, outer)
        if lateral:
            draft.correlate()
        if kind == "joined":
            self.join(draft, nesting - 1)
        if self.chance(35):
            draft.filter(depth=1)
        if kind == "union":
            return self.united(draft)
        if self.chance(20):
            draft.annotate()
        if kind in ("projected", "distinct") or kind == "sliced" and self.chance(50):
            draft.values(plain=True)
        elif draft.unmatched and kind != "grouped":
            # Model instances need a row of the model.
            draft.values(plain=True)
        if kind == "grouped":
            draft.group()
        if kind == "distinct":
            draft.distinct()
        if kind == "sliced" or kind == "grouped" and self.chance(15):
            draft.slice()
        if draft.columns is None:
            draft.refs = table_refs(model) + draft.annotations
            return draft.query, draft.refs, model
        return draft.query, draft.columns, None

    def united(self, draft):
        """A union of two projections with the same names and kinds."""
        other = Draft(self, self.pick(MODELS))
        # The first branch decides on the types of the columns.
        options = [
            {
                kind: [
                    r
                    for r in side.refs
                    if kind == (r.kind if exact else family(r.kind))
                ]
                for kind in ("int", "text", "decimal")
            }
            for side, exact in ((draft, True), (other, False))
        ]
        shared = [kind for kind in options[0] if all(side[kind] for side in options)]
        kinds = self.some(shared or ["int"], 1, 3)
        names = [self.name("c") for _ in kinds]
        for side, refs in zip((draft, other), options):
            if side.model == "Note":
                # A branch of a union keeps no ordering.
                side.add(spec.Order(()))
            side.project(
                [
                    (name, self.pick(refs[kind]) if refs[kind] else self.const(kind))
                    for name, kind in zip(names, kinds)
                ]
            )
        draft.union(other.query)
        columns = [spec.Ref((n,), kind) for n, kind in zip(names, kinds)]
        draft.columns = columns
        return draft.query, columns, None

    # Joins.

    def on(self, inner, outer):
        """A condition that relates an alias's columns to what is before."""
        if not self.areas.on_outer_paths:
            outer = [ref for ref in outer if len(ref.path) == 1]
        pairs = [
            (a, b) for a in inner for b in outer if family(a.kind) == family(b.kind)
        ]
        if not pairs or self.chance(3):
            return self.lookup(inner)
        shape = self.pick(("equal", "equal", "equal", "range", "several", "tree"))
        # Keys of one table, or of any other with the same values.
        linked = [pair for pair in pairs if pair[0].kind == pair[1].kind in TABLES]
        left, right = self.pick(linked if linked and self.chance(50) else pairs)
        if shape == "range":
            low, high = self.pick(pairs), self.pick(pairs)
            return spec.Combine(
                "&",
                (
                    spec.Lookup(low[0], "lte", low[1]),
                    spec.Lookup(high[0], "gt", high[1]),
                ),
            )
        equal = spec.Lookup(left, "exact", right)
        if self.chance(20):
            equal = spec.Lookup(right, "exact", left)
        if shape == "several":
            extra = self.condition(inner, depth=1, simple=not self.areas.negated_on)
            return spec.Combine("&", (equal, extra))
        if shape == "tree":
            simple = not self.areas.negated_on
            extra = self.condition([*inner, *outer], depth=2, simple=simple)
            return spec.Combine(self.pick(("&", "|")), (equal, extra))
        return equal

    def alias(self, draft):
        names = ALIASES
        if self.areas.alias_join and self.chance(10):
            names = ODD_ALIASES
        free = [name for name in names if name not in draft.used]
        alias = self.pick(free[:2]) if free else self.name("j")
        draft.used.add(alias)
        return alias

    def types(self):
        types = ["left"]
        types += [
            name
            for name in ("inner", "right", "full", "cross")
            if getattr(self.areas, name)
        ]
        return types

    def join(self, draft, nesting):
        if draft.stage:
            draft.pushed_down()
        alias = self.alias(draft)
        kind = self.pick(self.types()) if self.chance(40) else "left"
        outer = () if kind in ("right", "full") else draft.refs
        source, refs, model = self.source(outer, nesting)
        refs = [spec.Ref((alias, *ref.path), ref.kind) for ref in refs]
        on, inferred = None, False
        if kind != "cross":
            columns = [ref for ref in refs if len(ref.path) == 2]
            self.in_on = True
            on = self.on(columns, draft.refs)
            self.in_on = False
            link = self.only_link(draft, source)
            if link and self.chance(30):
                on, inferred = link_condition(alias, link), True
        form = self.pick(("alias_join", "alias_join", "annotate", "alias"))
        draft.add(spec.Join(alias, source, on, kind, inferred, form))
        if model is None and not self.areas.projected_fk_paths:
            refs = [ref for ref in refs if len(ref.path) == 2]
        if model is None:
            draft.identity += refs
        else:
            draft.identity += [
                spec.Ref((alias, name), model) for name in primary_key(model)
            ]
            if model != "Cell":
                refs.append(spec.Ref((alias,), model))
        draft.refs += refs
        draft.aliases[alias] = model
        draft.unmatched |= kind in ("right", "full")

    def only_link(self, draft, source):
        """The one relation between a query's model and a source's table."""
        if not isinstance(source, spec.Table) or draft.columns is not None:
            return None
        links = [
            link
            for link in LINKS[draft.model].values()
            if link.target == source.model and link.way != "many"
        ]
        return links[0] if len(links) == 1 else None

    def relate(self, draft):
        """A FilteredRelation that names a relation."""
        links = [
            link
            for link in LINKS[draft.model].values()
            if self.areas.to_many or link.way == "forward"
            if self.areas.required_relations or link.null
            if self.areas.many_relations or link.way != "many"
        ]
        if not links:
            return
        alias = self.alias(draft)
        link = self.pick(links)
        path = (link.name,)
        inner = [
            spec.Ref((*path, *ref.path), ref.kind)
            for ref in table_refs(link.target, depth=1)
        ]
        outer = table_refs(draft.model, depth=1)
        self.in_on = self.in_relation = True
        on = self.lookup(inner)
        if not self.areas.relation_operands:
            on = spec.Lookup(on.lhs, "exact", self.const(on.lhs.kind))
        elif self.chance(40):
            simple = not self.areas.negated_on
            on = self.condition(inner, depth=2, simple=simple)
        elif self.chance(30):
            on = self.on(inner, outer)
        self.in_on = self.in_relation = False
        form = self.pick(("annotate", "alias"))
        eager = self.areas.alias_join and self.areas.eager_relations
        if eager and self.chance(50):
            form = "alias_join"
        draft.add(spec.Join(alias, spec.Relation(path), on, form=form))
        depth = 2 if self.areas.paths_beyond_relations else 1
        refs = table_refs(link.target, (alias,), depth)
        refs.append(spec.Ref((alias,), link.target))
        draft.identity += [
            spec.Ref((alias, name), link.target) for name in primary_key(link.target)
        ]
        draft.aliases[alias] = link.target
        if link.way != "forward" and form != "alias_join":
            draft.positive += refs
            draft.lazy = alias
        else:
            draft.refs += refs

    # Queries.

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
            self.pick((draft.group, draft.distinct, draft.slice))()

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
        if self.areas.combine and combinable and not draft.lazy and self.chance(10):
            draft.either()
        return draft

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
        if not draft.stage and self.chance(15):
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
        uses = ["in", "exists", "aggregate"]
        if self.areas.pickle:
            uses.append("pickle")
        hydratable = [name for name, model in draft.aliases.items() if model]
        if self.areas.hydrate and hydratable:
            uses.append("hydrate")
        if self.areas.writes:
            uses += ["update", "delete"]
        check = spec.Check(draft.query, self.pick(uses))
        if check.use == "aggregate":
            return replace(check, aggregate=draft.aggregate(draft.refs))
        if check.use == "hydrate":
            return replace(check, alias=self.pick(hydratable))
        return check


def link_condition(alias, link):
    """What an omitted ON is inferred to be."""
    own, other = primary_key(link.model)[0], primary_key(link.target)[0]
    if link.way == "forward":
        pair = spec.Ref((alias, other), link.target), (link.column,)
    else:
        pair = spec.Ref((alias, link.column), link.model), (own,)
    return spec.Lookup(pair[0], "exact", spec.Ref(pair[1], link.target))


@st.composite
def cases(draw, areas, checks=3):
    data = draw(databases())
    queries = Queries(draw, areas)
    count = draw(st.integers(1, checks))
    return spec.Case(data, tuple(queries.check() for _ in range(count)))
