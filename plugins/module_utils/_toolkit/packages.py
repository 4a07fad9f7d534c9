# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands of package managers for an exact set of packages. Private: not an interface for other collections."""

from __future__ import annotations

import re

from .openpgp import fingerprints

TOOLKIT = ("libnvidia-container1", "libnvidia-container-tools", "nvidia-container-toolkit-base", "nvidia-container-toolkit")
"""Each needs those before it."""

_DPKG_FORMAT = "${db:Status-Abbrev}|${Package}|${Version}\n"
# Settings that were changed on the node are kept; dpkg would ask, and there is nobody to answer.
_APT = ("-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")
_RPM_FORMAT = "%{NAME}|%{VERSION}-%{RELEASE}\n"


def query(manager, names):
    """The command that tells which packages are installed; it fails for packages that are not."""
    if manager == "apt":
        return ["dpkg-query", "--show", "--showformat", _DPKG_FORMAT, *names]
    return ["rpm", "--query", "--queryformat", _RPM_FORMAT, *names]


def installed(manager, output):
    """({name: version}, [names that are held]) from what query() printed."""
    versions, held = {}, []
    for line in output.splitlines():
        parts = line.strip().split("|")
        if manager == "apt" and len(parts) == 3 and parts[0].strip()[1:2] == "i":
            versions[parts[1]] = parts[2]
            if parts[0].startswith("h"):
                held.append(parts[1])
        elif manager != "apt" and len(parts) == 2:
            versions[parts[0]] = parts[1]
    return versions, held


def install(manager, wanted, files, downgrade):
    """The command that installs exactly these packages and removes none. C(files) instead of names where there are any."""
    if manager == "apt":
        command = ["apt-get", "install", *_APT, "--yes", "--no-install-recommends", "--no-remove", "--allow-change-held-packages"]
        return command + (["--allow-downgrades"] if downgrade else []) + (files or [f"{name}={version}" for name, version in wanted.items()])
    packages = files or [f"{name}-{version}" for name, version in wanted.items()]
    if manager == "zypper":
        options = ["--allow-unsigned-rpm"] if files else []
        return ["zypper", "--non-interactive", "install", "--no-recommends", *(["--oldpackage"] if downgrade else []), *options, *packages]
    options = ["--nogpgcheck"] if files else []
    return [manager, "--assumeyes", *options, "downgrade" if downgrade else "install", *packages]


def refresh(manager, repository):
    """The command that reads the lists of packages of C(repository), the path of its file, or of all where it is None."""
    if manager == "apt":
        only = ["-o", f"Dir::Etc::SourceList={repository}", "-o", "Dir::Etc::SourceParts=-", "-o", "APT::Get::List-Cleanup=0"] if repository else []
        return ["apt-get", "update", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Update::Error-Mode=any", *only]
    name = [_stem(repository)] if repository else []
    if manager == "zypper":
        # Without --gpg-auto-import-keys, which trusts any key that the repository itself brings.
        return ["zypper", "--non-interactive", "refresh", *name]
    return [manager, "--assumeyes", "makecache", *(["--disablerepo=*", f"--enablerepo={name[0]}", _not_without(name[0])] if name else [])]


def _stem(path):
    """The name of a file without its ending, which is that of the repository in it."""
    return path.rpartition("/")[2].rpartition(".")[0]


def _not_without(name):
    """The option with which dnf does not go on without a repository that can't be read, as some systems have it do."""
    return f"--setopt={name}.skip_if_unavailable=0"


def trial(manager, directory, name, key):
    """(path for the repository's file, commands that read its list of packages) with nothing but what is in C(directory), where the C(key) is too."""
    path = f"{directory}/{name}"
    if manager == "apt":
        places = [f"Dir::Etc::SourceList={path}", "Dir::Etc::SourceParts=-", f"Dir::State::Lists={directory}/lists", f"Dir::Cache={directory}/cache"]
        options = [part for option in ("APT::Update::Error-Mode=any", *places) for part in ("-o", option)]
        return path, [["mkdir", "-p", f"{directory}/lists/partial"], ["apt-get", "update", *options]]
    if manager == "zypper":
        # RPM's keys are the ones that zypper trusts: here this one alone.
        root = ["--root", directory]
        return f"{directory}/etc/zypp/repos.d/{name}", [["rpm", *root, "--import", key], ["zypper", "--non-interactive", *root, "refresh"]]
    places = [f"--setopt=reposdir={directory}", f"--setopt=cachedir={directory}/cache"]
    return path, [[manager, "--assumeyes", *places, _not_without(_stem(name)), "makecache"]]


RPM_KEYS = ["rpm", "--query", "--queryformat", "%{NAME}-%{VERSION}-%{RELEASE}\n%{DESCRIPTION}\n", "gpg-pubkey"]
"""The command that prints the keys that RPM trusts."""


def rpm_keys(output):
    """{fingerprint: name of the package that stands for the key} from what RPM_KEYS printed."""
    found = re.findall(r"^(gpg-pubkey-\S+)\n(.*?-----END PGP PUBLIC KEY BLOCK-----)", output, re.MULTILINE | re.DOTALL)
    return {fingerprint: name for name, key in found for fingerprint in fingerprints(key.encode())}


def remove(manager, names):
    """The command that removes these packages and no others: it fails where others need them."""
    return ["dpkg", "--purge", *names] if manager == "apt" else ["rpm", "--erase", *names]


def holds(manager):
    """Whether the package manager can hold a package by itself."""
    return manager in ("apt", "zypper")


def hold(manager, name, on):
    """The command that holds a package or lets it go, of a manager that can."""
    if manager == "apt":
        return ["apt-mark", "hold" if on else "unhold", name]
    return ["zypper", "--non-interactive", "addlock" if on else "removelock", name]


ZYPPER_LOCKS = ["zypper", "--non-interactive", "--quiet", "locks"]
"""The command that prints what zypper holds."""


def zypper_locks(output):
    """The names in the table that ZYPPER_LOCKS printed."""
    return [column.strip() for line in output.splitlines() for column in line.split("|")[1:2]]
