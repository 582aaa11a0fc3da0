"""
Entries of Query.alias_map for joins of sources and for pushed down queries.
"""

from django.core.exceptions import EmptyResultSet, FieldError, FullResultSet
from django.db import NotSupportedError
from django.db.models.constants import LOOKUP_SEP
from django.db.models.joins.types import JoinType
from django.db.models.sql.constants import INNER, LOUTER
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.where import AND, NothingNode, WhereNode


class DerivedTable(BaseTable):
    """
    A subquery as the base of a query:

        FROM (SELECT ...) "alias"
    """

    has_instances = False

    def __init__(self, query, table_name, alias):
        super().__init__(table_name, alias)
        self.query = query

    def description(self, query):
        names = [
            repr(entry.filtered_relation.alias)
            for entry in query.alias_map.values()
            if entry.filtered_relation
        ]
        return f"the base of the join {' and '.join(names)}"

    @property
    def has_unmatched_rows(self):
        """Whether there are rows without a row of the base table."""
        return has_unmatched_rows(self.query)

    def relabeled_clone(self, change_map):
        return self.__class__(
            self.query.relabeled_clone(change_map),
            self.table_name,
            change_map.get(self.table_alias, self.table_alias),
        )

    def resolve_expression(self, query, *args, **kwargs):
        """Resolve references to ``query``, which is outside the base's own."""
        return self.__class__(
            self.query.resolve_expression(query, *args, **kwargs),
            self.table_name,
            self.table_alias,
        )

    def get_source_expressions(self):
        return [self.query]

    @property
    def identity(self):
        return self.__class__, self.table_name, self.table_alias, self.query

    def as_sql(self, compiler, connection):
        # Avoid circular imports.
        from django.db.models.joins.decorrelation import decorrelate
        from django.db.models.joins.full import prepare_entry

        base = prepare_entry(self, compiler.query, connection)
        query, conditions = base.query, []
        if not connection.features.supports_outer_references_in_derived_tables:
            query, conditions = decorrelate(base, compiler, connection)
        sql, params = _source_sql(self, query, compiler, connection)
        if not conditions:
            return sql, params
        condition_sql, condition_params = condition_as_sql(
            WhereNode(conditions, connector=AND), compiler
        )
        # ON may refer outside.
        suffix = connection.features.bare_select_suffix
        one = f"(SELECT 1{suffix}) {compiler.quote_name('__one')}"
        return (
            f"{one} {INNER} {sql} ON {condition_sql}",
            [*params, *condition_params],
        )


class SourceJoin(Join):
    """
    A join of a source under an alias that the user chose:

        LEFT OUTER JOIN (SELECT ...) "alias" ON (condition)

    ``query`` is the source's resolved query, or None if a table is joined.
    ``condition`` is the resolved WhereNode of the ON clause. ``lateral`` tells
    whether the source refers to the query that it is joined to.
    """

    join_fields = join_cols = ()

    def __init__(self, relation, query, parent_alias, table_alias, join_type=None):
        self.filtered_relation = relation
        self.query = query
        self.join_field = relation.field
        self.parent_alias = parent_alias
        self.table_alias = table_alias
        self.table_name = relation.field.source.model._meta.db_table
        self.join_type = join_type or relation.join_type.sql
        # Only a LEFT JOIN may be demoted and promoted again.
        self.nullable = relation.join_type is JoinType.LEFT
        self.condition = None
        self.lateral = False

    @property
    def has_unmatched_rows(self):
        """Whether there are rows without a row of the entries before."""
        return self.filtered_relation.join_type.keeps_right

    def copy(self, **attributes):
        clone = self.__class__(
            self.filtered_relation,
            self.query,
            self.parent_alias,
            self.table_alias,
            self.join_type,
        )
        clone.condition = self.condition
        clone.lateral = self.lateral
        for name, value in attributes.items():
            setattr(clone, name, value)
        return clone

    def relabeled_clone(self, change_map):
        return self.copy(
            parent_alias=change_map.get(self.parent_alias, self.parent_alias),
            table_alias=change_map.get(self.table_alias, self.table_alias),
            query=self.query and self.query.relabeled_clone(change_map),
            condition=self.condition and self.condition.relabeled_clone(change_map),
        )

    def resolve_expression(self, query, *args, **kwargs):
        """Resolve references to ``query``, which is outside the join's own."""
        return self.copy(
            query=self.query and self.query.resolve_expression(query, *args, **kwargs),
            condition=self.condition
            and self.condition.resolve_expression(query, *args, **kwargs),
        )

    def get_source_expressions(self):
        return [expression for expression in (self.query, self.condition) if expression]

    def demote(self):
        return self.copy(join_type=INNER)

    def promote(self):
        return self.copy(join_type=LOUTER)

    @property
    def identity(self):
        return self.__class__, self.filtered_relation

    @property
    def has_instances(self):
        """Whether the rows of the query are instances of its model."""
        return self.join_field.instances

    def description(self, query):
        return f"the join {self.filtered_relation.alias!r}"

    def as_sql(self, compiler, connection):
        self.check_support(connection)
        # Avoid circular imports.
        from django.db.models.joins.decorrelation import decorrelate
        from django.db.models.joins.full import (
            full_join_as_sql,
            is_rewritten,
            prepare_entry,
        )

        join = prepare_entry(self, compiler.query, connection)
        if join.needs_decorrelation(connection.features):
            join = join.decorrelated(*decorrelate(join, compiler, connection))
        if is_rewritten(join, compiler.query, connection.features):
            return full_join_as_sql(join, compiler, connection)
        return join.join_as_sql(compiler, connection)

    def needs_decorrelation(self, features):
        """
        Whether the database might not let the source refer to what it does.
        """
        return self.query is not None and (
            self.lateral
            and not features.supports_lateral_joins
            or not features.supports_outer_references_in_derived_tables
        )

    def decorrelated(self, query, conditions):
        """Return the join of another query on more conditions."""
        if not conditions:
            return self.copy(query=query, lateral=False)
        if self.condition is not None:
            conditions = [*conditions, self.condition]
        is_cross = self.filtered_relation.join_type is JoinType.CROSS
        return self.copy(
            query=query,
            condition=WhereNode(conditions, connector=AND),
            join_type=INNER if is_cross else self.join_type,
            lateral=False,
        )

    def join_as_sql(self, compiler, connection):
        # Avoid circular imports.
        from django.db.models.joins.shields import shield_condition

        source_sql, params = self.source_as_sql(compiler, connection)
        sql = f"{self.join_type} {source_sql}"
        if self.condition is None:
            return sql, params
        condition_sql, condition_params = condition_as_sql(self.condition, compiler)
        condition_sql = shield_condition(
            condition_sql, self, compiler.query, connection
        )
        return f"{sql} ON {condition_sql}", [*params, *condition_params]

    def source_as_sql(self, compiler, connection):
        # Avoid circular imports.
        from django.db.models.joins.affinity import type_keys
        from django.db.models.joins.ordering import without_ties

        query = self.query
        if self.lateral:
            query = without_ties(query, connection)
        if query and self.condition and connection.features.requires_typed_join_keys:
            query = type_keys(query, self.table_alias, self.condition)
        sql, params = _source_sql(self, query, compiler, connection)
        return f"LATERAL {sql}" if self.lateral else sql, params

    def check_support(self, connection):
        """
        Raise NotSupportedError if the database lacks this kind of join, and
        ValueError if the source is in another database.
        """
        alias = self.filtered_relation.alias
        features = connection.features
        # A FULL join can be rewritten to a RIGHT one.
        if self.has_unmatched_rows and not features.supports_right_join:
            raise NotSupportedError(
                f"{connection.display_name} has no {self.join_type}, which the join "
                f"{alias!r} needs."
            )
        db = self.join_field.source.db
        if db is not None and db != connection.alias:
            raise ValueError(
                f"The queryset of the join {alias!r} is bound to the database {db!r}, "
                f"but the query runs on {connection.alias!r}. Remove using()."
            )


OWN_ENTRIES = (SourceJoin, DerivedTable)
NEVER = "(1 = 0)"


def condition_as_sql(condition, compiler):
    """Return an ON condition in parentheses."""
    try:
        sql, params = compiler.compile(condition)
    except FullResultSet:
        return "(1 = 1)", ()
    except EmptyResultSet:
        return NEVER, ()
    # Several conditions come in parentheses.
    return sql if sql.startswith("(") else f"({sql})", params


def _source_sql(entry, query, compiler, connection):
    """
    Return the SQL of a query, or of the table if it is None, as ``entry``.
    """
    if query is None:
        table = BaseTable(entry.table_name, entry.table_alias)
        return table.as_sql(compiler, connection)
    # Avoid circular imports.
    from django.db.models.joins.shields import get_shield

    shield = get_shield(query, compiler.query, connection)
    # An empty subquery has no rows, but the query that selects from it may.
    try:
        sql, params = query.get_compiler(
            connection=connection, elide_empty=False
        ).as_sql()
    except EmptyResultSet:
        # HAVING is never true.
        query = query.clone()
        query.where = WhereNode([NothingNode()])
        sql, params = query.get_compiler(
            connection=connection, elide_empty=False
        ).as_sql()
    return f"({sql}{shield}) {compiler.quote_name(entry.table_alias)}", params


def is_derived_table(query, alias):
    """
    Return whether ``alias`` is a subquery in the query's FROM clause, or may
    become one. Called by SQLCompiler.collapse_group_by().
    """
    entry = query.alias_map.get(alias)
    return isinstance(entry, OWN_ENTRIES) and (
        entry.query is not None or entry.filtered_relation.join_type is JoinType.FULL
    )


def has_base_column(query, field):
    """Return whether the base of the query has the column of ``field``."""
    base = query.alias_map[query.base_table]
    return not isinstance(base, DerivedTable) or field.column in base.query.selected


def has_rows_of(entry, model):
    """
    Return whether an entry of FROM has rows of the model's table with their
    primary key. The rows of a combination may be of others.
    """
    query = entry.query if isinstance(entry, OWN_ENTRIES) else None
    if query is None:
        return entry.table_name == model._meta.db_table
    return (
        not query.combinator
        and all(field.column in query.selected for field in model._meta.pk_fields)
        and has_rows_of(query.alias_map[query.base_table], model)
    )


def check_base_columns(query, alias, path, targets):
    """
    Raise FieldError if a lookup path from ``alias`` starts at a column that
    the subquery in FROM doesn't select.
    """
    # Avoid circular imports.
    from django.db.models.fields.composite import unnest

    base = query.alias_map[alias]
    if path:
        targets = [field for field, _ in path[0].join_field.get_joining_fields()]
    for field in unnest(targets):
        if field.column not in base.query.selected:
            choices = [name for name in base.query.selected if LOOKUP_SEP not in name]
            raise FieldError(
                f"Cannot resolve keyword {field.name!r} into a column of the queryset, "
                f"which was joined as the rows that it selects. Choices are: "
                f"{', '.join(choices)}."
            )


def has_unmatched_rows(query):
    """
    Return whether the query has rows without a row of its base table because
    of a RIGHT or a FULL join.
    """
    if query.has_joins:
        for entry in query.alias_map.values():
            if isinstance(entry, OWN_ENTRIES) and entry.has_unmatched_rows:
                return True
    return False


def needs_outer_join(query, step):
    """
    Return whether the join for a step of a lookup path must keep rows without
    a match. Called by Query.setup_joins().
    """
    relation = step.filtered_relation
    if relation and relation.join_type:
        return relation.join_type is JoinType.LEFT
    return (
        not step.direct
        or bool(relation and relation.condition)
        or has_unmatched_rows(query)
        or query.is_nullable(step.join_field)
    )


def locks_rows(query):
    """
    Return whether a source or a subquery in the query's FROM clause locks
    rows.
    """
    for entry in query.alias_map.values():
        if (
            isinstance(entry, OWN_ENTRIES)
            and entry.query is not None
            and (entry.query.select_for_update or locks_rows(entry.query))
        ):
            return True
    return False


def check_base_rows(compiler, rows):
    """
    Return ``rows``, refusing those that no instance of the model can be made
    from. Called by ModelIterable.
    """
    if not has_unmatched_rows(compiler.query):
        return rows
    pk_field = compiler.query.model._meta.pk_fields[0]
    [position] = [
        position
        for position in compiler.klass_info["select_fields"]
        if compiler.select[position][0].target == pk_field
    ]
    return _refuse_unmatched_rows(rows, position)


def _refuse_unmatched_rows(rows, position):
    for row in rows:
        if row[position] is None:
            raise ValueError(
                "A RIGHT or FULL join returned a row without a row of the queryset's "
                "model, so there is no instance of it. Use values() or values_list(), "
                "or filter(pk__isnull=False)."
            )
        yield row
