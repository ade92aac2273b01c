"""Who waits for a turn, and who is next: first come first served within a tenant, round robin between tenants."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T", bound=Hashable)


class FairQueue(Generic[_T]):
    """A bounded queue that no tenant can fill at the cost of the others. Every operation takes constant time.

    A tenant's first item is preceded by at most one item of each other tenant, however many those have. When the queue is
    full, a newcomer takes the place of the newest item of the tenant that has most, if its own tenant has two fewer or less
    (buffer stealing, McKenney 1990, "Stochastic Fairness Queueing"). Of tenants without items nothing is kept.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        # Ordered dictionaries throughout: a plain one takes linear time to find its first key after many were deleted there.
        self._lanes: OrderedDict[str, OrderedDict[_T, None]] = OrderedDict()  # the first tenant is the next to have a turn
        self._tenants_with: dict[int, OrderedDict[str, None]] = {}  # by number of items
        self._longest = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def tenants(self) -> int:
        """How many of them have items."""
        return len(self._lanes)

    def ahead_of(self, tenant: str) -> int:
        """How many of the items have their turn before one that `tenant` would add now, or a few more than that."""
        own = self._count(tenant)
        others = self.tenants - (tenant in self._lanes)
        return min(self._size, own + (own + 1) * others)

    def push(self, tenant: str, item: _T) -> _T | None:
        """Add an item, which must not be in the queue.

        Returns the item that has no place: none, one that was in the queue until now, or `item`, which was not added then.
        """
        displaced = None
        if self._size >= self.length:
            if self._count(tenant) + 1 >= self._longest:
                return item
            displaced = self._drop_from_longest()
        lane = self._lanes.setdefault(tenant, OrderedDict())
        lane[item] = None
        self._resized(tenant, len(lane) - 1)
        return displaced

    def pop(self) -> _T:
        """Remove and return the next item. The queue must not be empty."""
        tenant, lane = next(iter(self._lanes.items()))
        item, _ = lane.popitem(last=False)
        self._lanes.move_to_end(tenant)
        self._resized(tenant, len(lane) + 1)
        return item

    def discard(self, tenant: str, item: _T) -> None:
        """Remove an item, if it is there."""
        lane = self._lanes.get(tenant)
        if lane is not None and item in lane:
            del lane[item]
            self._resized(tenant, len(lane) + 1)

    def _count(self, tenant: str) -> int:
        lane = self._lanes.get(tenant)
        return 0 if lane is None else len(lane)

    def _drop_from_longest(self) -> _T:
        tenant = next(iter(self._tenants_with[self._longest]))
        lane = self._lanes[tenant]
        item, _ = lane.popitem(last=True)
        self._resized(tenant, len(lane) + 1)
        return item

    def _resized(self, tenant: str, before: int) -> None:
        """Note that `tenant` has one item more or less than `before`."""
        now = len(self._lanes[tenant])
        self._size += now - before
        if before:
            peers = self._tenants_with[before]
            del peers[tenant]
            if not peers:
                del self._tenants_with[before]
        if now:
            self._tenants_with.setdefault(now, OrderedDict())[tenant] = None
        else:
            del self._lanes[tenant]
        # By one at most: where the longest lane got shorter, it is still there, one below.
        if now > self._longest or self._longest not in self._tenants_with:
            self._longest = now
