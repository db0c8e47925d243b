"""The PostgreSQL that tests are given is a real one, and what was committed is there after a kill."""

import asyncio

import asyncpg
import pytest

from tests.servers.postgres import Postgres


async def rows(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    try:
        return [row["n"] for row in await connection.fetch("select n from kept order by n")]
    finally:
        await connection.close()


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("create table kept (n int primary key)")
        await connection.execute("insert into kept select generate_series(1, 1000)")
    finally:
        await connection.close()


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_what_was_committed_survives_a_restart(postgres: Postgres, end: str) -> None:
    url = postgres.url(f"survives_{end}")
    await fill(url)
    getattr(postgres, end)()
    assert not postgres.running
    with pytest.raises(OSError):
        await asyncpg.connect(url)
    postgres.start()
    assert await rows(url) == list(range(1, 1001))


async def test_a_paused_server_answers_nobody_until_it_goes_on(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url("paused"))
    try:
        postgres.pause()
        waiting = asyncio.ensure_future(connection.fetchval("select 1"))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        postgres.resume()
        assert await waiting == 1
    finally:
        postgres.resume()
        await connection.close()


async def test_a_url_is_of_a_fresh_database_each_time(postgres: Postgres) -> None:
    await fill(postgres.url("fresh"))
    with pytest.raises(asyncpg.UndefinedTableError):
        await rows(postgres.url("fresh"))


async def test_it_is_version_18_durable_and_on_the_loopback_interface_alone(postgres: Postgres) -> None:
    told = {
        name: postgres.execute(f"show {name}") for name in ("fsync", "synchronous_commit", "listen_addresses")
    }
    assert told == {"fsync": "on", "synchronous_commit": "on", "listen_addresses": "127.0.0.1"}
    assert postgres.execute("show server_version").startswith("18.")
