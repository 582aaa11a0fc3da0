"""
A query under construction, what is in scope after its steps, and those that
keep the rows' shape.
"""

from copy import copy

from . import spec
from .maker import (
    Maker,
    documents,
    family,
    is_document,
    is_relation,
    table_refs,
)
from .schema import LINKS, primary_key


class Steps:
    def __init__(self, maker: Maker, model, outer=()):
        self.maker = maker
        self.areas = maker.areas
        self.model = model
        self.outer = tuple(
            spec.Outer(ref.path, ref.kind)
            for ref in outer
            if not isinstance(ref, spec.Many)
        )
        self.steps = []
        self.refs = table_refs(model)
        # References that may not be negated.
        self.positive = []
        # Those to JSON, whose lookups are different.
        self.documents = documents(model)
        # Aliases of joins: name -> model, or None for a projection.
        self.aliases = {}
        self.used = set()
        # Those that only exist where they are referenced, as in Django.
        self.lazy_aliases = set()
        # Whether there may be rows without a row of the model.
        self.unmatched = False
        # What tells one row from another.
        self.identity = [spec.Ref((name,), model) for name in primary_key(model)]
        self.annotations = []
        # Those of alias(), which cannot be selected.
        self.hidden = []
        # Those that MySQL can't refer to in HAVING.
        self.expressions = []
        # Names in the output, None while the rows are model instances.
        self.columns = None
        # "", "grouped", "distinct", "sliced" or "union".
        self.stage = ""
        self.pushed = False
        # Those that joined the rows of what was pushed down.
        self.pushed_aliases = set()
        # A relation's join that only exists where it is referenced.
        self.lazy = ""

    @property
    def query(self):
        return spec.Query(self.model, tuple(self.steps))

    @property
    def guarded(self):
        """Whether negated conditions mind NULL: since the first alias."""
        return bool(self.used)

    @property
    def ordered(self):
        return any(isinstance(step, spec.Order) for step in self.steps)

    def copy(self):
        other = copy(self)
        for name in ("steps", "refs", "positive", "documents", "identity"):
            setattr(other, name, list(getattr(self, name)))
        other.aliases = dict(self.aliases)
        return other

    def add(self, step):
        self.steps.append(step)

    def filter(self, depth=3):
        negated = bool(self.refs) and self.maker.chance(35)
        positive = () if negated else self.positive
        condition = self.condition(positive, depth, negated)
        if self.documents and not negated and self.maker.chance(15):
            ref = self.maker.pick(self.documents)
            parts = (condition, self.maker.document(ref))
            condition = spec.Combine(self.maker.pick("&|"), parts)
        self.add(spec.Filter(condition, negated))

    def condition(self, positive, depth, negated):
        having = self.stage == "grouped"
        with self.maker.within(having=having, guarded=self.guarded):
            return self.maker.condition(self.focus(), positive, depth, negated)

    def focus(self):
        """The columns in scope, or only those of one record."""
        if not self.refs or self.maker.chance(40):
            return self.refs
        ref = self.maker.pick(self.refs)
        return [other for other in self.refs if other.path[:-1] == ref.path[:-1]]

    def correlate(self):
        """Compare with a column of the query around this one."""
        pairs = [
            (inner, outer)
            for outer in self.outer
            for inner in self.refs
            if family(inner.kind) == family(outer.kind) and len(inner.path) == 1
        ]
        if not pairs:
            return
        inner, outer = self.maker.pick(pairs)
        name = "exact" if self.maker.chance(70) else self.maker.pick(("lte", "gt"))
        self.add(spec.Filter(spec.Lookup(inner, name, outer)))

    def annotate(self):
        refs = self.refs + self.positive
        ref = self.maker.pick([ref for ref in refs if not is_relation(ref)])
        name = self.maker.name("x")
        value = self.maker.operand(ref.kind, refs, shown=True)
        if is_relation(value) or isinstance(value, spec.Const):
            value = ref
        method = "annotate" if self.maker.chance(70) else "alias"
        self.add(spec.Annotate(name, value, method))
        ref = spec.Ref((name,), value.kind)
        if isinstance(value, spec.Call) or len(value.path) > 1:
            self.expressions.append(ref)
        if self.stage == "grouped" and ref in self.expressions:
            pass
        elif self.guarded and self.areas.negated_annotations:
            self.refs.append(ref)
        else:
            self.positive.append(ref)
        (self.annotations if method == "annotate" else self.hidden).append(ref)

    def either(self, join=None):
        """
        Combine with the same query, each with a filter of its own and, if it
        is given, after join() added something to each.
        """
        connector = self.maker.pick(("|", "&"))
        sides, joins, common = [], [], self.copy()
        for _ in range(2):
            side = common.copy()
            if join is not None:
                join(side)
            joins.append(tuple(side.steps[len(common.steps) :]))
            condition = side.condition((), 2, True)
            sides.append(spec.Filter(condition, self.maker.chance(30)))
            for name in ("refs", "documents", "identity"):
                mine = getattr(self, name)
                mine += [ref for ref in getattr(side, name) if ref not in mine]
            self.aliases |= side.aliases
        self.add(spec.Either(connector, *sides, *joins))

    def order(self, total=False):
        refs = self.shown
        if self.columns is None and not self.stage:
            both = self.refs + self.positive
            refs = [ref for ref in both if not isinstance(ref, spec.Many)]
        refs = [ref for ref in refs if not is_relation(ref)]
        nulls = self.areas.distinct_nulls or self.stage != "distinct"
        keys = [
            spec.Key(
                ref,
                self.maker.chance(40),
                self.maker.pick(("", "", "first", "last")) if nulls else "",
            )
            for ref in (self.maker.some(refs, 0 if total else 1, 2) if refs else ())
        ]
        if total:
            known = {key.operand for key in keys}
            keys += [spec.Key(ref) for ref in self.identity if ref not in known]
        self.add(spec.Order(tuple(keys)))

    @property
    def shown(self):
        if self.columns is not None:
            both = self.columns + self.annotations
            return [ref for ref in both if not is_document(ref)]
        return table_refs(self.model, depth=1) + self.annotations

    def beyond(self):
        """Refer to what a relation to many of an alias's model leads to."""
        relations = [
            (alias, model, link)
            for alias, model in self.aliases.items()
            if model and alias not in self.pushed_aliases
            for link in LINKS[model].values()
            if link.way != "forward"
        ]
        if not relations:
            return
        alias, model, link = self.maker.pick(relations)
        refs = [
            spec.Many(ref.path, ref.kind, model)
            for ref in table_refs(link.target, (alias, link.name), depth=1)
            if not is_relation(ref)
        ]
        if self.maker.chance(70):
            # A subquery of Django's own doesn't know the query around it.
            others = [] if alias in self.lazy_aliases else self.refs
            with self.maker.within(guarded=True):
                lookups = [
                    self.maker.comparison(self.maker.pick(refs), others)
                    for _ in range(self.maker.number(1, 2))
                ]
            condition = spec.Combine(self.maker.pick("&|"), tuple(lookups))
            self.add(spec.Filter(condition, negated=self.maker.chance(40)))
        if self.maker.chance(60):
            self.positive = self.positive + refs
