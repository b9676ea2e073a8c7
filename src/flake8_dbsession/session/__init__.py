"""What code does to sessions and connections: their states, and how each statement changes them.

From what is known to what is done with it:

* ``values``, ``state``, ``summary``, ``events``: what a name stands for, what may be true of a session, what a function
  does to those of its callers, what rules are told;
* ``draft``, ``moment``, ``verbs``: a state that one statement changes, the verbs of sessions, and which of them a
  method is;
* ``expressions``: what is evaluated, ``evaluate`` first; ``functions`` where the project's own are called, ``sharing``
  where a thread, task or job gets something, ``waiting`` and ``pausing`` where time passes;
* ``steps``: what each kind of statement does; ``transfer`` carries them out, and remembers;
* ``body``, ``flow``, ``leaks``: one function, and what has come of it when all its ways have been followed;
  ``outside``, ``made_anew``: as its callers see it.
"""
