"""AWS as moto plays it, on a real socket: Secrets Manager, and IAM where a test is about permissions.

The server runs in threads of this process. What is stored outlives a stop, as AWS outlives a network that is
gone. Clients find it by environment variables, as boto3 does in production.
"""

from __future__ import annotations

import uuid
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-west-2"
KEY_ID, SECRET_KEY = "AKIA0123456789ABCDEF", "a key of AWS"


class Aws:
    """`with Aws() as aws:` is running; `stop` and `start` are a network that goes and comes back."""

    def __init__(self) -> None:
        self._server: ThreadedMotoServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def environment(self, **credentials: str) -> dict[str, str]:
        """What a program needs to find it, and to find nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        } | credentials

    def start(self) -> None:
        self._server = ThreadedMotoServer(HOST, self._port, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    @contextmanager
    def client(self, service: str = "secretsmanager") -> Iterator[Any]:
        session = boto3.session.Session(KEY_ID, SECRET_KEY)
        config = Config(proxies={})
        with closing(
            session.client(service, region_name=REGION, endpoint_url=self.url, config=config)
        ) as client:
            yield client

    def create(self, text: str) -> str:
        """The ARN of a new text secret, under the name that the published document asks for."""
        name = f"greengrass-TwilioAuthToken-{uuid.uuid4().hex}"
        with self.client() as client:
            arn: str = client.create_secret(Name=name, SecretString=text)["ARN"]
        return arn

    def put(self, arn: str, text: str | bytes, *, label: str = "AWSCURRENT") -> None:
        """A new version under this label; the one that was AWSCURRENT becomes AWSPREVIOUS."""
        kind = "SecretString" if isinstance(text, str) else "SecretBinary"
        with self.client() as client:
            client.put_secret_value(SecretId=arn, VersionStages=[label], **{kind: text})

    def delete(self, arn: str, *, for_ever: bool = False) -> None:
        how = {"ForceDeleteWithoutRecovery": True} if for_ever else {}
        with self.client() as client:
            client.delete_secret(SecretId=arn, **how)

    @contextmanager
    def asking_for_permission(self) -> Iterator[dict[str, str]]:
        """Within it AWS checks signatures and permissions; the environment of a user who has none of them."""
        user = f"device-{uuid.uuid4().hex}"
        with self.client("iam") as iam:
            iam.create_user(UserName=user)
            key = iam.create_access_key(UserName=user)["AccessKey"]
        self._check_permissions_after("0")
        try:
            yield self.environment(
                AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"]
            )
        finally:
            self._check_permissions_after("inf")

    def _check_permissions_after(self, requests: str) -> None:
        plain = {"Content-Type": "text/plain"}
        asked = Request(f"{self.url}/moto-api/reset-auth", data=requests.encode(), headers=plain)  # noqa: S310
        urlopen(asked).close()  # noqa: S310 - the loopback

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def device_key(path: Path, *, mode: int = 0o600) -> Path:
    """A private key as AWS IoT gives it to a device: PEM, without a pass phrase."""
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    path.chmod(mode)
    return path
