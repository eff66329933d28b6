"""The access control of the component: its nucleus allows what its configuration needs, and no more.

A policy lists operations and resources, and allows each operation on each resource. So subscribing and
publishing have separate policies: the component may neither publish requests nor receive statuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.component.configuration import COMPONENT, needs
from twilio_notifications.config import PubSub, SecretOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.component.configuration import Needs

Policies = dict[str, dict[str, object]]


def access_control(configuration: Mapping[str, object]) -> dict[str, Policies]:
    """The map `accessControl` of a recipe or of a deployment.

    The names of its policies begin with COMPONENT.
    """
    return dict(_services(needs(configuration)))


def cloud_policy(configuration: Mapping[str, object], *, partition: str) -> dict[str, object] | None:
    """The statements that the AWS IoT policy of the core device needs; None where the topics are local only.

    The nucleus speaks to AWS IoT Core with the device's certificate, so that certificate's policy counts too.
    The operator replaces `REGION` and `ACCOUNT`.
    """
    wanted = needs(configuration)
    if wanted.pubsub is PubSub.LOCAL:
        return None
    probe = [] if wanted.probe_topic is None else [wanted.probe_topic]
    heard, said = [*wanted.heard_topics, *probe], [wanted.status_topic, *probe]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": action,
                "Resource": [f"arn:{partition}:iot:REGION:ACCOUNT:{kind}/{topic}" for topic in topics],
            }
            for action, kind, topics in (
                ("iot:Subscribe", "topicfilter", heard),
                ("iot:Receive", "topic", heard),
                ("iot:Publish", "topic", said),
            )
        ],
    }


def _services(wanted: Needs) -> Iterator[tuple[str, Policies]]:
    if wanted.pubsub is not PubSub.IOT_CORE:
        yield (
            "aws.greengrass.ipc.pubsub",
            _messages(wanted, service="pubsub", subscribe="SubscribeToTopic", publish="PublishToTopic"),
        )
    if wanted.pubsub is not PubSub.LOCAL:
        yield (
            "aws.greengrass.ipc.mqttproxy",
            _messages(
                wanted, service="mqttproxy", subscribe="SubscribeToIoTCore", publish="PublishToIoTCore"
            ),
        )
    if wanted.secrets is SecretOrigin.GREENGRASS and wanted.secret_arns:
        policy = _policy("Read the Twilio auth token.", "GetSecretValue", wanted.secret_arns)
        yield "aws.greengrass.SecretManager", {f"{COMPONENT}:secrets:1": policy}


def _messages(wanted: Needs, *, service: str, subscribe: str, publish: str) -> Policies:
    probe = [] if wanted.probe_topic is None else [wanted.probe_topic]
    heard, said = [*wanted.heard_topics, *probe], [wanted.status_topic, *probe]
    return {
        f"{COMPONENT}:{service}:1": _policy(
            "Receive requests, cancellations and acknowledgements.", subscribe, heard
        ),
        f"{COMPONENT}:{service}:2": _policy("Publish what became of them.", publish, said),
    }


def _policy(description: str, operation: str, resources: Sequence[str]) -> dict[str, object]:
    return {
        "policyDescription": description,
        "operations": [f"aws.greengrass#{operation}"],
        "resources": list(resources),
    }
