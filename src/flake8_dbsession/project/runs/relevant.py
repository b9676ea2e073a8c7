"""Files that say nothing of sessions, and call what works with them: they import it from a module of the project."""

from __future__ import annotations

from ...relevance import keeps_sessions
from ..modules.module import Module
from ..project import Project


def imports_sessions(project: Project, module: Module) -> bool:
    """Whether a module of the project that may work with sessions is imported at the top of the file."""
    for binding in module.names.bindings.values():
        found = project.split(binding.imported)[0] if binding.imported else None
        if found is not None and found is not module:
            project.modules.meet(found)
            if keeps_sessions(found.source.data):
                return True
    return False
