"""As much of the server of Weights & Biases as a run needs, on loopback. It keeps what it is told, for tests to compare."""

import base64
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "0123456789" * 4
ENTITY = "team"


@dataclass
class Run:
    """A run as the server has it."""

    upserts: list[dict] = field(default_factory=list)
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    exit_code: int | None = None

    def rows(self, name: str) -> list[dict]:
        """The lines of a file, which must have no gap."""
        lines = self.lines.get(name, {})
        assert sorted(lines) == list(range(len(lines))), f"{name} has gaps"
        return [json.loads(lines[at]) for at in range(len(lines))]

    @property
    def config(self) -> dict:
        """The last config that was told, without its wrapping."""
        told = [json.loads(upsert["config"]) for upsert in self.upserts if upsert.get("config")]
        return {name: value["value"] for name, value in told[-1].items()}

    @property
    def summary(self) -> dict:
        """The last line of the summary."""
        lines = self.lines["wandb-summary.json"]
        return json.loads(lines[max(lines)])

    def told(self, name: str) -> object:
        """The last value of a field that was told at all."""
        values = [upsert[name] for upsert in self.upserts if upsert.get(name)]
        return values[-1] if values else None


@dataclass
class Artifact:
    """A version of something."""

    input: dict
    files: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    manifest: dict | None = None
    committed: bool = False


class Stub:
    """A server; `with Stub() as stub` starts and stops it."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.unknown: list[str] = []
        self.lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def answer(self, status: int, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    pieces = []
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        pieces.append(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                    return b"".join(pieces)
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def do_POST(self) -> None:
                body = self.body()
                wanted = "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode()
                if self.headers.get("Authorization") != wanted:
                    return self.answer(401, {"error": "unknown key"})
                question = json.loads(body)
                with stub.lock:
                    if self.path == "/graphql":
                        return self.answer(200, {"data": stub.answer(question)})
                    parts = self.path.strip("/").split("/")
                    assert parts[0] == "files" and parts[-1] == "file_stream", self.path
                    stub.stream(stub.runs[parts[3]], question)
                return self.answer(200, {"exitcode": None, "limits": {}})

            def do_PUT(self) -> None:
                body = self.body()
                with stub.lock:
                    _, kind, owner, name = self.path.split("/", 3)
                    if kind == "run":
                        stub.runs[owner].files[name] = body
                    elif name == "wandb_manifest.json":
                        stub.artifacts[owner].manifest = json.loads(body)
                    else:
                        stub.artifacts[owner].files[name] = body
                self.answer(200, {})

            def do_GET(self) -> None:
                self.answer(404, {})

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                # The real client drops connections that it keeps open when it is done.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Stub":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()

    def env(self) -> dict[str, str]:
        """What a client needs to find it."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": KEY}

    def stream(self, run: Run, body: dict) -> None:
        for name, chunk in (body.get("files") or {}).items():
            lines = run.lines.setdefault(name, {})
            for at, line in enumerate(chunk["content"]):
                lines[chunk["offset"] + at] = line
        if body.get("complete"):
            run.exit_code = body["exitcode"]

    def answer(self, question: dict) -> dict | None:
        named = re.search(r"\b(?:query|mutation)\s+(\w+)", question["query"])
        name, variables = named and named[1], question.get("variables") or {}
        answer = getattr(self, f"ask_{name}", None)
        if answer is None:
            self.unknown.append(name or question["query"][:60])
            return {}
        return answer(variables)

    def ask_Viewer(self, _: dict) -> dict:
        return {"viewer": {"id": "me", "entity": ENTITY, "username": "me", "email": "", "flags": "{}", "teams": {"edges": []}}}

    def ask_UpsertBucket(self, variables: dict) -> dict:
        name = variables["name"]
        is_new = name not in self.runs
        run = self.runs.setdefault(name, Run())
        run.upserts.append(variables)
        project = {"id": "p", "name": variables["project"], "entity": {"id": "e", "name": variables.get("entity") or ENTITY}}
        bucket = {"id": "b", "name": name, "displayName": run.told("displayName"), "project": project, "historyLineCount": 0}
        return {"upsertBucket": {"bucket": {**bucket, "description": None, "sweepName": None}, "inserted": is_new}}

    def ask_RunResumeStatus(self, variables: dict) -> dict:
        run = self.runs.get(variables["name"])
        model = {"id": "p", "name": variables["project"], "entity": {"id": "e", "name": ENTITY}, "bucket": None}
        if run:
            model["bucket"] = {
                "id": "b",
                "name": variables["name"],
                "summaryMetrics": "{}",
                "displayName": run.told("displayName"),
                "logLineCount": 0,
                "historyLineCount": len(run.lines.get("wandb-history.jsonl", {})),
                "eventsLineCount": len(run.lines.get("wandb-events.jsonl", {})),
                "historyTail": json.dumps(list(run.lines.get("wandb-history.jsonl", {}).values())[-1:]),
                "eventsTail": "[]",
                "config": "{}",
                "tags": [],
                "wandbConfig": "{}",
            }
        return {"model": model}

    def ask_CreateRunFiles(self, variables: dict) -> dict:
        place = lambda name: {"name": name, "uploadUrl": f"{self.url}/run/{variables['run']}/{name}"}  # noqa: E731
        files = [place(name) for name in variables["files"]]
        return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}

    def ask_ArtifactType(self, _: dict) -> dict:
        return {"project": None}

    def ask_CreateArtifact(self, variables: dict) -> dict:
        given = variables.get("input", variables)
        key = given["digest"]
        artifact = self.artifacts.setdefault(key, Artifact(given))
        state = "COMMITTED" if artifact.committed else "PENDING"
        return {"createArtifact": {"artifact": {"id": key, "state": state, "artifactSequence": {"id": "s", "latestArtifact": None}}}}

    def ask_CreateArtifactManifest(self, variables: dict) -> dict:
        url = f"{self.url}/artifact/{variables['artifactID']}/wandb_manifest.json"
        file = {"id": "f", "uploadUrl": url, "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}

    def ask_CreateArtifactFiles(self, variables: dict) -> dict:
        edges = []
        for spec in variables["input"]["artifactFiles"]:
            key, name = spec["artifactID"], spec["name"]
            self.artifacts[key].digests[name] = spec["md5"]
            node = {"storagePath": None, "uploadUrl": f"{self.url}/artifact/{key}/{name}", "uploadHeaders": []}
            edges.append({"node": {**node, "uploadMultipartUrls": None, "artifact": {"id": key}, "name": name}})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def ask_CommitArtifact(self, variables: dict) -> dict:
        key = variables["artifactID"]
        self.artifacts[key].committed = True
        return {"commitArtifact": {"artifact": {"id": key, "digest": key}}}
