"""Whether the content credentials of a stranger's MP4 are sound, by the library of the standard.

Called inside the fence by a launcher that has it loaded, for the few files that carry credentials;
the only place that imports `c2pa`. Nothing is fetched: no manifest from elsewhere, no revocation
(the fence has no network either). It prints JSON, the fields of `credentials.Checked`; the text of
an error never, since a stranger has had a hand in it.
"""

import json
import sys
from typing import Any

FORMAT = "video/mp4"
MOST_LETTERS = 80
# What the standard says of a signer that is on no list; sound all the same.
UNTRUSTED = "signingCredential.untrusted"
TRUSTED = "signingCredential.trusted"
GENERAL = "general.error"


def settings(anchors: str) -> dict[str, Any]:
    """Of the library. `anchors`: certificates as PEM, maybe none."""
    chosen: dict[str, Any] = {
        "verify": {
            "verify_after_reading": True,
            "verify_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        }
    }
    if anchors:
        chosen["trust"] = {"trust_anchors": anchors}
    return chosen


def checked(c2pa: Any, path: str, anchors: str) -> dict[str, Any]:
    """What the library finds out about the file."""
    try:
        context = c2pa.Context.from_dict(settings(anchors))
        with open(path, "rb") as file, c2pa.Reader(FORMAT, file, context=context) as reader:
            said = json.loads(reader.json())
    except (c2pa.C2paError, ValueError, RecursionError):
        return {"state": "invalid", "code": GENERAL, "signer": None}
    return judged(said)


def judged(said: dict[str, Any]) -> dict[str, Any]:
    """The library's report in one word, one code and one name."""
    active = said.get("manifests", {}).get(said.get("active_manifest"), {})
    signature = active.get("signature_info") or {}
    failures = [str(one.get("code")) for one in said.get("validation_status") or ()]
    reasons = [code for code in failures if code != UNTRUSTED]
    state = str(said.get("validation_state", "")).lower()
    if state == "trusted" and not failures:
        code = TRUSTED
    elif state == "valid" and not reasons:
        code = UNTRUSTED
    else:
        state, code = "invalid", reasons[0] if reasons else GENERAL
    return {
        "state": state,
        "code": code,
        "signer": name(signature.get("issuer")) or name(signature.get("common_name")),
    }


def name(value: Any) -> str | None:
    """A name that can be shown: in one line, of letters that are seen, and short."""
    if not isinstance(value, str):
        return None
    seen = "".join(letter if letter.isprintable() else " " for letter in value)
    return " ".join(seen.split())[:MOST_LETTERS].strip() or None


def load() -> None:
    """What takes long and is the same for every file."""
    import c2pa  # noqa: F401


def main(argv: list[str]) -> int:
    """Checks the file `argv[0]` against the anchors in the file `argv[1]`, if there is one."""
    import c2pa

    anchors = ""
    if len(argv) > 1:
        with open(argv[1], encoding="ascii") as file:
            anchors = file.read()
    json.dump(checked(c2pa, argv[0], anchors), sys.stdout)
    return 0
