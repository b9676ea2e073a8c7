"""Whole applications under load: as they are written, and after our own fixes and nothing else.

``fixtures/apps/<name>/proof.py`` says which processes an application is made of; ``load.py`` beside it puts it under
load. This package copies, fixes, starts and watches them, and draws what it saw.
"""
