"""The servers for hand work: `make services-up`, `make services-down`."""

import sys

from tests.servers.process import ServerError
from tests.servers.shared import BY_HAND, Run


def up() -> int:
    """Starts one Kafka broker and one PostgreSQL, unless they run, and prints their URLs."""
    run = Run(BY_HAND)
    try:
        kafka, postgres = run.kafka(), run.postgres()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"bus       {kafka.url}")
    print(f"database  {postgres.base_url}")
    print(f"logs      {kafka.log}\n          {postgres.log}")
    return 0


def down(*, forget: bool) -> int:
    """Stops them in good order. Their data stay for the next time, unless they are to be forgotten."""
    run = Run(BY_HAND)
    run.stop(gently=True)
    if forget:
        run.end(keep_logs=False)
    return 0


if __name__ == "__main__":
    sys.exit(up() if sys.argv[1:] == ["up"] else down(forget="--forget" in sys.argv))
