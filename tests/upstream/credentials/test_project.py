import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.project import project_query, read_project

NORTH = {"id": "p7", "name": "north", "enabled": True}


def test_the_question_is_the_contract_s() -> None:
    query = project_query("https://iam.example", "nörth 1")
    assert (query.method, str(query.target)) == ("GET", "https://iam.example/v3/projects?name=n%C3%B6rth%201")


@pytest.mark.parametrize(
    "others",
    [
        [],
        [{"id": "p8", "name": "south"}],
        [{"id": "p8", "name": "north_sub"}],
        [NORTH | {"id": "p8", "enabled": False}],
        [NORTH | {"id": "d1", "is_domain": True}],
    ],
)
def test_the_one_enabled_project_of_that_name_is_found(reply, others) -> None:
    assert read_project(reply(200, {"projects": [*others, NORTH]}), "north").id == "p7"


@pytest.mark.parametrize(
    ("projects", "message"),
    [
        ([], "no project has the name that is set, or the region's: give cloud.project or cloud.project_id"),
        ([NORTH | {"name": "south"}], "no project"),
        ([NORTH, NORTH | {"id": "p8"}, NORTH | {"id": "p9"}], "3 projects have the name that is set: give cloud.project_id"),
        ([NORTH | {"enabled": False}], "is disabled: enable it"),
        ([NORTH | {"is_domain": True}], "no project"),
    ],
)
def test_no_project_and_several_are_told_with_what_to_set(reply, projects, message) -> None:
    with pytest.raises(GatewayError) as caught:
        read_project(reply(200, {"projects": projects}, X_Request_Id="abc"), "north")
    assert caught.value.reason is Reason.UPSTREAM_PERMISSION_DENIED
    assert message in caught.value.message
    assert caught.value.upstream.request_id == "abc"
    assert not any(project["id"] in caught.value.message for project in projects)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        {},
        {"projects": None},
        {"projects": [7]},
        {"projects": [{"id": "p7"}]},
        {"projects": [NORTH | {"id": "../p7"}]},
        {"projects": [NORTH | {"id": 7}]},
    ],
)
def test_what_is_no_list_of_projects(reply, body) -> None:
    with pytest.raises(GatewayError) as caught:
        read_project(reply(200, body), "north")
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE
