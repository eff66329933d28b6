"""The recipe keeps the published rules of recipes, and allows what its configuration needs and no more."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.support.needs import ROOT
from twilio_notifications.component import (
    COMPONENT,
    NucleusKind,
    Packaging,
    access_control,
    configured,
    default_configuration,
    deployment,
    recipe,
)
from twilio_notifications.component.documents import LEAST_PYTHON
from twilio_notifications.config import SecretOrigin, load
from twilio_notifications.core.parameters import PublishedParameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
PARAMETERS = {"TWILIO_ACCOUNT_SID": "AC1", "TwilioAuthTokenSecretArn": ARN}
VERSION = "1.2.3"

RECIPE_BYTES = 16_000
"""The most that the service, and nucleus lite, take."""
POLICY_BYTES = 4_096
"""What nucleus lite reads of the access control of one service."""

KEYS = {
    "recipe": {
        *("RecipeFormatVersion", "ComponentName", "ComponentVersion", "ComponentDescription"),
        *("ComponentPublisher", "ComponentConfiguration", "ComponentDependencies", "ComponentType"),
        *("Manifests", "Lifecycle"),
    },
    "manifest": {"Name", "Platform", "Lifecycle", "Artifacts"},
    "step": {"Script", "RequiresPrivilege", "Skipif", "Timeout", "Setenv"},
    "artifact": {"Uri", "Unarchive", "Permission", "Digest", "Algorithm"},
    "dependency": {"VersionRequirement", "DependencyType"},
}
STEPS = {"install", "run", "startup", "shutdown", "recover", "bootstrap"}
VARIABLES = {"artifacts:path", "artifacts:decompressedPath", "work:path", "kernel:rootPath", "iot:thingName"}

KINDS = pytest.mark.parametrize("kind", NucleusKind)


def breaches(document: Mapping[str, Any]) -> Iterator[str]:
    """What the reference of component recipes forbids, or nucleus lite does not understand."""
    if set(document) - KEYS["recipe"]:
        yield f"unknown keys {set(document) - KEYS['recipe']}"
    if document["RecipeFormatVersion"] != "2020-01-25":
        yield "another format"
    if not re.fullmatch(r"[a-zA-Z0-9-_.]{1,128}", document["ComponentName"]):
        yield "the name"
    if not re.fullmatch(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?", document["ComponentVersion"]):
        yield "the version"
    for dependency in document.get("ComponentDependencies", {}).values():
        if set(dependency) - KEYS["dependency"] or dependency["DependencyType"] not in {"HARD", "SOFT"}:
            yield f"a dependency {dependency}"
    for manifest in document["Manifests"]:
        yield from _of_manifest(manifest)
    if len(json.dumps(document, indent=2).encode()) > RECIPE_BYTES:
        yield "too long"


def _of_manifest(manifest: Mapping[str, Any]) -> Iterator[str]:
    if set(manifest) - KEYS["manifest"]:
        yield f"unknown keys {set(manifest) - KEYS['manifest']}"
    if not all(isinstance(value, str) for value in manifest["Platform"].values()):
        yield "a platform"
    if set(manifest["Lifecycle"]) - STEPS or {"run", "startup"} <= set(manifest["Lifecycle"]):
        yield f"steps {set(manifest['Lifecycle'])}"
    for step in manifest["Lifecycle"].values():
        if isinstance(step, dict) and set(step) - KEYS["step"]:
            yield f"unknown keys {set(step) - KEYS['step']}"
        script = step if isinstance(step, str) else step["Script"]
        if set(re.findall(r"\{([^}]*)\}", script)) - VARIABLES:
            yield f"a variable in {script}"
    for artifact in manifest["Artifacts"]:
        if set(artifact) - KEYS["artifact"] or artifact.get("Unarchive", "NONE") not in {"NONE", "ZIP"}:
            yield f"an artifact {artifact}"


@KINDS
@pytest.mark.parametrize("vendored", [False, True])
def test_a_recipe_keeps_the_rules(kind: NucleusKind, vendored: bool) -> None:  # noqa: FBT001 - a parameter
    assert [] == list(breaches(recipe(kind, version=VERSION, packaging=Packaging(vendored=vendored))))


@pytest.mark.parametrize(
    "broken",
    [
        {"Extra": 1},
        {"ComponentName": "a b"},
        {"ComponentVersion": "1"},
        {"ComponentDependencies": {"a": {"VersionRequirement": "^2", "DependencyType": "hard"}}},
        {"ComponentDescription": "x" * RECIPE_BYTES},
        {"Manifests": [{"Platform": {}, "Lifecycle": {"Run": "x"}, "Artifacts": []}]},
        {"Manifests": [{"Platform": {}, "Lifecycle": {"run": "x", "startup": "x"}, "Artifacts": []}]},
        {
            "Manifests": [
                {"Platform": {}, "Lifecycle": {"run": {"script": "x", "Script": "x"}}, "Artifacts": []}
            ]
        },
        {"Manifests": [{"Platform": {}, "Lifecycle": {"run": "{work:Path}"}, "Artifacts": []}]},
        {"Manifests": [{"Platform": {}, "Lifecycle": {}, "Artifacts": [{"URI": "x"}]}]},
    ],
)
def test_a_breach_is_found(broken: Mapping[str, Any]) -> None:
    assert 1 == len(list(breaches({**recipe(NucleusKind.CLASSIC, version=VERSION), **broken})))


@KINDS
def test_the_configuration_of_a_recipe_with_its_parameters_is_valid(kind: NucleusKind) -> None:
    """As the connector reads it; the account and the secret come with the deployment."""
    configuration = default_configuration(kind, parameters=PARAMETERS)
    settings = load(None, {}, component={**configuration, "accessControl": access_control(configuration)})
    assert (ARN, ()) == (settings.parameters.secret_arn, settings.warnings)
    source = {NucleusKind.CLASSIC: "greengrass", NucleusKind.LITE: "file"}[kind]
    assert source == settings.secrets.source


def test_the_archive_and_the_devices_python_are_the_operators() -> None:
    packaging = Packaging(bucket="my-bucket", python="python3.11")
    document: Any = recipe(NucleusKind.LITE, version=VERSION, packaging=packaging)
    (manifest,) = document["Manifests"]
    (artifact,) = manifest["Artifacts"]
    assert f"s3://my-bucket/TwilioNotifications/{VERSION}/twilio-notifications.zip" == artifact["Uri"]
    assert " python3.11 -m venv " in manifest["Lifecycle"]["install"]["Script"]


def test_the_least_python_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f">={'.'.join(map(str, LEAST_PYTHON))}" == project["requires-python"]


@KINDS
def test_what_a_deployment_gives_is_merged_as_a_nucleus_merges_it(kind: NucleusKind) -> None:
    """Maps key by key, everything else whole; so what is not given keeps its default."""
    given = {**PARAMETERS, "InputTopics": {"txt": "a/txt"}, "journal": {"maximum_requests": "10"}}
    found = configured(kind, given)
    default: Any = default_configuration(kind)
    assert {"txt": "a/txt", "call": "twilio/call"} == found["InputTopics"]
    assert {**default["journal"], "maximum_requests": "10"} == found["journal"]
    assert default | given == found | {name: given[name] for name in ("InputTopics", "journal")}


@KINDS
def test_every_published_parameter_has_its_place(kind: NucleusKind) -> None:
    assert set(PublishedParameter) <= set(default_configuration(kind))


@KINDS
def test_only_the_classic_nucleus_has_a_secret_manager(kind: NucleusKind) -> None:
    """A dependency on it makes a deployment on nucleus lite fail."""
    assert (kind is NucleusKind.CLASSIC) == (
        "aws.greengrass.SecretManager" in json.dumps(recipe(kind, version=VERSION))
    )


@KINDS
def test_secrets_in_aws_take_the_roles_credentials(kind: NucleusKind) -> None:
    configuration = default_configuration(kind, settings={"secrets": {"source": "aws", "key_file": "k"}})
    document: Any = recipe(kind, version=VERSION, configuration=configuration)
    assert ["aws.greengrass.TokenExchangeService"] == list(document["ComponentDependencies"])


def test_what_nucleus_lite_depends_on_may_end_without_ending_the_connector() -> None:
    """It makes `BindsTo=` of a hard dependency, and starts nothing again that systemd stopped for it."""
    for source in SecretOrigin:
        given = {"secrets": {"source": source, "key_file": "k", "path": "p"}}
        configuration = default_configuration(NucleusKind.LITE, settings=given)
        document: Any = recipe(NucleusKind.LITE, version=VERSION, configuration=configuration)
        kinds = {each["DependencyType"] for each in document.get("ComponentDependencies", {}).values()}
        assert {"SOFT"} >= kinds


@KINDS
def test_a_script_has_no_braces_but_those_of_the_nucleus_variables(kind: NucleusKind) -> None:
    """Nucleus lite takes each for a variable of its own, and the installation ends."""
    document: Any = recipe(kind, version=VERSION)
    for step in document["Manifests"][0]["Lifecycle"].values():
        left = re.sub("|".join(f"{{{name}}}" for name in VARIABLES), "", step["Script"])
        assert not {"{", "}"} & set(left)


# What it may do.


def allowed(configuration: Mapping[str, object]) -> set[tuple[str, str, str]]:
    """Every service, operation and resource."""
    return {
        (service, operation.removeprefix("aws.greengrass#"), resource)
        for service, policies in access_control(configuration).items()
        for policy in policies.values()
        for operation in policy["operations"]  # type: ignore[attr-defined]
        for resource in policy["resources"]  # type: ignore[attr-defined]
    }


def local(*, prefix: str = "") -> set[tuple[str, str, str]]:
    requests = ("twilio/txt", "twilio/call", "twilio/cancel", "twilio/acknowledge")
    heard = (*requests, "twilio/notifications/probe")
    said = ("twilio/message/status", "twilio/notifications/probe")
    service = "aws.greengrass.ipc.pubsub"
    return {(service, "SubscribeToTopic", prefix + topic) for topic in heard} | {
        (service, "PublishToTopic", prefix + topic) for topic in said
    }


def test_by_default_it_may_hear_requests_and_say_statuses_locally() -> None:
    assert local() == allowed(default_configuration(NucleusKind.CLASSIC))


def test_the_secret_is_the_one_that_is_configured() -> None:
    found = allowed(default_configuration(NucleusKind.CLASSIC, parameters=PARAMETERS))
    assert {("aws.greengrass.SecretManager", "GetSecretValue", ARN)} == found - local()


def test_the_secret_for_the_signatures_of_callbacks_is_kept_and_read_too() -> None:
    other = ARN.replace("TwilioAuthToken", "TwilioPrimary")
    configuration = default_configuration(
        NucleusKind.CLASSIC, parameters=PARAMETERS, settings={"secrets": {"signature_arn": other}}
    )
    read = {arn for _, operation, arn in allowed(configuration) if operation == "GetSecretValue"}
    assert {ARN, other} == read
    components: Any = deployment(NucleusKind.CLASSIC, version=VERSION, configuration=configuration)
    keeper = components["components"]["aws.greengrass.SecretManager"]["configurationUpdate"]["merge"]
    assert [{"arn": ARN}, {"arn": other}] == json.loads(keeper)["cloudSecrets"]


def test_nucleus_lite_is_not_asked_for_secrets() -> None:
    assert local() == allowed(default_configuration(NucleusKind.LITE, parameters=PARAMETERS))


def test_iot_core_is_allowed_where_it_is_used() -> None:
    both = allowed(default_configuration(NucleusKind.LITE, pubsub_to_iot_core=True))
    services = {service for service, _, _ in both}
    assert {"aws.greengrass.ipc.pubsub", "aws.greengrass.ipc.mqttproxy"} == services
    operations = {operation for _, operation, _ in both - local()}
    assert {"SubscribeToIoTCore", "PublishToIoTCore"} == operations
    alone = allowed(default_configuration(NucleusKind.LITE, settings={"transport": {"pubsub": "iot_core"}}))
    assert both - local() == alone


def test_topics_of_ones_own_are_allowed_instead() -> None:
    settings = {"transport": {"topic_prefix": "site7/"}}
    assert local(prefix="site7/") == allowed(default_configuration(NucleusKind.LITE, settings=settings))


def test_without_probes_their_topic_is_not_allowed() -> None:
    found = allowed(default_configuration(NucleusKind.LITE, settings={"transport": {"probe_seconds": "0"}}))
    assert not [entry for entry in found if "probe" in entry[2]]


@KINDS
def test_nucleus_lite_can_read_all_of_it(kind: NucleusKind) -> None:
    settings = {"transport": {"topic_prefix": "a-long-prefix-of-a-site/" * 4, "pubsub": "both"}}
    configuration = default_configuration(kind, parameters=PARAMETERS, settings=settings)
    for policies in access_control(configuration).values():
        assert len(json.dumps(policies).encode()) <= POLICY_BYTES
        assert all(name.startswith(f"{COMPONENT}:") for name in policies)


# The deployment.


def test_a_deployment_brings_the_secret_to_the_classic_nucleus() -> None:
    configuration = default_configuration(NucleusKind.CLASSIC, parameters=PARAMETERS)
    document = deployment(NucleusKind.CLASSIC, version=VERSION, configuration=configuration)
    components: Any = document["components"]
    merge = json.loads(components[COMPONENT]["configurationUpdate"]["merge"])
    target = "arn:aws:iot:REGION:ACCOUNT:thinggroup/GROUP"
    assert (target, VERSION) == (document["targetArn"], components[COMPONENT]["componentVersion"])
    assert merge == {**configuration, "accessControl": access_control(configuration)}
    secrets = json.loads(components["aws.greengrass.SecretManager"]["configurationUpdate"]["merge"])
    assert {"cloudSecrets": [{"arn": ARN}]} == secrets


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({"staging_label": "AWSCURRENT"}, None),
        ({"second_label": "AWSPENDING"}, ["AWSCURRENT", "AWSPENDING"]),
        ({"staging_label": "MINE"}, ["MINE"]),
    ],
)
def test_the_nucleus_keeps_every_version_of_the_secret_that_is_read(
    settings: Mapping[str, str], labels: list[str] | None
) -> None:
    """The second one, for the time of a rotation, is there only if it is asked for."""
    configuration = default_configuration(
        NucleusKind.CLASSIC, parameters=PARAMETERS, settings={"secrets": settings}
    )
    document = deployment(NucleusKind.CLASSIC, version=VERSION, configuration=configuration)
    components: Any = document["components"]
    secrets = json.loads(components["aws.greengrass.SecretManager"]["configurationUpdate"]["merge"])
    assert {"cloudSecrets": [{"arn": ARN} | ({} if labels is None else {"labels": labels})]} == secrets


def test_the_secret_manager_of_a_deployment_is_for_every_nucleus_of_today() -> None:
    """Its versions before 2.1.4 are for one minor version of the nucleus each, up to 2.8: there is a conflict
    with any later one, and the deployment fails."""
    configuration = default_configuration(NucleusKind.CLASSIC, parameters=PARAMETERS)
    document = deployment(NucleusKind.CLASSIC, version=VERSION, configuration=configuration)
    components: Any = document["components"]
    number = components["aws.greengrass.SecretManager"]["componentVersion"]
    assert (2, 1, 4) <= tuple(int(part) for part in number.split(".")) < (3,)


def test_a_deployment_to_nucleus_lite_brings_the_component_alone() -> None:
    configuration = default_configuration(NucleusKind.LITE, parameters=PARAMETERS)
    document = deployment(NucleusKind.LITE, version=VERSION, configuration=configuration)
    components: Any = document["components"]
    assert [COMPONENT] == list(components)


@KINDS
def test_a_deployment_is_what_the_service_takes(kind: NucleusKind) -> None:
    """By the description of it that the AWS CLI uses."""
    configuration = default_configuration(kind, parameters=PARAMETERS)
    document = deployment(kind, version=VERSION, configuration=configuration)
    service = botocore.session.get_session().get_service_model("greengrassv2")
    shape = service.operation_model("CreateDeployment").input_shape
    assert "" == ParamValidator().validate(document, shape).generate_report()
    wrong = {**document, "components": {COMPONENT: {"version": VERSION}}}
    assert "Unknown parameter" in ParamValidator().validate(wrong, shape).generate_report()


# What lies in the repository.


def test_the_kits_configuration_is_for_this_version() -> None:
    folder = ROOT / "deploy" / "greengrass"
    kit = json.loads((folder / "gdk-config.json").read_text(encoding="utf-8"))["component"]
    document = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    (name,) = kit
    assert (document["ComponentName"], document["ComponentVersion"]) == (name, kit[name]["version"])
