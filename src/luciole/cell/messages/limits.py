"""How often a person may do what others have to carry. Each API process counts for itself, in
memory only."""

from __future__ import annotations

from luciole.kit.rates import Rate

DEVICE = Rate("device", 20, 86_400)
CLAIM = Rate("claim", 200, 3600)
OPEN = Rate("open", 60, 3600)
SEND = Rate("send", 120, 60)
SIGNAL = Rate("signal", 120, 60)
FILE = Rate("file", 60, 3600)
# Of one person, attachments and backups together: 536 MB a day.
FILE_BYTES = Rate("file-bytes", 512 * 1024 * 1024, 86_400)
