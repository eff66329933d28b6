"""Name resolution of a confined process, with a name server of ours: by UDP, by TCP, and with a new file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.inside import Inside, a_place
from tests.support.needs import ROOT
from tests.support.own_network import ADDRESS, SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.inside import Place

pytestmark = [pytest.mark.landlock, pytest.mark.namespaces, pytest.mark.mounts]

COPIED = ("hosts", "nsswitch.conf", "host.conf", "gai.conf", "ld.so.cache", "passwd", "group", "ssl")


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place(os.geteuid()) as place:
        etc = place.folder / "system"
        etc.mkdir()
        for name in COPIED:
            source = Path("/etc", name)
            if source.is_dir():
                shutil.copytree(source, etc / name, symlinks=True)
            elif source.exists():
                shutil.copy(source, etc / name)
        (etc / "resolv.conf").write_text(f"nameserver {SERVER}\noptions timeout:1 attempts:1\n")
        yield place


def confined(place: Place) -> Inside:
    network = ROOT / "tests" / "support" / "own_network.py"
    return Inside(place, through=(sys.executable, str(network), str(place.folder / "system")))


def test_an_answer_too_long_for_udp_is_asked_for_again_by_tcp(place: Place) -> None:
    with confined(place) as inside:
        assert ADDRESS == inside.tries("resolve", "api.twilio.com")


def test_a_file_of_the_resolver_that_is_written_over_is_read_again(place: Place) -> None:
    with confined(place) as inside:
        file = place.folder / "system" / "resolv.conf"
        file.write_text("nameserver 127.0.0.2\noptions timeout:1 attempts:1\n")
        assert inside.tries("resolve", "api.twilio.com").startswith("not resolved")
        file.write_text(f"nameserver {SERVER}\n")
        assert ADDRESS == inside.tries("resolve", "api.twilio.com")
        assert "" == inside.tries("lost_file")


def test_a_file_of_the_resolver_that_is_replaced_is_noticed(place: Place) -> None:
    """NetworkManager and others put a new file in its place, which no rule of Landlock covers."""
    with confined(place) as inside:
        file = place.folder / "system" / "resolv.conf"
        new = file.with_name("resolv.conf.new")
        shutil.copy(file, new)
        new.replace(file)
        assert inside.tries("resolve", "api.twilio.com").startswith("not resolved")
        assert "/etc/resolv.conf" == inside.tries("lost_file")


def test_a_folder_that_only_the_resolvers_files_are_in_may_have_new_ones(place: Place) -> None:
    """As systemd-resolved has it, with a link from /etc."""
    own = place.folder / "resolve"
    own.mkdir()
    file = place.folder / "system" / "resolv.conf"
    file.rename(own / "resolv.conf")
    file.symlink_to(own / "resolv.conf")
    with confined(place) as inside:
        new = own / "new"
        shutil.copy(own / "resolv.conf", new)
        new.replace(own / "resolv.conf")
        assert ADDRESS == inside.tries("resolve", "api.twilio.com")
        assert "" == inside.tries("lost_file")
