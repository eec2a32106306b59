"""Stands in for what `cairn up` runs: `stand_in.py DIRECTORY NAME [port=N] [socket=PATH] [after=S] ...`.

Leaves its process id, and that of a child of its own, in DIRECTORY/NAME.pids.
"""

import http.server
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

directory, name, *rest = sys.argv[1:]
options = dict(option.partition("=")[::2] for option in rest)

if "stubborn" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(f"{name} says hello")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pids = Path(directory, f"{name}.pids")
pids.with_suffix(".part").write_text(f"{os.getpid()} {child.pid}")
pids.with_suffix(".part").rename(pids)

if "socket" in options:
    socket.socket(socket.AF_UNIX).bind(options["socket"])
if "exit" in options:
    time.sleep(float(options.get("after", "0")))
    print(f"{name} has had enough")
    child.kill()
    sys.exit(int(options["exit"]))
if "port" in options:

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    http.server.ThreadingHTTPServer(("127.0.0.1", int(options["port"])), Handler).serve_forever()
time.sleep(600)
