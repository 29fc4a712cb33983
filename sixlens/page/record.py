"""What stands on record beside the label: how the picture was delivered, what was spent, which versions."""

from __future__ import annotations

from collections.abc import Iterator

from fusion.verdict import Verdict
from sixlens.page.clean import Cleaner
from sixlens.words.verdict import spending_text

Facts = list[tuple[str, str]]
"""Names with what belongs to them, every text clean."""

_KIND = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}


def delivery_facts(verdict: Verdict, clean: Cleaner) -> Facts:
    """The picture as it came, as it was shown to models, and to which."""
    image = verdict.image
    rows = [("The file", f"{clean.line(image.format, 20)}, {image.width} × {image.height} pixels")]
    if image.frames > 1:
        rows.append(("Frames in it", f"{image.frames}; the first was looked at"))
    return [*rows, *_shown(verdict, clean), *_scored(verdict, clean)]


def _shown(verdict: Verdict, clean: Cleaner) -> Iterator[tuple[str, str]]:
    """To which models, and as what."""
    sent = verdict.image.delivered
    asked = sorted({report.backend for report in verdict.reports if report.backend is not None})
    if not asked or sent is None:
        yield "Shown to", "no model"
        return
    kind = _KIND.get(sent.media_type, clean.line(sent.media_type, 40))
    yield "Shown to", clean.line(", ".join(asked), 400)
    yield "As", f"{kind}, {sent.width} × {sent.height} pixels, {_size(sent.bytes)}; all metadata removed"
    yield "File of that copy", f"SHA-256 {clean.line(sent.sha256, 64)}"


def _scored(verdict: Verdict, clean: Cleaner) -> Iterator[tuple[str, str]]:
    """Who gave scores. A verdict does not say whether a score was looked up or asked of a service."""
    scores = [report.title for report in verdict.reports if report.kind == "score"]
    if scores:
        said = "a score that comes from a service was given on the file as it is, metadata included"
        yield "Scored by", f"{clean.line(', '.join(scores), 400)}; {said}"


def spending_facts(verdict: Verdict, clean: Cleaner) -> Facts:
    """Calls, tokens, cost and seconds, with the notes on them."""
    usage = verdict.usage
    return [("Spent", clean.line(spending_text(usage))), *(("Note", clean.line(note, 300)) for note in usage.notes)]


def record_facts(verdict: Verdict, clean: Cleaner) -> Facts:
    """What is needed to find or to repeat this judgment."""
    coverage = verdict.coverage
    ended = [(coverage.refused, "refused"), (coverage.unparsed, "unreadable"), (coverage.failed, "failed")]
    ended.append((coverage.skipped, "skipped"))
    others = "".join(f", {number} {word}" for number, word in ended if number)
    rows = [
        ("Id", clean.line(verdict.id, 80)),
        ("Time", verdict.created_at.strftime("%Y-%m-%d %H:%M:%S %Z")),
        ("File", f"SHA-256 {clean.line(verdict.image.sha256, 64)}"),
        ("Ensemble", clean.line(verdict.ensemble, 120)),
        ("Configuration", f"SHA-256 {clean.line(verdict.config_sha256, 64)}"),
        ("Examinations", f"{coverage.answered} of {coverage.total} answered{others}"),
    ]
    if verdict.calibration is None:
        rows.append(("Calibration", "none: there is no chance to be given, only votes"))
    else:
        rows.append(("Calibration", clean.line(verdict.calibration.name, 80)))
    asked = (*verdict.reports, *((verdict.panel,) if verdict.panel else ()))
    prompts = ", ".join(dict.fromkeys(f"{report.paradigm} {report.prompt_version}" for report in asked))
    rows.append(("Prompts", clean.line(prompts, 600)))
    versions = ", ".join(f"{name} {version}" for name, version in verdict.versions.items())
    return [*rows, ("Versions", clean.line(versions, 600)), ("Form of the record", verdict.schema_version)]


def private_facts(verdict: Verdict, clean: Cleaner) -> Facts:
    """What is left out of a page unless it is asked for."""
    return list(_private(verdict, clean))


def _private(verdict: Verdict, clean: Cleaner) -> Iterator[tuple[str, str]]:
    if verdict.image.path is not None:
        yield "Path", clean.line(verdict.image.path, 1000)
    for claim in verdict.provenance.claims:
        if claim.private:
            yield clean.line(claim.where, 80), clean.line(claim.text, 400)


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"
