"""Proofs: each rule's example is run against a real pool, as written and as mended, and the difference is seen.

``fixtures/<rule>/proof.py`` says what to do with the example and what is to be seen; this package brings the
pool, the servers, the clock and the threads.
"""

from .expectations import anything_but, at_least, at_most, contains
from .old_sqlalchemy import IS_OLD

NEEDS_SQLALCHEMY_2 = "the example needs SQLAlchemy 2" if IS_OLD else ""
"""For ``UNFIT`` of a proof."""

__all__ = ["NEEDS_SQLALCHEMY_2", "anything_but", "at_least", "at_most", "contains"]
