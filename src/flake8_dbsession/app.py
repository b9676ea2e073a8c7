"""Whole-application facts: who removes the session when a unit of work ends."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .known import Entry
from .session.values import Resource

if TYPE_CHECKING:
    from .project import Project


class Application:
    """What is true of the project as a whole."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def holds_dependency_while_streaming(self) -> bool:
        """Whether the declared FastAPI leaves a dependency with ``yield`` only after the response has been sent."""
        return self.project.known.dependency_exit(self.versions.get("fastapi", "")) == "after-response"

    @cached_property
    def versions(self) -> dict[str, str]:
        """The versions that the project declares, by distribution name."""
        return {}

    def removes(self, registry: Resource, worker: Entry) -> bool:
        """Whether the application gives the registry's connection back after each run of such a worker."""
        return registry.flavour == "flask" and worker.cleans_flask_sqlalchemy
