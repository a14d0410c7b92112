"""The reference docs say what the code does: each is generated and compared."""

from __future__ import annotations

import difflib
import json

import pytest
from tests.rules import markdown, reference, source

from luciole import config
from luciole.cell.media.model import REFUSALS
from luciole.cell.rights.model import REFUSALS as REFUSED_IMPORTS
from luciole.kit import logs

WRITTEN_BY_HAND = {"ledger-formats.md", "performance.md", "README.md"}
WORDS = source.ROOT / "web" / "src" / "app" / "i18n"
# Asked for by machines, never by a person's browser.
NOT_FOR_PERSONS = {"not-ready", "no-guardian", "halves-not-lent"}


@pytest.fixture(scope="module")
def pages(owner_url: str) -> dict[str, str]:
    return reference.pages(owner_url)


@pytest.mark.parametrize(
    "name",
    [
        "schema.sql",
        "openapi.json",
        "settings.md",
        "cli.md",
        "errors.md",
        "data.md",
        "export-format.md",
        "rights.md",
        "logs-and-metrics.md",
    ],
)
def test_page_is_up_to_date(name: str, pages: dict[str, str]) -> None:
    path = reference.FOLDER / name
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    if kept != pages[name]:
        diff = difflib.unified_diff(
            kept.splitlines(), pages[name].splitlines(), name, "the code", lineterm="", n=1
        )
        pytest.fail(
            f"docs/reference/{name} is not what the code says. Run `{markdown.COMMAND}` and "
            "commit what it writes, after reading it.\n" + "\n".join(list(diff)[:40])
        )


def test_no_page_is_left_over(pages: dict[str, str]) -> None:
    kept = {path.name for path in reference.FOLDER.iterdir() if path.is_file()}
    assert kept - WRITTEN_BY_HAND == set(pages)


def test_every_setting_is_on_its_page(pages: dict[str, str]) -> None:
    assert [name for name in config.names() if f"`{name}`" not in pages["settings.md"]] == []
    assert reference.UNSAID not in pages["settings.md"]


def test_every_job_says_what_it_does() -> None:
    silent = [f"{job.at}: {job.name}" for job in source.jobs() if not job.sentence]
    assert not silent, f"{silent}: a docstring, which the reference docs print."


def test_log_fields_are_on_the_list() -> None:
    """A field that is not on the list is dropped when the line is written, and then missed."""
    known = {*logs.FIELDS, "exc_info"}
    wrong = [
        f"{line.at}: {set(line.fields) - known}"
        for line in source.log_lines()
        if set(line.fields) - known
    ]
    assert not wrong, f"{wrong}: use a field of kit.logs.FIELDS, or add one without personal data."


def test_log_events_are_plain() -> None:
    for line in source.log_lines():
        assert line.event == line.event.strip(" ."), line.at
        assert "%" not in line.event, line.at


def test_metric_labels_are_few_and_impersonal() -> None:
    known = {
        "http_request_method",
        "http_route",
        "http_response_status_code",
        "job",
        "outcome",
        "state",
        "log",
        "code",
        "mode",
        "kind",
    }
    for metric in source.metrics():
        assert set(metric.labels) <= known, f"{metric.name}: a label names no person and no clip"
        assert metric.sentence.endswith("."), metric.name
        assert metric.name.startswith(("luciole_", "http_server_")), metric.name


def test_refusals_say_what_happened_and_what_to_do() -> None:
    for refusal in source.refusals():
        assert refusal.code == refusal.code.lower().replace("_", "-").replace(" ", "-")
        assert refusal.next_step.endswith("."), refusal
        if "…" not in refusal.sentence:
            assert refusal.sentence.endswith("."), refusal
            assert refusal.sentence[0].isupper() or refusal.sentence.startswith("--"), refusal


# The web client's own words for each code


def words(language: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        (WORDS / f"errors.{language}.json").read_text(encoding="utf-8")
    )
    return found


def codes_for_persons() -> set[str]:
    told = {
        refusal.code
        for refusal in source.refusals()
        if not source.is_for_console(refusal) and refusal.code not in source.INTERNAL_CODES
    }
    return (told | set(REFUSALS) | set(REFUSED_IMPORTS)) - NOT_FOR_PERSONS


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_code_has_words(language: str) -> None:
    missing = codes_for_persons() - set(words(language))
    assert not missing, f"errors.{language}.json: say these in that language."
    for code, told in words(language).items():
        assert set(told) == {"sentence", "next_step"}, code
        assert told["sentence"].endswith((".", "!", "?", "…")), code
        assert told["next_step"].endswith((".", "!", "?", "…")), code


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_words_are_left_over(language: str) -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (source.ROOT / "web" / "src").rglob("*")
        if path.suffix in (".ts", ".svelte") and not path.name.endswith(".test.ts")
    )
    unused = {
        code for code in set(words(language)) - codes_for_persons() if f"'{code}'" not in sources
    }
    assert not unused, f"errors.{language}.json: neither the cell nor the client says these."
