"""The bus on a Kafka cluster: the only room that imports aiokafka.

Knows Kafka's client, its protocol and its habits; must not know what a message means.

What shapes it, each found out the hard way:

- With the brokers gone for good, aiokafka's idempotent `send`, its `stop` and its `commit` wait for ever and
  `getmany` answers "nothing" without an error. So every call has a time limit, progress is watched, and a
  client that is stuck is thrown away and built anew (`clients`, `publisher`, `subscription`).
- A topic's incarnation is the id that Kafka's controllers give it when it is made (a random UUID, kept in the
  cluster's own log). A marker of our own would have to be written, could be lost or doubled, and would not
  tell a restored cluster from a new one. aiokafka's protocol is older than topic ids, so `wire` describes the
  one request that tells them.
- aiokafka's metadata requests let a broker make a topic that somebody merely mentions. Topics are looked up
  before they are used; brokers should have auto.create.topics.enable=false.
- Static membership: a member that restarts within the session time-out gets its partitions back at once. The
  protocol that aiokafka speaks cannot tell two processes of one member name apart, so `MemberFenced` is not
  raised here: they would take the partitions from each other in turn.
"""

from broker.kafka.bus import KafkaBus
from broker.kafka.clients import KafkaSettings

__all__ = ["KafkaBus", "KafkaSettings"]
