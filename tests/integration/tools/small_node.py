"""A node that does nothing but answer its health: what tools/up.py starts in its tests. Its region says how
it behaves: 33 ends at once, 34 does not let itself be asked to stop.
"""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(region: str) -> None:
    asked = threading.Event()
    if region == "33":
        sys.exit("the database of 33 is of a newer version")
    if region == "34":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: asked.set())
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(os.environ["TONGBAN_LISTEN"])
    server.start()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    tell(f"{region} serves beside {os.environ['TONGBAN_PEERS']}")
    asked.wait()
    tell(f"{region} has drained")
    server.stop(None).wait()


if __name__ == "__main__":
    main(sys.argv[1])
