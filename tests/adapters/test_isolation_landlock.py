"""The ruleset for each version of Landlock: no right too many, none forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from twilio_notifications.adapters.isolation import Confinement, Offer, discover
from twilio_notifications.adapters.isolation.landlock import (
    ON_A_FILE,
    FileRight,
    LandlockScope,
    PathRule,
    PortRight,
    PortRule,
    ruleset,
)

NEWEST = 9
CONFINEMENT = Confinement(
    readable=frozenset({Path("/usr/lib"), Path("/etc/hosts")}),
    writable=frozenset({Path("/var/lib/twilio-notifications")}),
    connect_ports=frozenset({443, 53}),
    listen_ports=frozenset({9100}),
    sockets=frozenset({Path("/greengrass/v2")}),
)


@pytest.mark.parametrize(
    ("version", "files", "ports", "scopes"),
    [
        (1, 0x1FFF, 0, 0),
        (2, 0x3FFF, 0, 0),
        (3, 0x7FFF, 0, 0),
        (4, 0x7FFF, 3, 0),
        (5, 0xFFFF, 3, 0),
        (6, 0xFFFF, 3, 3),
        (7, 0xFFFF, 3, 3),
        (8, 0xFFFF, 3, 3),
        (9, 0x1FFFF, 3, 3),
        (99, 0x1FFFF, 3, 3),
    ],
)
def test_all_that_a_version_knows_is_forbidden_at_first(
    version: int, files: int, ports: int, scopes: int
) -> None:
    """The numbers are those of linux/landlock.h; a right that a kernel does not know, it refuses."""
    made = ruleset(CONFINEMENT, version=version)
    assert (files, ports, scopes) == (made.files, made.ports, made.scopes)


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_no_rule_has_a_right_that_is_not_forbidden_at_first(version: int) -> None:
    """The kernel refuses a rule for a right that the ruleset does not handle."""
    made = ruleset(CONFINEMENT, version=version)
    assert not [rule for rule in made.path_rules if rule.rights & ~made.files]
    assert not [rule for rule in made.port_rules if rule.rights & ~made.ports]


def test_what_is_read_is_only_read_and_the_journals_folder_holds_plain_files() -> None:
    reading = FileRight.READ_FILE | FileRight.READ_DIR
    writing = FileRight.WRITE_FILE | FileRight.TRUNCATE | FileRight.MAKE_REG | FileRight.REMOVE_FILE
    assert (
        PathRule(path=Path("/etc/hosts"), rights=reading),
        PathRule(path=Path("/usr/lib"), rights=reading),
        PathRule(path=Path("/var/lib/twilio-notifications"), rights=reading | writing),
        PathRule(path=Path("/greengrass/v2"), rights=FileRight.RESOLVE_UNIX),
    ) == ruleset(CONFINEMENT, version=NEWEST).path_rules


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_nothing_may_be_executed_in_any_version(version: int) -> None:
    made = ruleset(CONFINEMENT, version=version)
    assert made.files & FileRight.EXECUTE
    assert not [rule for rule in made.path_rules if rule.rights & FileRight.EXECUTE]


@pytest.mark.parametrize("version", range(1, 9))
def test_before_version_9_there_are_no_rules_for_sockets(version: int) -> None:
    """The kernel refuses a rule without any right."""
    rules = ruleset(CONFINEMENT, version=version).path_rules
    assert Path("/greengrass/v2") not in {rule.path for rule in rules}
    assert all(rule.rights for rule in rules)


def test_ports_are_for_connecting_alone_because_listeners_are_open_by_then() -> None:
    assert (
        PortRule(port=53, rights=PortRight.CONNECT_TCP),
        PortRule(port=443, rights=PortRight.CONNECT_TCP),
    ) == ruleset(CONFINEMENT, version=NEWEST).port_rules


@pytest.mark.parametrize("version", [1, 2, 3])
def test_before_version_4_there_are_no_rules_for_ports(version: int) -> None:
    assert () == ruleset(CONFINEMENT, version=version).port_rules


def test_a_plain_file_gets_no_right_of_a_folder() -> None:
    """The kernel refuses a rule for a file that has one."""
    assert FileRight.READ_FILE | FileRight.WRITE_FILE | FileRight.TRUNCATE <= ON_A_FILE
    folders = FileRight.READ_DIR | FileRight.MAKE_REG | FileRight.REMOVE_FILE | FileRight.REFER
    assert FileRight(0) == ON_A_FILE & folders


def test_signals_and_abstract_sockets_end_at_the_border() -> None:
    assert LandlockScope.SIGNAL | LandlockScope.ABSTRACT_UNIX_SOCKET == ruleset(CONFINEMENT, version=6).scopes


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        (9, ""),
        (6, ""),
        (5, ", signals and abstract sockets (Linux 6.12)"),
        (
            3,
            (
                ", TCP ports (Linux 6.7), device controls (Linux 6.10)"
                ", signals and abstract sockets (Linux 6.12)"
            ),
        ),
    ],
)
def test_what_an_older_kernel_leaves_open_is_named_with_the_version_that_closes_it(
    version: int, missing: str
) -> None:
    assert f"UDP{missing}" == Offer(version=version).not_confined(Confinement())


@pytest.mark.landlock
def test_this_kernel_says_which_version_it_has() -> None:
    assert discover().version >= 1


def test_two_confinements_together_allow_what_either_does() -> None:
    one = Confinement(readable=frozenset({Path("/a")}), connect_ports=frozenset({1}))
    two = Confinement(
        readable=frozenset({Path("/b")}),
        writable=frozenset({Path("/c")}),
        listen_ports=frozenset({2}),
        sockets=frozenset({Path("/d")}),
        watched=frozenset({Path("/b")}),
    )
    expected = Confinement(
        readable=frozenset({Path("/a"), Path("/b")}),
        writable=frozenset({Path("/c")}),
        connect_ports=frozenset({1}),
        listen_ports=frozenset({2}),
        sockets=frozenset({Path("/d")}),
        watched=frozenset({Path("/b")}),
    )
    assert expected == one | two
