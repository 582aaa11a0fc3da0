"""
Projected columns that hold a local time, as Trunc() returns it.
"""

from functools import partial

from django.db.models.fields import DateTimeField
from django.utils import timezone


class LocalDateTimeField(DateTimeField):
    """
    A datetime that the database has converted to a time zone already.

    Values are converted to that time zone before they are compared with it.
    Transforms must not convert it again: see TimezoneMixin.get_tzname().
    """

    def __init__(self, tzinfo):
        super().__init__(null=True)
        self.tzinfo = tzinfo

    def get_db_prep_value(self, value, connection, prepared=False):
        if not prepared:
            value = self.get_prep_value(value)
        if value is not None and timezone.is_aware(value):
            value = timezone.make_naive(value, self.tzinfo)
        return connection.ops.adapt_datetimefield_value(value)

    def get_transform(self, lookup_name):
        # Avoid circular imports.
        from django.db.models.functions import Extract

        # The lookups of these compare with the bounds of the year in UTC.
        if lookup_name in {"year", "iso_year"}:
            return partial(Extract, lookup_name=lookup_name)
        return super().get_transform(lookup_name)
