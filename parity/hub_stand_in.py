"""The stand-in for the Hub as a process, and what a test asks of it beside the Hub's own interface."""

import json
import os
import pathlib
import subprocess
import urllib.request


class StandIn:
    def __init__(self, folder: pathlib.Path) -> None:
        self.process = subprocess.Popen(
            [os.environ["TUNESMITH_STAND_IN"], str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def _ask(self, method: str, what: str, value: object = None) -> object:
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(f"{self.url}/_stand-in/{what}", data=body, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def fault(self, matching: str, what: object, **more: int) -> None:
        self._ask("POST", "faults", {"matching": matching, "what": what, **more})

    def no_faults(self) -> None:
        self._ask("DELETE", "faults")

    def commit(self, kind: str, name: str, files: dict[str, str], branch: str = "main") -> str:
        return self._ask("POST", "commits", {"kind": kind, "name": name, "branch": branch, "files": files})["commit"]

    def requests(self) -> list[dict]:
        """What was asked since the last time."""
        asked = self._ask("GET", "requests")
        self._ask("DELETE", "requests")
        return asked

    def fetched(self) -> list[str]:
        """Files whose bytes were asked for since the last time; the store names them by their digest."""
        gets = [asked for asked in self.requests() if asked["method"] == "GET"]
        return [asked["target"].split("?")[0] for asked in gets if asked["of_store"] or "/resolve-cache/" in asked["target"]]
