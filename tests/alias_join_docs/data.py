"""The rows of the data set."""

import datetime

from .models import Fee, GuidedTrail, Hike, Hiker, Hut, Lift, Rating, Trail


def day(month, day):
    return datetime.date(2026, month, day)


def create():
    """Create the data set of the guide."""
    heidi, peter, klara = [
        Hiker.objects.create(name=name) for name in ("Heidi", "Peter", "Klara")
    ]
    alp, bear, crow, deer = [
        Trail.objects.create(name=name, region=region)
        for name, region in [
            ("Alp Path", "North"),
            ("Bear Gorge", "North"),
            ("Crow Ridge", "South"),
            ("Deer Loop", "South"),
        ]
    ]
    for trail, hiker, stars in [
        (alp, heidi, 5),
        (alp, peter, 3),
        (bear, peter, 4),
        (bear, klara, 2),
        (crow, heidi, 4),
    ]:
        Rating.objects.create(trail=trail, hiker=hiker, stars=stars)
    for trail, hiker, date, minutes in [
        (alp, heidi, day(6, 1), 120),
        (alp, peter, day(6, 5), 150),
        (bear, peter, day(6, 12), 200),
        (alp, heidi, day(6, 20), 110),
        (crow, heidi, day(7, 1), None),
        (crow, klara, day(7, 2), 310),
    ]:
        Hike.objects.create(trail=trail, hiker=hiker, day=date, minutes=minutes)
    for region, start, end, amount in [
        ("North", day(5, 1), day(6, 15), 4),
        ("North", day(6, 15), day(10, 1), 6),
        ("South", day(7, 2), day(10, 1), 5),
    ]:
        Fee.objects.create(region=region, start=start, end=end, amount=amount)


def create_more():
    """Create the rows that only the recipes need."""
    heidi, peter, klara = Hiker.objects.order_by("pk")
    alp, bear, crow, deer = Trail.objects.order_by("pk")
    lodge, refuge, shelter = [
        Hut.objects.create(name=name) for name in ("Lodge", "Refuge", "Shelter")
    ]
    lodge.trails.set([alp, bear])
    refuge.trails.set([alp])
    for driver, passenger, date, km, cost in [
        (heidi, peter, day(6, 5), 10, 2),
        (peter, heidi, day(6, 20), 20, 3),
        (klara, heidi, day(7, 1), 40, 6),
        (klara, peter, day(7, 1), 80, 9),
    ]:
        Lift.objects.create(
            driver=driver, passenger=passenger, day=date, km=km, cost=cost
        )
    guided = GuidedTrail(trail_ptr=crow, guide=klara)
    guided.save_base(raw=True)
    return {"lodge": lodge, "refuge": refuge, "shelter": shelter}
