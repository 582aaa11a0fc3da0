"""
Projected columns that hold a local time, as Trunc() returns it.

They are DateTimeFields with methods of their own, not a subclass: packages
look at each subclass of Field.
"""

from functools import partial

from django.db.models.fields import DateTimeField
from django.utils import timezone


class LocalTimePreparation:
    """
    Field.get_db_prep_value() for a datetime that the database has converted to
    a time zone already: values are converted to it before the comparison.
    """

    def __init__(self, tzinfo):
        self.tzinfo = tzinfo

    def __call__(self, value, connection, prepared=False):
        if not prepared:
            value = DateTimeField().get_prep_value(value)
        if value is not None and timezone.is_aware(value):
            value = timezone.make_naive(value, self.tzinfo)
        return connection.ops.adapt_datetimefield_value(value)


def get_local_transform(lookup_name):
    """Field.get_transform() for a local time."""
    # Avoid circular imports.
    from django.db.models.functions import Extract

    # The lookups of these compare with the bounds of the year in UTC.
    if lookup_name in {"year", "iso_year"}:
        return partial(Extract, lookup_name=lookup_name)
    return DateTimeField().get_transform(lookup_name)


def local_time_field(tzinfo):
    field = DateTimeField(null=True)
    field.get_db_prep_value = LocalTimePreparation(tzinfo)
    field.get_transform = get_local_transform
    return field


def is_local_time(field):
    """
    Tell whether the database has converted ``field`` to a time zone, so that
    transforms must not do it again.
    """
    return isinstance(getattr(field, "get_db_prep_value", None), LocalTimePreparation)
