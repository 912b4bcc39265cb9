"""A process that has loaded everything and stays, so that commands begin at once.

`prp warm` starts it. A command that would load the libraries asks it for a copy of itself instead
(`handing.py`), which carries the command out with the caller's arguments, environment, folder,
files and limits (`staying.py`). What both must agree on is in `place.py`. See decision 23.
"""
