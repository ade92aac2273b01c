"""Whose call a task works on."""

import asyncio

from gateway.telemetry.scope import Scope, current_scope, entered


def test_none_outside_calls() -> None:
    assert current_scope() is None


async def test_tasks_have_the_scope_in_which_they_were_begun() -> None:
    async def tenant_seen() -> str:
        scope = current_scope()
        assert scope is not None
        return scope.tenant

    with entered(Scope("/s/A", "1", tenant="a")):
        first = asyncio.create_task(tenant_seen())
    with entered(Scope("/s/B", "2", tenant="b")):
        second = asyncio.create_task(tenant_seen())
    assert (await first, await second) == ("a", "b")
    assert current_scope() is None


async def test_what_is_found_out_later_is_seen_by_all_who_have_it() -> None:
    with entered(Scope("/s/A", "1")) as scope:
        inner = current_scope()
        assert inner is not None
        inner.tenant_class = "gold"
    assert scope.tenant_class == "gold"
