"""The stand-in of the FIA API: answers `GET /live-data/<instrument>/script` with the script as a JSON string."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What a scientist's script does: counts each spectrum's events into one bin, saves, prints. It also prints the token that it
# is given, which must be seen nowhere.
REDUCTION = """
import os

from mantid.simpleapi import *


def execute():
    run = mtd["lives"]
    counts = Rebin(run, "0,20000,20000", PreserveEvents=False)
    SaveNexusProcessed(counts, f"{config['defaultsave.directory']}/{run.getRunNumber()}.nxs")
    print("reduced run", run.getRunNumber(), "with", run.getNumberEvents(), "events")
    print("the token is", os.environ.get("GITHUB_API_TOKEN", "missing"))
"""


class ScriptApi:
    """Serves one script on an address of this machine until it is closed."""

    def __init__(self, host: str) -> None:
        """Listens on a free port."""
        requested: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requested.append(self.path)
                known = self.path == "/live-data/merlin/script"
                body = json.dumps(REDUCTION if known else {"detail": "not found"}).encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.requested = requested
        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{host}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()
