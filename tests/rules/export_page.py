"""export-format.md: what is in an export, so that others can read one."""

from __future__ import annotations

from tests.rules.markdown import NOTE, table

from luciole import catalogue
from luciole.cell.rights.export.guide import listed
from luciole.cell.rights.export.signature import FORMAT
from luciole.cell.rights.imports import zipped
from luciole.cell.rights.model import EXPORT_KEPT, PIECE_BYTES

_FILES = (
    ("`README.html`", "for people: the clips to play, what each list is; needs no network"),
    ("`fields.json`", "for programs: each field of each list, where it is stored, its class, "
     "purpose, retention and border rule"),
    ("`actor.json`, `outbox.json`", "the account and its clips, in ActivityStreams 2.0"),
    ("`following.csv`", "whom the person follows, in the columns that Mastodon imports"),
    ("`data/SLICE/LIST.json`", "everything, list by list; see below"),
    ("`media/FILM/NAME.mp4`", "the renditions `540`, `720` and `1080` of each film, byte for byte"),
    ("`media/FILM/poster.webp`, `media/avatar.webp`", "the stills, and the picture of the account"),
    ("`media/FILM/captions.LANGUAGE.vtt`", "captions, as WebVTT"),
    ("`media/uploads/UPLOAD.film`", "what has arrived of films that are not published yet"),
    ("`journal/journal.jsonl`", "each entry of the log about the person: `n`, `index`, `leaf`, "
     "`nonce`, `opening` (the text that the leaf commits to, byte for byte)"),
    ("`journal/label-key.txt`", "the key by which the person's entries are found, base64"),
    ("`journal/policy.txt`", "whom the cell itself says to trust (C2SP tlog-policy)"),
    ("`journal/proof.json`", "that these entries are in the log, and that there are no others"),
    ("`journal/receipts/N.tlog-proof`", "the receipt of each entry (C2SP tlog-proof), for the "
     "first 10,000"),
    ("`manifest.json`", "from which cell, when, the checkpoint, and the SHA-256 and size of every "
     "other file"),
    ("`manifest.sig`", "the cell's signature over the manifest"),
)  # fmt: skip


def export_format() -> str:
    """The form of an export, from what the code declares."""
    lists = [
        (
            f"`{path}`",
            each.says,
            f"no: {each.stays}" if each.stays else "yes",
            ", ".join(f"`{name}`" for name in sorted(each.anew)) or "–",
        )
        for path, each in listed(catalogue.WHOLE.exported).items()
    ]
    left = [(f"`{where}`", why) for where, why in sorted(catalogue.WHOLE.not_exported.items())]
    return (
        f"# The form of an export\n\n{NOTE}\n"
        f"An export, `{FORMAT}`, is one ZIP archive (with ZIP64 where it is large). Text is "
        "deflated, films are stored. Files come in the order of this table; all have the time at "
        "which the export was asked for.\n\n"
        f"{table(('file', 'what it is'), _FILES)}"
        "\n## manifest.json and manifest.sig\n\n"
        "`files` lists every file but these two, with `path`, `sha256` and `size_bytes`. `gone` "
        "names films that were deleted while the export was made. `cell_id`, `cell` and `key` say "
        "where it is from; `checkpoint` is the head of the log that `journal/` stands on.\n\n"
        "`manifest.sig` is a signed note (C2SP signed-note) by an Ed25519 key with the name "
        "`luciole/CELL ID/export`. Its text is three lines: `" + FORMAT + "`, the SHA-256 of "
        "`manifest.json` in hex, its size in bytes. `key` in the manifest is that key; whoever has "
        "it from there only knows that the archive is as the holder of this key made it.\n\n"
        "## Lists\n\n"
        "A list is a JSON array with one row a line: `[`, the rows parted by commas, `]`; an empty "
        "one is `[]`. Times are RFC 3339, bytes base64, ids UUIDs. Files are named by their path "
        "in the archive. What is sealed in the cell is opened here.\n\n"
        "Another cell takes lists along as the third column says. The fields in the fourth are "
        "made anew there, because they are its own to give: identifiers, addresses, counts. "
        "Everything else, the bytes of films included, is the same in an export of the account "
        "that an import has filled; a test compares the two.\n\n"
        f"{table(('list', 'what it is', 'comes along', 'made anew'), lists)}"
        "\n## What is not in an export\n\n"
        "What proves that somebody is who they are (hashes of passwords, keys that check passkeys, "
        "tokens) is in no export. Of the rest, this is not, and why:\n\n"
        f"{table(('where', 'why'), left)}"
        "\n## In the cell\n\n"
        f"A cell keeps an export for {EXPORT_KEPT.days} days, in pieces of {PIECE_BYTES:,} bytes "
        "that are sealed with the person's data key (`export.chunk`, the version is the number of "
        "the piece, from 1). So does it with an archive that somebody brings along "
        "(`import.chunk`), until it has been taken in.\n\n"
        "## What an import accepts\n\n"
        "The archive exactly as it was downloaded. It is refused, before anything of it is taken "
        f"in, with more than {zipped.MOST_FILES:,} files, a file twice or inside another, a link, "
        "a folder, an encrypted file, a name with other than letters, digits, `.`, `_` and `-`, a "
        f"file above {zipped.MOST_FILE_BYTES // 1024**2} MiB (a list above "
        f"{zipped.MOST_LIST_BYTES // 1024**2} MiB), a file that unpacks to more than "
        f"{zipped.MOST_RATIO} times its size, a hash that does not fit, a file that the manifest "
        "does not list, or bytes in front of or behind the archive. See [refusals](errors.md).\n\n"
        "A rendition is kept byte for byte if it is, in every respect that can be looked at, one "
        "that the cell's own encoder makes: muxing its tracks again gives the same file, it has "
        "nothing but picture and sound of the expected kind, and it decodes without an error. "
        "Anything else is encoded anew, like an upload.\n"
    )
