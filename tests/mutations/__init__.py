"""The mutation check: code broken on purpose, one piece at a time; each time a test must fail.

`mutations` is the list, as data; `python -m tests.mutations` (`make mutations`) tries it.
"""
