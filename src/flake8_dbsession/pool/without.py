"""Whether an application has no pool that could run empty: SQLite before SQLAlchemy 2.0 opens its file for each one."""

from __future__ import annotations

from ..project.project import Project
from ..view import View
from .judge import SQLALCHEMY_RELEASES, FilePool, pool_of, pools_of

_OURS = ("sqlalchemy", "flask-sqlalchemy", "sqlmodel")
_FURTHER = (
    *("aioodbc", "clickhouse-sqlalchemy", "cx-oracle", "databricks-sqlalchemy", "ibm-db-sa", "oracledb", "pg8000"),
    *("pymssql", "pyodbc", "snowflake-sqlalchemy", "sqlalchemy-bigquery", "sqlalchemy-cockroachdb", "trino"),
)
"""Distributions that bring the driver of a server of which nothing else is known."""


def has_no_pool(view: View) -> bool:
    """Whether all engines of the application are of SQLite, and of a release that keeps no connections to files.

    A connection that is held there keeps nobody waiting for one (measured: 1.4.54 has NullPool, 2.0 has QueuePool).
    """
    path = view.source.path
    if view.project.app.declared_for(path).major("sqlalchemy", SQLALCHEMY_RELEASES) != 1:
        return False
    survey = pool_of(view).survey
    files = [file for file in pools_of(survey) if not file.is_aside]
    return not survey.extension_files() and any(file.engines for file in files) and all(map(_is_of_files, files))


def is_without_server(view: View) -> bool:
    """Whether a project that tells what it needs needs the driver of no server, and speaks of files of SQLite."""
    path = view.source.path
    survey = pool_of(view).survey
    declared = survey.declared(path)
    if not any(map(declared.has, _OURS)) or any(map(declared.has, _FURTHER)) or survey.speaks_of_server(path):
        return False
    return view.project.once(speaks_of_files)


def speaks_of_files(project: Project) -> bool:
    """Whether a file of the application holds the beginning of a URL of SQLite."""
    return any(map(project.app.is_part, project.app.files_with(b"sqlite://")))


def _is_of_files(file: FilePool) -> bool:
    """Whether all engines that a file of the application makes are of SQLite for sure, with the pool that it takes."""
    made = file.engines
    return all(each.url.is_sqlite and not each.url.variable and not each.has("poolclass") for each in made)
