"""Items begin a few in each turn of the loop, fewer when turns are long, in the order of asking."""

import asyncio

from gateway.rpc.pace import LONGEST_TURN, MOST_ITEMS, Pace


class Clock:
    """Goes on by `turn` seconds each time it is read, which is once in each turn."""

    def __init__(self, turn: float) -> None:
        self.now = 0.0
        self.turn = turn

    def __call__(self) -> float:
        self.now += self.turn
        return self.now


async def begun_by_turn(pace: Pace, items: int) -> list[list[int]]:
    """Which of `items` that ask at once begin in each turn."""
    turns: list[list[int]] = [[]]

    async def item(number: int) -> None:
        await pace.begin()
        turns[-1].append(number)

    tasks = [asyncio.create_task(item(number)) for number in range(items)]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        turns.append([])
    return [turn for turn in turns if turn]


async def test_a_few_begin_at_once() -> None:
    assert await begun_by_turn(Pace(Clock(0.0)), MOST_ITEMS) == [list(range(MOST_ITEMS))]


async def test_while_turns_are_short_many_begin_in_each_in_the_order_of_asking() -> None:
    turns = await begun_by_turn(Pace(Clock(LONGEST_TURN / 2)), 5 * MOST_ITEMS)
    assert [number for turn in turns for number in turn] == list(range(5 * MOST_ITEMS))
    assert [len(turn) for turn in turns] == [MOST_ITEMS] * 5


async def test_while_turns_are_long_fewer_begin_down_to_one() -> None:
    turns = await begun_by_turn(Pace(Clock(LONGEST_TURN * 2)), MOST_ITEMS + 20)
    assert [len(turn) for turn in turns] == [16, 8, 4, 2, 1, 1, 1, 1, 1, 1]


async def test_more_begin_again_once_turns_are_short() -> None:
    clock = Clock(LONGEST_TURN * 2)
    pace = Pace(clock)
    await begun_by_turn(pace, MOST_ITEMS + 20)
    clock.turn = 0.0
    turns = await begun_by_turn(pace, 100)
    assert [len(turn) for turn in turns][:4] == [1, 2, 3, 4]


async def test_those_that_left_take_no_place() -> None:
    begun: list[int] = []
    pace = Pace(Clock(LONGEST_TURN * 2))

    async def item(number: int) -> None:
        await pace.begin()
        begun.append(number)

    tasks = [asyncio.create_task(item(number)) for number in range(MOST_ITEMS + 10)]
    await asyncio.sleep(0)
    tasks[MOST_ITEMS].cancel()
    await asyncio.gather(*tasks[:MOST_ITEMS], *tasks[MOST_ITEMS + 1 :])
    assert begun == [number for number in range(MOST_ITEMS + 10) if number != MOST_ITEMS]


async def test_nothing_is_watched_when_nothing_begins() -> None:
    clock = Clock(0.001)
    pace = Pace(clock)
    await pace.begin()
    for _ in range(5):
        await asyncio.sleep(0)
    read = clock.now
    for _ in range(5):
        await asyncio.sleep(0)
    assert clock.now == read
