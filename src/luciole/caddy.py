"""What `luciole install` tells Caddy, which speaks TLS in front of a cell: a site for people, and
where the cell has peers, one for them."""

from __future__ import annotations

UNIT = """\
# What Debian's unit of Caddy does not say.
[Service]
NoNewPrivileges=yes
ProtectHome=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryMax=1G
"""


def authority(directory: str, root: str) -> str:
    """Lines about an ACME authority other than the public ones; `root` vouches for it, or empty."""
    vouching = f"\t\tca_root {root}\n" if root else ""
    return f"\ttls {{\n\t\tca {directory}\n{vouching}\t}}\n\n"


def pages(host: str, port: int, tls: str) -> str:
    """The site of the pages and the API. `tls` is lines about certificates, or empty."""
    return f"""\
# TLS and the way in, written by `luciole install`. Caddy adds X-Forwarded-For, which the API
# believes from this machine only. There is no access log, on purpose: it would write network
# addresses to the disk.
{host} {{
{tls}\theader Strict-Transport-Security "max-age=31536000"

\t# For this machine, not for visitors.
\t@operators path /metrics /readyz
\trespond @operators 404

\t# Live events come as they are; the API compresses the pages' files itself.
\treverse_proxy 127.0.0.1:{port} {{
\t\tflush_interval -1
\t}}
}}
"""


def border(host: str, port: int, tls: str) -> str:
    """The site for other cells: a name of its own, and nothing of the pages behind it."""
    return f"""
# Where other cells reach the gateway. They sign for this address, so Host and path stay as they
# came. The gateway's own limits hold: nothing larger than 8 MiB comes in.
{host} {{
{tls}\theader Strict-Transport-Security "max-age=31536000"

\treverse_proxy 127.0.0.1:{port}
}}
"""


def moved(host: str, origin: str) -> str:
    """The site of a name that the cell had before: every address goes on at the new one."""
    return f"""\
{host} {{
\theader Strict-Transport-Security "max-age=31536000"
\tredir {origin}{{uri}} 308
}}
"""
