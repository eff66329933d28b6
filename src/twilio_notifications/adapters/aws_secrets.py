"""Reads the auth token from AWS Secrets Manager, through boto3.

boto3 finds credentials, proxies and endpoints itself, in the environment and in ~/.aws, as in every other
program. It is imported when the first secret is read, so only where AWS holds it. Sentences repeat only
AWS's error code and message, never the secret.
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
"""The most seconds of a whole reading. They include name resolution, for which boto3 has no limit. The
limit only delays a start without the network."""

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 5.0
TRIES = 2
"""The number of attempts: one lost packet must not count as an outage, and a third attempt exceeds the
limit."""

ANSWER_BYTES = 1_048_576
"""The most bytes that are read of an answer: a secret has at most 64 kB."""
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
    """One version of a secret: the whole text, or with `json_key` the value of that key in a JSON object."""

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
        """AWS's whole answer, which includes the secret; raises SecretUnavailable."""
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
        """Asks AWS; runs in a thread.

        Each call has a new session, because credentials in ~/.aws may change.
        """
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
                f"{self._name} cannot be read: the server that answers is not AWS, because its answer has "
                f"more than {ANSWER_BYTES} bytes. Check the endpoint and the proxy of this device."
            ) from None
        except Exception as error:  # noqa: BLE001 - boto3 raises any class over the log-in page of a network
            failure = type(error).__name__  # the text of the error may repeat the answer
            raise SecretUnavailable(f"{self._name} cannot be read: boto3 failed ({failure})") from None
        return answer

    def _refused(self, error: Mapping[str, str]) -> SecretUnavailable:
        code = error.get("Code", "")
        if code.isdecimal():  # an HTTP status: the answer has not the form of AWS
            said = f"The answer was HTTP {code}"
        else:
            said = f"AWS says {code}: {' '.join(error.get('Message', '').split())}".rstrip(":. ")
        match code:
            case "ResourceNotFoundException":
                return SecretAbsent(
                    f"{self._name} is not in {self._region}. {said}. "
                    "Check TwilioAuthTokenSecretArn, above all its region, and the labels in [secrets]."
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
        name = type(error).__name__  # a dozen classes mean this, without a common parent
        if "Credential" in name or "Token" in name:
            return SecretUnavailable(
                f"boto3 has no AWS credentials for this device: {error}. "
                "docs/how-to/aws-secrets-manager.md says where boto3 looks for them."
            )
        return SecretUnavailable(f"AWS Secrets Manager in {self._region} cannot be reached: {error}")


class _TooLarge(Exception):
    """The answer is larger than ANSWER_BYTES."""


@dataclass(frozen=True, slots=True)
class _Body:
    """A body that has been read, in the form that botocore reads."""

    content: bytes

    def stream(self) -> Iterator[bytes]:
        yield self.content


def _bound_answers(client: Any) -> None:
    """Makes the client read its answers in pieces, up to a bound; boto3 itself has no bound."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - as boto3

    def sent(request: Any, **_: Any) -> AWSResponse:
        request.stream_output = True  # otherwise botocore reads the whole answer at once
        response = client._endpoint.http_session.send(request)  # noqa: SLF001 - botocore has no public way
        body = bytearray()
        for piece in response.raw.stream(_PIECE_BYTES, decode_content=False):
            body += piece
            if len(body) > ANSWER_BYTES:
                response.raw.close()
                raise _TooLarge
        return AWSResponse(response.url, response.status_code, response.headers, _Body(bytes(body)))

    client.meta.events.register_first("before-send.secrets-manager.GetSecretValue", sent)


async def _in_a_thread(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Like asyncio.to_thread, but the end of the program does not wait for the thread, which may hang."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Mapping[str, Any]] = loop.create_future()

    def deliver(give: Callable[[Any], None], what: object) -> None:
        if not answer.done():
            give(what)

    def report(give: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed, and no caller waits
            loop.call_soon_threadsafe(deliver, give, what)

    def run() -> None:
        try:
            said = ask()
        except BaseException as error:  # noqa: BLE001 - the caller that awaits the answer gets every error
            report(answer.set_exception, error)
        else:
            report(answer.set_result, said)

    threading.Thread(target=run, name="twilio_notifications.aws_secrets", daemon=True).start()
    return await answer
