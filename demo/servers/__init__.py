"""The tools' APIs, each an ASGI app over a `World`."""
