"""The rows of the data set, with fixed primary keys as SQL shows them."""

import datetime

from .models import Fee, GuidedTrail, Hike, Hiker, Hut, Lift, Rating, Trail

HEIDI, PETER, CLARA = 1, 2, 3
ALP, BEAR, CROW, DEER = 1, 2, 3, 4
LODGE, REFUGE, SHELTER = 1, 2, 3


def create():
    """Create the rows of the guide."""
    insert(Hiker, "name", ["Heidi"], ["Peter"], ["Clara"])
    insert(
        Trail,
        "name region",
        ["Alp Path", "North"],
        ["Bear Gorge", "North"],
        ["Crow Ridge", "South"],
        ["Deer Loop", "South"],
    )
    insert(
        Rating,
        "trail_id hiker_id stars",
        [ALP, HEIDI, 5],
        [ALP, PETER, 3],
        [BEAR, PETER, 4],
        [BEAR, CLARA, 2],
        [CROW, HEIDI, 4],
    )
    insert(
        Hike,
        "trail_id hiker_id day minutes",
        [ALP, HEIDI, day(6, 1), 120],
        [ALP, PETER, day(6, 5), 150],
        [BEAR, PETER, day(6, 12), 200],
        [ALP, HEIDI, day(6, 20), 110],
        [CROW, HEIDI, day(7, 1), None],
        [CROW, CLARA, day(7, 2), 310],
    )
    insert(
        Fee,
        "region start end amount",
        ["North", day(5, 1), day(6, 15), 4],
        ["North", day(6, 15), day(10, 1), 6],
        ["South", day(7, 2), day(10, 1), 5],
    )


def create_more():
    """Create the rows that only the recipes need."""
    insert(Hut, "name", ["Lodge"], ["Refuge"], ["Shelter"])
    insert(
        Hut.trails.through,
        "hut_id trail_id",
        [LODGE, ALP],
        [LODGE, BEAR],
        [REFUGE, ALP],
    )
    insert(
        Lift,
        "driver_id passenger_id day km cost",
        [HEIDI, PETER, day(6, 5), 10, 2],
        [PETER, HEIDI, day(6, 20), 20, 3],
        [CLARA, HEIDI, day(7, 1), 40, 6],
        [CLARA, PETER, day(7, 1), 80, 9],
    )
    GuidedTrail(trail_ptr_id=CROW, guide_id=CLARA).save_base(raw=True)


def insert(model, names, *rows):
    model.objects.bulk_create(
        model(pk=pk, **dict(zip(names.split(), row)))
        for pk, row in enumerate(rows, start=1)
    )


def day(month, day):
    return datetime.date(2026, month, day)
