import re
import tomllib

import pytest

from gateway.access.key_text import read_key
from gateway.access.tenants_file import load_roster
from gateway.cli.main import main


def test_a_new_key_and_what_makes_a_gateway_take_it(capsys, caplog, tmp_path) -> None:
    assert main(["key", "new", "--expires", "9999-06-30T00:00:00Z", "--comment", 'the "shop"\n[x]']) == 0
    out = capsys.readouterr().out
    key = read_key(re.search(r"igk_\S+", out)[0])
    assert key is not None
    file = tmp_path / "tenants.toml"
    file.write_text('[[tenants]]\nname = "shop"\n' + out)
    record = load_roster(file).keys[key.id]
    assert (record.hash, record.expires.isoformat()) == (key.hash, "9999-06-30T00:00:00+00:00")
    assert tomllib.loads(out)["tenants"]["keys"][0]["comment"] == 'the "shop" [x]'
    assert key.secret not in caplog.text


@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("2027-06-30T00:00:00", "is not a time with its offset, such as"),
        ("yesterday", "is not a time with its offset, such as"),
        ("2020-01-01T00:00:00Z", "has passed"),
    ],
)
def test_a_time_has_its_offset_and_is_yet_to_come(capsys, time, why) -> None:
    with pytest.raises(SystemExit) as end:
        main(["key", "new", "--expires", time])
    assert end.value.code == 2
    message = capsys.readouterr().err
    assert "--expires" in message
    assert why in message
