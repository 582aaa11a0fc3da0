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
    def keeps_left(self):
        """Whether left rows without a match stay in the result."""
        return self in {JoinType.LEFT, JoinType.FULL}

    @property
    def keeps_right(self):
        """Whether joined rows without a left row are in the result."""
        return self in {JoinType.RIGHT, JoinType.FULL}


SQL_KEYWORDS = {
    JoinType.LEFT: "LEFT OUTER JOIN",
    JoinType.INNER: "INNER JOIN",
    JoinType.RIGHT: "RIGHT OUTER JOIN",
    JoinType.FULL: "FULL OUTER JOIN",
    JoinType.CROSS: "CROSS JOIN",
}
