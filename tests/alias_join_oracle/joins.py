"""Draw joins onto a query."""

from . import spec
from .maker import documents, family, is_document, table_refs
from .schema import LINKS, TABLES, primary_key
from .sources import Sources

ALIASES = ("mine", "other", "third", "fourth")
# Names that generated aliases, tables or keywords have too.
ODD_ALIASES = ("T4", "u0", "alias_join_oracle_note", "select", "été", "Mine_1")


class Joins(Sources):
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

    def join(self, draft, nesting, types=()):
        if draft.stage:
            draft.pushed_down()
        alias = self.alias(draft)
        left = self.areas.mostly_left and not self.chance(40)
        kind = "left" if left else self.pick(types or self.types())
        outer = () if kind in ("right", "full") else draft.refs
        source, refs, model = self.source(outer, nesting)
        refs = [spec.Ref((alias, *ref.path), ref.kind) for ref in refs]
        on, inferred = None, False
        if kind != "cross":
            columns = [
                ref for ref in refs if len(ref.path) == 2 and not is_document(ref)
            ]
            with self.within(on=True, guarded=True):
                on = self.on(columns, draft.refs)
            link = self.only_link(draft, source)
            if link and self.chance(30):
                on, inferred = link_condition(alias, link), True
        form = self.pick(("alias_join", "alias_join", "annotate", "alias"))
        draft.add(spec.Join(alias, source, on, kind, inferred, form))
        if model is None and not self.areas.projected_fk_paths:
            refs = [ref for ref in refs if len(ref.path) == 2]
        if model is None:
            draft.identity += [ref for ref in refs if not is_document(ref)]
        else:
            refs += documents(model, (alias,))
            draft.identity += [
                spec.Ref((alias, name), model) for name in primary_key(model)
            ]
            if model != "Cell":
                refs.append(spec.Ref((alias,), model))
        draft.documents += [ref for ref in refs if is_document(ref)]
        draft.refs += [ref for ref in refs if not is_document(ref)]
        if self.areas.negated_annotations:
            draft.refs += draft.positive
            draft.positive = []
        draft.aliases[alias] = model
        if kind in ("right", "full"):
            draft.unmatched = True
            # What was computed before may have become a subquery.
            draft.pushed_aliases |= draft.aliases.keys()

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
        with self.within(on=True, relation=True, guarded=True):
            on = self.relation_condition(inner, outer)
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
        if form != "alias_join":
            draft.lazy_aliases.add(alias)
        if link.way != "forward" and form != "alias_join":
            draft.positive += refs
            draft.lazy = alias
        else:
            draft.refs += refs

    def relation_condition(self, inner, outer):
        if not self.areas.relation_operands:
            ref = self.pick(inner)
            return spec.Lookup(ref, "exact", self.const(ref.kind))
        if self.chance(40):
            simple = not self.areas.negated_on
            return self.condition(inner, depth=2, simple=simple)
        return self.on(inner, outer) if self.chance(30) else self.lookup(inner)


def link_condition(alias, link):
    """What an omitted ON is inferred to be."""
    own, other = primary_key(link.model)[0], primary_key(link.target)[0]
    if link.way == "forward":
        pair = spec.Ref((alias, other), link.target), (link.column,)
    else:
        pair = spec.Ref((alias, link.column), link.model), (own,)
    return spec.Lookup(pair[0], "exact", spec.Ref(pair[1], link.target))
