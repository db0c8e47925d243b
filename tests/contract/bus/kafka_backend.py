"""The bus contract on Kafka. A bus that is abandoned loses its sockets and says goodbye to nobody."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from typing_extensions import override

from broker.bus import EventBus
from broker.kafka import KafkaBus, KafkaSettings
from tests.contract.bus.backend import BusBackend


class KafkaBackend(BusBackend):
    name = "kafka"
    session_timeout_s = 6.0  # the least that a broker allows by default

    def __init__(self, bootstrap: str) -> None:
        self.settings = KafkaSettings(
            bootstrap, session_timeout_s=self.session_timeout_s, request_timeout_s=5.0, check_s=1.0
        )

    @override
    def bus(self) -> KafkaBus:
        return KafkaBus(self.settings)

    @override
    async def delete_topic(self, topic: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.bootstrap)
        await admin.start()
        await admin.delete_topics([topic])
        await admin.close()

    @override
    async def abandon(self, bus: EventBus) -> None:
        # Static members do not leave when they stop: to the group a stop is as good as a kill.
        assert isinstance(bus, KafkaBus)
        await asyncio.wait_for(bus.close(), 30)
