"""What all tables share: the metadata, names of constraints, kinds of columns."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Double, Index, MetaData, text
from sqlmodel import Field, SQLModel

from nodes.store.dialect import BigKey, Instant

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Stored(SQLModel):
    """Base of all tables: one metadata, named constraints."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def partial(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    """An index of the rows for which `where` holds."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def key() -> Any:
    """A part of the primary key."""
    return Field(primary_key=True)


def counted() -> Any:
    """A primary key that the database counts up."""
    return Field(default=None, primary_key=True, sa_type=BigKey)


def big(primary_key: bool = False) -> Any:
    """A 64-bit integer."""
    return Field(sa_type=BigInteger, primary_key=primary_key)


def instant() -> Any:
    """Aware business time."""
    return Field(sa_type=Instant)


def wall() -> Any:
    """Wall seconds since 1970."""
    return Field(sa_type=Double)
