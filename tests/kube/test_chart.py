# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the chart makes of values, rendered by the real helm."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import kubernetes_validate
import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from chart_render import BASE, CASES, CHART, NAMES, NAMESPACE, NEWEST, OLDEST, SINCE, command, parse

OF_OTHERS = {"HTTPRoute", "PodMonitor", "ScaledObject", "TriggerAuthentication", "LeaderWorkerSet"}
"""Kinds that are not Kubernetes' own."""


@pytest.fixture(scope="session")
def render(programs):
    """render(case, *options, version=, chart=): what helm template makes of it."""
    known = {}

    def ask(case, *options, version=NEWEST, chart=CHART):
        line = tuple(command("template", case, *options, version=version, chart=chart))
        if line not in known:
            done = programs.run(*line)
            assert done.returncode == 0, done.stderr
            known[line] = parse(done.stdout)
        return known[line]

    return ask


@pytest.fixture
def refused(programs):
    """refused(case, *options): what helm says, which must be one error and nothing rendered."""

    def ask(case, *options, version=NEWEST):
        done = programs.run(*command("template", case, *options, version=version))
        assert done.returncode != 0, done.stdout
        assert done.stdout == ""
        return done.stderr

    return ask


# --- every case -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", NAMES)
def test_lint(programs, case):
    done = programs.run(*command("lint", case, "--strict"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout + done.stderr


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("case", NAMES)
def test_objects_are_valid(render, case, version):
    if version < SINCE.get(case, OLDEST):
        version = SINCE[case]
    found = render(case, version=version)
    own = [each for each in found.objects.values() if each["kind"] not in OF_OTHERS]
    assert len(own) >= 4
    for each in own:
        kubernetes_validate.validate(each, version.rpartition(".")[0], strict=True)
    for each in found.objects.values():
        assert each["metadata"]["namespace"] == NAMESPACE


@pytest.mark.parametrize("case", NAMES)
def test_pods_are_restricted(render, case):
    """Pod Security's level of that name, and what this collection wants beside it."""
    for pod in render(case).pods():
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        allowed = {"configMap", "emptyDir", "image", "persistentVolumeClaim", "secret", *(["hostPath"] if case == "host_path" else [])}
        assert {key for volume in spec.get("volumes", []) for key in volume} - {"name"} <= allowed
        for container in (*spec.get("initContainers", []), *spec["containers"]):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is (case != "contexts")
            assert not [port for port in container.get("ports", []) if "hostPort" in port]
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("case", NAMES)
def test_secrets_are_files(render, case):
    for pod in render(case).pods():
        for container in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]):
            assert "envFrom" not in container
            assert [variable for variable in container.get("env", []) if set(variable) != {"name", "value"}] == []
            secrets = {volume["name"] for volume in pod["spec"].get("volumes", []) if "secret" in volume}
            for mount in container.get("volumeMounts", []):
                assert mount["name"] not in secrets or mount["readOnly"]
        for volume in pod["spec"].get("volumes", []):
            assert volume.get("secret", {"defaultMode": 0o440})["defaultMode"] == 0o440


@pytest.mark.parametrize("case", NAMES)
def test_volumes_and_mounts_are_one(render, case):
    found = render(case)
    own = {claim["metadata"]["name"] for claim in found.workload["spec"].get("volumeClaimTemplates", [])}
    for pod in found.pods():
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
        containers = (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])
        mounted = {mount["name"] for container in containers for mount in container.get("volumeMounts", [])}
        assert volumes <= mounted
        assert mounted - volumes <= own


@pytest.mark.parametrize("case", NAMES)
def test_selectors_choose_the_pods_they_are_for(render, case):
    found = render(case)
    labels = {pod["spec"]["containers"][0]["name"]: pod["metadata"]["labels"] for pod in found.pods()}
    for each in found.objects.values():
        name = each["metadata"]["name"]
        if each["kind"] not in ("Service", "NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "Deployment", "StatefulSet"):
            continue
        selector = each["spec"]["podSelector" if each["kind"] == "NetworkPolicy" else "selector"]
        chosen = selector.get("matchLabels", selector)
        wanted = "worker" if name.endswith(("-worker", "-workers")) else "server"
        assert [which for which, has in labels.items() if chosen.items() <= has.items()] == [wanted], name


@pytest.mark.parametrize("case", NAMES)
def test_what_cannot_change_does_not_with_another_version(render, case, tmp_path):
    newer = tmp_path / "chart"
    shutil.copytree(CHART, newer)
    chart = yaml.safe_load((newer / "Chart.yaml").read_text())
    (newer / "Chart.yaml").write_text(yaml.safe_dump({**chart, "version": "2.3.4", "appVersion": "b99999"}))
    before, after = (render(case, *more, chart=where) for where, more in ((CHART, ()), (newer, ("--set", "commonLabels.more=yes"))))
    assert {key for key in before.objects if key[0] != "ResourceClaimTemplate"} == {key for key in after.objects if key[0] != "ResourceClaimTemplate"}
    for key, each in before.objects.items():
        if key[0] == "StatefulSet":
            for name in ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"):
                assert each["spec"].get(name) == after.objects[key]["spec"].get(name)
        if key[0] == "Deployment":
            assert each["spec"]["selector"] == after.objects[key]["spec"]["selector"]


# --- the plan -------------------------------------------------------------------------------------------------------------------------


def test_plan_is_kept_as_it_is(render):
    plan = yaml.safe_load(BASE.read_text())["plan"]
    found = render("base")
    kept = found.one("ConfigMap", "chat-llama-server-plan")
    assert kept["data"] == {"plan.json": plan["document"], "reasons.txt": "\n".join(plan["reasons"]) + "\n"}
    assert json.loads(kept["data"]["plan.json"])["model"]["size_bytes"] == 376000000000
    digest = "sha256:" + hashlib.sha256(plan["document"].encode()).hexdigest()
    for each in (kept, found.workload, found.workload["spec"]["template"]):
        assert each["metadata"]["annotations"]["prositronic.eu/plan-digest"] == digest


# --- the server -----------------------------------------------------------------------------------------------------------------------


def test_without_a_key_only_the_pod_reaches_it(render):
    found = render("base")
    assert "Service" not in found.kinds()
    assert found.server["args"] == [
        "--log-verbosity", "4", "--model", "/models/llama-00001-of-00002.gguf", "--host", "127.0.0.1", "--port", "8080", "--no-ui",
        "--ctx-size", "32768", "--parallel", "4",
    ]  # fmt: skip
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = found.server[probe]["exec"]["command"]
        assert asked[0] == "curl"
        assert asked[-3:] == ["--max-time", str(found.server[probe]["timeoutSeconds"]), "http://127.0.0.1:8080/health"]
    policy = found.one("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert "lifecycle" not in found.server


def test_with_a_key_others_reach_it(render):
    found = render("key")
    assert found.server["args"][4:10] == ["--host", "0.0.0.0", "--port", "8080", "--api-key-file", "/run/secrets/llama-server/api-keys"]
    assert found.server["startupProbe"] == {
        "httpGet": {"path": "/health", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 43, "timeoutSeconds": 5
    }  # fmt: skip
    assert found.one("Service")["spec"]["ports"] == [{"name": "http", "port": 8080, "targetPort": "http", "appProtocol": "http"}]
    secret = {"secretName": "keys", "optional": False, "defaultMode": 0o440, "items": [{"key": "api-keys", "path": "api-keys"}]}
    assert {"name": "api-keys", "secret": secret} in found.pod["volumes"]
    rule = {"from": [{"podSelector": {}}], "ports": [{"port": 8080, "protocol": "TCP"}]}
    assert found.one("NetworkPolicy")["spec"]["ingress"] == [rule]
    assert found.server["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


def test_tls(render):
    found = render("key_tls")
    tls = "/run/secrets/llama-server-tls"
    assert found.server["args"][8:15] == [
        "--api-key-file", "/run/secrets/llama-server/api-keys", "--ssl-cert-file", f"{tls}/tls.crt", "--ssl-key-file", f"{tls}/tls.key", "--no-ui"
    ]  # fmt: skip
    assert {found.server[probe]["httpGet"]["scheme"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {"HTTPS"}
    service = found.one("Service")
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["ports"][0] == {"name": "http", "port": 443, "targetPort": "http", "appProtocol": "https"}
    assert service["metadata"]["annotations"] == {"example.org/a": "b"}
    assert service["metadata"]["labels"]["example.org/c"] == "d"
    alone = render("tls_alone")
    assert alone.server["startupProbe"]["exec"]["command"][-1] == "https://127.0.0.1:8080/health"


def test_ipv6(render):
    found = render("ipv6")
    assert found.server["args"][4:8] == ["--host", "::", "--port", "9000"]
    assert found.server["ports"] == [{"name": "http", "containerPort": 9000}]
    assert found.one("Service")["spec"]["ports"][0]["port"] == 8080
    assert render("ipv6_alone").server["startupProbe"]["exec"]["command"][-1] == "http://[::1]:8080/health"


def test_order_of_arguments(render):
    assert render("server").server["args"] == [
        "--log-verbosity", "3", "--model", "/models/llama-00001-of-00002.gguf", "--alias", "llama 3.1", "--host", "127.0.0.1", "--port", "8080", "--ui",
        "--ctx-size", "32768", "--parallel", "4", "--metrics", "--threads", "8",
    ]  # fmt: skip
    assert render("server").server["command"] == ["/app/llama-server"]
    assert "command" not in render("base").server


def test_times_of_probes(render):
    server = render("server").server
    for probe, times in (("startupProbe", (10, 43, 5)), ("readinessProbe", (5, 2, 4)), ("livenessProbe", (20, 6, 15))):
        assert tuple(server[probe][key] for key in ("periodSeconds", "failureThreshold", "timeoutSeconds")) == times


def test_environment_is_where_it_can_write(render):
    values = {each["name"]: each["value"] for each in render("server").server["env"]}
    assert values == {"GGML_VK_VISIBLE_DEVICES": "0", "HOME": "/tmp", "LLAMA_CACHE": "/tmp"}
    assert {"name": "tmp", "mountPath": "/tmp"} in render("server").server["volumeMounts"]


def test_contexts(render):
    found = render("contexts")
    assert found.pod["securityContext"] == {
        "fsGroup": 1000, "fsGroupChangePolicy": "OnRootMismatch", "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}
    }  # fmt: skip
    assert render("base").pod["securityContext"]["runAsUser"] == 65534


def test_names(render):
    found = render("names")
    assert {name for kind, name in found.objects} == {"chat", "chat-plan", "chat-download", "chat-model"}
    assert found.workload["spec"]["template"]["metadata"]["labels"] == {
        "app.kubernetes.io/name": "llm", "app.kubernetes.io/instance": "chat", "app.kubernetes.io/component": "server", "team": "ml", "tier": "gpu"
    }  # fmt: skip
    for each in found.objects.values():
        assert each["metadata"]["labels"]["team"] == "ml"
        assert each["metadata"]["annotations"]["example.org/owner"] == "ml"
    assert found.workload["spec"]["template"]["metadata"]["annotations"]["example.org/pod"] == "yes"
    assert found.one("ServiceAccount")["metadata"]["annotations"]["example.org/role"] == "none"


def test_long_names_have_room_for_what_is_put_behind(render):
    name = "a" * 60
    found = render("workers", "--set", f"nameOverride={name}")
    assert max(len(each) for _kind, each in found.objects) <= 63
    # A StatefulSet's pods have its name and a digest in one label.
    assert max(len(each) for kind, each in found.objects if kind == "StatefulSet") <= 52
    for each in found.objects.values():
        assert all(len(value) <= 63 for value in each["metadata"]["labels"].values())


# --- the workload ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["base", "cpu", "host_path", "download_existing"])
def test_one_replica_ends_before_the_next_begins(render, case):
    spec = render(case).workload["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert "PodDisruptionBudget" not in render(case).kinds()


@pytest.mark.parametrize(("case", "replicas"), [("claim", 2), ("several", 4)])
def test_several_replicas_end_one_by_one(render, case, replicas):
    found = render(case)
    assert found.workload["spec"]["replicas"] == replicas
    assert found.workload["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    assert found.one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_slow_starts_are_waited_for(render):
    """10 s times 43, the image, and 376 GB at 20 MB/s."""
    assert render("base").workload["spec"]["progressDeadlineSeconds"] == 600 + 430 + 18800 + 3000
    assert render("claim").workload["spec"]["progressDeadlineSeconds"] == 600 + 430


def test_each_replica_with_a_claim_of_its_own(render):
    found = render("own_claims")
    spec = found.workload["spec"]
    assert found.workload["kind"] == "StatefulSet"
    assert "PersistentVolumeClaim" not in found.kinds()
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "resources": {"requests": {"storage": "420Gi"}}}
    assert claim["metadata"]["annotations"] == {"example.org/backup": "no"}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Delete", "whenScaled": "Retain"}
    assert spec["podManagementPolicy"] == "Parallel"
    assert found.one("Service", spec["serviceName"])["spec"]["clusterIP"] == "None"
    kept = render("own_claims", "--set", "model.claim.keep=true").workload["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert kept["whenDeleted"] == "Retain"


def test_places(render):
    found = render("place")
    assert found.server["image"] == "ghcr.io/ggml-org/llama.cpp@sha256:" + "0123456789abcdef" * 4
    assert found.server["imagePullPolicy"] == "Always"
    assert found.pod["imagePullSecrets"] == [{"name": "registry"}]
    assert found.pod["priorityClassName"] == "high"
    assert found.pod["terminationGracePeriodSeconds"] == 300
    assert found.pod["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert found.pod["affinity"] == yaml.safe_load((CASES / "place.yaml").read_text())["affinity"]
    assert found.pod["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    assert found.server["resources"]["requests"] == {"cpu": "4", "memory": "8589934592", "nvidia.com/gpu": "1"}


# --- the model ------------------------------------------------------------------------------------------------------------------------


def test_claim_is_kept(render):
    claim = render("base").one("PersistentVolumeClaim", "chat-llama-server-model")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "420Gi"}}}
    assert "annotations" not in render("without").one("PersistentVolumeClaim")["metadata"]
    assert render("several").one("PersistentVolumeClaim")["spec"]["storageClassName"] == ""


@pytest.mark.parametrize(
    ("case", "volume"),
    [
        ("base", {"persistentVolumeClaim": {"claimName": "chat-llama-server-model"}}),
        ("claim", {"persistentVolumeClaim": {"claimName": "models"}}),
        ("stateful_shared", {"persistentVolumeClaim": {"claimName": "models"}}),
        ("download_existing", {"persistentVolumeClaim": {"claimName": "models"}}),
        ("host_path", {"hostPath": {"path": "/srv/models", "type": "Directory"}}),
        ("image", {"image": {"reference": "registry.example.org/models/llama@sha256:" + "0123456789abcdef" * 4, "pullPolicy": "Always"}}),
    ],
)
def test_volume_of_the_model(render, case, volume):
    found = render(case)
    assert {"name": "model", **volume} in found.pod["volumes"]
    (mount,) = [each for each in found.server["volumeMounts"] if each["name"] == "model"]
    assert mount == {"name": "model", "mountPath": "/models", "readOnly": True, **({"subPath": "llama"} if case == "claim" else {})}
    assert ("initContainers" in found.pod) is (case in ("base", "download_existing"))
    assert ("PersistentVolumeClaim" in found.kinds()) is (case == "base")


def test_download(render):
    found = render("base")
    (init,) = found.pod["initContainers"]
    assert init["image"] == found.server["image"]
    assert init["command"] == ["/bin/sh", "/etc/download/download.sh"]
    assert {each["name"]: each["value"] for each in init["env"]} == {
        "ALLOW_UNVERIFIED": "no", "HOME": "/tmp", "LIST": "/etc/download/files", "MODELS": "/models"
    }  # fmt: skip
    data = found.one("ConfigMap", "chat-llama-server-download")["data"]
    assert data["download.sh"].rstrip("\n") == (CHART / "files/download.sh").read_text().rstrip("\n")
    url = "https://huggingface.co/org/repo/resolve/main"
    assert data["files"].splitlines() == [
        f"llama-00001-of-00002.gguf\t{url}/llama-00001-of-00002.gguf\t376000000000\t{'0123456789abcdef' * 4}",
        f"llama-00002-of-00002.gguf\t{url}/llama-00002-of-00002.gguf\t-\t-",
    ]
    assert found.one("NetworkPolicy")["spec"]["egress"] == [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": 443, "protocol": "TCP"}]},
    ]


def test_another_list_starts_pods_anew(render):
    other = ("--set", "model.download.files[0].url=https://example.org/other.gguf")
    before, after = (render("base", *more).workload["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for more in ((), other))
    assert before != after


def test_download_with_everything(render):
    found = render("download")
    (init,) = found.pod["initContainers"]
    assert init["image"] == "registry.example.org/curl:8"
    assert {each["name"]: each["value"] for each in init["env"]} == {
        "ALLOW_UNVERIFIED": "yes", "CURL_CA_BUNDLE": "/etc/download-ca/ca.crt", "HOME": "/tmp", "HTTPS_PROXY": "http://proxy.example.org:3128",
        "LIST": "/etc/download/files", "MODELS": "/models", "NO_PROXY": ".svc", "TOKEN_FILE": "/run/secrets/hub/token", "TOKEN_HOST": "hub.example.org",
    }  # fmt: skip
    assert {"name": "hub-token", "mountPath": "/run/secrets/hub", "readOnly": True} in init["volumeMounts"]
    assert "hub-token" not in {mount["name"] for mount in found.server["volumeMounts"]}
    assert {"name": "model", "mountPath": "/models", "subPath": "llama"} in init["volumeMounts"]
    ports = found.one("NetworkPolicy")["spec"]["egress"][1]["ports"]
    assert [each["port"] for each in ports] == [443, 9000, 3128]


# --- the GPU --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "name", "count"),
    [("base", "nvidia.com/gpu", "1"), ("mig", "nvidia.com/mig-1g.10gb", "2"), ("amd", "amd.com/gpu", "1"), ("intel", "gpu.intel.com/xe", "1")],
)
def test_gpus_by_name(render, case, name, count):
    resources = render(case).server["resources"]
    assert resources == {kind: {"memory": "8589934592", name: count} for kind in ("requests", "limits")}


def test_groups_and_runtime(render):
    assert render("amd").pod["securityContext"]["supplementalGroups"] == [44, 992]
    assert render("mig").pod["runtimeClassName"] == "nvidia"
    assert "tolerations" not in render("intel").pod


def test_cpu(render):
    found = render("cpu")
    assert found.server["resources"] == {kind: {"memory": "8589934592"} for kind in ("requests", "limits")}
    assert not {"affinity", "tolerations"} & set(found.pod)


def test_claimed_gpus(render):
    found = render("dra")
    template = found.one("ResourceClaimTemplate")
    assert template["apiVersion"] == "resource.k8s.io/v1"
    assert template["spec"]["spec"]["devices"]["requests"] == [
        {
            "name": "gpu",
            "exactly": {
                "deviceClassName": "gpu.nvidia.com",
                "allocationMode": "ExactCount",
                "count": 2,
                "selectors": [{"cel": {"expression": 'device.capacity["gpu.nvidia.com"].memory.compareTo(quantity("20Gi")) >= 0'}}],
            },
        }
    ]
    name = template["metadata"]["name"]
    assert found.pod["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": name}]
    assert found.server["resources"] == {**{kind: {"memory": "8589934592"} for kind in ("requests", "limits")}, "claims": [{"name": "gpu"}]}
    other = render("dra", "--set", "gpu.count=4").one("ResourceClaimTemplate")["metadata"]["name"]
    assert other != name


# --- who reaches it -------------------------------------------------------------------------------------------------------------------


def test_ingress(render):
    ingress = render("ingress").one("Ingress")
    nginx = "nginx.ingress.kubernetes.io"
    assert ingress["metadata"]["annotations"] == {
        "example.org/a": "b", f"{nginx}/proxy-body-size": "64m", f"{nginx}/proxy-buffering": "off", f"{nginx}/proxy-read-timeout": "7200",
        f"{nginx}/proxy-send-timeout": "3600",
    }  # fmt: skip
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": ["llama.example.org"], "secretName": "llama-tls"}]
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    backend = {"service": {"name": "chat-llama-server", "port": {"name": "http"}}}
    assert path == {"path": "/llama", "pathType": "Prefix", "backend": backend}
    encrypted = render("ingress", "--set", "server.tls.secretName=certificate").one("Ingress")
    assert encrypted["metadata"]["annotations"][f"{nginx}/backend-protocol"] == "HTTPS"


def test_http_route(render):
    route = render("http_route").one("HTTPRoute")
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["spec"] == {
        "parentRefs": [{"name": "gateway", "namespace": "infra"}],
        "hostnames": ["llama.example.org"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "timeouts": {"request": "0s"},
                "backendRefs": [{"name": "chat-llama-server", "port": 8080}],
            }
        ],
    }


def test_pod_monitor(render):
    found = render("pod_monitor")
    monitor = found.one("PodMonitor")
    assert "--metrics" in found.server["args"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint == {
        "port": "http",
        "path": "/metrics",
        "scheme": "https",
        "interval": "15s",
        "authorization": {"credentials": {"name": "keys", "key": "one"}},
        "tlsConfig": {"insecureSkipVerify": True},
    }


def test_keda(render):
    found = render("keda")
    assert "replicas" not in found.workload["spec"]
    assert "--metrics" in found.server["args"]
    spec = found.one("ScaledObject")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat-llama-server"}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"], spec["cooldownPeriod"]) == (2, 8, 600)
    (trigger,) = spec["triggers"]
    assert trigger["metadata"] == {
        "serverAddress": "http://prometheus.monitoring.svc:9090",
        "query": 'sum(llamacpp:requests_deferred{namespace="models", pod=~"chat-llama-server-.+"})',
        "threshold": "4",
        "authModes": "bearer",
    }
    assert trigger["authenticationRef"] == {"name": found.one("TriggerAuthentication")["metadata"]["name"]}
    assert found.one("TriggerAuthentication")["spec"]["secretTargetRef"] == [{"parameter": "bearerToken", "name": "prometheus", "key": "bearer"}]
    assert found.workload["spec"]["strategy"]["type"] == "RollingUpdate"
    assert "PodDisruptionBudget" in found.kinds()


def test_keda_with_a_query_of_ones_own(render):
    found = render("keda_query")
    spec = found.one("ScaledObject")["spec"]
    assert spec["scaleTargetRef"]["kind"] == "StatefulSet"
    assert spec["triggers"][0]["metadata"] == {"serverAddress": "http://prometheus:9090", "query": "sum(up)", "threshold": "2.5"}
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 3600
    assert "TriggerAuthentication" not in found.kinds()


def test_network_policy(render):
    spec = render("network").one("NetworkPolicy")["spec"]
    assert spec["ingress"][0]["from"] == [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    assert spec["egress"] == [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
    closed = render("claim").one("NetworkPolicy")["spec"]
    assert "Egress" in closed["policyTypes"] and "egress" not in closed


def test_without(render):
    found = render("without")
    assert not {"NetworkPolicy", "ServiceAccount"} & found.kinds()
    assert found.pod["serviceAccountName"] == "runner"
    assert found.one("PodDisruptionBudget")["spec"]["maxUnavailable"] == "50%"
    assert render("base", "--set", "serviceAccount.create=false").pod["serviceAccountName"] == "default"


def test_helm_test_asks_the_service(render):
    pod = render("key").one("Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["containers"][0]["command"][-1] == "http://chat-llama-server.models.svc:8080/health"
    assert "Pod" not in render("base").kinds()


# --- several nodes --------------------------------------------------------------------------------------------------------------------


def test_workers(render):
    found = render("workers")
    workers = found.one("StatefulSet", "chat-llama-server-worker")
    at = [f"chat-llama-server-worker-{number}.chat-llama-server-worker.models.svc:50052" for number in (0, 1)]
    args = found.server["args"]
    assert args[args.index("--rpc") + 1] == ",".join(at)
    assert workers["spec"]["replicas"] == 2
    assert found.one("Service", workers["spec"]["serviceName"])["spec"]["clusterIP"] == "None"
    (worker,) = workers["spec"]["template"]["spec"]["containers"]
    assert worker["image"] == found.server["image"] == "registry.example.org/llama-rpc:b11312"
    assert worker["command"] + worker["args"] == ["/app/ggml-rpc-server", "--host", "0.0.0.0", "--port", "50052", "-c"]
    assert worker["resources"]["limits"] == {"memory": "4Gi", "nvidia.com/gpu": "1"}
    assert workers["spec"]["template"]["spec"]["nodeSelector"] == {"example.org/rack": "a"}
    wait = found.pod["initContainers"][-1]
    assert wait["env"] == [{"name": "WORKERS", "value": ",".join(at)}]
    policy = found.one("NetworkPolicy", "chat-llama-server-workers")["spec"]
    assert "Egress" in policy["policyTypes"] and "egress" not in policy
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": found.workload["spec"]["selector"]["matchLabels"]}}]
    to_workers = found.one("NetworkPolicy", "chat-llama-server")["spec"]["egress"][-1]
    assert to_workers["to"] == [{"podSelector": {"matchLabels": workers["spec"]["selector"]["matchLabels"]}}]


def test_ready_workers_are_seen_without_a_connection(render):
    """The rendered command looks at a real socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        probe = render("workers", "--set", f"multiNode.port={port}").one("StatefulSet", "chat-llama-server-worker")
        asked = probe["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["exec"]["command"]
        assert subprocess.run(asked, check=False).returncode == 1
        listener.listen()
        assert subprocess.run(asked, check=False).returncode == 0
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_server_waits_for_workers(render):
    """The rendered command with one that listens and one that does so later."""
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        first.listen()
        ports = [one.getsockname()[1] for one in (first, second)]
        asked = render("workers").pod["initContainers"][-1]["command"]
        workers = ",".join(f"127.0.0.1:{port}" for port in ports)
        process = subprocess.Popen(asked, env={"PATH": os.environ["PATH"], "WORKERS": workers}, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == f"127.0.0.1:{ports[0]} listens\n"
            assert process.stdout.readline() == f"waiting for 127.0.0.1:{ports[1]}\n"
            second.listen()
            assert process.communicate(timeout=20)[0].endswith(f"127.0.0.1:{ports[1]} listens\n")
            assert process.returncode == 0
        finally:
            process.kill()


def test_policy_of_workers_stays(render):
    policies = [name for kind, name in render("workers", "--set", "networkPolicy.enabled=false").objects if kind == "NetworkPolicy"]
    assert policies == ["chat-llama-server-workers"]


def test_a_group_where_the_cluster_has_such(render):
    assert "StatefulSet" in render("workers").kinds()
    assert "LeaderWorkerSet" in render("workers", "--api-versions", "leaderworkerset.x-k8s.io/v1").kinds()


def test_group(render):
    found = render("group")
    group = found.one("LeaderWorkerSet", "chat-llama-server-group")
    template = group["spec"]["leaderWorkerTemplate"]
    assert (group["spec"]["replicas"], template["size"], template["restartPolicy"]) == (1, 4, "RecreateGroupOnPodRestart")
    args = template["leaderTemplate"]["spec"]["containers"][0]["args"]
    expected = [f"chat-llama-server-group-0-{number}.chat-llama-server-group.models.svc:50053" for number in (1, 2, 3)]
    assert args[args.index("--rpc") + 1].split(",") == expected
    worker = template["workerTemplate"]["spec"]
    assert worker["containers"][0]["command"] == ["/opt/llama.cpp/ggml-rpc-server"]
    assert worker["containers"][0]["image"] == "registry.example.org/llama-rpc@sha256:" + "0123456789abcdef" * 4
    assert "podAntiAffinity" in worker["affinity"]
    assert not {"Deployment", "StatefulSet"} & found.kinds()
    assert ("Service", "chat-llama-server") in found.objects


# --- what is refused ------------------------------------------------------------------------------------------------------------------


def test_nothing_given(programs):
    done = programs.run("helm", "template", "x", str(CHART))
    assert (done.returncode, done.stdout) == (1, "")
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert "there is no plan in the values, so there is nothing to run. Make the values with the filter" in said
    assert "plan | prositronic.infra.helm_values" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["foo=1"], "additional properties 'foo' not allowed"),
        (["server.foo=1"], "'/server': additional properties 'foo' not allowed"),
        (["plan.foo=1"], "'/plan': additional properties 'foo' not allowed"),
        (["model.download.files[0].foo=1"], "additional properties 'foo' not allowed"),
        (["plan.document=null"], "'/plan/document': got null, want string"),
        (["plan.digest=abc"], "'/plan/digest': 'abc' does not match pattern"),
        (["plan.schemaVersion=one"], "'/plan/schemaVersion': got string, want integer"),
        (["image.repository="], "'/image/repository': minLength: got 0, want 1"),
        (["image.tag="], "'/image/tag': minLength"),
        (["model.file="], "'/model/file': minLength"),
        (["model.file=../etc/passwd"], "'/model/file'"),
        (["model.source="], "'/model/source': minLength"),
        (["model.source=hub"], "'/model/source': value must be one of"),
        (["model.claim.size="], "'/model/claim/size': minLength"),
        (["model.source=claim"], "'/model/claim/existing': minLength"),
        (["model.source=hostPath"], "'/model/hostPath/path': minLength"),
        (["model.source=image", "model.image.reference=a:1"], "'/model/image/reference': 'a:1' does not match pattern"),
        (["model.download.files=null"], "'/model/download': missing property 'files'"),
        (["model.download.files[0].name=../a"], "'/model/download/files/0/name'"),
        (["model.download.files[0].url=ftp://a/b"], "'/model/download/files/0/url'"),
        (["model.download.files[0].sha256=abc"], "'/model/download/files/0/sha256'"),
        (["resources.limits=null"], "'/resources/limits': got null, want object"),
        (["resources.requests.memory=8589934592"], "'/resources/requests/memory': got number, want string"),
        (["server.args[0]=1"], "'/server/args/0': got number, want string"),
        (["server.port=80"], "'/server/port': minimum: got 80, want 1,024"),
        (["server.host=10.0.0.1"], "'/server/host': value must be one of"),
        (["server.ui=yes please"], "'/server/ui': got string, want boolean"),
        (["workload.kind=DaemonSet"], "'/workload/kind': value must be one of"),
        (["workload.replicas=-1"], "'/workload/replicas': minimum"),
        (["gpu.resourceName=gpu"], "'/gpu/resourceName': 'gpu' does not match pattern"),
        (["model.claim.accessModes[0]=ReadOnlyMany"], "'/model/claim/accessModes/0'"),
        (["ingress.enabled=true", "server.apiKey.secretName=k"], "'/ingress/host': minLength"),
        (["httpRoute.enabled=true", "server.apiKey.secretName=k"], "'/httpRoute/parentRefs': minItems"),
        (["keda.enabled=true", "server.apiKey.secretName=k"], "'/keda/serverAddress': minLength"),
        (["multiNode.enabled=true"], "'/multiNode/workers': minimum"),
    ],
)
def test_schema_refuses(refused, options, message):
    said = refused("base", *[part for option in options for part in ("--set", option)])
    assert "values don't meet the specifications of the schema" in said
    assert message in said


@pytest.mark.parametrize(
    ("case", "options", "message"),
    [
        ("base", ["plan.schemaVersion=2"], "plan.schemaVersion: this chart doesn't know these values. Got: 2. Expected: 1. Take a newer chart."),
        ("base", ["plan.document=other"], "plan.digest: this isn't the digest of plan.document, so one of them was changed"),
        ("base", ["server.host=0.0.0.0"], "server.host: other pods reach this address, and there is no API key. Got: 0.0.0.0"),
        ("base", ["server.host=::"], "server.host: other pods reach this address, and there is no API key. Got: ::"),
        ("base", ["ingress.enabled=true", "ingress.host=a"], "ingress.enabled: needs a server with an API key"),
        ("http_route", ["server.apiKey.secretName="], "httpRoute.enabled: needs a server with an API key"),
        ("pod_monitor", ["server.apiKey.secretName="], "podMonitor.enabled: needs a server with an API key"),
        ("keda", ["server.apiKey.secretName="], "keda.enabled: needs a server with an API key"),
        ("ingress", ["server.host=127.0.0.1"], "ingress.enabled: needs a server that other pods reach, and it listens on 127.0.0.1. Leave server.host out."),
        ("base", ["server.extraArgs={--api-key,secret}"], "server.extraArgs[0]: the chart writes --api-key itself. Say server.apiKey.secretName."),
        ("base", ["server.args={--host,0.0.0.0}"], "server.args[0]: the chart writes --host itself. Say server.host."),
        ("base", ["server.args={--rpc=a:1}"], "server.args[0]: the chart writes --rpc itself. Say multiNode."),
        ("base", ["server.env.LLAMA_API_KEY=a"], "server.env.LLAMA_API_KEY: a secret doesn't belong into the environment"),
        ("base", ["model.download.env.HF_TOKEN=a"], "model.download.env.HF_TOKEN: a secret doesn't belong into the environment"),
        ("base", ["model.file=other.gguf"], "model.file: it isn't among the files to download. Got: other.gguf. Expected: llama-00001-of-0"),
        ("base", ["workload.replicas=2"], "model.claim.accessModes: several servers can't share a claim that one node mounts. Got: ReadWriteOnce"),
        ("workers", ["multiNode.acceptUnauthenticated=false"], "multiNode.acceptUnauthenticated: llama.cpp's RPC has no passwords and no encryption"),
        ("workers", ["workload.replicas=2", "model.claim.accessModes={ReadWriteMany}"], "workload.replicas: workers serve one server, so there is one. Got: 2"),
    ],
)
def test_checks_refuse(refused, case, options, message):
    said = refused(case, *[part for option in options for part in ("--set", option)])
    assert message in said
    assert len([line for line in said.splitlines() if line.startswith("Error:")]) == 1


def test_name_that_no_service_can_have(programs):
    done = programs.run("helm", "template", "70b", str(CHART), "--values", str(BASE))
    assert done.returncode != 0
    assert "the release's name: Services can't be called like this. Got: 70b-llama-server." in done.stderr


@pytest.mark.parametrize(
    ("case", "version", "message"),
    [
        ("image", "1.34.9", "model.source: this cluster can't mount an image as a volume, and would leave it out without a word. Got: image, with"),
        ("dra", "1.33.0", "gpu.claim.deviceClassName: this cluster has no Dynamic Resource Allocation of the version v1. Got: Kubernetes v1.33.0"),
        ("base", "1.28.0", "chart requires kubeVersion: >=1.29.0-0"),
    ],
)
def test_old_clusters(refused, case, version, message):
    assert message in refused(case, version=version)


# --- the notes ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def notes(programs, tmp_path):
    """What a person is told after an installation; helm shows it only with a cluster, so here it is rendered as an object."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    text = (chart / "templates/NOTES.txt").read_text()
    (chart / "templates/_notes.tpl").write_text('{{- define "notes" -}}' + text + "{{- end -}}")
    (chart / "templates/notes.yaml").write_text('kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | quote }}\n')

    def ask(case, *options):
        done = programs.run(*command("template", case, *options, "--show-only", "templates/notes.yaml", chart=chart))
        assert done.returncode == 0, done.stderr
        return parse(done.stdout).one("Notes")["text"]

    return ask


def test_notes_say_how_to_reach_it(notes):
    alone = notes("base")
    assert "kubectl port-forward --namespace models deployment/chat-llama-server 8080:8080" in alone
    assert "server.apiKey.secretName" in alone
    assert "configmap chat-llama-server-plan" in alone
    assert "persistentvolumeclaim chat-llama-server-model" in alone
    open_ = notes("key")
    assert "http://chat-llama-server.models.svc:8080/v1" in open_
    assert "service/chat-llama-server 8080:8080" in open_
    assert "https://llama.example.org/llama" in notes("ingress")


def test_notes_of_a_server_with_a_key_that_nobody_reaches(notes):
    said = notes("key", "--set", "server.host=127.0.0.1")
    assert "It listens inside its pod only" in said
    assert '--header "Authorization: Bearer $KEY" http://127.0.0.1:8080' in said


def test_notes_warn(notes):
    assert "The NetworkPolicy lets pods of this namespace in and nobody else" in notes("ingress")
    assert "The NetworkPolicy" not in notes("network")
    assert "Warnings" not in notes("base")
    assert "Pod Security levels baseline and restricted refuse the pod" in notes("host_path")
    assert "RPC has neither passwords nor encryption" in notes("group")


@pytest.mark.parametrize("case", NAMES)
def test_notes_of_every_case(notes, case):
    assert "<no value>" not in notes(case)
    assert "The plan and its reasons:" in notes(case)


def test_cases_say_something_of_every_value():
    """So that a new value isn't forgotten here."""
    said = set()
    for path in CASES.glob("*.yaml"):
        said |= set(_paths(yaml.safe_load(path.read_text()), ()))
    defaults = set(_paths(yaml.safe_load((CHART / "values.yaml").read_text()), ()))
    known = {path for path in defaults if any(other[: len(path)] == path for other in said)}
    assert sorted(".".join(path) for path in defaults - known) == []


def _paths(content, path):
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _paths(value, (*path, key))
        else:
            yield (*path, key)
