"""
What the printed code of a failing example needs to run:

    from alias_join_oracle.names import *
"""

import datetime
from decimal import Decimal  # NOQA: F401

from django.core.paginator import Paginator  # NOQA: F401
from django.db.models import *  # NOQA: F401,F403
from django.db.models.functions import *  # NOQA: F401,F403
from django.db.models.lookups import *  # NOQA: F401,F403

from .models import *  # NOQA: F401,F403

# A time zone in which other days begin than in UTC.
EAST = datetime.timezone(datetime.timedelta(hours=9))
