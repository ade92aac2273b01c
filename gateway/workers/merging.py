"""The metrics of several processes as one page: each sample says whose it is."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LABEL: Final = "worker"

_CREATED: Final = "_created"


def merged(pages: Mapping[str, str]) -> Iterable[Metric]:
    """The families of all `pages` (by the worker's name, in Prometheus's text format), each once, its samples labelled `worker`.

    Raises `ValueError` for a page that is none.
    """
    families: dict[str, Metric] = {}
    for worker, page in pages.items():
        for family in text_string_to_metric_families(page):
            if family.name.endswith(_CREATED):
                continue  # in this format a family of its own, whose name OpenMetrics has for something else
            into = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            into.samples += [sample._replace(labels={LABEL: worker, **sample.labels}) for sample in family.samples]
    return families.values()


class Merged(Collector):
    """Pages as something that can be encoded."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages

    def collect(self) -> Iterable[Metric]:
        """All samples of all pages."""
        return merged(self._pages)
