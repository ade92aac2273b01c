"""The peers, a module each, which only that peer's process imports.

`about()` names the versions in play. `works(row)` gives the ways in which the peer does a row, by name; a string in place
of a callable is why there is none. Each takes the file and gives the file to send, or whatever a probe finds.
"""

from collections.abc import Callable

Work = Callable[[bytes], object]
Works = dict[str, Work] | str
