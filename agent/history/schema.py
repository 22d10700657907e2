"""The tables of the store's file, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3

from agent.history.store import StoreFailed

# One script per schema version, which writes its number at the end. A released script is never changed: add another.
MIGRATIONS = (
    """
    CREATE TABLE signal (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE tick (id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, oldest_us INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE INDEX tick_by_shard ON tick (shard);
    CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, signal INTEGER NOT NULL,
        start_us INTEGER NOT NULL, until_us INTEGER NOT NULL, step_us INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX chunk_by_signal ON chunk (signal, until_us);
    CREATE TABLE state (owner TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (owner, name));
    CREATE TABLE decision (
        id INTEGER PRIMARY KEY, policy TEXT NOT NULL,
        since_us INTEGER NOT NULL, until_us INTEGER NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (policy, since_us)
    );
    CREATE INDEX decision_by_policy ON decision (policy);
    INSERT INTO migration VALUES (1);
    """,
)
TABLES = frozenset({"migration", "signal", "tick", "chunk", "state", "decision"})


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest schema; a file that has it already is only looked at.

    Raises:
        StoreFailed: the file was written by a newer agent, or has lost tables.
    """
    version = schema_version(connection)
    if version > len(MIGRATIONS):
        raise StoreFailed(
            f"its schema has version {version}, this agent knows up to {len(MIGRATIONS)}", is_corrupt=True
        )
    for script in MIGRATIONS[version:]:
        connection.executescript(f"BEGIN IMMEDIATE; {script} COMMIT;")
    missing = TABLES - _tables(connection)
    if missing:
        raise StoreFailed(f"it has no table {', '.join(sorted(missing))}", is_corrupt=True)


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the schema version of a file, making the table that tells it in a file that is empty."""
    tables = _tables(connection)
    if not tables:
        connection.execute("CREATE TABLE migration (version INTEGER PRIMARY KEY)")
    elif "migration" not in tables:
        raise StoreFailed("it is an SQLite file of something else", is_corrupt=True)
    row = connection.execute("SELECT coalesce(max(version), 0) FROM migration").fetchone()
    return int(row[0])


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
