from gateway.access.classes import TenantClasses
from gateway.access.tenants import Limits, Roster, Tenant


def test_whoever_watches_is_told_of_each_class_once() -> None:
    classes = TenantClasses()
    early: list[str] = []
    late: list[str] = []
    classes.watch(early.append)
    classes.learn(["gold", "default"])
    classes.watch(late.append)
    classes.learn(["gold", "silver"])
    assert early == late == ["default", "gold", "silver"]


def test_a_roster_s_classes_are_those_of_whoever_may_call() -> None:
    tenants = {"shop": Tenant("shop", Limits("gold"))}
    assert Roster(tenants=tenants).classes == {"gold", "default"}
    assert Roster(tenants=tenants, others=None).classes == {"gold"}
