"""Subscriptions of the connector, and their successors.

A subscription of Greengrass V1 joins a source to a target on a subject. Its successor depends on the other
end: a function, the cloud, a device, or an end that has no successor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from twilio_notifications.core.wording import shown
from twilio_notifications.migration.questions import with_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.migration.found import PlaceInFile
    from twilio_notifications.migration.partly import Partly

_FUNCTION = re.compile(
    r"arn:[^:]*:lambda:(?P<region>[^:]*):(?P<account>[^:]*):function:(?P<name>[\w-]{1,140})"
    r"(:(?P<qualifier>[\w$-]{1,140}))?"
)
_THING = re.compile(r"arn:[^:]*:iot:(?P<region>[^:]*):(?P<account>[^:]*):thing/(?P<name>[\w:-]{1,128})")
# greengo, which made groups from a file, has its own names for functions and devices.
_NAMED_FUNCTION = re.compile(r"(?:lambda|function)s?(?:::|[:./])(?P<name>[\w-]{1,140})", re.IGNORECASE)
_NAMED_DEVICE = re.compile(r"(?:device|thing)s?(?:::|[:./])(?P<name>[\w:-]{1,128})", re.IGNORECASE)
_CONNECTOR = re.compile(r"arn:[^:]*:greengrass:[^:]*:[^:]*:/connectors/[\w-]+/versions/[0-9]+")
_SHADOW = "GGShadowService"
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_ACCOUNT = re.compile(r"[0-9]{12}|aws")


class End(StrEnum):
    """The kind of the other end of a subscription."""

    FUNCTION = "a Lambda function"
    CLOUD = "AWS IoT Core"
    DEVICE = "a device"
    OTHER = "something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One subscription of the connector. `topics` are the connector's topics that match its subject."""

    identifier: str
    inward: bool
    end: End
    name: str
    """The other end as the file has it."""
    subject: str
    topics: tuple[str, ...]
    version: int | None
    """The version of the connector that the subscription names; None where it names none."""
    place: PlaceInFile
    notes: tuple[str, ...] = ()

    def arns(self, version: str) -> dict[str, str]:
        """The subscription in Greengrass's own form, for the connector with the ARN `version`."""
        source, target = (self.name, version) if self.inward else (version, self.name)
        return {"Id": self.identifier, "Source": source, "Subject": self.subject, "Target": target}

    @property
    def component(self) -> str:
        """The source name of the function's component in the legacy subscription router.

        The component has the function's name unless it was imported under another.
        """
        return f"component:{self.short_name}"

    @property
    def function(self) -> str:
        """The source name of the function in the legacy subscription router.

        The router takes the ARN of a numbered version, and the component's name for a function under an
        alias.
        """
        match = _FUNCTION.fullmatch(self.name)
        is_numbered = match is not None and (match["qualifier"] or "").isdecimal()
        return self.name if is_numbered else self.component

    @property
    def short_name(self) -> str:
        """The name at the end of an ARN."""
        for pattern in (_FUNCTION, _THING, _NAMED_FUNCTION, _NAMED_DEVICE):
            match = pattern.fullmatch(self.name)
            if match is not None:
                return match["name"]
        return self.name


def end_of(name: str) -> End:
    """The kind of an end, by its ARN or by the name that a tool has for it."""
    if name == "cloud":
        return End.CLOUD
    if _FUNCTION.fullmatch(name) or _NAMED_FUNCTION.fullmatch(name):
        return End.FUNCTION
    return End.DEVICE if _THING.fullmatch(name) or _NAMED_DEVICE.fullmatch(name) else End.OTHER


def is_known(name: str) -> bool:
    """Whether Greengrass knows the kind of this end, so that the end cannot be a stand-in."""
    return end_of(name) is not End.OTHER or name == _SHADOW or _CONNECTOR.fullmatch(name) is not None


def has_own_name(name: str) -> bool:
    """Whether the end has a tool's own name where Greengrass expects an ARN."""
    return _NAMED_FUNCTION.fullmatch(name) is not None or _NAMED_DEVICE.fullmatch(name) is not None


def word_in_arn(name: str) -> Partly | None:
    """The ARN with a hole for a word such as `account-id` as its account or region; None without one."""
    match = _FUNCTION.fullmatch(name) or _THING.fullmatch(name)
    if match is None:
        return None
    for part, pattern in (("account", _ACCOUNT), ("region", _REGION)):
        if pattern.fullmatch(match[part]) is None:
            return with_word(name, match.start(part), match.end(part))
    return None


def matches(subject: str, topic: str) -> bool:
    """Whether a subject with its wildcards matches a topic. In Greengrass V1 `a/#` does not match `a`."""
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
    """Whether the component must also speak with AWS IoT Core.

    Requests of a function that keeps publishing with the Core SDK come through AWS IoT Core: the legacy
    subscription router has no other target to which a component can subscribe.
    """
    return any(
        route.topics and (route.end is End.CLOUD or (route.end is End.FUNCTION and route.inward))
        for route in routes
    )


def router(routes: Sequence[Route]) -> dict[str, object] | None:
    """The configuration of the legacy subscription router; None where no function publishes.

    Each function has one entry for each topic, because the router passes a message on once for each entry.
    """
    publishing = [route for route in routes if route.inward and route.end is End.FUNCTION]
    components = {route.component for route in publishing if route.function == route.component}
    entries: dict[tuple[str, str], str] = {}
    for route in publishing:
        for topic in route.topics:
            # Where one route names a function's component and another a numbered version, both mean the
            # component.
            source = route.component if route.component in components else route.function
            entries.setdefault((source, topic), route.short_name)
    subscriptions: dict[str, Mapping[str, str]] = {}
    for number, ((source, topic), short_name) in enumerate(entries.items(), start=1):
        name = f"{number}-{short_name}-{topic.replace('/', '-')}"
        subscriptions[name] = {"id": name, "source": source, "subject": topic, "target": "cloud"}
    return {"subscriptions": subscriptions} if subscriptions else None


_SENT_BY_EACH = (
    "with Greengrass V2 requests are heard on AWS IoT Core, too, which gives each to every core device that "
    "runs the component: deployed to several, each of them sends it. Deploy it to one device, or let "
    "functions publish on their own device and set PubSubToIoTCore to false"
)
"""In Greengrass V1 a function reached the connector of its own group alone."""


def remarks(routes: Sequence[Route], *, found_version: int) -> tuple[str, ...]:
    """A note for each route that has no successor, never worked, or sends more texts than before."""
    of_each = tuple(sentence for route in routes for sentence in _remarks(route, found_version))
    return (*of_each, _SENT_BY_EACH) if needs_cloud(routes) else of_each


def _remarks(route: Route, found_version: int) -> Iterator[str]:
    what = f"subscription {shown(route.identifier)} ({route.place})"
    yield from route.notes
    if not route.topics:
        way = "to" if route.inward else "from"
        yield (
            f"{what} {way} the connector has the subject {shown(route.subject)}, which is none of its "
            "topics: not carried over, but for the definitions of Greengrass V1"
        )
    elif route.end is End.OTHER:
        yield (
            f"{what} joins the connector with {shown(route.name)}, which has no successor here: not "
            "carried over, but for the definitions of Greengrass V1"
        )
    elif has_own_name(route.name):
        yield (
            f"{what} names the other end {shown(route.name)}, as a tool does: put its ARN into the "
            "definitions of Greengrass V1 before you use them"
        )
    if route.version not in (None, found_version):
        yield (
            f"{what} names version {route.version} of the connector, which is at version {found_version}: "
            "in Greengrass V1 it carried nothing until it was made again"
        )
