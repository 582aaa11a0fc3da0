"""Conditions that are queries, Exists() and __in, and unions."""

from . import spec
from .drafts import Draft
from .maker import Maker, family, is_relation
from .schema import TABLES, primary_key


class Subqueries(Maker):
    def subquery(self, refs, negated):
        """Draw a condition that is a query over any table."""
        # A query that selects NULL is only negated where that is minded.
        nullable = self.where.guarded or not negated
        # FilteredRelation() refuses querysets.
        only_exists = self.where.relation
        with self.within(subquery=True):
            if only_exists or self.chance(50):
                return self.exists(refs)
            relations = [ref for ref in refs if is_relation(ref) and ref.kind != "Cell"]
            if relations and self.chance(30):
                lhs = self.pick(relations)
                draft = self.inner(lhs.kind, refs)
                return spec.QueryLookup(lhs, draft.query)
            if nullable and self.chance(20):
                found = self.scalar(refs)
            elif nullable and self.areas.unions and self.chance(20):
                found = self.among_union(refs)
            else:
                found = self.among(refs, nullable)
            return found or self.exists(refs)

    def inner(self, model, refs):
        draft = Draft(self, model, refs)
        if self.areas.alias_join and self.chance(20):
            self.join(draft, 0, types=("left", "inner"))
        if self.chance(40):
            draft.correlate()
        if self.chance(50):
            draft.filter(depth=1)
        return draft

    def exists(self, refs):
        return spec.Exists(self.inner(self.pick(tuple(TABLES)), refs).query)

    def among(self, refs, nullable):
        draft = self.inner(self.pick(tuple(TABLES)), refs)
        own = TABLES[draft.model]
        inner = [
            ref
            for ref in draft.refs
            if nullable or ref.name in own and not own[ref.name].null
        ]
        return self.compared(refs, draft, inner, "in")

    def compared(self, refs, draft, inner, name):
        """Compare one of the references with a column of a query."""
        pairs = [
            (ref, column)
            for ref in refs
            if not is_relation(ref)
            for column in inner
            if family(column.kind) == family(ref.kind)
        ]
        if not pairs:
            return None
        ref, column = self.pick(pairs)
        if draft.columns is None:
            draft.project([(column.name, column)])
        return spec.QueryLookup(ref, draft.query, name)

    def scalar(self, refs):
        """Compare with a column of one row, or of none."""
        model = self.pick([name for name in TABLES if name != "Cell"])
        draft = Draft(self, model, refs)
        [key] = [spec.Ref((name,), model) for name in primary_key(model)]
        draft.add(spec.Filter(spec.Lookup(key, "exact", self.const(model))))
        if self.chance(40):
            draft.correlate()
        name = self.pick(("gt", "gte", "lt", "lte"))
        return self.compared(refs, draft, draft.refs, name)

    def among_union(self, refs):
        # Django counts the columns of Cell's key rather than annotations.
        draft = Draft(self, self.pick([name for name in TABLES if name != "Cell"]))
        return self.compared(refs, draft, self.united(draft, most=1), "in")

    def united(self, draft, most=3):
        """Make a union of two projections with the same names and kinds."""
        other = Draft(self, self.pick(tuple(TABLES)))
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
        kinds = self.some(shared or ["int"], 1, most)
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
        return columns
