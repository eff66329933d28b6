"""mqttwarn and Node-RED themselves send their alarms to the simulator, and to no other place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bench.contest import Plan, take_turn
from bench.peers import contestants
from tests.support.needs import may_not_skip

if TYPE_CHECKING:
    from pathlib import Path

BY_NAME = {one.name: one for one in contestants()}


@pytest.mark.peers
@pytest.mark.mosquitto
@pytest.mark.parametrize(
    "name", ["connector", "bare loop", "mqttwarn", pytest.param("Node-RED", marks=pytest.mark.npm)]
)
def test_each_program_sends_each_alarm_once_when_nothing_goes_wrong(name: str, tmp_path: Path) -> None:
    one = BY_NAME[name]
    lack = one.lack()
    if lack:
        (pytest.fail if may_not_skip(os.environ) else pytest.skip)(lack)
    turn = take_turn(one, Plan(alarms=5), tmp_path)
    assert (0, 0) == (turn.lost, turn.twice)
