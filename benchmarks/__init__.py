"""
How fast joins are: against hand-written SQL, against what Django offers without
them, and what they cost a project that doesn't use them. See README.md.
"""
