"""The form that developers answer: plain HTML made on the server, which needs no script."""
