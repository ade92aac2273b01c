"""The metrics of several processes as one page: each sample says whose it is."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LABEL: Final = "worker"

_CREATED: Final = "_created"


def read_page(page: str) -> list[Metric]:
    """The families of a page in Prometheus's text format. Raises `ValueError` for one that is none."""
    return list(text_string_to_metric_families(page))


def merged(pages: Mapping[str, Iterable[Metric]]) -> Iterable[Metric]:
    """The families of all `pages` (by the worker's name), each once, its samples labelled `worker`."""
    families: dict[str, Metric] = {}
    for worker, page in pages.items():
        for family in page:
            if family.name.endswith(_CREATED):
                continue  # in this format a family of its own, whose name OpenMetrics has for something else
            into = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            into.samples += [sample._replace(labels={LABEL: worker, **sample.labels}) for sample in family.samples]
    return families.values()


class Merged(Collector):
    """Pages as something that can be encoded."""

    def __init__(self, pages: Mapping[str, Iterable[Metric]]) -> None:
        self._pages = pages

    def collect(self) -> Iterable[Metric]:
        """All samples of all pages."""
        return merged(self._pages)
