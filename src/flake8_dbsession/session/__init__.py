"""What code does to sessions and connections: their states, and how each statement changes them.

Where a line belongs, from what is known to what is done with it:

* ``values``, ``state``, ``summary``, ``events``: what a name stands for, what may be true of a session, what a function
  does to those of its callers, what rules are told;
* ``draft``, ``moment``, ``verbs``: a state that one statement changes, the verbs of sessions, and which of them a
  method is;
* ``evaluate`` and what it asks: ``attributes``, ``calls``, ``methods``, ``compound`` for expressions, ``opening``,
  ``rows``, ``waiting``, ``handover`` for what they mean, ``project_calls``, ``constructing``, ``effects``, ``formals``
  for functions and classes of the project;
* ``steps``, with ``blocks`` and ``exceptions``: what each kind of step does; ``transfer`` carries them out;
* ``flow``, ``leaks``: one function when all its ways have been followed; ``outside``, ``made_anew``: as its callers see
  it.
"""
