import pytest

from gateway.config import CONFIG_VARIABLE, ConfigError, declared_settings, load, load_settings
from gateway.config.loading import fields_at, place
from gateway.settings import Settings

SECRETS = [
    "cloud.password",
    "cloud.secret_key",
    "cloud.security_token",
    "redis.password",
    "rest.password",
    "rest.secret_key",
    "client.api_key",
]


@pytest.fixture
def toml(tmp_path):
    """Writes a settings file."""

    def write(text: str):
        file = tmp_path / "gateway.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def problems(flags=None, environment=None, file=None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(flags or {}, environment or {}, file)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_flags_go_before_the_environment_before_the_file_before_defaults(toml) -> None:
    file = toml('[rest]\nuser = "file"\ndomain = "file"\nproject = "file"\n')
    environment = {"IMAGE_GATEWAY_REST_USER": "environment", "IMAGE_GATEWAY_REST_DOMAIN": "environment"}
    rest = load_settings({"rest.user": "flag", "rest.project": None}, environment, file).rest
    assert (rest.user, rest.domain, rest.project, rest.listen) == ("flag", "environment", "file", "127.0.0.1:8600")


def test_every_source_knows_rooms_and_what_is_in_none(toml) -> None:
    file = toml('listen = "127.0.0.1:1"\n[cloud]\ntimeout = 7\n[download]\nallow_private = true\n')
    settings = load_settings(
        {"provider": "cloud"}, {"IMAGE_GATEWAY_LOG_LEVEL": "debug", "IMAGE_GATEWAY_RPC_STREAM_WINDOW": "3"}, file
    )
    assert (settings.listen, settings.provider, settings.log_level) == ("127.0.0.1:1", "cloud", "debug")
    assert (settings.cloud.timeout, settings.download.allow_private, settings.rpc.stream_window) == (7.0, True, 3)


def test_the_file_may_be_named_in_the_environment_but_a_given_one_goes_first(toml, tmp_path) -> None:
    environment = {CONFIG_VARIABLE: str(toml('[rest]\nuser = "named"\n'))}
    assert load_settings({}, environment).rest.user == "named"
    given = tmp_path / "given.toml"
    given.write_text('[rest]\nuser = "given"\n')
    assert load_settings({}, environment, given).rest.user == "given"


def test_an_empty_variable_counts_as_absent() -> None:
    environment = {
        "IMAGE_GATEWAY_PROVIDER": "",
        "IMAGE_GATEWAY_CLOUD_TIMEOUT": "",
        "IMAGE_GATEWAY_NOTHING": "",
        CONFIG_VARIABLE: "",
    }
    settings = load_settings({}, environment)
    assert (settings.provider, settings.cloud.timeout) == ("local", 30.0)


def test_variables_of_others_are_not_looked_at() -> None:
    assert load_settings({}, {"IMAGE_GATEWAYS": "x", "PROVIDER": "cloud", "image_gateway_provider": "cloud"}).provider == "local"


@pytest.mark.parametrize(
    ("environment", "text", "expected"),
    [
        (
            {"IMAGE_GATEWAY_CLOUD_REGIN": "x"},
            "",
            ["IMAGE_GATEWAY_CLOUD_REGIN in the environment; did you mean IMAGE_GATEWAY_CLOUD_REGION?"],
        ),
        ({"IMAGE_GATEWAY_QQQQQQQQQQQQQQQQQQQQQQQ": "x"}, "", ["IMAGE_GATEWAY_QQQQQQQQQQQQQQQQQQQQQQQ in the environment"]),
        ({}, "[cloud]\nregin = 'x'\n", ["cloud.regin in FILE; did you mean cloud.region?"]),
        ({}, "lisen = 'x'\n", ["lisen in FILE; did you mean listen?"]),
        ({}, "[listen]\nx = 1\n", ["listen.x in FILE"]),
        ({}, "[zzz]\nyyy = 1\n", ["zzz.yyy in FILE"]),
        ({"IMAGE_GATEWAY_LISEN": "x"}, "lisen = 'x'\n", ["lisen in FILE", "IMAGE_GATEWAY_LISEN in the environment"]),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest_known_one(toml, environment, text, expected) -> None:
    file = toml(text)
    found = problems(environment=environment, file=file)
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith("unknown setting " + start.replace("FILE", str(file)))


def test_a_table_of_settings_is_no_setting(toml) -> None:
    file = toml("cloud = 'x'\n")
    assert problems(file=file) == [f"cloud in {file} is 'x'; it must be a table of settings: [cloud]"]


@pytest.mark.parametrize(
    "name",
    [
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_GRPC",
        "PORT",
        "PORT_50051_TCP",
        "PORT_50051_TCP_PROTO",
        "PORT_50051_TCP_ADDR",
        "REST_SERVICE_HOST",
        "REST_PORT_8600_TCP",
        "REST_SERVICE_PORT_HTTP",
    ],
)
def test_what_kubernetes_sets_for_a_service_of_this_name_is_passed_over(name) -> None:
    load_settings({}, {f"IMAGE_GATEWAY_{name}": "tcp://10.0.0.1:50051"})


@pytest.mark.parametrize("name", ["SERVICE", "PORTS", "SERVICE_HOSTS", "PORT_X_TCP"])
def test_what_only_looks_like_it_is_unknown(name) -> None:
    assert problems(environment={f"IMAGE_GATEWAY_{name}": "1"})[0].startswith(f"unknown setting IMAGE_GATEWAY_{name} ")


@pytest.mark.parametrize("setting", list(declared_settings()), ids=lambda setting: setting.path)
def test_every_setting_is_described_and_refuses_in_words(setting) -> None:
    assert setting.description.endswith(".")
    assert setting.allowed
    assert setting.reason or setting.default is None, "say why the default is what it is: json_schema_extra={'reason': …}"
    assert "a value" not in setting.allowed
    assert setting.is_secret == (setting.path in {*SECRETS, "redis.url"})
    assert setting.variable == f"IMAGE_GATEWAY_{setting.path.upper().replace('.', '_')}"


def test_no_two_settings_share_a_variable_nor_look_like_a_service_link() -> None:
    declared = list(declared_settings())
    assert len({setting.variable for setting in declared}) == len(declared)
    assert {"listen", "rpc.max_message_bytes", "local.workers", "cloud.region", "download.timeout", "rest.listen"} <= {
        setting.path for setting in declared
    }


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("provider", "clod", "it must be 'local' or 'cloud' or 'cloud,local' or 'local,cloud'"),
        (
            "fall_back_on",
            "UPSTREAM_UNAVAILABEL",
            "'UPSTREAM_UNAVAILABEL' is not a reason of docs/errors.md; did you mean UPSTREAM_UNAVAILABLE?",
        ),
        (
            "listen",
            "50051",
            "must be HOST:PORT, such as 127.0.0.1:50051 or [::1]:50051, with a port from 0 (a free one) to 65535",
        ),
        ("local.workers", "0", "it must be a whole number from 1 to 256"),
        ("local.workers", "two", "it must be a whole number from 1 to 256"),
        ("cloud.endpoint", "localhost", "must be an http:// or https:// URL with a host, and without user, query or fragment"),
        ("cloud.timeout", "0", "it must be a number above 0 and up to 3600"),
        ("cloud.timeout", "nan", "it must be a number above 0 and up to 3600"),
        ("rpc.drain_timeout", "3601", "it must be a number from 0 to 3600"),
        ("rpc.max_message_bytes", "1", "it must be a whole number from 8388608 to 67108864"),
        ("download.allow_private", "perhaps", "it must be true or false"),
        ("rest.project_id", "a/b", "it must be a text that matches ^[A-Za-z0-9_-]{1,64}$"),
    ],
)
def test_a_wrong_value_is_told_with_name_value_origin_and_what_is_allowed(toml, path, value, allowed) -> None:
    variable = f"IMAGE_GATEWAY_{path.upper().replace('.', '_')}"
    room, _, name = path.rpartition(".")
    file = toml(f"[{room}]\n{name} = '{value}'\n" if room else f"{name} = '{value}'\n")
    said = f"setting {path} is {value!r} (from ORIGIN); {allowed}"
    assert problems({path: value}) == [said.replace("ORIGIN", "the command line")]
    assert problems(environment={variable: value}) == [said.replace("ORIGIN", f"environment variable {variable}")]
    assert problems(file=file) == [said.replace("ORIGIN", str(file))]


def test_an_empty_text_is_refused_where_one_is_needed() -> None:
    assert problems({"cloud.user": ""}) == [
        "setting cloud.user is '' (from the command line); it must be a text that is not empty"
    ]


def test_all_wrong_values_are_told_at_once() -> None:
    found = problems({"provider": "x", "cloud.timeout": "x"})
    assert [problem.split()[1] for problem in found] == ["provider", "cloud.timeout"]


def test_a_rule_between_settings_is_told_by_its_own_words() -> None:
    assert problems({"rest.access_key": "AK"}) == [
        "settings of rest: access_key and secret_key (or secret_key_file): give both or neither"
    ]


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_is_never_shown(toml, path) -> None:
    room, _, name = path.partition(".")
    (problem,) = problems(file=toml(f"[{room}]\n{name} = ['hunter2']\n"))
    assert path in problem
    assert "(not shown)" in problem
    assert "hunter2" not in problem
    settings = load_settings({path: "hunter2", "rest.access_key": "AK", "rest.secret_key": "hunter2"}, {})
    assert "hunter2" not in repr(settings)


def test_a_url_that_may_hold_a_password_is_never_shown() -> None:
    (problem,) = problems({"redis.url": "redis//:hunter2@host"})
    assert "setting redis.url is (not shown)" in problem
    assert "hunter2" not in problem
    assert "hunter2" not in repr(load_settings({"redis.url": "redis://:hunter2@host"}, {}))


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_is_not_empty(path) -> None:
    found = problems({"rest.access_key": "AK", "rest.secret_key": "SK", path: ""})
    assert found == [f"setting {path} is (not shown) (from the command line); it must be a text that is not empty"]


@pytest.mark.parametrize("path", [*SECRETS, "redis.url"])
def test_every_secret_may_stand_in_a_file_but_not_in_both(path) -> None:
    beside = {"rest.access_key": "AK"} if path == "rest.secret_key" else {}
    assert f"{path}_file" in {setting.path for setting in declared_settings()}
    given = {path: "redis://:hunter2@h" if path == "redis.url" else "hunter2", f"{path}_file": "/run/secrets/x"}
    room, _, name = path.partition(".")
    assert problems(given | beside) == [f"settings of {room}: {name} and {name}_file: give one of them, not both"]
    environment = {f"IMAGE_GATEWAY_{path.upper().replace('.', '_')}_FILE": "/run/secrets/x"}
    assert "give one of them" in problems({path: given[path], **beside}, environment)[0]


def test_no_array_of_tables_is_a_room_and_none_is_shown(toml) -> None:
    file = toml("[[cloud]]\npassword = 'hunter2'\n")
    assert problems(file=file) == [f"cloud in {file} is an array; it must be a table of settings: [cloud]"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cloud.regon]\nx = 1\n", "unknown setting cloud.regon in FILE; did you mean cloud.region?"),
        ("[[cloud.regon]]\nx = 1\n", "unknown setting cloud.regon in FILE; did you mean cloud.region?"),
        ("[clod]\nregion = 'x'\n", "unknown setting clod.region in FILE; did you mean cloud.region?"),
        (
            "[cloud.password]\nvalue = 'hunter2'\n",
            "setting cloud.password is (not shown) (from FILE); it must be a text that is not empty",
        ),
    ],
)
def test_tables_within_rooms_are_told_as_settings_are(toml, text, said) -> None:
    file = toml(text)
    assert problems(file=file) == [said.replace("FILE", str(file))]


class Inner(Settings):
    name: str = ""


class Outer(Settings):
    inner: list[Inner] | None = None


@pytest.mark.parametrize(
    ("location", "fields"),
    [((), ["inner"]), (("inner",), ["name"]), (("inner", 0), ["name"]), (("inner", 0, "name"), []), (("x",), [])],
)
def test_the_names_within_nested_tables_are_known(location, fields) -> None:
    assert fields_at(Outer, location) == fields
    assert place(("tables", 0, "name")) == ".tables[0].name"


def test_wrong_values_and_unknown_names_are_told_together() -> None:
    found = problems({"cloud.timeout": "x"}, {"IMAGE_GATEWAY_LISEN": "x"})
    assert [problem.partition(" is ")[0] for problem in found] == [
        "unknown setting IMAGE_GATEWAY_LISEN in the environment; did you mean IMAGE_GATEWAY_LISTEN?",
        "setting cloud.timeout",
    ]


def test_each_value_s_source_is_kept(toml) -> None:
    file = toml("[cloud]\ntimeout = 7\nregion = 'x'\nuser = 'u'\n")
    loaded = load({"cloud.region": "flag"}, {"IMAGE_GATEWAY_CLOUD_USER": "ada"}, file)
    assert loaded.origins == {
        "cloud.timeout": str(file),
        "cloud.region": "the command line",
        "cloud.user": "environment variable IMAGE_GATEWAY_CLOUD_USER",
    }
    assert loaded.file == file


def test_a_wrong_value_beside_a_secret_does_not_show_it() -> None:
    environment = {"IMAGE_GATEWAY_CLOUD_PASSWORD": "hunter2", "IMAGE_GATEWAY_CLOUD_PASWORD": "hunter2"}
    assert "hunter2" not in str(problems(environment=environment))
    assert "hunter2" not in str(problems({"cloud.timeout": "x", "cloud.password": "hunter2"}))
    assert "hunter2" not in str(problems({"rest.access_key": "AK", "rest.password": "hunter2"}))


def test_a_file_that_cannot_be_read_is_named(toml, tmp_path) -> None:
    missing = tmp_path / "missing.toml"
    assert problems(file=missing) == [f"config file {missing} cannot be read: No such file or directory"]
    file = toml("password = 'hunter2")
    (problem,) = problems(file=file)
    assert problem.startswith(f"config file {file} is not TOML: ")
    assert "hunter2" not in problem
    file.write_bytes(b"\xff")
    assert problems(file=file)[0].startswith(f"config file {file} is not TOML: ")


@pytest.mark.parametrize("url", ["https://u:hunter2@h", "https://u:p@hunter2@h", "https://u:hunter2/w@h", "u:hunter2@h"])
def test_a_password_in_a_url_is_not_shown(url) -> None:
    (problem,) = problems({"cloud.endpoint": url})
    assert "hunter2" not in problem
