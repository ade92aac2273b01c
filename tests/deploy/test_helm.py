import importlib
import os
import subprocess
import tomllib
from typing import Any

import pytest

from gateway.config import load_settings

from .conftest import CHART, output, tool

EVERYTHING = """
replicas: 3
image: {digest: "sha256:%s", pullSecrets: [registry]}
config:
  provider: cloud,local
  rpc: {drain_timeout: 12.5, max_calls: 300, workers: 2}
  prepare: {memory: 2147483648}
  cloud: {user: someone, domain: 'a "domain"', password_file: /run/secrets/image-gateway/cloud-password}
  limit: {concurrency: 20, adaptive: true}
secrets: {files: {cloud-password: planted, tenants.toml: '# planted'}}
extraEnv: [{name: TZ, value: UTC}]
autoscaling: {enabled: true, cpu: 60, queue: {enabled: true}}
networkPolicy:
  callers: [{podSelector: {matchLabels: {calls: pictures}}}]
  egress: [{to: [{podSelector: {matchLabels: {app: redis}}}], ports: [{protocol: TCP, port: 6379}]}]
monitoring: {podMonitor: {enabled: true}, rules: {enabled: true}, dashboard: {enabled: true}}
podAnnotations: {a: b}
podLabels: {c: d}
nodeSelector: {disk: ssd}
tolerations: [{key: gpu, operator: Exists}]
priorityClassName: high
""" % ("0" * 64)
DEFAULTS = "secrets: {existing: callers}\n"  # the least that is to be said
TLS = DEFAULTS + "tls: {secret: certificate, clientCaKey: ca.crt}"
LITTLE = """
config: {access: {tenants_file: null, authenticators: '', allow_anonymous: true}}
serviceAccount: {create: false}
podDisruptionBudget: {enabled: false}
networkPolicy: {enabled: false}
service: {headless: false}
topologySpread: false
preStopSeconds: 0
autoscaling: {enabled: true}
"""
COMBINATIONS = {"defaults": DEFAULTS, "everything": EVERYTHING, "tls": TLS, "little": LITTLE}
FOREIGN = {"PodMonitor", "PrometheusRule"}  # of an operator, not of Kubernetes


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def container(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    return of_kind(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]


def configuration(manifests: list[dict[str, Any]]) -> str:
    (found,) = [m for m in manifests if m["kind"] == "ConfigMap" and "gateway.toml" in m["data"]]
    return found["data"]["gateway.toml"]


def test_lint() -> None:
    output(tool("DEPLOY_TEST_HELM"), "lint", "--strict", os.fspath(CHART))


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("values", COMBINATIONS.values(), ids=COMBINATIONS)
def test_manifests_are_what_kubernetes_takes(values, version, rendered) -> None:
    manifests = rendered(values)
    validate = importlib.import_module("kubernetes_validate").validate
    assert len(manifests) >= 4
    for manifest in manifests:
        if manifest["kind"] not in FOREIGN:
            validate(manifest, version, strict=True)


@pytest.mark.parametrize("values", COMBINATIONS.values(), ids=COMBINATIONS)
def test_the_gateway_takes_its_settings(values, rendered, tmp_path) -> None:
    text = configuration(rendered(values))
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    settings = load_settings({}, {}, file)
    assert settings.listen == "0.0.0.0:50051"
    assert settings.ops.listen == "0.0.0.0:9100"


def test_values_arrive_as_they_were_written(rendered, tmp_path) -> None:
    document = tomllib.loads(configuration(rendered(EVERYTHING)))
    assert document["prepare"]["memory"] == 2 << 30
    assert isinstance(document["prepare"]["memory"], int)
    assert document["cloud"]["domain"] == 'a "domain"'
    assert document["rpc"]["drain_timeout"] == 12.5
    assert document["limit"]["adaptive"] is True


@pytest.mark.parametrize("values", COMBINATIONS.values(), ids=COMBINATIONS)
def test_pods_are_hardened(values, rendered) -> None:
    manifests = rendered(values)
    pod = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    security = container(manifests)["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert {mount["mountPath"] for mount in container(manifests)["volumeMounts"] if not mount.get("readOnly")} == {"/tmp"}  # noqa: S108  # of the pod, not of this machine


@pytest.mark.parametrize(("values", "seconds"), [(DEFAULTS, 55), (EVERYTHING, 38), (LITTLE, 50)])
def test_a_pod_has_longer_to_end_than_its_calls(values, seconds, rendered) -> None:
    pod = of_kind(rendered(values), "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == seconds


def test_alive_and_ready_are_asked_apart(rendered) -> None:
    plain, tls = container(rendered(DEFAULTS)), container(rendered(TLS))
    assert plain["livenessProbe"]["grpc"]["service"] == "gateway.imagerecognition.v1.GatewayService"
    assert plain["readinessProbe"]["grpc"]["service"] == ""
    assert plain["startupProbe"]["grpc"] == plain["livenessProbe"]["grpc"]
    assert tls["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "ops"}
    assert tls["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "ops"}


def test_secrets_are_files_and_stand_nowhere_else(rendered) -> None:
    manifests = rendered(EVERYTHING)
    assert "planted" not in str([manifest for manifest in manifests if manifest["kind"] != "Secret"])
    assert of_kind(manifests, "Secret")["data"] == {"cloud-password": "cGxhbnRlZA==", "tenants.toml": "IyBwbGFudGVk"}
    assert "Secret" not in {manifest["kind"] for manifest in rendered("secrets: {existing: mine}")}


def test_new_settings_make_new_pods(rendered) -> None:
    def checksum(values: str) -> str:
        pod = of_kind(rendered(DEFAULTS + values), "Deployment")["spec"]["template"]
        return pod["metadata"]["annotations"]["checksum/config"]

    assert checksum("config: {rpc: {max_calls: 1}}") != checksum("config: {rpc: {max_calls: 2}}")


def test_every_alert_and_the_dashboard_are_carried(rendered) -> None:
    manifests = rendered(EVERYTHING)
    assert of_kind(manifests, "PrometheusRule")["spec"]["groups"]
    (dashboard,) = [m for m in manifests if m["kind"] == "ConfigMap" and "image-gateway.json" in m["data"]]
    assert dashboard["data"]["image-gateway.json"].lstrip().startswith("{")


@pytest.mark.parametrize(
    "values",
    [
        "imgae: {}",
        "image: {tag: latest}",
        "config: {listen: '0.0.0.0:1', rpc: {drain_timeout: 1}}",
        "config: {rpc: {drain_timeout: -1}}",
        "ports: {grpc: 80}",
        "secrets: {existing: mine, files: {a: b}}",
        "autoscaling: {enabled: true, cpu: 0}",
        "preStopSeconds: soon",
    ],
)
def test_values_that_make_no_sense_are_refused(values) -> None:
    assert refusal(values if "secrets:" in values else DEFAULTS + values)


@pytest.mark.parametrize("values", ["", "secrets: {files: {cloud-password: planted}}"])
def test_a_tenants_file_that_nothing_mounts_is_refused(values) -> None:
    assert "tenants.toml, and nothing mounts it: name a Secret with the key tenants.toml in secrets.existing" in refusal(values)


def refusal(values: str) -> str:
    """What Helm says; nothing if it takes the values."""
    helm = tool("DEPLOY_TEST_HELM")
    done = subprocess.run(
        [helm, "template", "x", os.fspath(CHART), "--kube-version", "1.30.0", "--values", "-"],
        input=values,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stderr if done.returncode else ""


def test_clear_text_is_announced_where_it_is_spoken(rendered) -> None:
    def port(values: str) -> dict[str, Any]:
        (service,) = [m for m in rendered(values) if m["kind"] == "Service" and m["spec"].get("clusterIP") != "None"]
        return service["spec"]["ports"][0]

    assert port(DEFAULTS)["appProtocol"] == "kubernetes.io/h2c"
    assert "appProtocol" not in port(TLS)
