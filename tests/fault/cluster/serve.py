"""What a node's process runs: the program itself, `tongban serve`, with the settings of its environment.

Processes are forked from one that has imported the program already, so that a start costs no import.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

from tests.fault.cluster.points import act_of

DIES_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of <linux/prctl.h>."""
PRELOADED = ["nodes.__main__", "nodes.assembly", "tests.fault.cluster.serve"]


def context() -> ForkServerContext:
    """Where processes come from."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOADED)
    return made


def run(environment: Mapping[str, str], log: Path, points: Mapping[str, str]) -> None:
    """In the new process: become the node. Ends with the program's exit code.

    `points`: failpoint -> what happens there, see `points.act_of`.
    """
    from nodes import failpoints
    from nodes.__main__ import main

    failpoints.armed.update({name: act_of(name, said) for name, said in points.items()})
    os.setsid()
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)  # it outlives no launcher, however that ends
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    for name in [name for name in os.environ if name.startswith("TONGBAN_")]:
        del os.environ[name]
    os.environ.update(environment)
    sys.argv = ["tongban", "serve"]
    main()
