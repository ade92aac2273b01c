import base64
import copy
import json

import pytest

from gateway.rest.iam import Iam, SignInError
from gateway.rest.settings import RestSettings

REQUEST = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "ada", "password": "hunter2", "domain": {"name": "acme"}}},
        },
        "scope": {"project": {"name": "north"}},
    }
}


def request(path: str = "", value: object = None) -> dict[str, object]:
    """The request with the member at `path` replaced, or left out where `value` is None."""
    document = copy.deepcopy(REQUEST)
    *parents, last = path.split("/")
    holder = document
    for name in parents:
        holder = holder[name]
    if value is not None:
        holder[last] = value
    else:
        holder.pop(last, None)
    return document


USER = "auth/identity/password/user"


@pytest.fixture
def iam(settings, clock) -> Iam:
    return Iam(settings, clock)


def test_a_token_for_a_project(iam, clock) -> None:
    token, body = iam.issue(REQUEST)
    claims = iam.read(token)
    assert (claims.project_id, claims.expires_at) == ("p7", clock.now + 86_400)
    said = body["token"]
    assert (said["issued_at"], said["expires_at"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-16T08:00:00.000000Z")
    assert said["project"]["id"] == "p7"
    assert (said["project"]["name"], said["user"]["name"], said["user"]["domain"]["name"]) == ("north", "ada", "acme")
    assert "domain" not in said


def test_no_two_tokens_are_the_same(iam) -> None:
    assert iam.issue(REQUEST)[0] != iam.issue(REQUEST)[0]


@pytest.mark.parametrize("project", [{"id": "p7"}, {"id": "p7", "name": "whatever"}, {"name": "north"}])
def test_a_project_may_be_named_by_id(iam, project) -> None:
    assert iam.read(iam.issue(request("auth/scope", {"project": project}))[0]).project_id == "p7"


@pytest.mark.parametrize("scope", [None, {"domain": {"name": "acme"}}, {}])
def test_without_a_project_the_token_is_the_domain_s(iam, scope) -> None:
    token, body = iam.issue(request("auth/scope", scope))
    assert iam.read(token).project_id == ""
    assert body["token"]["domain"]["name"] == "acme"
    assert "project" not in body["token"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{USER}/password", "hunter3"),
        (f"{USER}/password", ""),
        (f"{USER}/password", None),
        (f"{USER}/password", ["hunter2"]),
        (f"{USER}/password", "\ud800"),
        (f"{USER}/name", "eve"),
        (f"{USER}/name", None),
        (f"{USER}/domain", {"name": "other"}),
        ("auth/scope/project", {"name": "south"}),
        ("auth/scope/project", {"id": "p8"}),
        ("auth/scope/project", {"id": "p8", "name": "north"}),
        ("auth/scope/project", {"id": None}),
        ("auth/scope/project", {"name": ["north"]}),
        ("auth/scope/project", {}),
    ],
)
def test_wrong_credentials_are_refused(iam, path, value) -> None:
    with pytest.raises(SignInError) as caught:
        iam.issue(request(path, value))
    assert caught.value.status == 401


def test_without_a_password_configured_nobody_signs_in(clock) -> None:
    iam = Iam(RestSettings(user="ada", domain="acme", project="north"), clock)
    for password in (None, "", "None", "hunter2"):
        with pytest.raises(SignInError) as caught:
            iam.issue(request(f"{USER}/password", password))
        assert caught.value.status == 401


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        request("auth/identity", 7),
        request("auth/identity/methods", ["token"]),
        request("auth/identity/methods", []),
        request("auth/identity/methods", ["password", "totp"]),
        request("auth/identity/password"),
        request(USER, "ada"),
        request(f"{USER}/domain", "acme"),
        request("auth/scope/project", "north"),
    ],
)
def test_a_malformed_request_is_told_apart(iam, document) -> None:
    with pytest.raises(SignInError) as caught:
        iam.issue(document)
    assert caught.value.status == 400
    assert "hunter2" not in str(caught.value)


def test_a_token_expires(iam, clock) -> None:
    token, _ = iam.issue(REQUEST)
    clock.now += 86_399
    assert iam.read(token) is not None
    clock.now += 1
    assert iam.read(token) is None


def test_a_forged_token_is_none(iam, settings, clock) -> None:
    token, _ = iam.issue(REQUEST)
    payload, _, mac = token.partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload)) | {"exp": 10**12}
    longer = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    others = Iam(settings, clock).issue(REQUEST)[0]
    for forged in (
        "",
        ".",
        "x",
        payload,
        f"{payload}.",
        f".{mac}",
        f"{longer}.{mac}",
        token[:-1],
        token + "0",
        others,
        "\udcff.\udcff",
        "é.é",
    ):
        assert iam.read(forged) is None


@pytest.mark.parametrize(("name", "found"), [(None, ["p7"]), ("north", ["p7"]), ("south", []), ("", [])])
def test_projects(iam, name, found) -> None:
    reply = iam.projects(name)
    assert [project["id"] for project in reply["projects"]] == found
    assert set(reply["links"]) == {"self", "next", "previous"}
    for project in reply["projects"]:
        assert (project["name"], project["enabled"], bool(project["domain_id"])) == ("north", True, True)
