"""Asks the node in this container whether it serves, by gRPC's own health service. Exit status 0: it does.

A node whose bus is away still files and answers, so it still serves: its operator sees the rest in
`tongban doctor`.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ADDRESS = "127.0.0.1:50051"
WITHIN_S = 4.0


def main(address: str) -> int:
    """0 if the node at that host:port serves, else 1."""
    with grpc.insecure_channel(address) as channel:
        try:
            said = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=WITHIN_S
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"{address}: {error}\n")
            return 1
    return 0 if said.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ADDRESS))
