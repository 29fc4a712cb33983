"""The span of a case: which ensemble judged and how it came out, with a child for each examination.

Only imported where traces are asked for: it needs the extra `traces`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Self

from opentelemetry.trace import Span, StatusCode, Tracer, set_span_in_context

from backends.spans import Attributes, current_span, known, mark_failed
from fusion.verdict import Verdict
from paradigms.label import Outcome
from paradigms.report import Report


class CaseSpan:
    """The span of one case. It is not the current span of its asker: a case is told event by event.

    Args:
        tracer: where spans are begun.
        span: of the case, or of a variant of it.
    """

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._inside = set_span_in_context(span)

    @classmethod
    def begin(cls, tracer: Tracer, ensemble: str, config_sha256: str) -> Self:
        """Begin the span of a case, as a child of the asker's current span. `closing` ends it."""
        attributes: Attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": ensemble,
            "sixlens.ensemble": ensemble,
            "sixlens.config_sha256": config_sha256,
        }
        return cls(tracer, tracer.start_span(f"invoke_workflow {ensemble}", attributes=known(attributes)))

    def variant(self, name: str) -> CaseSpan:
        """Begin the span of a variant of the picture, for example `jpeg_75`."""
        attributes = {"sixlens.variant": name}
        span = self._tracer.start_span(f"judge_variant {name}", context=self._inside, attributes=attributes)
        return CaseSpan(self._tracer, span)

    @contextmanager
    def closing(self) -> Iterator[None]:
        """End the span with the block, and say which kind of error ended it. The block may `yield`."""
        try:
            yield
        except GeneratorExit:
            raise  # The asker has heard enough.
        except BaseException as error:
            mark_failed(self._span, error)
            raise
        finally:
            self._span.end()

    def decided(self, verdict: Verdict) -> None:
        """Note how the case came out."""
        votes, usage = verdict.votes, verdict.usage
        attributes: Attributes = {
            "sixlens.verdict_id": verdict.id,
            "sixlens.label": verdict.label.value,
            "sixlens.undecided_because": verdict.undecided_because and verdict.undecided_because.value,
            "sixlens.basis": verdict.basis.value,
            "sixlens.votes.generated": votes.generated,
            "sixlens.votes.real": votes.real,
            "sixlens.votes.undecided": votes.undecided,
            "sixlens.coverage.answered": verdict.coverage.answered,
            "sixlens.coverage.total": verdict.coverage.total,
            "sixlens.calls": usage.calls,
            "sixlens.cache_hits": usage.cache_hits,
            "sixlens.cost_usd": usage.cost,
        }
        self._span.set_attributes(known(attributes))

    def part(self, name: str) -> AbstractContextManager[Span]:
        """The span of something that is done for the whole case."""
        return current_span(self._tracer, name, {}, parent=self._inside)

    @contextmanager
    def examination(self, name: str, *, asks: bool) -> Iterator[Callable[[Report], Report]]:
        """The span of one examination, as what takes note of its report; `asks` says whether a model is asked."""
        attributes: Attributes = {"sixlens.paradigm": name}
        if asks:
            attributes = {**attributes, "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
        title = f"invoke_agent {name}" if asks else f"examine {name}"
        with current_span(self._tracer, title, attributes, parent=self._inside) as span:
            yield lambda report: _noted(span, report)


def _noted(span: Span, report: Report) -> Report:
    attributes: Attributes = {
        "sixlens.outcome": report.outcome.value,
        "sixlens.label": report.label and report.label.value,
        "sixlens.cause": report.cause and report.cause.value,
    }
    span.set_attributes(known(attributes))
    if report.outcome is Outcome.FAILED:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", "bug" if report.bug else "failed")
    return report
