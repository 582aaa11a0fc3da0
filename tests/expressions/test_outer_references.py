from django.db.models import Exists, OuterRef
from django.test import TestCase

from .models import Company, Employee, Manager


class ReusedQuerySetTests(TestCase):
    """A queryset with outer references can be used in more than one query."""

    @classmethod
    def setUpTestData(cls):
        cls.manager = Manager.objects.create(name="Joan")
        ceo = Employee.objects.create(firstname="Joe", lastname="Doe", salary=10)
        cls.company, _ = [
            Company.objects.create(
                pk=pk, name="Example", num_employees=1, num_chairs=1, ceo=ceo
            )
            for pk in (cls.manager.pk, cls.manager.pk + 1)
        ]

    def test_reference_to_the_second_query_out(self):
        namesakes = Manager.objects.filter(pk=OuterRef(OuterRef("pk")))
        anybody = Employee.objects.filter(Exists(namesakes))
        companies = Company.objects.filter(Exists(anybody))
        managers = Manager.objects.filter(Exists(anybody))
        self.assertSequenceEqual(companies, [self.company])
        self.assertSequenceEqual(managers, [self.manager])
