"""The files for containers agree with each other, with the settings, and with what the image contains."""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import load
from normalizer.sandbox import linux

from .pages import ROOT, section

CONTAINER, KUBERNETES = ROOT / "packaging" / "container", ROOT / "packaging" / "kubernetes"
IMAGE = (CONTAINER / "Containerfile").read_text()
COMPOSE = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
FILES = ("airlock.yaml", "cluster.yaml")
USER = 10001


def test_the_image_copies_every_package_and_only_what_exists() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    wheel = re.search(
        r"targets\.wheel\]\npackages = (\[.*\])", (ROOT / "pyproject.toml").read_text()
    )

    assert wheel is not None
    assert set(yaml.safe_load(wheel[1])) <= sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_what_the_image_copies_is_not_ignored() -> None:
    ignored = (CONTAINER / "Containerfile.dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE)

    assert {f"!{source}" for line in copied for source in line.split()} <= set(ignored)


def test_the_image_runs_as_a_number_and_has_a_health_check() -> None:
    assert f"USER {USER}:{USER}" in IMAGE
    assert "HEALTHCHECK" in IMAGE
    assert "/healthz" in IMAGE
    assert 'ENTRYPOINT ["airlock"]' in IMAGE


@pytest.mark.parametrize("name", ["connectors.yaml", "compose-connectors.yaml"])
def test_the_settings_of_the_containers_load(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "api_token"
    secret.write_text("5c0ffee5" * 8)
    settings = tmp_path / name
    text = (CONTAINER / name).read_text()
    settings.write_text(text.replace("/run/secrets/api_token", str(secret)))

    found = load(settings, {}, ())

    assert (str(found.gateway.listen), str(found.gateway.data)) == (
        "0.0.0.0:8080",
        "/var/lib/airlock",
    )


def test_compose_mounts_the_data_and_the_settings() -> None:
    gateway = COMPOSE["services"]["gateway"]

    assert gateway["read_only"]
    assert gateway["cap_drop"] == ["ALL"]
    assert "data:/var/lib/airlock" in gateway["volumes"]
    assert "./compose-connectors.yaml:/etc/airlock/connectors.yaml:ro" in gateway["volumes"]
    assert set(gateway["secrets"]) <= set(COMPOSE["secrets"])
    (context, file) = (gateway["build"][key] for key in ("context", "dockerfile"))
    assert (CONTAINER / context / file).exists()
    assert {"clamav", "postgresql", "s3"} <= set(COMPOSE["services"])


def test_no_file_weakens_the_runtimes_seccomp_profile() -> None:
    files = [file for file in (ROOT / "packaging").rglob("*") if file.is_file()]
    assert [file.name for file in files if "unconfined" in file.read_text().lower()] == []
    assert COMPOSE["services"]["gateway"]["security_opt"] == ["no-new-privileges:true"]


def test_the_page_names_the_calls_that_the_sandbox_needs() -> None:
    """`linux.py` makes them by number, so that no library hides one."""
    page = section(ROOT / "docs" / "containers.md", "## The sandbox in a container")
    numbers = {444: "landlock_create_ruleset", 446: "landlock_restrict_self"}
    assert tuple(numbers) == (linux._LANDLOCK_CREATE_RULESET, linux._LANDLOCK_RESTRICT_SELF)
    for call in ("seccomp", *numbers.values()):
        assert f"`{call}`" in page


def test_volumes_and_secrets_of_compose_are_declared() -> None:
    for service in COMPOSE["services"].values():
        named = {mount.split(":")[0] for mount in service.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= set(COMPOSE["volumes"])
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


@dataclass(frozen=True)
class Manifests:
    """The manifests of a file by kind, its pod, and the pod's container."""

    by_kind: dict[str, Any]
    workload: Any
    pod: Any
    container: Any


@pytest.fixture(params=FILES)
def kubernetes(request: pytest.FixtureRequest) -> Manifests:
    found = yaml.safe_load_all((KUBERNETES / request.param).read_text())
    by_kind = {manifest["kind"]: manifest for manifest in found}
    workload = by_kind.get("StatefulSet") or by_kind["Deployment"]
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return Manifests(by_kind, workload, pod, container)


def test_the_settings_of_kubernetes_load_with_its_secrets(
    kubernetes: Manifests, tmp_path: Path
) -> None:
    text = kubernetes.by_kind["ConfigMap"]["data"]["connectors.yaml"]
    values = {
        "api-token": "5c0ffee5" * 8,
        "core-secret": "whsec_" + "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4",
        "database-password": "a-password-of-a-test",
    }
    secrets = kubernetes.by_kind["Secret"]["stringData"]
    assert secrets.keys() <= values.keys()
    assert all(f"/run/secrets/airlock/{name}}}" in text for name in secrets)
    for name in secrets:
        (tmp_path / name).write_text(values[name])
    (tmp_path / "connectors.yaml").write_text(text.replace("/run/secrets/airlock", str(tmp_path)))

    found = load(tmp_path / "connectors.yaml", {}, ())

    assert str(found.gateway.data) == "/var/lib/airlock"
    port = kubernetes.container["ports"][0]["containerPort"]
    assert found.gateway.listen.port == port


def test_the_pod_has_no_privilege_and_a_volume_it_can_write(kubernetes: Manifests) -> None:
    assert kubernetes.pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert kubernetes.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    secrets = next(volume["secret"] for volume in kubernetes.pod["volumes"] if "secret" in volume)
    assert secrets["defaultMode"] == stat.S_IRUSR | stat.S_IRGRP


def test_every_mount_of_the_pod_has_its_volume(kubernetes: Manifests) -> None:
    claims = kubernetes.workload["spec"].get("volumeClaimTemplates", ())
    volumes = {v["name"] for v in kubernetes.pod["volumes"]} | {
        c["metadata"]["name"] for c in claims
    }

    assert {mount["name"] for mount in kubernetes.container["volumeMounts"]} == volumes


def test_the_probes_ask_for_health_and_readiness(kubernetes: Manifests) -> None:
    def path(probe: str) -> Any:
        return kubernetes.container[probe]["httpGet"]["path"]

    assert (path("livenessProbe"), path("startupProbe")) == ("/healthz", "/healthz")
    assert path("readinessProbe") == "/readyz"


def test_service_and_budget_select_the_pod(kubernetes: Manifests) -> None:
    labels = kubernetes.workload["spec"]["template"]["metadata"]["labels"]

    assert kubernetes.by_kind["Service"]["spec"]["selector"].items() <= labels.items()
    budget = kubernetes.by_kind["PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert budget["maxUnavailable"] == 1
    # Several only where they share a journal: two processes must not use one data folder.
    settings = kubernetes.by_kind["ConfigMap"]["data"]["connectors.yaml"]
    assert kubernetes.workload["spec"]["replicas"] == (3 if "postgresql://" in settings else 1)
