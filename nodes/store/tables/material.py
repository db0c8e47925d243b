"""Tables of materials and spans."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field

from nodes.store.tables.base import Stored, big, key, partial, wall


class Material(Stored, table=True):
    """Files by digest."""

    __tablename__ = "material"
    sha256: str = key()
    size: int = big()
    media_type: str
    stored: bool
    first_seen_wall_s: float = wall()


class MaterialUse(Stored, table=True):
    """What a file serves as in a case."""

    __tablename__ = "material_use"
    __table_args__ = (
        Index("ix_material_use_case_number", "case_number"),
        Index("ix_material_use_applicant_key_code", "applicant_key", "code"),
    )
    sha256: str = Field(primary_key=True, foreign_key="material.sha256")
    case_number: str = key()
    code: str = key()
    applicant_key: str
    valid_until: date | None


class MaterialFetch(Stored, table=True):
    """Downloads from other regions."""

    __tablename__ = "material_fetch"
    __table_args__ = (
        Index("ix_material_fetch_case_number", "case_number"),
        partial("ix_material_fetch_wanted", "attempts", where="state = 'wanted'"),
    )
    sha256: str = Field(primary_key=True, foreign_key="material.sha256")
    case_number: str = key()
    from_region: str
    bytes_done: int = big()
    state: str
    attempts: int


class Span(Stored, table=True):
    """Finished spans."""

    __tablename__ = "span"
    __table_args__ = (Index("ix_span_start_ns", "start_ns"),)
    span_id: str = key()
    trace_id: str = Field(index=True)
    parent_span_id: str
    case_number: str = Field(index=True)
    name: str
    kind: str
    start_ns: int = big()
    end_ns: int = big()
    status: str
    attributes: str
    links: str
    recovered: bool
