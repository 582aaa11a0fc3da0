"""
FULL OUTER JOIN on databases that don't have it, or not for each condition.

    left FULL OUTER JOIN source b ON condition

is written as

    left RIGHT OUTER JOIN (
        SELECT * FROM keys LEFT OUTER JOIN source b ON condition
        UNION ALL
        SELECT NULL, ..., b.* FROM source b
        WHERE NOT EXISTS (SELECT 1 FROM keys WHERE condition)
    ) b ON b.matched = 1 AND b.key = left.key

where "keys" are the different values that the entries of FROM on the left have
for what the condition refers to. The alias keeps its columns, so whatever
refers to them stays as it is.
"""

from django.db import NotSupportedError
from django.db.models.expressions import Col, RawSQL
from django.db.models.fields.tuple_lookups import TupleExact
from django.db.models.joins.columns import project_expression
from django.db.models.joins.correlation import (
    EQUALITIES,
    conjuncts,
    contains_subquery,
    refers_to,
)
from django.db.models.joins.datastructures import (
    OWN_ENTRIES,
    condition_as_sql,
)
from django.db.models.joins.nulls import NullSafeExact, is_nullable_column
from django.db.models.joins.repetition import (
    Verbatim,
    is_text,
    merges_texts,
    repeatable,
)
from django.db.models.joins.resolution import get_join_expressions
from django.db.models.joins.rewriting import Inexact
from django.db.models.joins.structure import walk
from django.db.models.joins.substitution import substitute
from django.db.models.joins.types import JoinType
from django.db.models.lookups import Exact
from django.db.models.sql.query import Query

# The names in the subquery. No alias and no column is like them.
KEYS = "__left"
MATCHED = "__matched"


def is_rewritten(join, query, features):
    """
    Return whether ``join`` is a FULL one that the database doesn't have, at
    all or because its condition lacks an equality of columns of both sides.
    """
    if join.join_type != JoinType.FULL.sql:
        return False
    if not features.supports_full_join:
        return True
    if features.supports_full_join_without_equality:
        return False
    parts = list(walk(join.condition))
    return (
        any(isinstance(part, Col) for part in parts)
        and not any(isinstance(part, RawSQL) for part in parts)
        and not any(
            _equates(condition, join.table_alias, query)
            for condition in conjuncts(join.condition)
        )
    )


def _equates(condition, alias, query):
    """
    Return whether a condition equates an expression of the join ``alias`` with
    one of other entries of the query's FROM clause.
    """
    if type(condition) not in {*EQUALITIES, TupleExact} or contains_subquery(condition):
        return False
    others = query.alias_map.keys() - {alias}
    for own, other in [
        (condition.lhs, condition.rhs),
        (condition.rhs, condition.lhs),
    ]:
        if (
            refers_to(own, {alias})
            and not refers_to(own, others)
            and refers_to(other, others)
            and not refers_to(other, {alias})
        ):
            return True
    return False


def prepare_entry(entry, query, connection):
    """
    Return ``entry`` of the query's FROM clause, or one that has the same rows
    each time if the rewriting of a FULL join repeats it. Called by the
    entries when they are compiled.

    Raise NotSupportedError if there is none.
    """
    join = None
    for alias, other in reversed(query.alias_map.items()):
        if is_rewritten(other, query, connection.features):
            join = other
        if alias == entry.table_alias:
            break
    if join is None:
        return entry
    try:
        return repeatable(entry, connection)
    except Inexact as reason:
        raise refusal(join, connection, reason) from None


def full_join_as_sql(join, compiler, connection):
    """
    Return the SQL of a FULL join that the database lacks. Called by
    SourceJoin.as_sql().

    Raise NotSupportedError if it can't be rewritten.
    """
    try:
        return RewrittenFullJoin(join, compiler, connection).as_sql()
    except Inexact as reason:
        raise refusal(join, connection, reason) from None


def refusal(join, connection, reason):
    """Return the error for a FULL join that can't be rewritten."""
    return NotSupportedError(
        f"The FULL join {join.filtered_relation.alias!r} has to be rewritten for "
        f"{connection.display_name}, and can't be because {reason}"
    )


class RewrittenFullJoin:
    """
    The rewriting of ``join``, a FULL one in the query of ``compiler``.
    """

    def __init__(self, join, compiler, connection):
        self.join = join
        self.compiler = compiler
        self.connection = connection
        # The query without the join and all that comes after it.
        self.left = compiler.query.clone()
        self.left.alias_map = {}
        for alias, entry in compiler.query.alias_map.items():
            if alias == join.table_alias:
                break
            if compiler.query.alias_refcount[alias]:
                self.left.alias_map[alias] = entry
        self.check()
        # What the condition depends on, and the part of it that identifies
        # the rest.
        self.columns, self.keys = {}, {}
        for part in walk(join.condition):
            if isinstance(part, Col) and part.alias in self.left.alias_map:
                self.columns[_identify(part)] = part
        self.complete_tables = set()
        for column in self.columns.values():
            self.add_keys(column)
        self.names = {
            identity: f"{KEYS}{number}"
            for number, identity in enumerate(self.keys | self.columns)
        }

    def check(self):
        parts = [
            *get_join_expressions(self.left),
            *self.join.get_source_expressions(),
        ]
        conditions = [
            entry.filtered_relation.resolved_condition
            for entry in self.left.alias_map.values()
            if entry.filtered_relation
        ]
        if any(isinstance(part, Query) and part.is_sliced for part in walk(conditions)):
            raise Inexact(
                "a FilteredRelation() along a relation has a slice in its condition. "
                "Join the related model instead."
            )
        if any(isinstance(part, RawSQL) for part in walk(self.join.condition)):
            raise Inexact("its condition contains RawSQL(). Use expressions instead.")
        if (
            not self.connection.features.supports_outer_references_in_derived_tables
            and _refers_outside(parts, self.compiler.query)
        ):
            raise Inexact(
                "it, or what is joined before it, refers to an outer query. Filter by "
                "OuterRef() after the join."
            )

    def add_keys(self, column):
        """Add what identifies the value of ``column`` in a row on the left."""
        entry = self.left.alias_map[column.alias]
        if _db_table(entry) == column.target.model._meta.db_table:
            self.complete_tables.add(column.alias)
            for field in column.target.model._meta.pk_fields:
                key = field.get_col(column.alias)
                self.keys[_identify(key)] = key
            return
        self.keys[_identify(column)] = column
        if not merges_texts(entry.query) and is_text(column, self.connection):
            self.keys[*_identify(column), Verbatim] = Verbatim(column)

    def as_sql(self):
        quote_name = self.compiler.quote_name
        alias, keys_alias = quote_name(self.join.table_alias), quote_name(KEYS)
        keys, keys_params = self.keys_as_sql()
        source, source_params = self.join.source_as_sql(self.compiler, self.connection)
        condition, condition_params = condition_as_sql(
            substitute(self.join.condition, self.exchange), self.compiler
        )
        match, match_params = self.match_as_sql()
        nulls = "NULL, " * (len(self.names) + 1)
        return (
            f"RIGHT OUTER JOIN ("
            f"SELECT {keys_alias}.*, {alias}.* "
            f"FROM {keys} LEFT OUTER JOIN {source} ON {condition} "
            f"UNION ALL SELECT {nulls}{alias}.* FROM {source} "
            f"WHERE NOT EXISTS (SELECT 1 FROM {keys} WHERE {condition})"
            f") {alias} ON {match}"
        ), (
            *(*keys_params, *source_params, *condition_params),
            *(*source_params, *keys_params, *condition_params),
            *match_params,
        )

    def exchange(self, part):
        """Return the column of the keys for one of the left."""
        if isinstance(part, Col) and part.alias in self.left.alias_map:
            return self.column(_identify(part), part, KEYS)

    def column(self, identity, expression, alias):
        name = self.names[identity]
        return project_expression(expression, name, self.left.model).get_col(alias)

    def keys_as_sql(self):
        """Return the subquery that selects the keys from the left."""
        quote_name, compile_ = self.compiler.quote_name, self.compiler.compile
        selected, params = [f"1 AS {quote_name(MATCHED)}"], []
        for identity, expression in (self.keys | self.columns).items():
            sql, sql_params = compile_(expression)
            selected.append(f"{sql} AS {quote_name(self.names[identity])}")
            params.extend(sql_params)
        entries = []
        for entry in self.left.alias_map.values():
            sql, sql_params = compile_(entry)
            entries.append(sql)
            params.extend(sql_params)
        # The primary keys of all tables are different in each row anyway.
        unique = self.complete_tables >= self.left.alias_map.keys()
        select = "SELECT" if unique else "SELECT DISTINCT"
        return (
            f"({select} {', '.join(selected)} FROM {' '.join(entries)}) "
            f"{quote_name(KEYS)}"
        ), params

    def match_as_sql(self):
        """Return the condition that a row on the left has the keys."""
        quote_name = self.compiler.quote_name
        alias = self.join.table_alias
        conditions, params = [f"{quote_name(alias)}.{quote_name(MATCHED)} = 1"], []
        for identity, key in self.keys.items():
            [column] = (part for part in walk(key) if isinstance(part, Col))
            nullable = is_nullable_column(self.left, column)
            lookup = NullSafeExact if nullable else Exact
            sql, sql_params = self.compiler.compile(
                lookup(key, self.column(identity, key, alias))
            )
            conditions.append(sql)
            params.extend(sql_params)
        return f"({' AND '.join(conditions)})", params


def _identify(column):
    return column.alias, column.target.column


def _db_table(entry):
    """Return the name of the table that an entry of FROM is, or None."""
    if isinstance(entry, OWN_ENTRIES) and entry.query is not None:
        return None
    return entry.table_name


def _refers_outside(expressions, query):
    """
    Return whether expressions in ``query`` refer to a query outside of it.
    """
    parts = list(walk(expressions))
    return any(
        isinstance(part, Col)
        and part.alias not in query.alias_map
        and not any(
            isinstance(other, Query) and part.alias in other.alias_map
            for other in parts
        )
        for part in parts
    )
