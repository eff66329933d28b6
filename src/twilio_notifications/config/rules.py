"""What two settings demand of each other, and what works but deserves a warning.

Pure but for the settings it is given. A rule looks only at settings that are valid by themselves: `values`
lacks the names of the others, so that one mistake is never reported twice. `None` means "not set".
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twilio_notifications.config.sections.console import TOKEN_PERSON
from twilio_notifications.config.sections.secrets import SecretOrigin
from twilio_notifications.config.sections.transport import ProtocolVersion, TransportKind
from twilio_notifications.config.urls import DatabaseAddress, is_loopback, is_loopback_host
from twilio_notifications.core.delivery import Following, FollowUp
from twilio_notifications.core.escalation import TWILIOS_WORDS, Code, Word, read_reply
from twilio_notifications.core.parameters import Remark
from twilio_notifications.core.wording import shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RISING = (
    ("transport.reconnect_initial_seconds", "transport.reconnect_maximum_seconds"),
    ("delivery.backoff_initial_seconds", "delivery.backoff_maximum_seconds"),
)
_TOPICS = (
    *("text_topic", "call_topic", "status_topic", "cancel_topic", "acknowledge_topic"),
    "availability_topic",
)
_LONGEST_MQTT_BYTES = 65_535  # MQTT 5, 1.5.4
_COMMON_CLIENT_ID = "twilio-notifications"
_TLS_ONLY = ("ca_file", "certificate_file", "key_file", "alpn")


def files_not_in_use(written: Mapping[str, object]) -> frozenset[str]:
    """The settings whose files the program does not read with these values, so that the files need not exist.

    A nucleus merges each deployment into the last one and removes nothing, so such settings are common there.
    """
    is_aws = written.get("secrets.source") == SecretOrigin.AWS
    is_mqtt = written.get("transport.kind") == TransportKind.MQTT
    unused = set() if is_aws else {"secrets.key_file"}
    if not is_mqtt:
        unused |= {"transport.ca_file", "transport.certificate_file"}
        # Without secrets.key_file, the copy of the secret is encrypted with this key.
        unused |= set() if is_aws and not written.get("secrets.key_file") else {"transport.key_file"}
    return frozenset(unused)


def problems_between(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Each problem carries the name of the setting to look at first."""
    for lower, higher in _RISING:
        yield from _rising(values, lower=lower, higher=higher)
    yield from _certificate_and_key(values)
    yield from _tls_only(values)
    if values.get("secrets.source") is SecretOrigin.FILE and values.get("secrets.path", "") is None:
        sentence = 'secrets.source = "file" needs secrets.path, the file that holds the auth token'
        yield Remark(name="secrets.source", sentence=sentence)
    yield from _key_for_the_copy(values)
    yield from _one_use_a_topic(values)
    yield from _too_long_for_mqtt(values)
    yield from _shared_group(values)
    yield from _callbacks(values)
    yield from _listeners(values)
    yield from _acknowledge_words(values)
    yield from _one_pace_a_sender(values)
    yield from _console(values)
    for name in values.get("escalations", ()):
        yield from _steps(values, f"escalations.{name}.steps")
    if values.get("twilio.ca_file") and values.get("twilio.base_url", "").startswith("http:"):
        sentence = "twilio.ca_file is for https://, and twilio.base_url begins with http://"
        yield Remark(name="twilio.ca_file", sentence=sentence)


def warnings_about(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Each warning carries the name of the setting to look at; all settings are valid by then."""
    address = values["twilio.base_url"]
    if address.startswith("http:") and not is_loopback(address):
        sentence = "twilio.base_url begins with http://: the auth token crosses the network unencrypted"
        yield Remark(name="twilio.base_url", sentence=sentence)
    broker, is_mqtt = values["transport.url"], values["transport.kind"] is TransportKind.MQTT
    # Some brokers take a token as the user name.
    if is_mqtt and broker.username and not broker.tls and not is_loopback_host(broker.host):
        sentence = (
            "transport.url begins with mqtt:// and holds a user name or password, which crosses the network "
            "unencrypted, as all messages do: use mqtts://"
        )
        yield Remark(name="transport.url", sentence=sentence)
    database = values["journal.url"]
    if isinstance(database, DatabaseAddress) and database.is_exposed:
        sentence = (
            "journal.url holds a password, which may cross the network unencrypted, as numbers and texts may:"
            " end it with ?sslmode=verify-full, and with &sslrootcert= and the file of the server's authority"
        )
        yield Remark(name="journal.url", sentence=sentence)
    yield from console_warnings(values)
    yield from _warnings_about_tracking(values)
    prefix = values["transport.topic_prefix"]
    if prefix and not prefix.endswith("/"):
        sentence = (
            f"transport.topic_prefix {shown(prefix)} does not end with a slash: "
            f"requests are expected on {prefix}{values['transport.text_topic']}"
        )
        yield Remark(name="transport.topic_prefix", sentence=sentence)


def proxy_warning(base_url: str, environ: Mapping[str, str]) -> str:
    """The warning that a proxy of the environment gets the token unencrypted; "" where none does."""
    if not base_url.startswith("http:"):
        return ""  # https:// goes through a proxy as a tunnel
    host = urlsplit(base_url).hostname or ""
    given = {name.lower(): value for name, value in environ.items() if value}
    spared = [entry.strip().lstrip(".") for entry in given.get("no_proxy", "").split(",") if entry.strip()]
    if any(entry in {"*", host} or host.endswith(f".{entry}") for entry in spared):
        return ""
    name = next((name for name in ("http_proxy", "all_proxy") if name in given), None)
    if name is None:
        return ""
    return (
        f"twilio.base_url begins with http:// and the environment variable {name} names a proxy, which gets "
        f"the auth token unencrypted: use https://, add {host} to no_proxy, or unset {name}"
    )


def _rising(values: Mapping[str, Any], *, lower: str, higher: str) -> Iterator[Remark]:
    if lower in values and higher in values and values[lower] > values[higher]:
        sentence = f"{lower} = {values[lower]:g} must not be above {higher} = {values[higher]:g}"
        yield Remark(name=lower, sentence=sentence)


def _certificate_and_key(values: Mapping[str, Any]) -> Iterator[Remark]:
    if values.get("transport.kind") is TransportKind.GREENGRASS:
        return
    names = ("transport.certificate_file", "transport.key_file")
    for name, other in (names, names[::-1]):
        if values.get(name) and values.get(other, "") is None:
            yield Remark(name=name, sentence=f"{name} needs {other}: a certificate and its key go together")


def _key_for_the_copy(values: Mapping[str, Any]) -> Iterator[Remark]:
    keys = ("secrets.key_file", "transport.key_file")
    if values.get("secrets.source") is SecretOrigin.AWS and all(values.get(key, "") is None for key in keys):
        sentence = (
            'secrets.source = "aws" needs secrets.key_file, a private key of this device: '
            "the local copy of the secret is encrypted with it"
        )
        yield Remark(name="secrets.source", sentence=sentence)


def _one_use_a_topic(values: Mapping[str, Any]) -> Iterator[Remark]:
    """A status on a request topic would be answered with a status, and that one again, without end."""
    names = [f"transport.{key}" for key in _TOPICS]
    for first, second in combinations([name for name in names if name in values], 2):
        if values[first] == values[second] != "":
            sentence = f"{second} = {shown(values[second])} is {first} too: each needs a topic of its own"
            yield Remark(name=second, sentence=sentence)


def _too_long_for_mqtt(values: Mapping[str, Any]) -> Iterator[Remark]:
    prefix = values.get("transport.topic_prefix", "")
    for key in (*_TOPICS, "client_id"):
        before = "" if key == "client_id" else prefix
        size = len((before + values.get(f"transport.{key}", "")).encode())
        if size > _LONGEST_MQTT_BYTES:
            after = " with transport.topic_prefix before it" if before else ""
            sentence = (
                f"transport.{key} has {size} bytes{after}, and MQTT allows {_LONGEST_MQTT_BYTES}: shorten it"
            )
            yield Remark(name=f"transport.{key}", sentence=sentence)


def _shared_group(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Connectors that take in together know each other's requests by the journal, and themselves by name."""
    name = "transport.shared_group"
    if not values.get(name) or values.get("transport.kind") is not TransportKind.MQTT:
        return
    if values.get("transport.client_id") == _COMMON_CLIENT_ID:
        sentence = (
            f"{name} needs a transport.client_id of its own for each connector, the same at each start: the "
            f"broker ends the connection of the one when another comes with the same, and "
            f"{_COMMON_CLIENT_ID} is the one that each would have"
        )
        yield Remark(name="transport.client_id", sentence=sentence)
    if values.get("transport.protocol") is ProtocolVersion.V311:
        sentence = f'{name} needs MQTT 5: set transport.protocol to "auto" or "5"'
        yield Remark(name="transport.protocol", sentence=sentence)
    if "journal.url" in values and not isinstance(values["journal.url"], DatabaseAddress):
        sentence = f"{name} needs a journal that the connectors share: set journal.url to postgresql://…"
        yield Remark(name=name, sentence=sentence)
    if not values.get("transport.session_expiry_seconds", 1):
        sentence = f"{name} needs sessions that outlive a connection: set transport.session_expiry_seconds"
        yield Remark(name="transport.session_expiry_seconds", sentence=sentence)
    lease, keepalive = values.get("journal.lease_seconds"), values.get("transport.keepalive_seconds")
    if lease is not None and keepalive is not None and keepalive <= lease:
        sentence = (
            f"with {name}, transport.keepalive_seconds must be longer than journal.lease_seconds "
            f"({lease:g}): a broker that gives a connection up sooner hands its requests to another one "
            "while this one may still record them"
        )
        yield Remark(name="transport.keepalive_seconds", sentence=sentence)


def _tls_only(values: Mapping[str, Any]) -> Iterator[Remark]:
    address = values.get("transport.url")
    if address is None or address.tls or values.get("transport.kind") is not TransportKind.MQTT:
        return
    for name in (f"transport.{key}" for key in _TLS_ONLY):
        if values.get(name):
            yield Remark(name=name, sentence=f"{name} is for mqtts://, and transport.url begins with mqtt://")


def _callbacks(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What Twilio's callbacks need: a place where they arrive, its address, and a key to their signatures."""
    public_url, listen = values.get("tracking.public_url", ""), values.get("tracking.listen", "")
    mode = values.get("tracking.mode")
    if public_url is None and listen:
        sentence = "tracking.listen needs tracking.public_url, the address under which Twilio reaches it"
        yield Remark(name="tracking.listen", sentence=sentence)
    elif public_url and listen is None:
        sentence = "tracking.public_url needs tracking.listen, the HOST:PORT where its requests arrive"
        yield Remark(name="tracking.public_url", sentence=sentence)
    elif mode is Following.CALLBACK and public_url is None and listen is None:
        sentence = (
            'tracking.mode = "callback" needs tracking.public_url, the address under which Twilio reaches '
            'this machine, and tracking.listen: set both, or use mode "poll", which needs no public address'
        )
        yield Remark(name="tracking.mode", sentence=sentence)
    yield from _signatures(values)


def _listeners(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Each place to listen has an address of its own; port 0 is a free one."""
    names = ("tracking.listen", "health.listen", "metrics.listen")
    addresses = {name: values[name] for name in names if values.get(name) and values[name][1]}
    for first, second in combinations(addresses, 2):
        if addresses[first] == addresses[second]:
            sentence = f"{first} is {second} too: each needs a port of its own"
            if second == "metrics.listen" and first == "health.listen":
                sentence = (
                    "health.listen is metrics.listen too, which serves the health as well: leave it out"
                )
            yield Remark(name=first, sentence=sentence)


_SIGNATURES: Mapping[SecretOrigin, tuple[str, ...]] = {
    SecretOrigin.ENVIRONMENT: ("secrets.signature_variable",),
    SecretOrigin.FILE: ("secrets.signature_path",),
    SecretOrigin.AWS: ("secrets.signature_arn", "secrets.signature_json_key"),
    SecretOrigin.GREENGRASS: ("secrets.signature_arn", "secrets.signature_json_key"),
}


def _signatures(values: Mapping[str, Any]) -> Iterator[Remark]:
    names = _SIGNATURES.get(values.get("secrets.source", ""), ())
    is_missing = bool(names) and all(values.get(name, "") is None for name in names)
    if values.get("tracking.listen") and values.get("secrets.api_key_sid") and is_missing:
        sentence = (
            f"tracking.listen with secrets.api_key_sid needs {' or '.join(names)}: Twilio signs callbacks "
            "with the primary auth token of the account, and never with the secret of an API key"
        )
        yield Remark(name="tracking.listen", sentence=sentence)


def _one_pace_a_sender(values: Mapping[str, Any]) -> Iterator[Remark]:
    counted = Counter(sender for sender, _ in values.get("pace", ()))
    for sender, times in counted.items():
        if times > 1:
            sentence = f"pace names the sender {sender} {times} times: give each sender one [[pace]]"
            yield Remark(name="pace", sentence=sentence)


def _console(values: Mapping[str, Any]) -> Iterator[Remark]:
    listen, users, token = (values.get(f"console.{key}") for key in ("listen", "users", "token_hash"))
    if listen is None or users is None or "console.token_hash" not in values:
        return
    if not is_loopback_host(listen[0]) and not users and token is None:
        sentence = (
            f"console.listen = {shown(':'.join(map(str, listen)))} can be reached from other machines, and "
            "anyone there could send texts: set console.users or console.token_hash, or listen on 127.0.0.1"
        )
        yield Remark(name="console.listen", sentence=sentence)
    for name, times in Counter(user.name for user in users).items():
        if times > 1:
            sentence = f"console.users has the name {shown(name)} {times} times: give each user one name"
            yield Remark(name="console.users", sentence=sentence)
    if token is not None and any(user.name == TOKEN_PERSON for user in users):
        sentence = (
            f"console.users has the name {shown(TOKEN_PERSON)}, under which orders by console.token_hash "
            "stand: give that user another name"
        )
        yield Remark(name="console.users", sentence=sentence)


def console_warnings(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What works at the console but deserves a warning."""
    listen, public_url = values["console.listen"], values["console.public_url"]
    if not is_loopback_host(listen[0]) and not (public_url or "").startswith("https:"):
        sentence = (
            "console.listen can be reached from other machines, and passwords cross the network unencrypted: "
            "listen on 127.0.0.1, put a proxy with a certificate in front, and set console.public_url"
        )
        yield Remark(name="console.listen", sentence=sentence)


def _acknowledge_words(values: Mapping[str, Any]) -> Iterator[Remark]:
    for escalation in values.get("escalations", ()):
        name = f"escalations.{escalation}.acknowledge_words"
        words = values.get(name, ())
        for word in words:
            others = [other for other in words if other != word]
            if word.strip().casefold() in TWILIOS_WORDS:
                flaw = "is a word that Twilio itself acts on, and can never acknowledge"
            elif isinstance(read_reply(word, words=others), Code):
                flaw = "is read as the code of one escalation: use a word without a number"
            elif not isinstance(read_reply(word, words=words), Word):
                flaw = "is never found in a text: use fewer characters, and no punctuation at its ends"
            else:
                continue
            yield Remark(name=name, sentence=f"{name}: {shown(word)} {flaw}")


def _steps(values: Mapping[str, Any], name: str) -> Iterator[Remark]:
    """Steps are counted from 1: step 0 is the request itself."""
    contacts, before = values.get("contacts", ()), 0.0
    for number, step in enumerate(values.get(name, ()), 1):
        for contact in step.contacts:
            if contact not in contacts:
                known = suggestion(contact, contacts) if contacts else "no contact is configured"
                sentence = f"{name}: step {number} names the contact {shown(contact)}, and there is no "
                yield Remark(name=name, sentence=f"{sentence}[contacts.{contact}]: {known}")
        if step.after_seconds < before:
            sentence = (
                f"{name}: step {number} has after_seconds = {step.after_seconds:g}, less than the "
                f"{before:g} of the step before it: put the steps in the order in which they are due"
            )
            yield Remark(name=name, sentence=sentence)
        before = step.after_seconds


def _warnings_about_tracking(values: Mapping[str, Any]) -> Iterator[Remark]:
    public_url, is_off = values["tracking.public_url"], values["tracking.mode"] is Following.OFF
    if public_url is not None and not public_url.startswith("https:"):
        sentence = (
            "tracking.public_url does not begin with https://: telephone numbers and states cross the "
            "network unencrypted"
        )
        yield Remark(name="tracking.public_url", sentence=sentence)
    if public_url is not None and is_off:
        sentence = (
            'tracking.mode = "off" does not use tracking.public_url and tracking.listen: leave them empty'
        )
        yield Remark(name="tracking.mode", sentence=sentence)
    follow_up = values["status.follow_up"]
    if follow_up is not FollowUp.NONE and is_off:
        sentence = (
            f'status.follow_up = "{follow_up}" needs tracking.mode "poll" or "callback": with "off" no '
            "status follows the first one but the end of an escalation"
        )
        yield Remark(name="status.follow_up", sentence=sentence)
