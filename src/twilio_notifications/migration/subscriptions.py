"""Gives each subscription of the files exactly one verdict.

A subscription is carried over as a route, left out for a reason, or asked about. `judge` returns one of these
for every subscription, so the migration cannot lose one in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications.core.contract import Topics
from twilio_notifications.core.wording import shown
from twilio_notifications.migration.arns import Maybe, Ours, Whose, whose
from twilio_notifications.migration.partly import Partly
from twilio_notifications.migration.placeholders import is_stand_in
from twilio_notifications.migration.questions import asked, question, text_of
from twilio_notifications.migration.routes import Route, end_of, is_known, matches, word_in_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from twilio_notifications.migration.found import Find
    from twilio_notifications.migration.groups import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The verdict on a subscription that is not carried over, with the reason."""

    reason: str
    concerns_us: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The verdict on a subscription with holes that is or may be the connector's: a question about them."""

    question: str


Verdict = Route | LeftOut | Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSubscription:
    """A subscription with its verdict. `name` identifies it in sentences."""

    found: Find
    name: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All subscriptions of the files, each with its verdict."""

    entries: tuple[JudgedSubscription, ...] = ()

    @property
    def routes(self) -> tuple[Route, ...]:
        return tuple(entry.verdict for entry in self.entries if isinstance(entry.verdict, Route))

    @property
    def questions(self) -> tuple[str, ...]:
        return tuple(entry.verdict.question for entry in self.entries if isinstance(entry.verdict, Asked))

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for each subscription that is not carried over."""
        return tuple(
            f"{entry.name} is not carried over: {entry.verdict.reason}"
            for entry in self.entries
            if isinstance(entry.verdict, LeftOut)
        )


def account_for(subscriptions: Sequence[Find], *, aliases: frozenset[str], membership: Membership) -> Account:
    """Every subscription with its verdict; a repetition of one that is carried over is left out."""
    entries: list[JudgedSubscription] = []
    carried: dict[tuple[object, ...], str] = {}
    identifiers: set[str] = set()
    for found in subscriptions:
        name = f"subscription {shown(_identifier(found) or 'without Id')} ({found.place})"
        verdict = judge(found, aliases=aliases, membership=membership)
        if isinstance(verdict, Route):
            key = (verdict.inward, verdict.name, verdict.subject)
            if key in carried:
                verdict = LeftOut(reason=f"it is the same again as {carried[key]}")
            else:
                carried[key] = name
                verdict = _with_own_name(verdict, identifiers)
        entries.append(JudgedSubscription(found=found, name=name, verdict=verdict))
    return Account(entries=tuple(entries))


def _with_own_name(route: Route, names: set[str]) -> Route:
    """The route with an Id that is unique in the definition; the function adds the Id to `names`."""
    identifier, number = route.identifier, 1
    while identifier in names:
        number += 1
        identifier = f"{route.identifier}-{number}"
    names.add(identifier)
    if identifier == route.identifier:
        return route
    note = (
        f"another subscription has the Id {shown(route.identifier)}, too: this one is called "
        f"{shown(identifier)} ({route.place})"
    )
    return replace(route, identifier=identifier, notes=(*route.notes, note))


def judge(found: Find, *, aliases: frozenset[str], membership: Membership) -> Verdict:
    """The verdict on one subscription."""
    ends = {end: whose(found.content.get(end), aliases) for end in ("Target", "Source")}
    near = next((end for end, it_is in ends.items() if isinstance(it_is, Ours)), None)
    if near is not None:
        return _judge_ours(found, near, ends, membership)
    possible = {end: it_is.names for end, it_is in ends.items() if isinstance(it_is, Maybe)}
    relevant = [end for end in possible if _may_have_topic(found.content.get("Subject"), _topics(end))]
    unknown = None if possible else _unknown_end(found)
    if unknown is not None:
        return _aside(found, membership) or Asked(question=unknown)
    if not possible:
        return LeftOut(reason=f"it is not the connector's, but {_described(found)}", concerns_us=False)
    if not relevant:
        return LeftOut(
            reason=f"its subject is none of the connector's: {_described(found)}", concerns_us=False
        )
    aside = _aside(found, membership)
    if aside is not None:
        return aside
    names = [name for end in relevant for name in (*possible[end], *found.doubts)]
    what = f"whether the {' or '.join(relevant)} of {_which(found)} is the connector"
    return Asked(question=asked(what, tuple(dict.fromkeys(names)), found.place))


def _unknown_end(found: Find) -> str | None:
    """A question where Greengrass does not know the kind of an end, so that the end may be the connector."""
    for end in ("Target", "Source"):
        value = found.content.get(end)
        concerns_us = _may_have_topic(found.content.get("Subject"), _topics(end))
        if concerns_us and not isinstance(value, Partly) and not (isinstance(value, str) and is_known(value)):
            return asked(
                f"whether the {end} of {_which(found)} is the connector", _names(found, value), found.place
            )
    return None


def _names(found: Find, value: object) -> tuple[str, ...]:
    """The names under which the operator can give another value for a stand-in."""
    return tuple(found.assumed or ()) or (str(value) if value else "a value that is not there",)


def _judge_ours(found: Find, near: str, ends: dict[str, Whose], membership: Membership) -> Verdict:
    far = "Source" if near == "Target" else "Target"
    aside = _aside(found, membership)
    if aside is not None:
        return aside
    if isinstance(ends[far], Ours):
        return LeftOut(reason="it joins the connector with itself")
    questions = list(_questions(found, far))
    if questions:
        return Asked(question="; ".join(questions))
    version = ends[near]
    return _route(found, far, version=version.version if isinstance(version, Ours) else None)


def _aside(found: Find, membership: Membership) -> LeftOut | None:
    """The verdict on a subscription of the connector that a condition or a group leaves out; else None."""
    if found.absent:
        return LeftOut(reason=f"it is the connector's, but {found.absent}")
    if not membership.has(found):
        return LeftOut(
            reason="it is the connector's, but the group version is made of another subscription definition "
            f"({membership.where})"
        )
    return None


def _questions(found: Find, far: str) -> Iterator[str]:
    which = _which(found)
    if found.doubts:
        yield asked(f"whether {which} is there", found.doubts, found.place)
    for name in (far, "Subject"):
        value = found.content.get(name)
        as_written = word_in_arn(value) if isinstance(value, str) and name == far else None
        if isinstance(value, Partly):
            yield question(f"{name} of {which}", value, found.place)
        elif as_written is not None:
            word = as_written.names[0]
            yield (
                f"{name} of {which} is {shown(value)}, where {shown(word)} stands for a value: write the "
                f"value itself into a copy of the file ({found.place})"
            )
        elif not isinstance(value, str) or not value:
            lack = f"{which} is the connector's and has no {name}"
            yield f"{lack}: write it into a copy of the file ({found.place})"
        elif name == far and (is_stand_in(value) or not is_known(value)):
            yield asked(f"{name} of {which}", _names(found, value), found.place)


def _which(found: Find) -> str:
    identifier = _identifier(found)
    return f"subscription {shown(identifier)}" if identifier else "a subscription"


def _identifier(found: Find) -> str:
    return text_of(found.content, "Id")


def _described(found: Find) -> str:
    ends = {end: found.content.get(end) for end in ("Source", "Subject", "Target")}
    source, subject, target = (
        shown(str(value)) if isinstance(value, str | Partly) else f"no {end}" for end, value in ends.items()
    )
    return f"from {source} on {subject} to {target}"


def _topics(near: str) -> tuple[str, ...]:
    topics = Topics.with_prefix("")
    match near:
        case "Target":
            return (topics.text, topics.call)
        case _:
            return (topics.status,)


def _may_have_topic(subject: object, topics: Iterable[str]) -> bool:
    if isinstance(subject, Partly):
        return not subject.choices or any(_may_have_topic(choice, topics) for choice in subject.choices)
    return not isinstance(subject, str) or any(matches(subject, topic) for topic in topics)


def _route(found: Find, far: str, *, version: int | None) -> Route:
    inward = far == "Source"
    subject, name = text_of(found.content, "Subject"), text_of(found.content, far)
    identifier, notes = _own_identifier(found)
    defaults = tuple(
        f"subscription {shown(identifier)} rests on the default of the template's parameter {parameter}, "
        f"{default}: if the stack was made with another value, give it with --set '{parameter}=VALUE' "
        f"({found.place})"
        for parameter, default in (found.assumed or {}).items()
    )
    return Route(
        identifier=identifier,
        inward=inward,
        end=end_of(name),
        name=name,
        subject=subject,
        topics=tuple(topic for topic in _topics("Target" if inward else "Source") if matches(subject, topic)),
        version=version,
        place=found.place,
        notes=(*notes, *defaults),
    )


def _own_identifier(found: Find) -> tuple[str, tuple[str, ...]]:
    """The Id, and notes. An Id is only a name, so a replacement takes the place of an open one."""
    identifier = found.content.get("Id")
    if isinstance(identifier, str) and identifier:
        return identifier, ()
    positions = [step for step in found.place.path if isinstance(step, int)]
    replacement = f"Subscription{positions[-1] + 1 if positions else 1}"
    if not isinstance(identifier, Partly):
        return replacement, ()
    return replacement, (
        (
            f"the Id {shown(str(identifier))} of a subscription is open, and {shown(replacement)} takes its "
            f"place; it means nothing outside of the definition ({found.place})"
        ),
    )
