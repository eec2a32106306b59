"""What each kind of person sees first: a question of theirs, its answer, and the ways on."""
