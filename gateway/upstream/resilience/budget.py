"""How many attempts may be made beyond the first ones."""


class RetryBudget:
    """A bucket of tokens that each call fills by a share of a token, and each further attempt takes one from.

    However long everything fails, further attempts are at most `reserve + share × calls` (Finagle's and Envoy's retry budget,
    gRFC A6's throttling): what is down does not get a multiple of its usual load just then.
    """

    def __init__(self, share: float, reserve: float) -> None:
        """`share`: 0 to 1. `reserve`: tokens at the beginning and at most, 1 or more, or there would never be a whole one."""
        self._share = share
        self._reserve = reserve
        self._tokens = float(reserve)
        self._refusals = 0

    @property
    def tokens(self) -> float:
        """What is left, 0 to `reserve`."""
        return self._tokens

    @property
    def refusals(self) -> int:
        """How many further attempts were not made for want of a token, so far."""
        return self._refusals

    def change(self, share: float, reserve: float) -> None:
        """From now on with this share and reserve; tokens stay, as far as the reserve allows."""
        self._share = share
        self._reserve = reserve
        self._tokens = min(self._tokens, reserve)

    def deposit(self) -> None:
        """Count a call. To be told of each, once, before its first attempt."""
        self._tokens = min(self._reserve, self._tokens + self._share)

    def withdraw(self) -> bool:
        """Take a token for a further attempt; False if there is none, and the attempt must not be made."""
        if self._tokens < 1.0:
            self._refusals += 1
            return False
        self._tokens -= 1.0
        return True
