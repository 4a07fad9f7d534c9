# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real Kubernetes control plane on loopback, with simulated nodes: etcd, API server, controllers, scheduler and kwok.

Nothing runs in a pod: kwok says of nodes that they are ready and of their pods that they run. It is for tests: etcd asks nobody who he is, so that
whoever is on this machine can reach what is in it. Standard library only: 'make kube-up' needs no environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

import tools

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / ".cache" / "kube"
CRDS = pathlib.Path(__file__).with_name("crds")

ADMIN, CONTROLLERS, SCHEDULER, SOMEBODY = "admin", "controllers", "scheduler", "somebody"
"""Who may ask the API server: somebody has no rights but those that RBAC gives him."""
GROUPS = {
    ADMIN: ("admin", "system:masters"),
    CONTROLLERS: ("system:kube-controller-manager", "system:masters"),
    SCHEDULER: ("system:kube-scheduler", ""),
    SOMEBODY: ("somebody", ""),
}
START_SECONDS = 120
# Nodes say every ten minutes that they live, and have no leases to renew: a thousand of them are no work.
GRACE = "1h"
SCHEDULER_CONFIGURATION = """\
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: {{leaderElect: false}}
clientConnection: {{kubeconfig: {kubeconfig}, qps: 500, burst: 1000}}
"""
STAGES = ("node/fast/node-initialize", "node/heartbeat-with-lease/node-heartbeat-with-lease", "pod/fast/*", "volume/fast/pv*")
STORAGE_CLASS = "volume/fast/storage-class.yaml"


class Failed(Exception):
    """Why there is no control plane, with the end of what the program wrote."""


class Refused(Exception):
    """The status that the API server answered, and why."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


class Cluster:
    """One control plane, with everything it writes in C(place). As a context manager it ends with the process that started it, however that ends."""

    def __init__(self, place: pathlib.Path):
        self.place = place
        self.processes: list[subprocess.Popen] = []

    # -- what a user of it needs --

    @property
    def kubeconfig(self) -> pathlib.Path:
        return self.place / "kubeconfig"

    @property
    def authority(self) -> pathlib.Path:
        return self.place / "certificates" / "apiserver.crt"

    @property
    def port(self) -> int:
        return self._state()["port"]

    def token(self, user: str = ADMIN) -> str:
        return self._state()["tokens"][user]

    def client(self, user: str = ADMIN) -> Client:
        return Client(self.port, self.authority, self.token(user))

    # -- start and stop --

    def __enter__(self) -> Cluster:
        self.stop()
        self.start(bound=True)
        return self

    def __exit__(self, *_why: object) -> None:
        self.stop()

    def running(self) -> bool:
        """Whether all of its programs run and the API server answers."""
        pids = self._pids()
        if not pids or not all(_is(pid, self.place) for pid in pids.values()):
            return False
        try:
            return self.client().ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def start(self, bound: bool = False) -> None:
        """C(bound): the programs end when this process does. Raises tools.Missing or Failed, and leaves nothing behind then."""
        programs = tools.programs("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
        self.place.mkdir(parents=True, mode=0o700)
        try:
            self._start(programs, bound)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End its programs and remove what they wrote."""
        pids = [pid for pid in self._pids().values() if _is(pid, self.place)]
        for pid in pids:
            # Nothing they know is kept, so they need not say goodbye to each other.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes.clear()
        while any(_is(pid, self.place) for pid in pids):
            time.sleep(0.02)
        if self.place.exists():
            shutil.rmtree(self.place)

    def _start(self, programs: dict[str, pathlib.Path], bound: bool) -> None:
        etcd, peers, port = free_ports(3)
        tokens = {user: secrets.token_urlsafe(32) for user in GROUPS}
        self._write("state.json", json.dumps({"port": port, "tokens": tokens}))
        rows = [",".join((tokens[user], name, user, *([group] if group else []))) for user, (name, group) in GROUPS.items()]
        self._write("tokens.csv", "".join(f"{row}\n" for row in rows))
        key = str(self.place / "certificates" / "apiserver.key")
        self._run(
            programs["etcd"], bound,
            f"--data-dir={self.place / 'etcd'}", f"--listen-client-urls=http://127.0.0.1:{etcd}", f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peers}",
            f"--initial-cluster=default=http://127.0.0.1:{peers}", "--unsafe-no-fsync", "--log-level=warn",
        )  # fmt: skip
        self._run(
            programs["kube-apiserver"], bound,
            f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={port}",
            f"--cert-dir={self.place / 'certificates'}", f"--token-auth-file={self.place / 'tokens.csv'}", "--anonymous-auth=false",
            "--authorization-mode=Node,RBAC", "--service-account-issuer=https://kubernetes.default.svc",
            # The key that the API server makes for itself signs the tokens of service accounts too.
            f"--service-account-signing-key-file={key}", f"--service-account-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none", "--profiling=false", "--shutdown-delay-duration=0s",
            "--max-requests-inflight=0", "--max-mutating-requests-inflight=0", "--enable-priority-and-fairness=false",
        )  # fmt: skip
        self._until_ready()
        for user in (ADMIN, CONTROLLERS, SCHEDULER):
            name = "kubeconfig" if user == ADMIN else f"{user}.kubeconfig"
            self._write(name, json.dumps(self._access(tokens[user]), indent=1))
        self._run(
            programs["kube-controller-manager"], bound,
            f"--kubeconfig={self.place / 'controllers.kubeconfig'}", f"--service-account-private-key-file={key}", f"--root-ca-file={self.authority}",
            "--leader-elect=false", "--secure-port=0", f"--node-monitor-grace-period={GRACE}", "--kube-api-qps=500", "--kube-api-burst=1000",
        )  # fmt: skip
        self._write("scheduler.yaml", SCHEDULER_CONFIGURATION.format(kubeconfig=self.place / "scheduler.kubeconfig"))
        self._run(programs["kube-scheduler"], bound, f"--config={self.place / 'scheduler.yaml'}", "--secure-port=0")
        stages = programs["kwok"].parent / "kustomize" / "stage"
        self._write("kwok.yaml", "\n---\n".join(path.read_text(encoding="utf-8") for name in STAGES for path in sorted(stages.glob(f"{name}.yaml"))))
        self._run(
            programs["kwok"], bound,
            f"--kubeconfig={self.kubeconfig}", f"--config={self.place / 'kwok.yaml'}", "--manage-all-nodes=true",
            "--node-lease-duration-seconds=0", "--cidr=10.0.0.0/8",
        )  # fmt: skip
        self._furnish(stages)

    def _furnish(self, stages: pathlib.Path) -> None:
        """What a cluster has that somebody set up: a default storage class and the resources of operators."""
        client = self.client()
        client.make("/apis/storage.k8s.io/v1/storageclasses", (stages / STORAGE_CLASS).read_bytes())
        schemas = Schemas(client)
        for path in sorted(CRDS.glob("*.yml")):
            client.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", schemas.filled(path.read_text(encoding="utf-8")).encode())
        self._until(lambda: all(self._established(client, path.stem) for path in CRDS.glob("*.yml")), "its custom resources")
        # Pods are refused until their namespace has one.
        self._until(lambda: client.ask("GET", "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200, "its first service account")

    @staticmethod
    def _established(client: Client, name: str) -> bool:
        found = json.loads(client.ask("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")[1])
        conditions = {each["type"]: each for each in found["status"].get("conditions") or []}
        unsound = conditions.get("NonStructuralSchema", {})
        if unsound.get("status") == "True" or conditions.get("NamesAccepted", {}).get("status") == "False":
            raise Failed(f"{CRDS / name}.yml is not what the API server takes: {json.dumps(conditions)}")
        return conditions.get("Established", {}).get("status") == "True"

    def _until_ready(self) -> None:
        def ready() -> bool:
            try:
                return self.client().ask("GET", "/readyz")[0] == 200
            except (OSError, http.client.HTTPException):
                return False

        self._until(ready, "the API server")

    def _until(self, there, what: str) -> None:
        until = time.monotonic() + START_SECONDS
        while not there():
            for process in self.processes:
                if process.poll() is not None:
                    name = process.args[0].name
                    raise Failed(f"{name} ended with {process.returncode}:\n{self._said(name)}")
            if time.monotonic() > until:
                raise Failed(f"{what} is not there after {START_SECONDS} s. The API server says:\n{self._said('kube-apiserver')}")
            time.sleep(0.1)

    def _run(self, program: pathlib.Path, bound: bool, *options: str) -> None:
        with open(self.place / f"{program.name}.log", "wb") as log:
            process = subprocess.Popen(
                [program, *options], cwd=self.place, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_end_with_parent if bound else None,
            )  # fmt: skip
        self.processes.append(process)
        self._write("pids.json", json.dumps({**self._pids(), program.name: process.pid}))

    def _access(self, token: str) -> dict:
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.authority)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "tests", "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all, and for nobody else."""
        beside = self.place / f".{name}"
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        beside.rename(self.place / name)

    def _state(self) -> dict:
        return json.loads((self.place / "state.json").read_text(encoding="utf-8"))

    def _pids(self) -> dict[str, int]:
        path = self.place / "pids.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _said(self, name: str) -> str:
        text = (self.place / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(f"  {line}" for line in text.splitlines()[-15:])


class Client:
    """Asks the API server; one at a time."""

    def __init__(self, port: int, authority: pathlib.Path, token: str):
        self.token = token
        context = ssl.create_default_context(cafile=str(authority)) if authority.exists() else ssl.create_default_context()
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/yaml") -> tuple[int, bytes]:
        """Status and body of the answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", **({"Content-Type": kind} if body else {})}
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except BaseException:
            self.connection.close()
            raise

    def answer(self, method: str, path: str, body: object = None, **query: str) -> dict:
        """The answer as Python values. Raises Refused."""
        url = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        status, answer = self.ask(method, url, json.dumps(body).encode() if body is not None else None, "application/json")
        if status >= 300:
            raise Refused(status, json.loads(answer)["message"])
        return json.loads(answer)

    def make(self, path: str, body: bytes) -> None:
        """One more of a collection, from YAML."""
        status, answer = self.ask("POST", f"{path}?fieldValidation=Strict", body)
        if status != 201:
            raise Failed(f"The API server refuses to make one of {path} ({status}): {answer.decode(errors='replace')}")


class Schemas:
    """Kubernetes' own objects in the schemas of others, a pod in a set of pods for one, as the API server itself describes them.

    A file says "schema of io.k8s.api.core.v1.PodTemplateSpec" where one belongs.
    """

    WANTED = re.compile(r'"schema of (io\.k8s\.[\w.]+)"')
    # What the schema of a custom resource may say.
    KEPT = ("type", "format", "required", "enum", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type")

    def __init__(self, client: Client):
        status, answer = client.ask("GET", "/openapi/v3/api/v1")
        if status != 200:
            raise Failed(f"The API server does not describe its objects ({status}).")
        self.known = json.loads(answer)["components"]["schemas"]

    def filled(self, text: str) -> str:
        """JSON is YAML."""
        return self.WANTED.sub(lambda found: json.dumps(self._structural(self.known[found[1]])), text)

    def _structural(self, schema: dict) -> dict:
        for reference in [schema, *schema.get("allOf", [])]:
            if "$ref" in reference:
                schema = {**schema, **self.known[reference["$ref"].rpartition("/")[2]]}
        # A quantity is one of these too.
        if "oneOf" in schema:
            return {"x-kubernetes-int-or-string": True}
        kept = {key: schema[key] for key in self.KEPT if key in schema}
        # Those of whole objects are of no use, those of the keys of lists are needed, and "" is given to some that may not be empty.
        if isinstance(schema.get("default"), (str, int)) and schema["default"] in schema.get("enum", [schema["default"]]):
            kept["default"] = schema["default"]
        if "properties" in schema:
            kept["properties"] = {name: self._structural(inner) for name, inner in schema["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                kept[key] = self._structural(schema[key])
        return kept


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in listening]
    finally:
        for each in listening:
            each.close()


def _end_with_parent() -> None:
    """In a child before it becomes the program: Linux ends it when its parent is gone, however that ended."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _is(pid: int, place: pathlib.Path) -> bool:
    """Whether a process is one of this control plane's, and not one that was given its number later."""
    try:
        return pathlib.Path(f"/proc/{pid}/cwd").readlink() == place
    except OSError:
        return False


def up(cluster: Cluster) -> None:
    if not cluster.running():
        cluster.stop()
        cluster.start()
    print(f"Kubernetes {tools.TOOLS['kube-apiserver'].version} is up, with no nodes yet. To use it:")
    print(f"  export KUBECONFIG={cluster.kubeconfig}")
    print("'make kube-down' ends it and removes what is in it.")


def main(arguments: list[str]) -> int:
    # Apart from that of the tests.
    cluster = Cluster(PLACE / "up")
    try:
        if arguments == ["up"]:
            up(cluster)
        elif arguments == ["down"]:
            cluster.stop()
        else:
            print("usage: cluster.py up|down", file=sys.stderr)
            return 2
    except (tools.Missing, Failed) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
