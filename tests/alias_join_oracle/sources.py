"""Draw what is joined."""

from . import spec
from .drafts import Draft
from .maker import table_refs
from .schema import MODELS as ALL
from .subqueries import Subqueries

MODELS = tuple(ALL)


class Sources(Subqueries):
    def source(self, outer, nesting):
        """A source, references to its columns, and its model."""
        kinds = ["table", "filtered", "projected", "grouped", "sliced", "distinct"]
        kinds.append("windowed")
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
            columns = self.united(draft)
            return draft.query, columns, None
        if self.chance(20):
            draft.annotate()
        bare = kind in ("sliced", "windowed")
        if kind in ("projected", "distinct") or bare and self.chance(50):
            draft.values(plain=True)
        elif draft.unmatched and kind != "grouped":
            # Model instances need a row of the model.
            draft.values(plain=True)
        if kind == "grouped":
            draft.group()
        if kind == "windowed":
            draft.window()
        if kind == "distinct":
            draft.distinct()
        if kind == "sliced" or kind == "grouped" and self.chance(15):
            draft.slice()
        if draft.columns is None:
            draft.refs = table_refs(model) + draft.annotations
            return draft.query, draft.refs, model
        return draft.query, draft.columns, None
