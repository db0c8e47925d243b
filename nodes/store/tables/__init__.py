"""The tables of one region's database, as SQLModel classes: the schema alone.

Knows columns, keys and indexes. Must not know queries, connections or what the bytes mean. Names and meanings
of the columns are those of `rows`. A column without a foreign key refers to something that another region
owns or that may arrive later than what refers to it. Partial indexes keep a closed case nearly free."""

from nodes.store.tables import case as case
from nodes.store.tables import material as material
from nodes.store.tables import traffic as traffic
from nodes.store.tables.base import Stored

METADATA = Stored.metadata
