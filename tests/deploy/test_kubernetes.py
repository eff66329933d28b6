"""The manifests for Kubernetes are valid, fit together, fit our program, and are closed."""

from __future__ import annotations

import subprocess
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml

from tests.docs.markdown import blocks
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli
from twilio_notifications.config import FileSecrets, load, load_console
from twilio_notifications.config.sources import defaults
from twilio_notifications.pipeline.care.health import PULSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twilio_notifications.config import ConsoleFileSettings, Settings

FOLDER = ROOT / "deploy" / "kubernetes"
TEMPLATE = FOLDER / "template" / "secret.yaml"
CONTAINERFILE = (ROOT / "deploy" / "container" / "Containerfile").read_text("utf-8")
UNIT = (ROOT / "deploy" / "systemd" / "twilio-notifications.service").read_text("utf-8")
OLDEST, NEWEST = "1.27", "1.37"
"""The first version that evicts pods which are not ready, where a budget says so, and the newest schema."""

SECRETS = {
    "twilio-auth-token": "0123456789abcdef0123456789abcdef",
    "journal-url": "postgresql://connector:a-password@postgresql.example.com:5432/journal"
    "?sslmode=verify-full&sslrootcert=/etc/twilio-notifications/journal-ca.pem",
    "broker-url": "mqtts://connector:a-password@broker.example.com:8883",
    "console-token-hash": "scrypt:15:6GHrEb4bOrRHtfWRXwBp6g:RJIL7yMPmUyXxQ1AVkvKXyUYUxu1S0MXGZ3AHTwhsDs",
}
"""What an operator fills into the template."""

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """Everything that `kubectl apply` finds in the folder, and the template."""
    files = [*sorted(FOLDER.glob("*.yaml")), TEMPLATE]
    return [each for file in files for each in yaml.safe_load_all(file.read_text("utf-8"))]


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


BY_NAME = {name_of(manifest): manifest for manifest in manifests()}
CONNECTORS = BY_NAME["StatefulSet/twilio-notifications"]["spec"]
CONSOLE = BY_NAME["Deployment/twilio-notifications-console"]["spec"]
WORKLOADS = pytest.mark.parametrize("workload", [CONNECTORS, CONSOLE], ids=["connectors", "console"])


def pod(workload: Manifest) -> Manifest:
    found: Manifest = workload["template"]["spec"]
    return found


def container(workload: Manifest) -> Manifest:
    (found,) = pod(workload)["containers"]
    assert isinstance(found, dict)
    return found


def environment(workload: Manifest) -> dict[str, str]:
    """The environment of the container, as Kubernetes makes it from the Secret."""
    return {
        each["name"]: each.get("value") or SECRETS[each["valueFrom"]["secretKeyRef"]["key"]]
        for each in container(workload)["env"]
    }


def configuration(folder: Path) -> Path:
    """The file that the ConfigMap puts into the containers, in this folder."""
    ((name, text),) = BY_NAME["ConfigMap/twilio-notifications"]["data"].items()
    file = folder / str(name)
    file.write_text(text, "utf-8")
    return file


def connector_settings(folder: Path) -> Settings:
    return load(configuration(folder), environment(CONNECTORS))


def console_settings(folder: Path) -> ConsoleFileSettings:
    return load_console(configuration(folder), environment(CONSOLE))


# Valid


@pytest.mark.parametrize("kubernetes", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", manifests(), ids=name_of)
def test_kubernetes_takes_each_manifest_and_knows_each_word_of_it(
    manifest: Manifest, kubernetes: str
) -> None:
    kubernetes_validate.validate(manifest, kubernetes, strict=True)


def test_the_schemas_find_a_word_that_kubernetes_does_not_know() -> None:
    wrong = {**BY_NAME["StatefulSet/twilio-notifications"], "spec": {**CONNECTORS, "replica": 3}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


# Fit together


def selectors() -> Iterator[tuple[str, Manifest]]:
    """Each place that selects pods, with the labels that it wants."""
    for name, manifest in BY_NAME.items():
        spec = manifest.get("spec", {})
        match manifest["kind"]:
            case "Service":
                yield name, spec["selector"]
            case "NetworkPolicy":
                yield name, spec["podSelector"]["matchLabels"]
            case "StatefulSet" | "Deployment" | "PodDisruptionBudget":
                yield name, spec["selector"]["matchLabels"]
            case _:
                pass
    for spread in pod(CONNECTORS)["topologySpreadConstraints"]:
        yield spread["topologyKey"], spread["labelSelector"]["matchLabels"]


@pytest.mark.parametrize(
    ("name", "wanted"), list(selectors()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_selects_pods_finds_the_connectors_or_the_console_and_not_both(
    name: str, wanted: Manifest
) -> None:
    found = [
        workload
        for workload in (CONNECTORS, CONSOLE)
        if wanted.items() <= workload["template"]["metadata"]["labels"].items()
    ]
    assert [CONSOLE if "console" in name else CONNECTORS] == found


@WORKLOADS
def test_each_volume_is_one_of_the_config_map_or_the_secret_and_is_mounted(workload: Manifest) -> None:
    volumes = {each["name"]: each for each in pod(workload)["volumes"]}
    assert volumes.keys() == {each["name"] for each in container(workload)["volumeMounts"]}
    names = {
        each.get("configMap", {}).get("name") or each["secret"]["secretName"] for each in volumes.values()
    }
    assert {"twilio-notifications"} == names


def test_the_template_of_the_secret_has_each_key_that_is_used_and_no_value() -> None:
    used = {
        each["valueFrom"]["secretKeyRef"]["key"]
        for workload in (CONNECTORS, CONSOLE)
        for each in container(workload)["env"]
        if "valueFrom" in each
    }
    used |= {
        item["key"]
        for volume in pod(CONNECTORS)["volumes"]
        for item in volume.get("secret", {}).get("items", ())
    }
    assert dict.fromkeys(used, "") == yaml.safe_load(TEMPLATE.read_text("utf-8"))["stringData"]
    assert used == SECRETS.keys()


def test_the_template_is_not_applied_with_the_others() -> None:
    assert "Secret" not in {
        each["kind"] for file in FOLDER.glob("*.yaml") for each in yaml.safe_load_all(file.read_text("utf-8"))
    }


def test_the_stateful_set_has_its_service() -> None:
    service = BY_NAME[f"Service/{CONNECTORS['serviceName']}"]["spec"]
    assert "None" == service["clusterIP"]


@pytest.mark.parametrize("name", ["twilio-notifications", "twilio-notifications-console"])
def test_a_service_leads_to_a_port_of_its_pods(name: str) -> None:
    workload = CONSOLE if name.endswith("console") else CONNECTORS
    ports = {each["name"] for each in container(workload)["ports"]}
    assert {each["targetPort"] for each in BY_NAME[f"Service/{name}"]["spec"]["ports"]} <= ports


# Fit our program


def test_the_configuration_loads_without_a_warning(tmp_path: Path) -> None:
    assert () == connector_settings(tmp_path).warnings
    assert () == console_settings(tmp_path).warnings


def test_the_connectors_share_a_journal_in_postgresql_and_one_client_id(tmp_path: Path) -> None:
    assert environment(CONNECTORS)["TWILIO_NOTIFICATIONS__JOURNAL__URL"].startswith("postgresql://")
    assert "client_id" in tomllib.loads(configuration(tmp_path).read_text("utf-8"))["transport"]


def test_the_console_uses_the_journal_and_the_broker_of_the_connectors_and_has_no_token() -> None:
    shared = {"TWILIO_NOTIFICATIONS__JOURNAL__URL", "TWILIO_NOTIFICATIONS__TRANSPORT__URL"}
    assert {name: environment(CONNECTORS)[name] for name in shared}.items() <= environment(CONSOLE).items()
    assert SECRETS["twilio-auth-token"] not in environment(CONSOLE).values()
    assert [] == [each for each in pod(CONSOLE)["volumes"] if "secret" in each]


def test_the_probes_ask_where_the_configuration_has_the_health(tmp_path: Path) -> None:
    settings, ports = connector_settings(tmp_path), container(CONNECTORS)["ports"]
    assert settings.health.listen is not None
    assert settings.metrics.listen is not None
    served = {"health": settings.health.listen[1], "metrics": settings.metrics.listen[1]}
    assert served == {each["name"]: each["containerPort"] for each in ports}
    for probe, path in (("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")):
        assert {"path": path, "port": "health"} == container(CONNECTORS)[probe]["httpGet"]


def test_the_console_listens_where_its_probes_and_its_service_look(tmp_path: Path) -> None:
    (port,) = container(CONSOLE)["ports"]
    assert ("http", console_settings(tmp_path).console.listen[1]) == (port["name"], port["containerPort"])
    for probe in ("livenessProbe", "readinessProbe"):
        assert "http" == container(CONSOLE)[probe]["httpGet"]["port"]


def test_what_listens_can_be_reached_from_other_pods(tmp_path: Path) -> None:
    settings = connector_settings(tmp_path)
    listening = (settings.health.listen, settings.metrics.listen, console_settings(tmp_path).console.listen)
    assert {"0.0.0.0"} == {address[0] for address in listening if address is not None}


def test_each_probe_waits_longer_than_the_connector_waits_for_its_journal() -> None:
    for probe in ("livenessProbe", "readinessProbe"):
        assert container(CONNECTORS)[probe]["timeoutSeconds"] > PULSE_SECONDS


def test_a_silent_connector_is_started_again_after_as_long_as_by_systemd() -> None:
    probe = container(CONNECTORS)["livenessProbe"]
    assert f"WatchdogSec={probe['periodSeconds'] * probe['failureThreshold']}" in UNIT.splitlines()


def test_the_token_is_mounted_where_the_configuration_reads_it(tmp_path: Path) -> None:
    secrets = connector_settings(tmp_path).secrets
    assert isinstance(secrets, FileSecrets)
    (mount,) = [each for each in container(CONNECTORS)["volumeMounts"] if each["name"] == "token"]
    (volume,) = [each for each in pod(CONNECTORS)["volumes"] if each["name"] == "token"]
    assert f"{mount['mountPath']}/{volume['secret']['items'][0]['path']}" == str(secrets.file.name)
    assert not volume["secret"]["defaultMode"] & 0o007


def test_the_configuration_is_mounted_where_the_program_reads_it() -> None:
    mounts = {each["name"]: each["mountPath"] for each in container(CONNECTORS)["volumeMounts"]}
    (name,) = BY_NAME["ConfigMap/twilio-notifications"]["data"]
    assert f'"{mounts["configuration"]}/{name}"' in CONTAINERFILE
    command, *arguments = container(CONSOLE)["args"]
    assert "console" == command
    assert f"{mounts['configuration']}/{name}" == str(cli.parser().parse_args([command, *arguments]).config)


@WORKLOADS
def test_the_image_has_the_version_of_this_project(workload: Manifest) -> None:
    assert container(workload)["image"].endswith(f"/twilio-notifications:{version('twilio-notifications')}")


def test_a_stop_may_take_as_long_as_the_drain() -> None:
    drain = defaults(folder=ROOT)["delivery.drain_seconds"].value
    assert float(str(drain)) < pod(CONNECTORS)["terminationGracePeriodSeconds"]


@pytest.mark.promtool
def test_prometheus_takes_the_configuration_of_the_page_and_finds_the_connectors(tmp_path: Path) -> None:
    page = ROOT / "docs" / "how-to" / "run-on-kubernetes.md"
    (block,) = [each.text for each in blocks(page, "yaml") if each.text.startswith("scrape_configs:")]
    file = tmp_path / "prometheus.yml"
    file.write_text(block, "utf-8")
    run = subprocess.run(
        ["promtool", "check", "config", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert 0 == run.returncode, run.stdout + run.stderr
    (job,) = yaml.safe_load(block)["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]
    namespace = BY_NAME["Namespace/twilio-notifications"]["metadata"]["name"]
    assert [f"{CONNECTORS['serviceName']}.{namespace}.svc"] == discovery["names"]
    ports = {each["name"]: each["containerPort"] for each in container(CONNECTORS)["ports"]}
    assert (ports["metrics"], "twilio-notifications") == (discovery["port"], job["job_name"])


# Closed


@WORKLOADS
def test_its_pods_keep_the_restricted_standard_of_kubernetes(workload: Manifest) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/: the strictest of the three."""
    of_pod, of_container = pod(workload)["securityContext"], container(workload)["securityContext"]
    assert of_pod["runAsNonRoot"]
    assert f"USER {of_pod['runAsUser']}:{of_pod['runAsGroup']}\n" in CONTAINERFILE
    assert {"type": "RuntimeDefault"} == of_pod["seccompProfile"]
    assert {"drop": ["ALL"]} == of_container["capabilities"]
    assert not of_container["allowPrivilegeEscalation"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod(workload).keys()
    assert {"configMap", "secret"} >= {
        kind for each in pod(workload)["volumes"] for kind in each.keys() - {"name"}
    }


@WORKLOADS
def test_its_pods_write_nowhere_and_know_nothing_of_the_cluster(workload: Manifest) -> None:
    assert container(workload)["securityContext"]["readOnlyRootFilesystem"]
    assert all(each["readOnly"] for each in container(workload)["volumeMounts"])
    assert not pod(workload)["automountServiceAccountToken"]
    assert not pod(workload)["enableServiceLinks"]


@WORKLOADS
def test_its_memory_is_bounded_as_by_systemd(workload: Manifest) -> None:
    assert "512Mi" == container(workload)["resources"]["limits"]["memory"]
    assert {"cpu", "memory"} == container(workload)["resources"]["requests"].keys()


def open_ports(policy: str) -> set[int]:
    rules = BY_NAME[f"NetworkPolicy/{policy}"]["spec"]["egress"]
    return {each["port"] for rule in rules for each in rule["ports"]}


def test_the_policies_let_out_what_the_program_connects_to_and_nothing_else(tmp_path: Path) -> None:
    names, journal, broker, twilio = 53, 5432, 8883, 443
    assert connector_settings(tmp_path).twilio.base_url.startswith("https://")
    assert {names, journal, broker, twilio} == open_ports("twilio-notifications-connector")
    assert {names, journal, broker} == open_ports("twilio-notifications-console")
    for port, address in ((journal, SECRETS["journal-url"]), (broker, SECRETS["broker-url"])):
        assert f":{port}" in address


def test_nodes_can_be_emptied_one_connector_at_a_time_and_also_where_none_is_ready() -> None:
    budget = BY_NAME["PodDisruptionBudget/twilio-notifications"]["spec"]
    assert (1, "AlwaysAllow") == (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"])
    assert CONNECTORS["replicas"] > budget["maxUnavailable"]
