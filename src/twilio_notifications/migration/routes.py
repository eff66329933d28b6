"""The subscriptions to and from the connector, and what each of them becomes.

A subscription of Greengrass V1 joins a source to a target on a subject. What takes its place depends on the
other end: a function, the cloud, a device, or something that has no successor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from twilio_notifications.core.contract import Topics
from twilio_notifications.core.parameters import CONNECTOR_NAME, shown
from twilio_notifications.migration.intrinsics import Partly
from twilio_notifications.migration.questions import arn_text, question, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.migration.search import Finds, Found, Place

_OURS = re.compile(
    rf"(?P<start>arn:[^:]*:greengrass:[^:]*::/connectors/{CONNECTOR_NAME}/versions/)(?P<number>[0-9]{{1,9}})"
)
_FUNCTION = re.compile(
    r"arn:[^:]*:lambda:[^:]*:[^:]*:function:(?P<name>[\w-]{1,140})(:(?P<qualifier>[\w$-]{1,140}))?"
)
_THING = re.compile(r"arn:[^:]*:iot:[^:]*:[^:]*:thing/(?P<name>[\w:-]{1,128})")


_OPEN = "${"


class End(StrEnum):
    """What stands at the other end of a subscription."""

    FUNCTION = "a Lambda function"
    CLOUD = "AWS IoT Core"
    DEVICE = "a device"
    OTHER = "something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One subscription of the connector. `topics` are those of the connector that its subject means."""

    identifier: str
    inward: bool
    end: End
    name: str
    """The other end as it was written."""
    subject: str
    topics: tuple[str, ...]
    version: int
    place: Place

    def arns(self, version: str) -> dict[str, str]:
        """The subscription in Greengrass's own form, for the connector of this ARN."""
        source, target = (self.name, version) if self.inward else (version, self.name)
        return {"Id": self.identifier, "Source": source, "Subject": self.subject, "Target": target}

    @property
    def function(self) -> str:
        """How the legacy subscription router knows the function.

        It takes the ARN of a numbered version; a function under an alias is its component, which has the
        function's name unless it was imported under another.
        """
        match = _FUNCTION.fullmatch(self.name)
        if match is None:
            return self.name
        qualifier = match["qualifier"] or ""
        return self.name if qualifier.isdecimal() else f"component:{match['name']}"

    @property
    def short_name(self) -> str:
        """The name at the end of an ARN."""
        match = _FUNCTION.fullmatch(self.name) or _THING.fullmatch(self.name)
        return self.name if match is None else match["name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All of them, and a question for each that cannot be read."""

    routes: tuple[Route, ...] = ()
    questions: tuple[str, ...] = ()


def read_routes(subscriptions: Sequence[Found], *, version: int, function: str | None = None) -> Routes:
    """Those of the connector, each once; on a device it may be known as a `function` of that version."""
    routes: dict[tuple[object, ...], Route] = {}
    questions: list[str] = []
    for found in subscriptions:
        for inward, near, far in ((True, "Target", "Source"), (False, "Source", "Target")):
            named = arn_text(found.content[near]) or ""
            match = _OURS.fullmatch(named)
            if match is None and (not function or named != function):
                continue
            open_ones = list(_open(found, far))
            questions += open_ones
            if not open_ones:
                route = _route(
                    found, inward=inward, far=far, version=int(match["number"]) if match else version
                )
                key = (route.inward, route.name, route.subject)
                routes.setdefault(key, route)
    return Routes(routes=tuple(routes.values()), questions=tuple(questions))


def _open(found: Found, far: str) -> Iterator[str]:
    for name in (far, "Subject"):
        value = found.content[name]
        if isinstance(value, Partly) and _OPEN in (arn_text(value) or ""):
            yield question(f"{name} of a subscription", value, found.place)
    if found.doubts:
        value = [Partly(text=name, names=(name,)) for name in found.doubts]
        yield question("whether this subscription is there", value, found.place)


def _route(found: Found, *, inward: bool, far: str, version: int) -> Route:
    topics = Topics.with_prefix("")
    subject, name = text_of(found.content, "Subject"), arn_text(found.content[far]) or ""
    meant = (topics.text, topics.call) if inward else (topics.status,)
    return Route(
        identifier=text_of(found.content, "Id") or str(found.place.path[-1] if found.place.path else "1"),
        inward=inward,
        end=_end(name),
        name=name,
        subject=subject,
        topics=tuple(topic for topic in meant if matches(subject, topic)),
        version=version,
        place=found.place,
    )


def _end(name: str) -> End:
    if name == "cloud":
        return End.CLOUD
    if _FUNCTION.fullmatch(name):
        return End.FUNCTION
    return End.DEVICE if _THING.fullmatch(name) else End.OTHER


def matches(subject: str, topic: str) -> bool:
    """Whether a subject, wildcards and all, means a topic. In Greengrass V1 `a/#` does not mean `a`."""
    levels, parts = subject.split("/"), topic.split("/")
    if levels[-1] == "#":
        levels = levels[:-1]
        if len(parts) <= len(levels):
            return False
        parts = parts[: len(levels)]
    return len(levels) == len(parts) and all(
        level in ("+", part) for level, part in zip(levels, parts, strict=True)
    )


def needs_cloud(routes: Sequence[Route]) -> bool:
    """Whether the component must speak with AWS IoT Core, too.

    A function that keeps publishing with the Core SDK comes that way: the legacy subscription router has no
    other target that a component hears.
    """
    return any(
        route.topics and (route.end is End.CLOUD or (route.end is End.FUNCTION and route.inward))
        for route in routes
    )


def router(routes: Sequence[Route]) -> dict[str, object] | None:
    """The configuration of the legacy subscription router, where functions publish to the connector."""
    subscriptions: dict[str, Mapping[str, str]] = {}
    for route in routes:
        if route.inward and route.end is End.FUNCTION:
            for topic in route.topics:
                name = f"{len(subscriptions) + 1}-{route.short_name}-{topic.replace('/', '-')}"
                subscriptions[name] = {
                    "id": name,
                    "source": route.function,
                    "subject": topic,
                    "target": "cloud",
                }
    return {"subscriptions": subscriptions} if subscriptions else None


def remarks(routes: Sequence[Route], *, found_version: int) -> tuple[str, ...]:
    """What could not be carried over, was never working, or would send more than it did."""
    of_each = tuple(sentence for route in routes for sentence in _remarks(route, found_version))
    return (*of_each, _SENT_BY_EACH) if needs_cloud(routes) else of_each


_SENT_BY_EACH = (
    "with Greengrass V2 requests are heard on AWS IoT Core, too, which gives each to every core device that "
    "runs the component: deployed to several, each of them sends it. Deploy it to one device, or let "
    "functions publish on their own device and set PubSubToIoTCore to false"
)
"""In Greengrass V1 a function reached the connector of its own group alone."""


def _remarks(route: Route, found_version: int) -> Iterator[str]:
    what = f"subscription {shown(route.identifier)}"
    if not route.topics:
        way = "to" if route.inward else "from"
        yield (
            f"{what} {way} the connector has the subject {shown(route.subject)}, which is none of its "
            "topics: not carried over"
        )
    elif route.end is End.OTHER:
        yield (
            f"{what} joins the connector with {shown(route.name)}, which has no successor here: not "
            "carried over"
        )
    if route.version != found_version:
        yield (
            f"{what} names version {route.version} of the connector, which is at version {found_version}: "
            "in Greengrass V1 it carried nothing until it was made anew"
        )


def left_out(finds: Finds, routes: Sequence[Route]) -> tuple[str, ...]:
    """What else the files hold, of which nothing is written."""
    places = {route.place for route in routes}
    counts = {
        "subscription": sum(found.place not in places for found in finds.subscriptions),
        "connector": sum(not is_ours(arn_text(found.content["ConnectorArn"])) for found in finds.connectors),
    }
    return tuple(
        f"{count} other {name}{'s' if count > 1 else ''} in the files: not carried over"
        for name, count in counts.items()
        if count
    )


def is_ours(arn: str | None) -> bool:
    """Whether an ARN is one of the connector."""
    return arn is not None and _OURS.fullmatch(arn) is not None
