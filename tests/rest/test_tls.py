from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.rest.settings import RestConfigError, RestSettings
from gateway.rest.tls import load_rest_pair


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_one_file_is_not_enough(name) -> None:
    with pytest.raises(ValidationError, match="tls_certificate and tls_key: give both or neither"):
        RestSettings(**{name: Path("x")})


def test_files_that_cannot_be_used_are_a_problem_of_the_settings(tmp_path) -> None:
    none = tmp_path / "none"
    with pytest.raises(RestConfigError) as caught:
        load_rest_pair(none, none)
    assert caught.value.problems == [f"tls_certificate {none} cannot be read: No such file or directory"]
