"""What `luciole install` tells systemd: the user of a cell, the service that it is, the way out
where it has peers, the backup and when it is made."""

from __future__ import annotations

SYSUSERS = """\
# The user of the cell: it owns /var/lib/luciole and nothing else.
u luciole - "Luciole, a cell for short videos" /var/lib/luciole -
"""

WAY_OUT = """\
# Written by `luciole install`: a cell that has peers speaks with them. Only the gateway can use
# this; the others run in network namespaces without a route (`luciole doctor`, line `way out`).
[Service]
IPAddressAllow=any
"""

BACKUP_TIMER = """\
[Unit]
Description=Daily backup of the Luciole cell

[Timer]
OnCalendar=*-*-* 04:30:00
RandomizedDelaySec=30m
Persistent=yes

[Install]
WantedBy=timers.target
"""

# What both the cell and its backup are held to.
_HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictRealtime=yes
MemoryDenyWriteExecute=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
IPAddressDeny=any
IPAddressAllow=localhost
RestrictNamespaces=user net ipc
SystemCallArchitectures=native
SystemCallFilter=@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self
SystemCallErrorNumber=EPERM"""


def cell(command: str, memory: str) -> str:
    """The service; `memory` is from where on it is held back."""
    return f"""\
# A cell as a systemd service, written by `luciole install`.
[Unit]
Description=Luciole, a cell for short videos
After=network.target

[Service]
Type=exec
User=luciole
Group=luciole
EnvironmentFile=/etc/luciole/cell.env
Environment=LUCIOLE_DATA_DIR=/var/lib/luciole
ExecStart={command} serve
StateDirectory=luciole
StateDirectoryMode=0700
UMask=0077

# The supervisor hears SIGTERM alone and stops PostgreSQL, the API and the worker in order.
KillMode=mixed
TimeoutStopSec=60
Restart=on-failure
RestartSec=2

# A flood or a leak ends the cell and not the machine.
MemoryHigh={memory}
MemoryMax={_more(memory)}
TasksMax=1024
LimitNOFILE=65536

# No rights beyond those of an ordinary user; it sees the system read-only and writes into
# /var/lib/luciole only; it speaks with this machine only.
{_HARDENED}

[Install]
WantedBy=multi-user.target
"""


def backup(command: str, folder: str) -> str:
    """The service of the daily backup into a folder."""
    return f"""\
# The daily backup, of which whoever is erased is unreadable, written by `luciole install`.
[Unit]
Description=Backup of the Luciole cell
After=luciole.service

[Service]
Type=oneshot
User=luciole
Group=luciole
EnvironmentFile=/etc/luciole/cell.env
Environment=LUCIOLE_DATA_DIR=/var/lib/luciole
ExecStart={command} backup {folder}
ReadWritePaths=/var/lib/luciole {folder}
UMask=0077
Nice=10
IOSchedulingClass=idle
{_HARDENED}
"""


def typed(command: str) -> str:
    """What root types: the cell's command line with what the service has, so that each command
    finds the cell, and leaves no file there that the cell cannot open."""
    return f"""\
#!/bin/sh
# The command line of this cell, with its settings and as its user; by `luciole install`.
set -eu
[ "$(id -u)" = 0 ] || {{ echo "Type it as root: sudo luciole $*" >&2; exit 1; }}
set -a
. /etc/luciole/cell.env
set +a
export LUCIOLE_DATA_DIR=/var/lib/luciole HOME=/var/lib/luciole
case ${{1:-}} in
    # They write files of the system's; what `domain` does in the database it does as the user.
    install | domain) exec {command} "$@" ;;
    *) exec setpriv --reuid=luciole --regid=luciole --init-groups {command} "$@" ;;
esac
"""


def _more(memory: str) -> str:
    """The hard limit: a tenth above the soft one, and at most all of the machine."""
    unit = memory[-1]
    number = int(memory[:-1])
    return f"{min(100, number + 10)}%" if unit == "%" else f"{number + max(1, number // 10)}{unit}"
