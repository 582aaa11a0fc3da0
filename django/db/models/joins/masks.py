"""
only() and defer() that reach into a join.
"""

from django.core.exceptions import FieldError


def get_join_masks(query, mask, defer):
    """
    Take the joins out of ``mask``, the names that only() or defer() got, and
    return what to load of each. Called by Query.get_select_mask().
    """
    get_mask = query._get_defer_select_mask if defer else query._get_only_select_mask
    select_masks = {}
    for name in query._filtered_relations.keys() & mask.keys():
        if not (names := mask.pop(name)):
            continue
        relation = query._filtered_relations[name]
        if relation.field and not relation.field.instances:
            raise FieldError(
                f"The rows of the join {name!r} are values, which only() and defer() "
                "can't leave out."
            )
        path, field, *_ = query.names_to_path([name], query.get_meta())
        options = path[-1].to_opts
        select_mask = get_mask(options.model._meta, names)
        if relation.field:
            select_mask = options.project_mask(select_mask)
        select_masks[name, field] = select_mask
    return select_masks
