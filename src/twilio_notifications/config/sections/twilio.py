"""[twilio]: how Twilio is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import FilePath, Seconds, WholeNumber, Written
from twilio_notifications.config.urls import read_web_url

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """How Twilio's API is reached; `base_url` has no slash at its end."""

    base_url: str = key(
        # Not shown: it must not hold a password, but a user may try.
        Written(description="an https:// or http:// URL", read=read_web_url, is_shown=False),
        """Address of Twilio's API: another region ("https://api.dublin.ie1.twilio.com"), a proxy, or the
        simulator.""",
        default="https://api.twilio.com",
    )
    concurrency: int = key(
        WholeNumber(minimum=1, maximum=1_000),
        "How many requests may be on their way to Twilio at once.",
        default=50,
    )
    timeout_seconds: float = key(
        Seconds(),
        """How long Twilio may take for one answer. What is not answered by then is in doubt, not failed.
        Twilio itself may take about 26 seconds, so less than that creates doubt for nothing.""",
        default=30,
    )
    ca_file: Path | None = key(
        FilePath(),
        """Certificates of the authorities that may have signed the certificate of base_url, in PEM. Left
        out: those that the system trusts. For https:// only. The environment variables SSL_CERT_FILE and
        SSL_CERT_DIR name a file and folders in the place of the system's, for the broker and for Twilio;
        AWS_CA_BUNDLE does so for AWS. HTTPS_PROXY and NO_PROXY say which proxy is used.""",
        example="proxy-ca.pem",
    )


TWILIO = Section(name="twilio", text="How Twilio is reached.", keys=keys_of(TwilioSettings))
