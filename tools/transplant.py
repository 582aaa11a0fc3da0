"""Have a module that is in use do what another version of its file says."""

import types


def members(owner, module, path=""):
    """Yield (path, owner, name, value) of what the module and its classes define."""
    for name, value in list(vars(owner).items()):
        if isinstance(value, type) and value.__module__ == module:
            yield from members(value, module, f"{path}{name}.")
        elif function(value) or not name.startswith("__"):
            yield f"{path}{name}", owner, name, value


def function(value):
    """Return the function that a method, a property or a decorated one runs."""
    for attribute in ("__func__", "fget", "func", "__wrapped__"):
        value = getattr(value, attribute, value)
    return value if isinstance(value, types.FunctionType) else None


def transplant(module, content):
    """
    Give the module's functions the code, and its constants the values, that they have
    in the content. What others imported from the module changes with it.
    """
    fresh = types.ModuleType(module.__name__)
    fresh.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(content, module.__file__, "exec"), fresh.__dict__)
    instead = {path: new for path, *_, new in members(fresh, module.__name__)}
    for path, owner, name, value in members(module, module.__name__):
        if path not in instead:
            delattr(owner, name)
            continue
        old, new = function(value), function(instead[path])
        if old and new:
            old.__code__ = new.__code__
            old.__defaults__ = new.__defaults__
            old.__kwdefaults__ = new.__kwdefaults__
        elif isinstance(value, (bool, int, str, tuple, frozenset, types.NoneType)):
            if instead[path] != value:
                setattr(owner, name, instead[path])
