"""One decoder under a coverage-guided fuzzer; started by `fuzz`, which fetches the fuzzer.

Our modules are instrumented as they are imported, so none is imported before.
"""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """argv: the decoder's name, then what libFuzzer is told."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["broker", "nodes"]):
        decoders = importlib.import_module("tests.hostile.decoders")
    name = sys.argv[1]

    def one(data: bytes) -> None:
        decoders.read(name, data)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
