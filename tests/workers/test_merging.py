from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.workers.merging import Merged, read_page


def page(count: int) -> str:
    registry = CollectorRegistry()
    Counter("calls", "Calls.", ["method"], registry=registry).labels('a"\\\nb').inc(count)
    Histogram("seconds", "Time.", registry=registry).observe(count)
    return generate_latest(registry).decode()


def test_each_family_comes_once_and_each_sample_says_whose_it_is() -> None:
    registry = CollectorRegistry()
    registry.register(Merged({"0": read_page(page(1)), "1": read_page(page(2))}))
    text = generate_latest(registry).decode()
    assert text.count("# TYPE calls_total counter") == 1
    assert text.count("# TYPE seconds histogram") == 1
    assert "_created" not in text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    calls = {
        sample.labels["worker"]: (sample.labels["method"], sample.value) for sample in samples if sample.name == "calls_total"
    }
    assert calls == {"0": ('a"\\\nb', 1.0), "1": ('a"\\\nb', 2.0)}
    assert {sample.labels["worker"] for sample in samples if sample.name == "seconds_bucket"} == {"0", "1"}
