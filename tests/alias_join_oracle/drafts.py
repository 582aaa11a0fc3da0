"""Steps that change the shape of a query's rows."""

from . import spec
from .maker import documents, is_document, is_relation, table_refs
from .schema import LINKS
from .steps import Steps


class Draft(Steps):
    def values(self, plain=False, least=1):
        """Select columns; plain ones have names without a path."""
        refs = [r for r in self.refs + self.positive if r not in self.hidden]
        if plain:
            refs = [ref for ref in refs if ref.name not in self.aliases]
        chosen = dict.fromkeys(self.maker.some(refs, least, 4))
        pairs = []
        for ref in chosen:
            if len(ref.path) > 1 and (plain or self.maker.chance(30)):
                pairs.append((self.maker.name("c"), ref))
            else:
                pairs.append((ref.name, ref))
        if self.documents and self.maker.chance(30):
            ref = self.maker.pick(self.documents)
            if ref.kind == "json" and self.maker.chance(60):
                ref = self.maker.key(ref)
            pairs.append((self.maker.name("c"), ref))
        if self.maker.chance(20):
            value = self.maker.operand(self.maker.pick(refs).kind, refs, shown=True)
            if isinstance(value, spec.Call):
                pairs.append((self.maker.name("c"), value))
        self.project(pairs)

    def project(self, pairs):
        self.add(spec.Values(tuple(pairs)))
        self.columns = [
            (
                value
                if isinstance(value, spec.Ref) and value.name == name
                else spec.Ref((name,), value.kind)
            )
            for name, value in pairs
        ]
        self.expressions += [
            ref for ref, (_, value) in zip(self.columns, pairs) if ref is not value
        ]
        self.expose(self.columns)
        self.annotations = []
        self.identity = list(self.shown)

    def aggregate(self, refs, relation=()):
        """One aggregate over the rows of a group or of the query."""
        sources = [] if relation else self.sources
        function = self.maker.pick(("Count", "Sum", "Min", "Max"))
        argument = None
        if function == "Count":
            argument = self.maker.pick([None, *refs, *sources])
        else:
            kinds = ("int", "decimal") if function == "Sum" else ("int", "moment")
            # Django doesn't make the local times that it has truncated aware.
            usable = [
                ref
                for ref in refs
                if ref.kind in kinds
                and not (ref.kind == "moment" and ref in self.expressions)
            ]
            if usable:
                argument = self.maker.pick(usable)
            else:
                function = "Count"
        distinct = argument is not None and self.maker.chance(20)
        condition = None
        if argument is not None and self.maker.chance(20):
            simple = not self.areas.negated_when
            with self.maker.within(aggregate=True, guarded=self.guarded):
                condition = self.maker.condition(refs, depth=1, simple=simple)
        # COUNT(DISTINCT) takes one column, and values have none that tells
        # their rows apart.
        projections = [name for name, model in self.aliases.items() if not model]
        if (
            function in ("Min", "Max")
            or distinct
            and (argument.kind == "Cell" or argument.name in projections)
        ):
            distinct = False
        return spec.Aggregate(
            self.maker.name("n"), function, argument, distinct, condition, relation
        )

    @property
    def sources(self):
        """The aliases that can be counted."""
        return [
            spec.Ref((name,), model or "int")
            for name, model in self.aliases.items()
            if model != "Cell" or self.areas.composite_counts
        ]

    def group(self):
        """annotate() with aggregates, by row or by the columns of values()."""
        refs = self.refs + self.positive
        if self.ordered:
            # A later ordering would change the groups.
            self.add(spec.Order(()))
        relation = ()
        if not self.aliases and not self.stage and self.maker.chance(40):
            links = [x for x in LINKS[self.model].values() if x.way != "forward"]
            if links:
                link = self.maker.pick(links)
                relation = (link.name,)
                refs = table_refs(link.target, relation, depth=1)
        # PostgreSQL needs more than a part of a composite key in GROUP BY.
        merge = self.unmatched or self.model == "Cell" or self.maker.chance(60)
        if not relation and merge:
            self.values(plain=True)
        aggregates = []
        for _ in range(self.maker.number(1, 2)):
            step = self.aggregate(refs, relation)
            if relation and step.argument is None:
                step = spec.Aggregate(
                    step.name, "Count", self.maker.pick(refs), relation=relation
                )
            self.add(step)
            kind = step.argument.kind if step.function in ("Min", "Max", "Sum") else ""
            aggregates.append(spec.Ref((step.name,), kind or "int"))
        self.stage = "grouped"
        if self.columns is None:
            self.annotations = self.annotations + aggregates
            plain = [ref for ref in self.annotations if ref not in self.expressions]
            self.expose(table_refs(self.model, depth=1) + plain)
            self.identity = [r for r in self.identity if len(r.path) == 1]
            self.identity += self.annotations
        else:
            self.columns = self.columns + aggregates
            self.identity = list(self.shown)
            self.expose([ref for ref in self.columns if ref not in self.expressions])
        if self.maker.chance(40):
            self.filter(depth=1)

    def window(self):
        """annotate() with a function over the rows of a partition."""
        refs = [r for r in self.refs + self.positive if not is_relation(r)]
        if self.columns is not None:
            refs = [ref for ref in self.shown if not is_relation(ref)]
        numbers = [ref for ref in refs if ref.kind == "int"]
        if self.shows_documents and not numbers:
            return
        partition = tuple(dict.fromkeys(self.maker.some(refs, 0, 2))) if refs else ()
        if self.shows_documents or numbers and self.maker.chance(60):
            function = self.maker.pick(("Sum", "Max", "Count"))
            value = spec.Window(function, self.maker.pick(numbers), partition, ())
        else:
            keys = tuple(
                spec.Key(ref, self.maker.chance(40))
                for ref in dict.fromkeys(self.identity)
            )
            value = spec.Window("RowNumber", None, partition, keys)
        if self.ordered or self.model == "Note":
            self.add(spec.Order(()))
        ref = spec.Ref((self.maker.name("w"),), "int")
        self.add(spec.Annotate(ref.name, value))
        if self.columns is None:
            self.annotations.append(ref)
        else:
            self.columns.append(ref)
            self.identity.append(ref)
        self.stage = "windowed"

    def expose(self, refs):
        """Reset what is in scope."""
        if self.columns is None:
            self.documents = documents(self.model)
        else:
            self.documents = [ref for ref in refs if is_document(ref)]
        refs = [ref for ref in refs if not is_document(ref)]
        computed = [ref for ref in refs if ref.path[0][1:].isdigit()]
        if self.guarded and self.areas.negated_annotations:
            computed = []
        self.refs = [ref for ref in refs if ref not in computed]
        self.positive = computed

    def distinct(self):
        if self.columns is not None and (self.ordered or self.model == "Note"):
            self.add(spec.Order(()))
        self.add(spec.Distinct())
        self.identity = self.shown
        self.stage = "distinct"

    @property
    def shows_documents(self):
        """Whether databases don't agree on an order of the rows."""
        return self.columns is not None and any(map(is_document, self.columns))

    @property
    def joins_documents(self):
        """Whether no key tells the rows of a join with documents apart."""
        return any(
            self.aliases.get(ref.path[0], self.model) is None for ref in self.documents
        )

    def slice(self):
        if self.shows_documents or self.joins_documents:
            return
        self.order(total=True)
        start = self.maker.pick((0, 0, 1))
        self.add(spec.Slice(start, start + self.maker.number(1, 3)))
        self.stage = "sliced"

    def union(self, other):
        """Combine with a query of the same columns."""
        method = self.maker.pick(("union", "union", "intersection", "difference"))
        everything = method == "union" and self.maker.chance(40)
        self.add(spec.Union(method, other, everything))
        self.stage = "union"

    def pushed_down(self):
        """What is in scope once a join made the query a derived table."""
        joined = []
        if self.areas.pushed_aliases and self.stage == "sliced":
            joined = [ref for ref in self.refs if ref.path[0] in self.aliases]
        if self.columns is None:
            self.expose(table_refs(self.model) + self.annotations + joined)
        else:
            self.expose(self.columns)
        if self.columns is not None or not joined:
            self.aliases = {}
            self.identity = list(self.shown)
            if self.columns is None:
                self.identity = [ref for ref in self.shown if not is_relation(ref)]
        self.pushed_aliases = set(self.aliases)
        self.stage, self.pushed = "", True
