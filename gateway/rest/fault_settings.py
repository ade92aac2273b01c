"""Settings of fault injection."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.rest.fault_grammar import parse_rules
from gateway.settings import TEXT_OR_LIST, Settings


def _joined(rules: object) -> object:
    return "; ".join(map(str, rules)) if isinstance(rules, list) else rules


def _check_rules(text: str) -> str:
    parse_rules(text)
    return text


class FaultSettings(Settings):
    """Faults that the REST face feigns, for testing clients. Never for a service that anybody relies on."""

    header: bool = Field(
        default=False,
        description="Obey the header X-Fault, by which any client chooses the faults of its own requests.",
        json_schema_extra={"reason": "never for a service that anybody relies on"},
    )
    inject: Annotated[str, BeforeValidator(_joined), AfterValidator(_check_rules), TEXT_OR_LIST] = Field(
        "",
        description="Faults to inject, such as `latency=0.1-0.5@20%; defog: error=AIS.0206@0.05` (docs/rest-testing.md).",
        json_schema_extra={"reason": "likewise"},
    )
    seed: int = Field(
        0,
        ge=0,
        le=10**15 - 1,
        description="Chooses which calls are struck; the same seed strikes the same ones.",
        json_schema_extra={"reason": "any number does"},
    )

    @property
    def active(self) -> bool:
        """Whether anything can be injected at all."""
        return self.header or bool(self.inject.strip())
