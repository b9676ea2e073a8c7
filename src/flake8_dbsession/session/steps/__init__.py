"""What each kind of step does: a state in, the states on its ways out."""
