"""What is in deploy/monitoring/: rules that fire on what they say, a dashboard of metrics that exist."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli
from twilio_notifications.adapters.metrics.catalogue import METRICS, PREFIX, Kind

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "deploy" / "monitoring"
RULES = FOLDER / "alerts.yml"
TESTS = FOLDER / "alerts.test.yml"
DASHBOARD = FOLDER / "dashboard.json"

SERIES = {
    metric.full_name + suffix: metric
    for metric in METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",))
}
SELECTOR = re.compile(rf"({PREFIX}\w+)(?:\{{(.*?)\}})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
COMMAND = re.compile(r"journal (?:list|show|resend|resolve)\b(?: NUMBER| --[a-z]+ \w+| --[a-z]+(?=,))*")
OF_PROMETHEUS = {"job", "instance", "le"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def promtool(*arguments: str | Path) -> None:
    run = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    assert 0 == run.returncode, run.stdout + run.stderr


@pytest.mark.promtool
def test_each_rule_fires_on_what_it_says_and_stays_quiet_otherwise() -> None:
    promtool("test", "rules", TESTS)


@pytest.mark.promtool
def test_prometheus_takes_the_rules_and_the_scrape_configuration() -> None:
    promtool("check", "rules", RULES)
    promtool("check", "config", FOLDER / "prometheus.yml")


@pytest.mark.promtool
def test_prometheus_understands_each_expression_of_the_dashboard(tmp_path: Path) -> None:
    """Grafana puts in its variables; any values will do."""
    recorded = [
        {
            "record": f"panel:{number}",
            "expr": expression.replace("$instance", ".*")
            .replace("$__rate_interval", "1m")
            .replace("$__range", "1h"),
        }
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}), "utf-8")
    promtool("check", "rules", file)


def test_each_rule_has_a_test_that_it_fires_and_one_that_it_stays_quiet() -> None:
    tested = yaml.safe_load(TESTS.read_text("utf-8"))["tests"]
    fired = {
        (test["alertname"], bool(test["exp_alerts"])) for each in tested for test in each["alert_rule_test"]
    }
    assert {(rule["alert"], fires) for rule in rules() for fires in (True, False)} == fired


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_where_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert "{{ $labels.instance }}: " in rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in rules()), *expressions()])
def test_only_metrics_labels_and_values_of_the_catalogue_are_asked_for(expression: str) -> None:
    found = list(SELECTOR.finditer(expression))
    assert found or expression.startswith("up{")
    for name, matchers in (selector.groups() for selector in found):
        labels = SERIES[name].labels
        for label, operator, value in MATCHER.findall(matchers or ""):
            if label in OF_PROMETHEUS:
                continue
            values = value.split("|") if operator in {"=~", "!~"} else [value]
            assert set(values) <= set(labels[label]), f"{name} has no {label} of {value}"


def test_each_metric_has_a_place_on_the_dashboard_or_in_a_rule() -> None:
    text = " ".join([*expressions(), *(rule["expr"] for rule in rules())])
    missing = [metric.name for metric in METRICS if metric.full_name not in text]
    assert ["requests_too_large_total", "dropped_total", "deferrals_total", "settlements_total"] == [
        name for name in missing if not name.startswith("last_failure")
    ]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_names_commands_that_exist(rule: dict[str, Any]) -> None:
    for command in COMMAND.findall(rule["annotations"]["description"]):
        cli.parser().parse_args(command.replace("NUMBER", "1").split())
