"""What a node does with gRPC's core: its poller does not wait until a busy loop has read all its bytes."""

from __future__ import annotations

import subprocess
import sys

CALLS = 600
SCRIPT = """
import asyncio, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import grpc
from nodes.rpc import core

calls = int(sys.argv[1])
left, all_answered = [calls], threading.Event()

def answer(request, context):
    left[0] -= 1
    if not left[0]:
        all_answered.set()
    return request

async def main():
    core.begin()
    server = grpc.server(ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("s", {"m": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/s/m")
        ended = asyncio.gather(*(call(b"") for _ in range(calls)))
        quiet, longest, done = 0, 0, [0]
        for task in asyncio.all_tasks():
            task.add_done_callback(lambda _: done.__setitem__(0, done[0] + 1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert all_answered.wait(30)  # the loop is held meanwhile
        while not ended.done():
            before = done[0]
            time.sleep(0.001)  # a loop that has much to do
            await asyncio.sleep(0)
            quiet = quiet + 1 if done[0] == before else 0
            longest = max(longest, quiet)
    core.end()
    server.stop(0)
    print(longest)

asyncio.run(main())
"""


def test_a_loop_that_was_held_hears_of_all_that_happened_without_a_pause() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(CALLS)], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert int(said) < 100  # turns in which it hears of nothing; two hundred if the poller waits for it
