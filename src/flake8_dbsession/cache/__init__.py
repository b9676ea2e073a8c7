"""What came of files in earlier runs, so that a run in which nothing changed neither parses nor imports the analysis.

A report may depend on any file of the project, because facts cross files. So each outcome is remembered with what it
rests on: the files that were read to find it, looked for or not there, and what was asked of all files. It holds until
one of them has another content, whatever its time says. Where the configuration, this package, a file that declares
versions or processes, or the packages of the project are others, nothing is known. Results never depend on what is
remembered.
"""

from .memory import check_files, clean

__all__ = ["check_files", "clean"]
