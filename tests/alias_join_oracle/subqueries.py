"""Conditions that are queries, Exists() and __in, and unions."""

from . import spec
from .drafts import Draft
from .maker import Maker, family, is_relation
from .schema import TABLES


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
                return spec.InQuery(lhs, draft.query)
            return self.among(refs, nullable) or self.exists(refs)

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
        if nullable and self.areas.unions and self.chance(20):
            return self.among_union(refs)
        draft = self.inner(self.pick(tuple(TABLES)), refs)
        own = TABLES[draft.model]
        pairs = [
            (outer, inner)
            for outer in refs
            if not is_relation(outer)
            for inner in draft.refs
            if family(inner.kind) == family(outer.kind)
            if nullable or inner.name in own and not own[inner.name].null
        ]
        if not pairs:
            return None
        outer, inner = self.pick(pairs)
        draft.project([(inner.name, inner)])
        return spec.InQuery(outer, draft.query)

    def among_union(self, refs):
        # Of Cell, Django counts the columns of the key rather than annotations.
        draft = Draft(self, self.pick([name for name in TABLES if name != "Cell"]))
        [column] = self.united(draft, most=1)
        outer = [
            ref
            for ref in refs
            if not is_relation(ref) and family(ref.kind) == column.kind
        ]
        if not outer:
            return None
        return spec.InQuery(self.pick(outer), draft.query)

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
