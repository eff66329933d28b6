"""The command line: arguments and exit codes, no logic.

Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError, ConnectorError
from twilio_notifications.core.parameters import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FAILED = 1
WRONG_USAGE = 2

_STANDINGS = ("all", "waiting", "doubt", "unreported", "unknown", "failed")
_HIGHEST_PORT = 65_535
_CONFIG_HELP = "the configuration file (TOML); every key can also be set by environment"


def main(arguments: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.command
    try:
        return command(options, os.environ)
    except ConfigurationError as error:
        return _fail(error.problems, WRONG_USAGE)
    except ConnectorError as error:
        return _fail([str(error)], FAILED)
    except BaseExceptionGroup as group:
        known, unknown = group.split(ConnectorError)
        if unknown is not None or known is None:
            raise
        leaves = list(_leaves(known))
        wrong = [
            problem for leaf in leaves if isinstance(leaf, ConfigurationError) for problem in leaf.problems
        ]
        return _fail(wrong, WRONG_USAGE) if wrong else _fail([str(leaf) for leaf in leaves], FAILED)


def _fail(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        print(f"twilio-notifications: {sentence}", file=sys.stderr)
    return code


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


# The commands' modules are imported when their command runs, so that `run` starts without the simulator
# and `--help` without anything.


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import run  # noqa: PLC0415

    return run.run(options.config, environ=environ, greengrass=options.greengrass)


def _check(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import check  # noqa: PLC0415

    return check.check(options.config, offline=options.offline, environ=environ)


def _demo(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import demo  # noqa: PLC0415

    return demo.demo(once=options.once)


def _simulator(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import simulator  # noqa: PLC0415

    host, port = options.listen
    return simulator.simulator(host=host, port=port, latency_seconds=options.latency)


def _send(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import send  # noqa: PLC0415

    order = send.Order(
        channel=options.channel,
        phone_number=options.to,
        name=options.name,
        content=options.content,
        sender_number=options.sender,
        retries=options.retries,
        request_id=options.id,
    )
    return send.send(options.config, order, timeout_seconds=options.timeout, environ=environ)


def _journal_list(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415

    return journal.entries(options.config, only=options.only, limit=options.limit, environ=environ)


def _journal_show(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415

    return journal.show(options.config, options.number, environ=environ)


def _journal_resolve(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415

    return journal.resolve(
        options.config, options.number, sent=options.sent, sid=options.sid, environ=environ
    )


def _journal_resend(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415

    return journal.resend(options.config, options.number, environ=environ)


def _journal_purge(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415

    return journal.purge(options.config, days=options.older_than, environ=environ)


def _migrate(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import migrate  # noqa: PLC0415

    return migrate.run(
        options.files,
        output=options.output,
        given=dict(options.given),
        to_version=options.to_version,
        dry_run=options.dry_run,
    )


# The arguments.


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twilio-notifications",
        description="Texts and calls by MQTT: the open successor of Greengrass's Twilio Notifications.",
        epilog="Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('twilio-notifications')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_send(commands)
    _add_demo(commands)
    _add_simulator(commands)
    _add_journal(commands)
    _add_migrate(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="the connector, in the foreground",
        description="Runs the connector until SIGTERM or SIGINT; then it ends what is under way and exits "
        "with 0. A second signal does not wait. The log goes to standard error.",
    )
    run.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG_HELP)
    run.add_argument(
        "--greengrass",
        action="store_true",
        help="as a component of Greengrass V2: its configuration counts, before that of the file",
    )
    run.set_defaults(command=_run)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="says what is wrong with the configuration and its surroundings",
        description="Says everything that is wrong with the configuration at once, then tries journal, "
        "secret, broker and Twilio, one line each. Sends nothing and changes nothing.",
    )
    check.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG_HELP)
    check.add_argument("--offline", action="store_true", help="try nothing that needs a network")
    check.set_defaults(command=_check)


def _add_send(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    send = commands.add_parser(
        "send",
        help="publishes one request and prints its status",
        description="Publishes one request through the configured transport, waits for its status and prints "
        "it. Exits with 0 when the status is a success, with 1 otherwise. A connector must be running.",
    )
    channels = send.add_subparsers(title="channels", metavar="CHANNEL", required=True)
    text = channels.add_parser("txt", help="a text", description="Sends one text and prints its status.")
    text.add_argument("--message", dest="content", required=True, metavar="TEXT", help="what to say")
    call = channels.add_parser("call", help="a call", description="Makes one call and prints its status.")
    call.add_argument(
        "--voice-message-location",
        dest="content",
        required=True,
        metavar="URL",
        help="where Twilio finds the TwiML",
    )
    for channel, parser in (("txt", text), ("call", call)):
        _add_request(parser)
        parser.set_defaults(command=_send, channel=channel)


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="NUMBER", help="the recipient, as in +12345000000")
    parser.add_argument("--name", required=True, help="the recipient's name")
    parser.add_argument("--from", dest="sender", metavar="NUMBER", help="default: DefaultFromPhoneNumber")
    parser.add_argument("--retries", type=int, metavar="N", help="further attempts (default: 0)")
    parser.add_argument("--id", help="the request's id (default: a random one)")
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="how long to wait (default: 60)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG_HELP)


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="broker, simulated Twilio and connector in one process",
        description="Starts an embedded broker, the Twilio simulator and the connector, sends the published "
        "examples and shows their statuses; then serves until Ctrl-C. Needs the extra 'demo'.",
    )
    demo.add_argument("--once", action="store_true", help="end after the first text and the first call")
    demo.set_defaults(command=_demo)


def _add_simulator(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    simulator = commands.add_parser(
        "simulator",
        help="a stand-in for Twilio's API",
        description="Serves a stand-in for Twilio's Messages and Calls until Ctrl-C. Needs the extra 'demo'.",
    )
    simulator.add_argument(
        "--listen", type=_address, required=True, metavar="HOST:PORT", help="port 0 takes a free one"
    )
    simulator.add_argument(
        "--latency", type=_seconds, default=0.0, metavar="SECONDS", help="added to each answer (default: 0)"
    )
    simulator.set_defaults(command=_simulator)


def _add_journal(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    journal = commands.add_parser(
        "journal",
        help="reads and repairs the journal",
        description="Reads and repairs the journal of the configuration. list and show work beside a running "
        "connector; resolve, resend and purge need it to be stopped.",
    )
    actions = journal.add_subparsers(title="actions", metavar="ACTION", required=True)
    newest = _add_action(actions, "list", _journal_list, "the newest requests, one line each")
    newest.add_argument("--only", choices=_STANDINGS, default="all", help="narrows the list (default: all)")
    newest.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default: 50)")
    show = _add_action(actions, "show", _journal_show, "one request and its attempts")
    _add_number(show)
    _add_resolve(actions)
    resend = _add_action(actions, "resend", _journal_resend, "sends a finished request once more")
    _add_number(resend)
    purge = _add_action(actions, "purge", _journal_purge, "removes reported requests")
    purge.add_argument(
        "--older-than", type=float, metavar="DAYS", help="default: [journal] retention_seconds"
    )


def _add_resolve(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    resolve = _add_action(
        actions, "resolve", _journal_resolve, "settles a request that was answered with OutcomeUnknown"
    )
    _add_number(resolve)
    answer = resolve.add_mutually_exclusive_group(required=True)
    answer.add_argument("--sent", action="store_true", help="it was sent: its new status is a success")
    answer.add_argument("--not-sent", action="store_true", help="it was not sent: its new status says so")
    resolve.add_argument("--sid", help="its SID at Twilio, where it is known")


def _add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace, Mapping[str, str]], int],
    sentence: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}.")
    parser.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG_HELP)
    parser.set_defaults(command=command)
    return parser


def _add_number(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", type=int, metavar="NUMBER", help="the request's number in the journal")


def _add_migrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    migrate = commands.add_parser(
        "migrate",
        help="takes a connector of Greengrass V1 over",
        description="Reads definitions of Greengrass V1 in any form and order: output and input of the AWS "
        "CLI, templates of CloudFormation, a device's group.json. Writes the configuration for a broker, the "
        "files for Greengrass V2, and a report. Overwrites nothing. YAML needs the extra 'migrate'.",
    )
    migrate.add_argument("files", nargs="+", type=Path, metavar="FILE", help="what is there of Greengrass V1")
    migrate.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where to write")
    migrate.add_argument(
        "--to-version",
        type=int,
        choices=VERSIONS,
        metavar="N",
        help="the connector's version from now on, 1 to 5 (default: as it was)",
    )
    migrate.add_argument(
        "--set",
        dest="given",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value that the files do not hold, under the name that was asked for",
    )
    migrate.add_argument("--dry-run", action="store_true", help="print the files, write nothing")
    migrate.set_defaults(command=_migrate)


def _assignment(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (separator and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"the value of {name!r} holds a character that is no text")
    return name, value


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not (separator and host and port.isdecimal() and int(port) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form HOST:PORT, as in 127.0.0.1:4010")
    return host.strip("[]"), int(port)


def _seconds(text: str) -> float:
    seconds = float(text)  # argparse makes a sentence of a ValueError
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds
