# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may stand before a server and beside it: nginx, Caddy, Prometheus. Texts to copy from, not files that anything writes.

A proxy passes on only what clients of a model need. /metrics, /slots and /props say what others ask, and stay on the machine.
"""

from __future__ import annotations

import re

from ansible_collections.prositronic.infra.plugins.module_utils._errors import InfraError, shown

from .options import WHERE
from .unit_text import check_printable
from .yaml_text import document

NAME = "llm.example.com"
PUBLIC = ("/v1/", "/health")
SECONDS = 3600
"""llama-server's own --timeout: a long prompt says nothing for minutes."""


def examples(made):
    """{nginx, caddy, prometheus} as texts; prometheus is None without metrics."""
    name = _server_name(made.option["public_name"] or NAME)
    return {"nginx": nginx(made, name), "caddy": caddy(made, name), "prometheus": prometheus(made) if made.option["metrics"] else None}


def _server_name(name):
    """Raises InfraError for what is no name of a host: it stands unquoted in two languages."""
    check_printable(name, f"{WHERE}.public_name")
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", name, re.ASCII):
        raise InfraError("not the name of a host", f"{WHERE}.public_name", shown(name), "such as llm.example.com")
    return name


def nginx(made, name):
    verify = ["        proxy_ssl_verify off;"] if made.tls else []
    locations = []
    for path in PUBLIC:
        locations += [
            f"    location {path} {{",
            f"        proxy_pass {made.url};",
            "        proxy_http_version 1.1;",
            '        proxy_set_header Connection "";',
            "        proxy_set_header Host $host;",
            "        # Tokens are passed on as they come.",
            "        proxy_buffering off;",
            f"        proxy_read_timeout {SECONDS}s;",
            *verify,
            "    }",
        ]
    lines = [
        "server {",
        "    listen 443 ssl;",
        f"    server_name {name};",
        f"    ssl_certificate /etc/ssl/{name}.pem;",
        f"    ssl_certificate_key /etc/ssl/private/{name}.key;",
        "    # Pictures are sent within a request.",
        "    client_max_body_size 64m;",
        *locations,
        "    location / {",
        "        return 404;",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def caddy(made, name):
    transport = ["            transport http {", "                tls_insecure_skip_verify", "            }"] if made.tls else []
    lines = [
        f"{name} {{",
        "    @public path /v1/* /health",
        "    handle @public {",
        f"        reverse_proxy {made.url} {{",
        "            flush_interval -1",
        *transport,
        "        }",
        "    }",
        "    handle {",
        "        respond 404",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def prometheus(made):
    """A scrape configuration; with keys /metrics needs one too."""
    job = {
        "job_name": made.unit,
        "metrics_path": "/metrics",
        "scheme": made.scheme,
        "static_configs": [{"targets": [made.url.partition("://")[2]], "labels": {"model": made.alias or ""}}],
    }
    if any(secret.id == "api-keys" for secret in made.secrets):
        job["authorization"] = {"type": "Bearer", "credentials_file": f"/etc/prometheus/{made.unit}.key"}
    if made.tls:
        job["tls_config"] = {"insecure_skip_verify": True}
    return document({"scrape_configs": [job]})
