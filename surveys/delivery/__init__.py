"""How invitations reach people: by mail or as a list of links; a journal knows who is still to be reached."""
