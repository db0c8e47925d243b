"""The JDK and Maven that the server tests need: found, installed where that is allowed, or named.

`python -m tests.servers.need` is run before the tests by `make test` and `make services-up`.
"""

import os
import re
import shutil
import subprocess
import sys

JAVA_AT_LEAST = 17
DEBIAN_PACKAGES = {"a JDK 17+": "default-jdk-headless", "Maven": "maven"}


def java_version() -> int:
    """The feature version of the `java` on the PATH; 0 if there is none."""
    if (java := shutil.which("java")) is None:
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


def missing() -> list[str]:
    """What is missing, in words; empty if the servers can be started."""
    lacks = []
    if java_version() < JAVA_AT_LEAST:
        lacks.append("a JDK 17+")
    if shutil.which("mvn") is None:
        lacks.append("Maven")
    return lacks


def install(lacks: list[str]) -> None:
    """Installs what is missing with apt-get. Does nothing unless run as root on a Debian or Ubuntu."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    packages = [DEBIAN_PACKAGES[lack] for lack in lacks]
    print(f"installing {' and '.join(lacks)} with apt-get: {' '.join(packages)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], env=quiet, check=False, stdin=subprocess.DEVNULL)
    command = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages]
    subprocess.run(command, env=quiet, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def refusal(lacks: list[str]) -> str:
    """The one line that says what is missing and what to do about it."""
    packages = " ".join(DEBIAN_PACKAGES[lack] for lack in lacks)
    return (
        f"The tests on a real Kafka need {' and '.join(lacks)} on the PATH "
        f"(on Debian or Ubuntu: apt-get install {packages}); make test-fast leaves them out."
    )


def main() -> int:
    """Exit status 0 if everything needed is there, in the end."""
    if lacks := missing():
        install(lacks)
    if lacks := missing():
        print(refusal(lacks), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
