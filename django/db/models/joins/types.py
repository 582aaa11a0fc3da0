import enum


class JoinType(enum.Enum):
    """
    The kinds of join that QuerySet.alias_join() and FilteredRelation offer.

    The values are accepted wherever a member is: ``join_type="inner"``.
    """

    LEFT = "left"
    INNER = "inner"
    RIGHT = "right"
    FULL = "full"
    CROSS = "cross"

    @classmethod
    def _missing_(cls, value):
        choices = ", ".join(repr(member.value) for member in cls)
        raise ValueError(f"{value!r} is not a join type. Choices are: {choices}.")

    @property
    def sql(self):
        """The keywords of the join in a FROM clause."""
        return SQL_KEYWORDS[self]

    @property
    def keeps_right(self):
        """Whether joined rows without a left row are in the result."""
        return self is JoinType.RIGHT or self is JoinType.FULL


# What lookup paths along a relation of the model can be joined by.
RELATION_TYPES = frozenset({JoinType.LEFT, JoinType.INNER})

SQL_KEYWORDS = {
    JoinType.LEFT: "LEFT OUTER JOIN",
    JoinType.INNER: "INNER JOIN",
    JoinType.RIGHT: "RIGHT OUTER JOIN",
    JoinType.FULL: "FULL OUTER JOIN",
    JoinType.CROSS: "CROSS JOIN",
}


def get_source(value, condition):
    """
    Return the source of the join that FilteredRelation() describes by a model,
    a manager, or a queryset. Called by FilteredRelation().

    Raise TypeError if ``value`` can't be joined, or on ``condition``.
    """
    # Avoid circular imports.
    from django.db.models.joins.sources import JoinSource

    source = JoinSource.create(value)
    if not getattr(condition, "conditional", False):
        raise TypeError("condition must be a Q() or a boolean expression.")
    return source


def get_join_type(relation_name, join_type):
    """
    Return ``join_type`` as a JoinType, or None. Called by FilteredRelation().

    Raise ValueError if there is no such type, or if a relation of the model
    can't be joined by it.
    """
    if join_type is None:
        return None
    join_type = JoinType(join_type)
    if isinstance(relation_name, str) and join_type not in RELATION_TYPES:
        raise ValueError(
            f"The relation {relation_name!r} can't be joined by a {join_type.name} "
            "join. Use JoinType.LEFT or JoinType.INNER, or join the related model."
        )
    return join_type
