"""A broker as if nobody had used it: for the tests of the federation, whose topics have fixed names.

Knows Kafka's administration. A static member stays in its group after its process ended, so it is sent away
by name before the group and the topics are deleted.
"""

import asyncio
import time
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.group import LeaveGroupRequest

OURS = "tongban."
WITHIN_S = 20.0
_ABSENT = {0, 16, 69}  # done; the coordinator has moved: asked again; no such group


async def cleared(bootstrap: str) -> None:
    """Every group and topic of the federation is gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        groups = [name for name, _ in await admin.list_consumer_groups() if name.startswith(OURS)]
        for group in groups:
            await forget_group(bootstrap, group)
        await delete_topics(bootstrap, [n for n in await admin.list_topics() if n.startswith(OURS)])
    finally:
        await admin.close()


async def delete_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Deletes topics and returns when the cluster knows them no more."""
    if not names:
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))
        deadline = time.monotonic() + WITHIN_S
        while set(names) & set(await admin.list_topics()):
            assert time.monotonic() < deadline, f"not gone: {names}"
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def forget_group(bootstrap: str, group: str) -> None:
    """Sends the members away and deletes the group with its offsets."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    await admin.start()
    try:
        deadline = time.monotonic() + WITHIN_S
        while True:
            node = await client.coordinator_lookup(0, group)
            [described] = await admin.describe_consumer_groups([group])
            [(_, _, _, _, _, members, *_)] = described.groups
            for member in members:
                await client.send(node, LeaveGroupRequest(group, member[0]))
            [(_, error)] = (await client.send(node, DeleteGroupsRequest([group]))).results
            if error in _ABSENT:
                return
            assert time.monotonic() < deadline, for_code(error)
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
        await client.close()
