import importlib

import pytest
from transplant import transplant

BEFORE = """\
from functools import cached_property, wraps

limit, kept = 1, []


def decorated(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@decorated
def double(value):
    return value * 2


class Base:
    flag = False

    class Meta:
        name = "base"

    def __init__(self, size=1):
        self.size = size

    @property
    def area(self):
        return self.size

    @cached_property
    def volume(self):
        return self.size**3

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def help():
        return "help"

    def extra(self):
        return "extra"


class Child(Base):
    def __init__(self):
        super().__init__(2)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "transplanted.py").write_text(BEFORE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("transplanted")
    yield module
    monkeypatch.delitem(importlib.sys.modules, "transplanted")


@pytest.mark.parametrize(
    ("old", "new", "read", "value"),
    [
        ("value * 2", "value * 3", lambda m: m.double(1), 3),
        ("size=1", "size=5", lambda m: m.Base().size, 5),
        ("self.size\n\n", "7\n\n", lambda m: m.Base().area, 7),
        ("self.size**3", "7", lambda m: m.Base().volume, 7),
        ("return cls()", "return 7", lambda m: m.Base.make(), 7),
        ('return "help"', "return 7", lambda m: m.Base.help(), 7),
        ("flag = False", "flag = True", lambda m: m.Child.flag, True),
        ('name = "base"', 'name = "other"', lambda m: m.Base.Meta.name, "other"),
        ("limit, kept = 1", "limit, kept = 2", lambda m: m.limit, 2),
        ("__init__(2)", "__init__(3)", lambda m: m.Child().size, 3),
        ("def extra", "def renamed", lambda m: hasattr(m.Base(), "extra"), False),
    ],
)
def test_what_is_in_use_changes(module, old, new, read, value):
    assert read(module) != value
    transplant(module, BEFORE.replace(old, new))
    assert read(module) == value


def test_what_others_imported_changes(module):
    double, base = module.double, module.Base()
    transplant(module, BEFORE.replace("value * 2", "0").replace("self.size = ", "_ = "))
    assert double(1) == 0
    assert module.Base is type(base)


def test_what_is_equal_stays(module):
    kept = module.kept
    transplant(module, BEFORE)
    assert module.kept is kept
    assert module.Child().area == 2
