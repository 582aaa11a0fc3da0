from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Airline",
            fields=[
                (
                    "carrier",
                    models.CharField(max_length=2, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Airport",
            fields=[
                (
                    "faa",
                    models.CharField(max_length=3, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60)),
                ("lat", models.FloatField()),
                ("lon", models.FloatField()),
                ("alt", models.IntegerField()),
                ("tzone", models.CharField(max_length=30, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Plane",
            fields=[
                (
                    "tailnum",
                    models.CharField(max_length=6, primary_key=True, serialize=False),
                ),
                ("year", models.IntegerField(null=True)),
                ("type", models.CharField(max_length=30)),
                ("manufacturer", models.CharField(max_length=30)),
                ("model", models.CharField(max_length=20)),
                ("engines", models.IntegerField()),
                ("seats", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Flight",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("time_hour", models.DateTimeField()),
                ("minute", models.IntegerField()),
                ("carrier", models.CharField(max_length=2)),
                ("flight", models.IntegerField()),
                ("tailnum", models.CharField(max_length=6, null=True)),
                ("origin", models.CharField(max_length=3)),
                ("dest", models.CharField(max_length=3)),
                ("dep_delay", models.IntegerField(null=True)),
                ("arr_delay", models.IntegerField(null=True)),
                ("distance", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["origin", "time_hour"], name="flight_hour"),
                    models.Index(
                        fields=["tailnum", "time_hour", "minute"], name="flight_plane"
                    ),
                    models.Index(fields=["dest"], name="flight_dest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Weather",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("origin", models.CharField(max_length=3)),
                ("time_hour", models.DateTimeField()),
                ("temp", models.FloatField(null=True)),
                ("humid", models.FloatField(null=True)),
                ("wind_speed", models.FloatField(null=True)),
                ("precip", models.FloatField()),
                ("visib", models.FloatField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("origin", "time_hour"), name="weather_hour"
                    )
                ],
            },
        ),
    ]
