"""The auth token in AWS Secrets Manager, read by boto3.

boto3 finds credentials, proxies and endpoints by itself, from the environment and from ~/.aws, as in every
other program. It is imported when the first secret is read, by those who have one there. Of an answer only
AWS's own error code and sentence are repeated, never what was asked for.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.core.secret_text import token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from twilio_notifications.core.model import Secret

LIMIT_SECONDS = 15.0
"""For the whole of a reading, name resolution included, which has no limit of its own in boto3. It delays a
start without the network, and nothing else."""

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 5.0
TRIES = 2
"""So that one lost packet does not count as an outage; a third try would not fit into the limit."""

ANSWER_BYTES = 1_048_576
"""How much of an answer is read: a secret has at most 64 kB."""
_PIECE_BYTES = 65_536

_OUR_CREDENTIALS = frozenset(
    {
        *(
            "AuthFailure",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
        ),
        *("InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)


class AwsSecret:
    """One version of one secret: the text itself, or with `json_key` that key's value in a JSON object."""

    def __init__(
        self, arn: str, *, label: str, json_key: str | None = None, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self._arn = arn
        self._label = label
        self._json_key = json_key
        self._limit_seconds = limit_seconds

    async def read(self) -> Secret:
        answer = await self.answer()
        if "SecretString" not in answer:
            raise SecretUnavailable(f"{self._name} is binary. Store the token as text (SecretString).")
        return token_of(answer["SecretString"], json_key=self._json_key, name=self._name)

    async def answer(self) -> Mapping[str, Any]:
        """All that AWS says of it, the secret in it; raises SecretUnavailable."""
        try:
            async with asyncio.timeout(self._limit_seconds):
                return await _in_a_thread(self._ask)
        except TimeoutError:
            raise SecretUnavailable(
                f"AWS Secrets Manager in {self._region} did not answer within {self._limit_seconds:g} s"
            ) from None

    @property
    def _region(self) -> str:
        return self._arn.split(":")[3]

    @property
    def _name(self) -> str:
        return f"the secret {self._arn} ({self._label})"

    def _ask(self) -> Mapping[str, Any]:
        """Asks AWS, in a thread. A session of its own each time: credentials in ~/.aws change, too."""
        import boto3  # noqa: PLC0415 - only some users have it, and it takes a third of a second
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        limits = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
        )
        try:
            session = boto3.session.Session()
            with closing(session.client("secretsmanager", region_name=self._region, config=limits)) as client:
                _bound_answers(client)
                answer: Mapping[str, Any] = client.get_secret_value(
                    SecretId=self._arn, VersionStage=self._label
                )
        except ClientError as error:
            raise self._refused(error.response.get("Error", {})) from None
        except (BotoCoreError, OSError) as error:
            raise self._unreached(error) from None
        except _TooLarge:
            raise SecretUnavailable(
                f"{self._name} cannot be read: what answers is not AWS, because its answer is larger than "
                f"{ANSWER_BYTES} bytes. Look at the endpoint and the proxy of this device."
            ) from None
        except Exception as error:  # noqa: BLE001 - over the log-in page of a network boto3 raises anything
            failure = type(error).__name__  # and in its text repeats what came
            raise SecretUnavailable(f"{self._name} cannot be read: boto3 failed ({failure})") from None
        return answer

    def _refused(self, error: Mapping[str, str]) -> SecretUnavailable:
        code = error.get("Code", "")
        if code.isdecimal():  # an HTTP status: what answered did not speak as AWS does
            said = f"HTTP {code} was answered"
        else:
            said = f"AWS says {code}: {' '.join(error.get('Message', '').split())}".rstrip(":. ")
        match code:
            case "ResourceNotFoundException":
                return SecretAbsent(
                    f"{self._name} is not in {self._region}. {said}. "
                    "Look at TwilioAuthTokenSecretArn, its region above all, and at the labels in [secrets]."
                )
            case "InvalidRequestException":
                remedy = "If it was deleted, restore it: aws secretsmanager restore-secret --secret-id …"
            case "AccessDeniedException" | "AccessDenied" | "DecryptionFailure" | "403":
                remedy = (
                    "Allow this device secretsmanager:GetSecretValue on it, and kms:Decrypt where it is "
                    "encrypted with a key of your own."
                )
            case _ if code in _OUR_CREDENTIALS:
                remedy = (
                    "AWS does not accept the credentials of this device: check them, and the device's clock."
                )
            case _:
                remedy = "See docs/how-to/aws-secrets-manager.md."
        return SecretUnavailable(f"{self._name} cannot be read. {said}. {remedy}")

    def _unreached(self, error: Exception) -> SecretUnavailable:
        name = type(error).__name__  # there is a dozen of classes for it, and no common one
        if "Credential" in name or "Token" in name:
            return SecretUnavailable(
                f"boto3 has no AWS credentials for this device: {error}. "
                "See docs/how-to/aws-secrets-manager.md for where it looks."
            )
        return SecretUnavailable(f"AWS Secrets Manager in {self._region} cannot be reached: {error}")


class _TooLarge(Exception):
    """The answer is larger than ANSWER_BYTES."""


@dataclass(frozen=True, slots=True)
class _Body:
    """A body that was read, in the form in which botocore reads it."""

    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content


def _bound_answers(client: Any) -> None:
    """Has the client read its answers in pieces, up to the bound; boto3 itself reads without one."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - as boto3

    def sent(request: Any, **_: Any) -> AWSResponse:
        request.stream_output = True  # else the whole answer is read before it can be looked at
        response = client._endpoint.http_session.send(request)  # noqa: SLF001 - there is no public way to it
        body = bytearray()
        for piece in response.raw.stream(_PIECE_BYTES, decode_content=False):
            body += piece
            if len(body) > ANSWER_BYTES:
                response.raw.close()
                raise _TooLarge
        return AWSResponse(response.url, response.status_code, response.headers, _Body(bytes(body)))

    client.meta.events.register_first("before-send.secrets-manager.GetSecretValue", sent)


async def _in_a_thread(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """As asyncio.to_thread, but the end does not wait for the thread, which may hang with a network."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Mapping[str, Any]] = loop.create_future()

    def deliver(give: Callable[[Any], None], what: object) -> None:
        if not answer.done():
            give(what)

    def report(give: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nothing waits any more
            loop.call_soon_threadsafe(deliver, give, what)

    def run() -> None:
        try:
            said = ask()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is awaited
            report(answer.set_exception, error)
        else:
            report(answer.set_result, said)

    threading.Thread(target=run, name="twilio_notifications.aws_secrets", daemon=True).start()
    return await answer
