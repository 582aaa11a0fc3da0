"""
The names of joins.

An alias is a name twice: lookup paths start with it, and it is an identifier
in SQL. The SQL alias equals it unless another entry of FROM has the name.
"""

import re
import unicodedata
from functools import lru_cache
from string import ascii_uppercase, digits

from django.core.exceptions import FieldDoesNotExist
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col
from django.db.models.joins.structure import walk

# PostgreSQL cuts identifiers at this length, other databases allow more.
MAX_ALIAS_BYTES = 63

# MySQL has no identifiers with characters beyond the Basic Multilingual Plane.
MAX_CHARACTER = "\uffff"

# SQLite reads these as values even in quotes, if a subquery has such a column.
LITERALS = frozenset({"true", "false"})

GENERATED_ALIAS = re.compile(r"([A-Za-z]+)\d+")


def check_join_alias(query, alias):
    """
    Raise TypeError or ValueError if ``alias`` can't name a join of ``query``.
    """
    if not isinstance(alias, str):
        raise TypeError(f"The alias of a join must be a string, not {alias!r}.")
    check_identifier(alias, "join alias")
    query.check_alias(alias)
    if alias == "pk" or _is_field(query.get_meta(), alias):
        raise ValueError(
            f"The join alias {alias!r} conflicts with a field on the model "
            f"{query.model._meta.label}. Choose another alias."
        )
    if alias in query._filtered_relations:
        raise ValueError(
            f"The join alias {alias!r} is already the name of a join of this "
            "queryset. Choose another alias."
        )
    for name in query.annotations:
        if name == alias or name.startswith(alias + LOOKUP_SEP):
            raise ValueError(
                f"The join alias {alias!r} conflicts with the annotation {name!r}. "
                "Choose another alias."
            )


def _is_field(options, name):
    try:
        options.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def check_identifier(name, kind):
    """Raise ValueError if ``name`` can't be one component of a lookup path."""
    if not name.isidentifier():
        raise ValueError(
            f"The {kind} {name!r} is not a valid identifier. Use letters, digits, and "
            "underscores."
        )
    if max(name) > MAX_CHARACTER:
        raise ValueError(
            f"The {kind} {name!r} contains {max(name)!r}, which MySQL doesn't accept "
            "in names. Choose a name without it."
        )
    if name.casefold() in LITERALS:
        raise ValueError(f"The {kind} {name!r} is a value to some databases.")
    if LOOKUP_SEP in name or name.endswith("_"):
        raise ValueError(
            f"The {kind} {name!r} must not contain {LOOKUP_SEP!r} or end with an "
            "underscore, as lookup paths couldn't be told from it."
        )
    if len(name.encode()) > MAX_ALIAS_BYTES:
        raise ValueError(
            f"The {kind} {name!r} is longer than {MAX_ALIAS_BYTES} bytes. Choose a "
            "shorter one."
        )


def check_columns(names, subject):
    """
    Raise ValueError if ``subject``, a query in FROM, would have columns that
    not every database tells apart.
    """
    if clash := _find_clash(tuple(names)):
        raise ValueError(
            f"The {subject} selects the columns {clash[0]!r} and {clash[1]!r}, which "
            "not every database tells apart. Choose another name for one of them."
        )


@lru_cache
def _find_clash(names):
    seen = {}
    for name in names:
        key = fold(name).encode()[:MAX_ALIAS_BYTES]
        if key in seen:
            return seen[key], name
        seen[key] = name


def check_annotation_name(query, annotation, name):
    """
    Raise ValueError if an annotation called ``name`` would shadow a join or a
    column of it. Called by QuerySet.annotate() and alias().
    """
    if not query.has_joins:
        return
    for alias, relation in query._filtered_relations.items():
        if not relation.joined:
            continue
        if name == alias:
            raise ValueError(
                f"The annotation {name!r} conflicts with a join of that name."
            )
        # values_list() numbers the default alias of an aggregate.
        if name.startswith(alias + LOOKUP_SEP) and name.rstrip(digits) != getattr(
            annotation, "default_alias", None
        ):
            raise ValueError(
                f"The annotation {name!r} looks like a column of the join {alias!r}. "
                "Choose a name that doesn't start with the alias."
            )


@lru_cache
def fold(name):
    """Return what databases that compare identifiers without case compare."""
    return unicodedata.normalize("NFKC", name).casefold()


def free_alias(query, alias):
    """
    Return ``alias``, or a generated one if an entry of the query's FROM clause
    has that name already, or one around it that the query refers to. Called by
    Query.table_alias().
    """
    taken = set(map(fold, query.alias_map))
    if any(query.external_aliases.values()):
        # The columns of joins are told from those of subqueries by the alias.
        taken.add(fold(alias))
    elif query.external_aliases:
        # Others keep their name, which raw SQL may contain.
        taken.update(fold(part.alias) for part in walk(query) if isinstance(part, Col))
    number = len(query.alias_map) + 1
    while fold(alias) in taken:
        alias = f"{query.alias_prefix}{number}"
        number += 1
    return alias


def alias_on_path(query, name, table_name):
    """
    Return the alias that a table has on the lookup path ``name``, which a
    filter has joined. Called by ManyRelatedManager.get_prefetch_querysets().
    """
    if not query._filtered_relations:
        return table_name
    # References are counted.
    query = query.clone()
    path = query.setup_joins([name], query.get_meta(), query.get_initial_alias())
    for alias in path.joins:
        if query.alias_map[alias].table_name == table_name:
            return alias


def next_prefix(prefix):
    """
    Return the letter that generated aliases may start with after ``prefix``,
    which has several letters if there are many subqueries. Called by
    Query.bump_prefix().
    """
    return ascii_uppercase[(ascii_uppercase.find(prefix) + 1) % len(ascii_uppercase)]


def reserved_prefixes(query, other):
    """
    Return the prefixes of generated aliases that the names of two queries'
    joins look like ({"U"} for a join called u1). Called by
    Query.bump_prefix().
    """
    if not (query._filtered_relations or other._filtered_relations):
        return frozenset()
    return {
        prefix
        for query in (query, other)
        for alias, relation in query._filtered_relations.items()
        if (alias in query.alias_map or not relation.joined)
        and (prefix := _prefix(alias))
    }


def _prefix(alias):
    match = GENERATED_ALIAS.fullmatch(alias)
    return match and match[1].upper()


def are_apart(query, other, reserved):
    """
    Return whether no entry of ``query``, a subquery whose prefix isn't that of
    ``other``, has an alias that ``other`` has or gets. Its joins have their
    names until it gets a prefix of its own. Called by Query.bump_prefix().
    """
    return query.alias_prefix not in reserved and not any(
        alias in query.alias_map and _prefix(alias) == other.alias_prefix
        for alias in query._filtered_relations
    )


def outside_aliases(query, change_map):
    """
    Return ``change_map`` without the aliases that a subquery has itself, since
    it can't refer to tables of these names outside. Called by
    Query.relabeled_clone().
    """
    if change_map.keys().isdisjoint(query.alias_map):
        return change_map
    return {old: new for old, new in change_map.items() if old not in query.alias_map}
