# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError
from ansible_collections.prositronic.infra.plugins.plugin_utils._toolkit.steps import steps
from ansible_collections.prositronic.infra.tests.unit.plugins.plugin_utils._toolkit import nodes


def made(*given, **options):
    result = steps(*given, options)
    assert result["verdict"] == "apply", result["reason"]
    return result


def refusal(*given, **options):
    result = steps(*given, options)
    assert result["verdict"] == "refuse"
    # Nothing may be done half: a refusal comes with no step at all.
    assert not any(result[name] for name in ("repository", "packages", "engines", "cdi", "remove_files", "old_repositories"))
    return result["reason"]


def test_all_four_packages_have_one_version():
    packages = made(*nodes.node(), version="1.20.0")["packages"]
    assert packages["packages"] == dict.fromkeys(nodes.TOOLKIT, "1.20.0-1")
    assert packages["manager"] == "apt"


def test_a_host_that_needs_only_cdi_gets_the_base_alone():
    assert made(*nodes.node({"podman": "5.4.2"}), cdi_only=True)["packages"]["packages"] == {"nvidia-container-toolkit-base": "1.20.0-1"}


def test_what_is_there_beside_the_base_gets_its_version_too():
    given = nodes.node(info={"packages": {"libnvidia-container1": "1.19.1-1"}})
    assert set(made(*given, cdi_only=True, allow_upgrade=True)["packages"]["packages"]) == {"nvidia-container-toolkit-base", "libnvidia-container1"}


def test_the_repository_is_a_deb822_file_with_its_key():
    repository = made(*nodes.node(), repository_url="https://mirror.example.com/x/")["repository"]
    assert repository["path"] == "/etc/apt/sources.list.d/nvidia-container-toolkit.sources"
    assert "\nURIs: https://mirror.example.com/x/deb/amd64\nSuites: /\nSigned-By: /etc/apt/keyrings/nvidia-container-toolkit.asc\n" in repository["content"]
    assert repository["key_path"] == "/etc/apt/keyrings/nvidia-container-toolkit.asc"
    assert repository["fingerprints"] == ["C95B321B61E88C1809C4F759DDCAE044F796ECB0"]
    assert (repository["key"], repository["key_url"]) == (None, "https://nvidia.github.io/libnvidia-container/gpgkey")


@pytest.mark.parametrize(("manager", "directory"), [("dnf", "yum.repos.d"), ("yum", "yum.repos.d"), ("zypper", "zypp/repos.d")])
def test_with_rpm_the_list_of_packages_is_what_is_signed(manager, directory):
    repository = made(*nodes.node(system=nodes.rpm(manager=manager)))["repository"]
    assert repository["path"] == f"/etc/{directory}/nvidia-container-toolkit.repo"
    for line in ("gpgcheck=0", "repo_gpgcheck=1", "baseurl=https://nvidia.github.io/libnvidia-container/stable/rpm/x86_64"):
        assert f"\n{line}\n" in repository["content"]


def test_a_hold_with_dnf_is_what_the_repository_may_bring():
    content = made(*nodes.node(system=nodes.rpm()), hold=True)["repository"]["content"]
    assert "includepkgs=libnvidia-container1-1.20.0-1 " in content
    assert "includepkgs" not in made(*nodes.node(system=nodes.rpm()))["repository"]["content"]


@pytest.mark.parametrize(("state", "step"), [("present", "repository"), ("artefacts", "artefacts")])
def test_a_key_of_the_playbook_is_not_downloaded(state, step):
    told = made(*nodes.node(), key="-----BEGIN", key_fingerprints=["AAAA " * 10], state=state)[step]
    assert (told["key"], told["key_url"], told["fingerprints"]) == ("-----BEGIN", None, ["A" * 40])


OLD = {"path": "/etc/apt/sources.list.d/old.list", "urls": ["https://nvidia.github.io/x"], "others": []}


def test_old_files_of_the_repository_are_refused_or_removed_or_used():
    given = nodes.node(info={"repositories": [OLD, {**OLD, "path": "/etc/apt/sources.list.d/nvidia-container-toolkit.sources"}]})
    assert "/etc/apt/sources.list.d/old.list (https://nvidia.github.io/x)" in refusal(*given)
    assert made(*given, remove_old_repositories=True)["old_repositories"] == [OLD["path"]]
    configured = made(*given, source="configured")
    assert configured["old_repositories"] == [] and configured["repository"] is None


def test_a_file_with_other_repositories_is_never_removed():
    given = nodes.node(info={"repositories": [{**OLD, "others": ["http://deb.debian.org/debian"]}]})
    assert "by hand" in refusal(*given, remove_old_repositories=True)


@pytest.mark.parametrize(("installed", "kind"), [("1.19.1-1", "upgrade"), ("1.21.0-1", "downgrade")])
def test_a_change_of_version_needs_permission(installed, kind):
    given = nodes.node(info={"packages": dict.fromkeys(nodes.TOOLKIT, installed)})
    assert f"nvidia_container_toolkit_allow_{kind}=true" in refusal(*given)
    assert made(*given, **{f"allow_{kind}": True})["packages"]["change"]


def test_packages_of_a_folder_need_all_files_and_the_right_checksums():
    names = [f"{name}_1.20.0-1_amd64.deb" for name in nodes.TOOLKIT]
    given = nodes.node(info={"files": dict.fromkeys(names, "a" * 64)})
    options = {"source": "directory", "directory": "/srv/packages"}
    result = made(*given, **options, checksums={names[0]: "sha256:" + "A" * 64})
    assert result["packages"]["files"] == [f"/srv/packages/{name}" for name in names]
    assert result["repository"] is None
    assert "the checksum of a package is wrong" in refusal(*given, **options, checksums={names[1]: "b" * 64})
    assert names[3] in refusal(*nodes.node(info={"files": dict.fromkeys(names[:3], "")}), **options)
    with pytest.raises(InfraError, match="folder"):
        steps(*given, {"source": "directory"})


def test_a_node_without_a_gpu_is_left_alone():
    facts, info = nodes.node()
    facts["devices"] = [{"name": "AMD", "vendor": "amd"}]
    result = steps(facts, info, {})
    assert result["verdict"] == "nothing" and "no NVIDIA GPU" in result["reason"]
    assert not made(facts, info, allow_no_gpu=True)["cdi"]["refresh"]


def test_a_gpu_that_can_not_be_used_is_a_reason_and_not_silence():
    facts, info = nodes.node()
    facts["devices"] = []
    facts["problems"] = [{"code": "nouveau", "message": "nouveau holds the NVIDIA GPU", "fix": "Install the NVIDIA driver"}]
    assert refusal(facts, info) == "node: the NVIDIA GPU can't be used yet: nouveau holds the NVIDIA GPU. Install the NVIDIA driver."


@pytest.mark.parametrize("usable, code", [(False, "driver_library_mismatch"), (True, "nvidia_smi_missing"), (False, "nvml_timeout")])
def test_a_gpu_that_only_the_kernel_tells_of_is_none_for_containers(usable, code):
    facts, info = nodes.node()
    facts["devices"] = [{**device, "usable": usable} for device in facts["devices"]]
    facts["problems"] = [{"code": code, "message": "it doesn't answer", "fix": "Reboot"}]
    assert "can't be used yet: it doesn't answer" in refusal(facts, info)


def test_a_problem_of_something_else_does_not_make_a_gpu():
    facts, info = nodes.node()
    facts["devices"] = []
    facts["problems"] = [{"code": "toolkit_packages_differ", "message": "the packages of the NVIDIA Container Toolkit differ", "fix": "a"}]
    assert steps(facts, info, {})["verdict"] == "nothing"


def test_the_gpu_operator_keeps_its_nodes():
    assert "GPU Operator" in refusal(*nodes.node(gpu_operator=True))


def test_an_unknown_system_is_refused_by_its_name():
    assert "Plan 9" in refusal(*nodes.node(system={"manager": None, "name": "Plan 9"}))


@pytest.mark.parametrize("told", [{"system": {"vendor_image": "DGX OS"}}, {"jetson": "NVIDIA Jetson AGX Orin"}])
def test_packages_of_the_vendor_are_left_as_they_are(told):
    given = nodes.node(info={"packages": dict.fromkeys(nodes.TOOLKIT, "1.16.2-1")}, **told)
    result = made(*given)
    assert (result["packages"], result["repository"]) == (None, None)
    assert "left as they are" in result["notes"][0]
    gone = made(*given, state="absent")
    assert gone["packages"] is None and "left as they are" in gone["notes"][0]
    # With the role's own repository they are the role's.
    given[1]["repositories"] = [{**OLD, "path": "/etc/apt/sources.list.d/nvidia-container-toolkit.sources"}]
    assert made(*given, allow_upgrade=True)["packages"] is not None and made(*given, state="absent")["packages"] is not None


def test_a_jetson_without_the_toolkit_gets_it_and_a_specification_by_command():
    facts, info = nodes.node(jetson="NVIDIA Jetson AGX Orin", system={"architecture": "arm64"})
    facts["devices"] = []
    result = made(facts, info)
    assert result["packages"]["change"]
    assert (result["cdi"]["method"], result["cdi"]["path"], result["cdi"]["refresh"]) == ("command", "/etc/cdi/nvidia.yaml", True)


def test_wsl_is_set_up_like_any_node_with_a_word_about_the_driver():
    result = made(*nodes.node(wsl=True))
    assert "driver is that of Windows" in result["notes"][0]
    assert result["packages"]["change"]


def test_without_systemd_the_specification_is_made_by_command():
    assert made(*nodes.node(system={"systemd": False}))["cdi"]["method"] == "command"


def test_the_specification_is_made_when_something_changes_and_else_left():
    installed = {"packages": dict.fromkeys(nodes.TOOLKIT, "1.20.0-1")}
    fresh = {"cdi": {"specs": [nodes.SPEC], "duplicates": []}}
    assert not made(*nodes.node(info=installed, **fresh))["cdi"]["refresh"]
    assert made(*nodes.node(**fresh))["cdi"]["refresh"]
    assert made(*nodes.node(info=installed))["cdi"]["refresh"]
    assert made(*nodes.node(info=installed, cdi={"specs": [{**nodes.SPEC, "stale": True}], "duplicates": []}))["cdi"]["refresh"]


@pytest.mark.parametrize(
    ("engines", "version", "flag"),
    [
        ({"podman": "4.3.1"}, "1.20.0", True),
        ({"podman": "5.1.0"}, "1.20.0", False),
        ({"podman": "4.3.1"}, "1.18.2", False),
        ({"podman": "5.4.2", "docker": "26.0.2"}, "1.20.0", True),
        ({"docker": "20.10.24"}, "1.20.0", False),
        ({"containerd": "1.7.15"}, "1.20.0", True),
        ({"crio": "1.30.0"}, "1.20.0", False),
    ],
)
def test_old_engines_get_an_old_specification(engines, version, flag):
    settings = made(*nodes.node(engines), version=version)["cdi"]["settings"]
    assert settings == ({"NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS": "no-additional-gids-for-device-nodes"} if flag else {})


def test_flags_of_others_stay():
    name = "NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS"
    settings = made(*nodes.node({"podman": "4.3.1"}, info={"refresh_settings": {name: "other"}}))["cdi"]["settings"]
    assert settings == {name: "other,no-additional-gids-for-device-nodes"}


def test_the_flag_is_kept_through_a_change_of_packages_and_alone_is_no_reason_to_make_the_specification_anew():
    flag = {"NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS": "no-additional-gids-for-device-nodes"}
    info = {"packages": dict.fromkeys(nodes.TOOLKIT, "1.20.0-1"), "refresh_settings": flag}
    fresh = {"cdi": {"specs": [nodes.SPEC], "duplicates": []}}
    cdi = made(*nodes.node({"podman": "4.3.1"}, info=info, **fresh))["cdi"]
    assert (cdi["settings"], cdi["refresh"]) == (flag, False)
    assert made(*nodes.node({"podman": "4.3.1"}, info={**info, "refresh_settings": {}}, **fresh))["cdi"]["refresh"]


def test_static_specifications_are_named_and_removed_when_asked():
    given = nodes.node(cdi={"specs": [{**nodes.SPEC, "path": "/etc/cdi/nvidia.yaml"}, {**nodes.SPEC, "path": "/etc/cdi/other.yaml", "kind": "a.com/b"}]})
    assert "/etc/cdi/nvidia.yaml is not refreshed" in made(*given)["notes"][-1]
    assert made(*given, remove_stale_cdi_specs=True)["remove_files"] == ["/etc/cdi/nvidia.yaml"]


def test_the_old_hook_is_named_and_removed_when_asked():
    given = nodes.node(info={"hook": "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json"})
    assert "oci-nvidia-hook.json" in made(*given)["notes"][-1]
    assert made(*given, remove_oci_hook=True)["remove_files"] == [given[1]["hook"]]


def test_selinux_is_explained_and_switched_only_when_asked():
    given = nodes.node({"podman": "5.4.2"}, system={"selinux": {"enforcing": True, "container_use_devices": False}})
    result = made(*given, verify_image="image")
    assert "SELinux" in result["notes"][0] and result["selinux"] is None
    assert "--security-opt=label=disable" in result["proofs"][0]["command"]
    result = made(*given, selinux_boolean=True, verify_image="image")
    assert result["selinux"] == {"boolean": "container_use_devices", "set": True}
    assert "--security-opt=label=disable" not in result["proofs"][0]["command"]


def test_the_proof_is_one_command_for_each_engine_with_a_client():
    proofs = made(*nodes.node({"podman": "5.4.2", "docker": "20.10.24", "crio": "1.34.0"}), verify_image="image")["proofs"]
    assert [proof["command"][-3:] for proof in proofs] == [["image", "nvidia-smi", "-L"]] * 2
    assert "nvidia.com/gpu=all" in proofs[0]["command"]
    assert "--runtime=nvidia" in proofs[1]["command"]
    assert made(*nodes.node({"docker": "28.0.0"}, info={"clients": []}), verify_image="image")["proofs"] == []


@pytest.mark.parametrize(("version", "gpu"), [("1.6.20", "--runc-binary"), ("1.7.24", "--runc-binary"), ("2.1.0", "--device")])
def test_containerd_is_proved_with_its_own_client_which_does_not_pull(version, gpu):
    (proof,) = made(*nodes.node({"containerd": version}, info={"clients": ["ctr"]}), verify_image="image")["proofs"]
    assert proof["command"][:4] == ["ctr", "run", "--rm", gpu] and proof["command"][-2:] == ["nvidia-smi", "-L"]
    assert proof["image"] == {"ask": ["ctr", "images", "list", "--quiet", "name==image"], "pull": ["ctr", "images", "pull", "image"]}


def test_the_docker_of_a_user_is_proved_by_its_own_socket_where_it_runs():
    users = [{"name": name, "id": number, "home": "", "docker": number == 1, "runtime": f"/run/user/{number}"} for number, name in enumerate(("a", "b"))]
    result = made(*nodes.node({"docker": "28.5.0"}, info={"users": users}), verify_image="image", docker_rootless_users=["a", "b"])
    assert [proof["user"] for proof in result["proofs"]] == [None, "b"]
    assert result["proofs"][1]["command"][:3] == ["docker", "--host=unix:///run/user/1/docker.sock", "run"]


def test_on_a_jetson_the_proof_needs_no_nvidia_smi():
    (proof,) = made(*nodes.node({"podman": "5.4.2"}, jetson="NVIDIA Jetson AGX Orin"), verify_image="image")["proofs"]
    assert "nvidia-smi" not in proof["command"] and "nvidia.com/gpu=all" in proof["command"]


def test_a_podman_before_cdi_is_told_and_refused_only_when_it_was_asked_for():
    given = nodes.node({"podman": "3.4.4"})
    result = made(*given, verify_image="image")
    assert result["proofs"] == [] and "Podman 3.4.4 takes no CDI devices" in result["notes"][0]
    assert "podman takes no CDI devices in this version (got 3.4.4" in refusal(*given, engines=["podman"])


def test_absent_removes_packages_files_and_settings_whatever_the_node_has():
    facts, info = nodes.node({"docker": "26.1.5"}, info={"packages": dict.fromkeys(nodes.TOOLKIT, "1.20.0-1")}, gpu_operator=True)
    facts["devices"] = []
    result = made(facts, info, state="absent")
    assert set(result["packages"]["packages"]) == set(nodes.TOOLKIT)
    assert result["repository"]["path"] == "/etc/apt/sources.list.d/nvidia-container-toolkit.sources"
    assert result["engines"][0]["config"]["settings"] == [{"path": ["features", "cdi"], "value": True}]


def test_absent_removes_the_file_that_is_the_role_s_own_and_no_other():
    removed = made(*nodes.node({"crio": "1.34.0", "docker": "26.1.5"}, kubernetes_node=True), state="absent")["remove_files"]
    assert "/etc/crio/crio.conf.d/90-nvidia-container-toolkit.conf" in removed
    assert "/etc/docker/daemon.json" not in removed


def test_what_a_node_without_internet_needs_is_asked_of_its_repository():
    asked = made(*nodes.node(system=nodes.rpm()), state="artefacts", repository_url="https://mirror.example.com")["artefacts"]
    key = {"key": None, "key_url": "https://nvidia.github.io/libnvidia-container/gpgkey", "fingerprints": ["C95B321B61E88C1809C4F759DDCAE044F796ECB0"]}
    expected = {"url": "https://mirror.example.com/rpm/x86_64", "format": "rpm", "packages": list(nodes.TOOLKIT), "version": "1.20.0-1", **key}
    assert asked == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"verison": "1.20.0"}, "Did you mean 'version'"),
        ({"version": "latest"}, "no version"),
        ({"engines": ["lxc"]}, "unknown engine"),
        ({"restart": "sometimes"}, "not one of the choices"),
        ({"key_fingerprints": ["F796ECB0"]}, "no fingerprint"),
        ({"repository_url": "nvidia.github.io"}, "no address"),
    ],
)
def test_wishes_that_can_not_be_are_errors(options, message):
    with pytest.raises(InfraError, match=message):
        steps(*nodes.node(), options)


@pytest.mark.parametrize("given", [({}, nodes.INFO), (nodes.FACTS, {}), (nodes.FACTS, None)])
def test_what_are_no_facts_are_errors(given):
    with pytest.raises(InfraError, match="not "):
        steps(*given, {})


def test_a_toolkit_of_whatever_version_is_proved():
    given = nodes.node({"podman": "5.4.2"}, info={"packages": dict.fromkeys(nodes.TOOLKIT, "1.17.8-1"), "repositories": [OLD]}, gpu_operator=True)
    result = made(*given, state="verify", verify_image="image")
    assert [proof["engine"] for proof in result["proofs"]] == ["podman"]
    assert (result["packages"], result["repository"], result["engines"], result["cdi"]) == (None, None, [], None)


def test_a_vendor_s_toolkit_without_the_units_makes_its_specification_by_command():
    given = nodes.node({"podman": "4.9.3"}, info={"packages": dict.fromkeys(nodes.TOOLKIT, "1.16.2-1")}, system={"vendor_image": "DGX OS"})
    cdi = made(*given)["cdi"]
    assert (cdi["method"], cdi["path"], cdi["refresh"]) == ("command", "/etc/cdi/nvidia.yaml", True)
    # What old engines need is given to the command, and is in no file.
    assert cdi["settings"]
    given[0]["platform"]["cdi"]["specs"] = [{**nodes.SPEC, "path": "/etc/cdi/nvidia.yaml"}]
    assert made(*given)["cdi"]["refresh"] is False
    given[1]["refresh_units"] = True
    assert made(*given)["cdi"]["method"] == "units"
