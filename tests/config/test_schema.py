import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gateway.config import declared_settings, load_settings
from gateway.config.schema import settings_schema
from gateway.config.toml_text import example_toml, toml_value

SCHEMA = settings_schema()


def of(path: str) -> dict:
    room, _, name = path.rpartition(".")
    if not room:
        return SCHEMA["properties"][name]
    return SCHEMA["$defs"][SCHEMA["properties"][room]["$ref"].rpartition("/")[2]]["properties"][name]


def accepts(document: dict) -> bool:
    return Draft202012Validator(SCHEMA).is_valid(document)


def test_it_is_a_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    json.dumps(SCHEMA)


@pytest.mark.parametrize("setting", list(declared_settings()), ids=lambda setting: setting.path)
def test_every_setting_says_all_of_itself(setting) -> None:
    entry = of(setting.path)
    assert entry["description"] == setting.description
    assert entry["x-environment"] == setting.variable
    assert (entry["x-secret"], entry["x-reload"]) == (setting.is_secret, setting.reloads)
    assert entry.get("writeOnly", False) == setting.is_secret
    assert ("default" in entry) == (setting.default is not None)
    assert "default" not in entry or entry["default"] == setting.default
    assert "null" not in json.dumps(entry)


def test_ranges_stand_where_editors_look() -> None:
    assert (of("rpc.max_calls")["minimum"], of("rpc.max_calls")["maximum"]) == (1, 100_000)
    assert (of("limit.rate")["exclusiveMinimum"], of("limit.rate")["maximum"]) == (0, 10_000)
    assert of("log_level")["enum"] == ["debug", "info", "warning", "error"]


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"listen": "127.0.0.1:1", "cloud": {"timeout": 7, "password_file": "/x"}}, True),
        ({"download": {"allow": ["10.0.0.0/8", "store.internal:9000"]}}, True),
        ({"download": {"allow": "10.0.0.0/8"}}, True),
        ({"lisen": "127.0.0.1:1"}, False),
        ({"cloud": {"regin": "x"}}, False),
        ({"cloud": {"timeout": 0}}, False),
        ({"cloud": [{"region": "x"}]}, False),
        ({"rpc": {"workers": "two"}}, False),
    ],
)
def test_it_tells_right_files_from_wrong_ones(document, valid) -> None:
    assert accepts(document) == valid


def test_the_example_loads_and_changes_nothing() -> None:
    file = Path(__file__).parents[2] / "deploy" / "image-gateway.example.toml"
    assert load_settings({}, {}, file) == load_settings({}, {})


def uncommented(default: bool) -> str:
    """The example with those settings switched on that have a default, or those that have none."""
    paths = {setting.path for setting in declared_settings() if (setting.default is not None) == default}
    lines, room = [], ""
    for line in example_toml().splitlines():
        if line.startswith("["):
            room = line.strip("[]") + "."
        switched_on = line.startswith("#") and not line.startswith("# ") and room + line[1:].partition(" ")[0] in paths
        lines.append(line[1:] if switched_on else line)
    return "\n".join(lines)


def test_every_default_in_the_example_is_the_default(tmp_path) -> None:
    file = tmp_path / "defaults.toml"
    file.write_text(uncommented(default=True), encoding="utf-8")
    assert len(tomllib.loads(file.read_text(encoding="utf-8"))["rpc"]) >= 20
    assert load_settings({}, {}, file) == load_settings({}, {})
    assert accepts(tomllib.loads(file.read_text(encoding="utf-8")))


def test_every_other_line_of_the_example_is_a_value_that_is_allowed() -> None:
    document = tomllib.loads(uncommented(default=False))
    for setting in declared_settings():
        if setting.default is None and not setting.is_secret:
            value = document[setting.room][setting.name] if setting.room else document[setting.name]
            assert Draft202012Validator(of(setting.path)).is_valid(value), setting.path
            assert value or setting.depends_on_machine, f"{setting.path} needs an example: Field(examples=[…])"


@pytest.mark.parametrize("text", ['a"b\\c', "tab\tline\nend\r", "\x00\x1f\x7f", "ü€😀", ""])
def test_texts_are_written_such_that_toml_reads_them(text) -> None:
    assert tomllib.loads(f"x = {toml_value(text)}") == {"x": text}
    assert tomllib.loads(f"x = {toml_value(Path('/a'))}\ny = {toml_value(True)}\nz = {toml_value(1e22)}") == {
        "x": "/a",
        "y": True,
        "z": 1e22,
    }
