"""Teaches SQLAlchemy 1.4 how models are declared since 2.0, so that the same examples run on it.

``DeclarativeBase``, ``Mapped`` and ``mapped_column`` become what 1.4 has in their place, and ``Session.get_one`` is
there. Sessions, connections and pools are left as they are.
"""

from __future__ import annotations

import inspect
import typing
from typing import Any, Generic, TypeVar

import sqlalchemy
from sqlalchemy import Boolean, Column, Integer, String, orm
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm.decl_api import DeclarativeMeta
from sqlalchemy.types import NullType

IS_OLD = sqlalchemy.__version__.startswith("1.")
TYPES = {int: Integer, bool: Boolean, str: String}

T = TypeVar("T")


class Mapped(Generic[T]):
    """What an attribute is in Python."""


def mapped_column(*arguments: Any, **options: Any) -> Column[Any]:
    """A column whose type the annotation tells, unless it is given."""
    return Column(*arguments, **options)


def relationship(argument: Any = None, **options: Any) -> Any:
    """A relationship whose target the annotation tells, unless it is given."""
    return orm.RelationshipProperty(argument, **options)


def get_one(session: orm.Session, entity: Any, key: Any) -> Any:
    """As ``Session.get``; raises NoResultFound where that is None."""
    found = session.get(entity, key)
    if found is None:
        raise NoResultFound
    return found


class _BaseMeta(DeclarativeMeta):
    """Makes a direct subclass of ``DeclarativeBase`` a declarative base."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if bases and isinstance(bases[0], _BaseMeta) and bases[0].__name__ == "DeclarativeBase":
            registry = orm.registry()
            own = {"registry": registry, "metadata": registry.metadata, "__init__": registry.constructor}
            namespace = {**namespace, **own, "__abstract__": True}
        return super().__new__(cls, name, bases, namespace)

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        if bases:
            super().__init__(name, bases, namespace)
        else:
            type.__init__(cls, name, bases, namespace)


def teach() -> None:
    """Adds the new words to ``sqlalchemy.orm``; does nothing on SQLAlchemy 2."""
    if not IS_OLD:
        return
    orm.Mapped, orm.mapped_column, orm.relationship = Mapped, mapped_column, relationship
    orm.Session.get_one = get_one
    orm.DeclarativeBase = _BaseMeta("DeclarativeBase", (), {})
    declare = DeclarativeMeta.__init__

    def complete_and_declare(cls: Any, name: str, bases: Any, namespace: Any, **options: Any) -> None:
        for attribute, annotation in inspect.get_annotations(cls).items():
            _complete(cls, attribute, annotation)
        declare(cls, name, bases, namespace, **options)

    DeclarativeMeta.__init__ = complete_and_declare


def _complete(cls: type, attribute: str, annotation: Any) -> None:
    [inner] = typing.get_args(annotation)
    value = cls.__dict__.get(attribute)
    if isinstance(value, orm.RelationshipProperty):
        [target] = typing.get_args(inner)
        value.argument = value.argument or target
        return
    if value is None:
        value = Column()
        setattr(cls, attribute, value)
    if isinstance(value.type, NullType) and not value.foreign_keys:
        plain = next((part for part in typing.get_args(inner) if part in TYPES), inner)
        value.type = TYPES[plain]()
