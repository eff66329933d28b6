"""Writes the report in Markdown: the connector, notes, the steps to each successor, and the written files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twilio_notifications.component import ARTIFACT, COMPONENT
from twilio_notifications.core.contract import Topics
from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.migration.routes import End, needs_cloud, router
from twilio_notifications.migration.shapes import masked
from twilio_notifications.migration.texts import CONFIGURATION, POLICY, ROUTER
from twilio_notifications.migration.wording import code, prose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twilio_notifications.migration.parameters import Carried
    from twilio_notifications.migration.routes import Route


def report(
    carried: Carried, routes: Sequence[Route], *, notes: Sequence[str], names: Sequence[str], release: str
) -> str:
    """The whole page. `names` are those of the written files; `release` is the version of the component."""
    policy = _POLICY if needs_cloud(routes) else _NO_POLICY
    sections = (
        _found(carried),
        _notes(notes),
        _subscriptions(routes),
        _WITH_A_BROKER.splitlines(),
        _WITH_GREENGRASS.format(release=release, policy=policy).splitlines(),
        _functions(routes),
        _devices(routes),
        _listeners(routes),
        _nucleus_lite(),
        ["## The files", "", *(f"- `{name}`" for name in names)],
    )
    lines = ["# From Greengrass V1 to twilio-notifications", ""]
    for section in map(list, sections):
        lines += [*section, ""] if section else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _found(carried: Carried) -> Iterator[str]:
    yield "## The connector"
    yield ""
    number = carried.version.number
    was = f", version {carried.found_version}" + (
        f", made version {number}" if number != carried.found_version else ""
    )
    yield f"Found: {code(carried.identifier)}{was}, in {code(str(carried.place))}."
    yield ""
    yield "| parameter | value |"
    yield "|---|---|"
    for parameter in PublishedParameter:
        value = carried.parameters.get(parameter)
        if value is not None:
            shown = masked(value) if parameter is PublishedParameter.DEFAULT_SENDER_NUMBER else value
            yield f"| {parameter.display_name} (`{parameter}`) | {code(shown)} |"


def _notes(notes: Sequence[str]) -> Iterator[str]:
    yield "## Please check"
    yield ""
    if not notes:
        yield "Everything was carried over."
    for note in notes:
        yield f"- {prose(note)}"


def _subscriptions(routes: Sequence[Route]) -> Iterator[str]:
    yield "## The subscriptions"
    yield ""
    if not routes:
        yield "The files hold no subscription to or from the connector."
        yield "The topics stay as they were; these files do not say who used them."
        return
    yield "| subscription | from | subject | to | with a broker | with Greengrass V2 |"
    yield "|---|---|---|---|---|---|"
    for route in routes:
        ends = (code(route.name), "the connector") if route.inward else ("the connector", code(route.name))
        cells = (code(route.identifier), ends[0], code(route.subject), ends[1], *_successors(route))
        yield f"| {' | '.join(cells)} |"


def _successors(route: Route) -> tuple[str, str]:
    if not route.topics:
        return ("nothing", "nothing")
    verb = "publishes to" if route.inward else "subscribes to"
    broker = f"{route.end} {verb} the broker"
    match route.end:
        case End.FUNCTION if route.inward:
            return ("the function publishes to the broker", "the legacy subscription router, by AWS IoT Core")
        case End.FUNCTION:
            return ("the function subscribes to the broker", "an event source of the Lambda component")
        case End.CLOUD:
            return ("a bridge of the broker, or AWS IoT Core as the broker", "`PubSubToIoTCore`")
        case End.DEVICE:
            return (broker, "the MQTT bridge")
        case _:
            return ("nothing", "nothing")


_WITH_A_BROKER = f"""\
## With a broker

1. Put the broker's address into `{CONFIGURATION}` and the auth token into the environment.
2. `twilio-notifications check --config {CONFIGURATION}` says what is still missing.
3. `twilio-notifications run --config {CONFIGURATION}`.

A Greengrass V1 group that still runs has the same topics: stop its connector first, or texts are sent twice.
"""

_WITH_GREENGRASS = f"""\
## With Greengrass V2

1. Build the archive and upload it, before anything else.
   A deployment fails while the archive is not in the bucket.
   In a clone of the project, with `configuration.json` from `greengrass-v2`:

   ```sh
   make component ARGS='--bucket BUCKET --configuration configuration.json'
   aws s3 cp build/greengrass/{ARTIFACT}.zip s3://BUCKET/{COMPONENT}/{{release}}/
   ```

   `make component` also builds the recipes and the deployments for this bucket.
   The folder `greengrass-v2` has them as they are by default.
   In those, replace `BUCKET`, `REGION`, `ACCOUNT` and `GROUP`.
2. Allow the role of the core device (that of the token exchange) `s3:GetObject` on the archive and
   `secretsmanager:GetSecretValue` on the secret.
   Where a key of your own encrypts the secret, allow `kms:Decrypt`, too.
3. {{policy}}
4. Create the component: `aws greengrassv2 create-component-version --inline-recipe fileb://recipe.json`.
   (`make component` calls the recipe `recipe.json`, here it is `recipe-classic.json`.)
5. Add to `deployment.json` what the thing group runs already: a deployment replaces the one before it.
   Then `aws greengrassv2 create-deployment --cli-input-json file://deployment.json`.
   It brings the Secret Manager component with it.

A Greengrass V1 group that still runs has the same topics: stop its connector first, or texts are sent twice.
"""

_POLICY = f"""\
Let the AWS IoT policy of the core device (that of its certificate) allow what `{POLICY}` lists.
   Put your region and account into it.
   Without it, the component hears nothing from AWS IoT Core, and no status gets there."""

_NO_POLICY = """\
The AWS IoT policy of the core device needs nothing for the component, which uses local topics alone.
   With `PubSubToIoTCore`, it has to allow `iot:Subscribe` and `iot:Receive` on the request topics, and
   `iot:Publish` on the status topic."""


def _functions(routes: Sequence[Route]) -> Iterator[str]:
    functions = [route for route in routes if route.end is End.FUNCTION and route.topics]
    if not functions:
        return
    yield "## For the authors of the Lambda functions"
    yield ""
    yield "Payloads stay as they were."
    yield (
        "With a broker, a function goes on with one import changed: `from twilio_notifications "
        "import greengrasssdk`."
    )
    if router(functions) is not None:
        yield ""
        yield (
            "A function that goes on with the Core SDK publishes through the legacy subscription "
            "router, and its requests"
        )
        yield f"go by way of AWS IoT Core: merge `{ROUTER}` into that component's configuration."
        yield (
            "A function under an alias stands there as a component of its own name; correct it where "
            "it was imported under another."
        )
        yield (
            "A function that publishes with Greengrass V2's own IPC, or with an MQTT client, needs "
            "neither the router nor the cloud."
        )
    hearing = dict.fromkeys(route.short_name for route in functions if not route.inward)
    if hearing:
        yield ""
        yield f"These functions hear statuses: {', '.join(map(code, hearing))}."
        yield "Give each an event source when you import it:"
        yield ""
        yield "```json"
        yield json.dumps({"topic": Topics.with_prefix("").status, "type": "PUB_SUB"})
        yield "```"


def _devices(routes: Sequence[Route]) -> Iterator[str]:
    devices = [route for route in routes if route.end is End.DEVICE and route.topics]
    if not devices:
        return
    yield "## For the programmers of the devices"
    yield ""
    yield "Topics and payloads stay as they were."
    yield (
        "With a broker, devices connect to it. With Greengrass V2 they connect to the core, and "
        "its MQTT bridge needs:"
    )
    yield ""
    mapping = {
        topic.replace("/", "-"): {
            "topic": topic,
            "source": "LocalMqtt" if route.inward else "Pubsub",
            "target": "Pubsub" if route.inward else "LocalMqtt",
        }
        for route in devices
        for topic in route.topics
    }
    yield "```json"
    yield json.dumps({"mqttTopicMapping": mapping}, indent=2)
    yield "```"


def _listeners(routes: Sequence[Route]) -> Iterator[str]:
    yield "## For the readers of the statuses"
    yield ""
    yield (
        "The published form is the same. `error` is one word of a closed list; the original showed "
        "only `InvalidParameter`."
    )
    if needs_cloud(routes):
        yield "With Greengrass V2 the component speaks with AWS IoT Core, too: `PubSubToIoTCore` is true."
        yield "Statuses are then published on both sides, locally and to AWS IoT Core."


def _nucleus_lite() -> Iterator[str]:
    yield "## On the nucleus lite"
    yield ""
    yield "It has neither a Secret Manager nor Lambda functions."
    yield (
        "`recipe-lite.json` and `deployment-lite.json` are for it; put the auth token into the "
        "file `twilio-auth-token` in the component's work folder."
    )
