"""A loaded model of transformers that answers a batch of requests.

Three ways of computing the same: *plain*, where every prompt brings its own pixels; *vision once*, where a picture is
encoded once and its encoding is laid into every prompt that shows it; and *prefix once* on top of that, where the
beginning that prompts share is read once and the answers go on from there. Where a family of models does not allow one
of the shorter ways, the longer one is taken, and `shortcuts` says why.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import transformers as library

from backends.backend import Capabilities
from backends.completion import Stop, TokenUsage
from backends.errors import BackendError, ContextLengthError, UnsupportedError
from backends.local.batch import InputNames, batch_inputs
from backends.local.blueprint import Blueprint
from backends.local.checkpoint import forward_parameters, open_checkpoint
from backends.local.conversation import THINK, THOUGHT, ChatTemplate, Prompt, first_line, open_picture
from backends.local.encoding import Encoding, NotSeparableError, PictureEncoder
from backends.local.engine import OutOfMemoryError, Wanted, Written, always
from backends.local.grammar import Grammars, has_llguidance
from backends.local.memory import memory_told, release_memory
from backends.local.prefix import Prefix, PrefixStore, cut, groups, laid_out, shared_length
from backends.local.prompt_rows import RowMaker
from backends.local.row import Row
from backends.local.sampling import Draw
from backends.local.writing import Line, Lines, LinesDone, places
from backends.request import Request

logger = logging.getLogger(__name__)
transformers: Any = library
"""Most of it has no types."""
Item = TypeVar("Item")


@dataclass(slots=True)
class _Work:
    """One batch: what was asked, what the model reads, and what is written."""

    requests: Sequence[Request]
    wanted: Sequence[Callable[[], bool]]
    """For each, whether somebody still waits for the answer."""
    prompts: list[Prompt]
    lengths: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    """Tokens of each prompt that stand for pictures."""
    cached: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    notes: list[list[str]] = field(default_factory=list)


class TransformersEngine:
    """See `backends.local.engine.Engine`.

    Args:
        blueprint: what to load and how.

    Raises:
        ConfigError: the model cannot be loaded.
        OutOfMemoryError: the device has no room for it.

    """

    def __init__(self, blueprint: Blueprint) -> None:
        settings = blueprint.settings
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        self._checkpoint = open_checkpoint(blueprint)
        checkpoint = self._checkpoint
        model, processor = checkpoint.model, checkpoint.processor
        parameters = forward_parameters(model)
        self._names = InputNames(
            kinds=next((name for name in ("mm_token_type_ids", "token_type_ids") if name in parameters), None),
            grid="image_grid_thw" in parameters,
        )
        self._template = ChatTemplate(processor)
        self._encoder = PictureEncoder(model, processor, settings.encodings)
        self._rows = RowMaker(processor, -1 if checkpoint.placeholder is None else checkpoint.placeholder)
        self._grammars = Grammars(processor.tokenizer, int(checkpoint.config.vocab_size), checkpoint.ends)
        self._prefixes = PrefixStore()
        self.shortcuts = blueprint.shortcuts
        self._capabilities = blueprint.capabilities

    @property
    def name(self) -> str:
        """The repository, or the name of the folder."""
        return self._checkpoint.name

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do in this process."""
        return self._capabilities

    @property
    def vision_runs(self) -> int:
        """How often the vision tower ran for a picture; with `vision_once`, once for each."""
        return self._encoder.runs

    def write(self, requests: Sequence[Request], wanted: Wanted = always) -> list[Written]:
        """Answer all requests as one batch, in their order; for those that nobody wants any more, nothing is added.

        Raises:
            OutOfMemoryError: the batch does not fit. What was kept for later batches has been let go of.
            ContextLengthError: a prompt is longer than the model's context. It is never shortened.
            BackendError: a request cannot be answered.
        """
        if not requests:
            return []
        try:
            with torch.inference_mode(), memory_told():
                return self._write(requests, [functools.partial(wanted, place) for place in range(len(requests))])
        except OutOfMemoryError:
            self._forget()
            raise
        except BackendError as error:
            error.provider, error.model = error.provider or "hf", error.model or self.name
            raise

    def close(self) -> None:
        """Release the model's memory; the engine cannot be used after it."""
        self._prefixes.clear()
        for name in ("_checkpoint", "_encoder", "_rows", "_template", "_grammars"):
            self.__dict__.pop(name, None)
        release_memory()

    def _write(self, requests: Sequence[Request], wanted: Sequence[Callable[[], bool]]) -> list[Written]:
        prompts = [self._template.render(request) for request in requests]
        if self.shortcuts.vision_once is None:
            try:
                return self._once(_Work(requests, wanted, prompts))
            except NotSeparableError as error:
                self.shortcuts = dataclasses.replace(self.shortcuts, vision_once=str(error), prefix_once=str(error))
                self._capabilities = self._capabilities.model_copy(update=self.shortcuts.capabilities)
                logger.info("%s: every prompt is computed with its own pictures, since %s", self.name, error)
        written: dict[int, Written] = {}
        # Processors want pictures in every prompt of a batch, or in none.
        for pictured in (True, False):
            picked = [place for place, prompt in enumerate(prompts) if bool(prompt.pictures) is pictured]
            if picked:
                work = _Work(_at(picked, requests), _at(picked, wanted), _at(picked, prompts))
                written.update(zip(picked, self._plain(work), strict=True))
        return [written[place] for place in range(len(requests))]

    def _plain(self, work: _Work) -> list[Written]:
        """Every prompt with its own pixels."""
        checkpoint = self._checkpoint
        begin = checkpoint.processor.tokenizer.bos_token
        pictures = [[open_picture(picture) for picture in prompt.pictures] for prompt in work.prompts]
        try:
            inputs = checkpoint.processor(
                text=[prompt.text for prompt in work.prompts],
                images=pictures if any(pictures) else None,
                padding=True,
                return_tensors="pt",
                add_special_tokens=not (begin is not None and work.prompts[0].text.startswith(begin)),
            )
        except ValueError as error:
            raise UnsupportedError(f"The model's processor refuses a prompt: {first_line(error)}") from error
        inputs = inputs.to(checkpoint.model.device, checkpoint.model.dtype)
        work.lengths = inputs["attention_mask"].sum(1).tolist()
        work.pictures = (inputs["input_ids"] == checkpoint.placeholder).sum(1).tolist()
        work.cached = [0] * len(work.prompts)
        self._begin_lines(work)
        self._generate(dict(inputs), work.lines)
        return self._answers(work)

    def _once(self, work: _Work) -> list[Written]:
        """Each picture encoded once and, where it can be, each beginning read once."""
        encodings: dict[str, Encoding] = {}
        rows: list[Row] = []
        for prompt in work.prompts:
            alone = len(prompt.pictures) == 1
            made = [self._encoder.encode(picture, alone) for picture in prompt.pictures]
            encodings.update({encoding.key: encoding for encoding in made})
            rows.append(self._rows.row(prompt, made))
        work.lengths = [len(row) for row in rows]
        work.pictures = [sum(span.count for span in row.spans) for row in rows]
        work.cached = [0] * len(rows)
        self._begin_lines(work)
        plan = self._shared(rows, work.lines)
        begun, cache = [0] * len(rows), None
        if plan:
            prefixes, begun = self._beginnings(rows, plan, encodings, work)
            cache = laid_out(self._checkpoint.config, prefixes, begun)
        self._generate(self._inputs(rows, begun, encodings), work.lines, cache)
        return self._answers(work)

    def _shared(self, rows: Sequence[Row], lines: Sequence[Line]) -> list[tuple[list[int], int]]:
        """Which rows share a beginning, and its length; nothing when it must not or need not be computed once."""
        if self.shortcuts.prefix_once is not None:
            return []
        plan = [(group, shared_length([rows[index] for index in group])) for group in groups(rows)]
        before = max(length for _, length in plan)
        after = max(len(rows[index]) - length for group, length in plan for index in group)
        room = self.shortcuts.room
        if room is not None and before + after + max(line.limit for line in lines) > room:
            return []
        return plan if before else []

    def _beginnings(
        self,
        rows: Sequence[Row],
        plan: Sequence[tuple[list[int], int]],
        encodings: dict[str, Encoding],
        work: _Work,
    ) -> tuple[list[Prefix | None], list[int]]:
        """For each row the beginning that is computed already, and its length."""
        prefixes: list[Prefix | None] = [None] * len(rows)
        begun = [0] * len(rows)
        for group, length in plan:
            if length == 0:
                continue
            start = rows[group[0]].first(length)
            kept, most = self._prefixes.longest(start)
            if kept is None or most < length:
                kept = self._read(start, kept, most, encodings)
                self._prefixes.keep(kept)
            else:
                self._prefixes.touch(kept)
            for index in group:
                prefixes[index], begun[index] = kept, length
                work.cached[index] = most if index == group[0] else length
        return prefixes, begun

    def _read(self, start: Row, kept: Prefix | None, most: int, encodings: dict[str, Encoding]) -> Prefix:
        """A beginning, read on from what is kept of it."""
        cache = laid_out(self._checkpoint.config, [kept], [most])
        self._generate(self._inputs([start], [most], encodings), None, cache)
        return Prefix(start, cut(cache, len(start)))

    def _inputs(self, rows: Sequence[Row], begun: Sequence[int], encodings: dict[str, Encoding]) -> dict[str, Any]:
        checkpoint = self._checkpoint
        return batch_inputs(rows, begun, encodings, self._names, checkpoint.pad, checkpoint.model.device)

    def _begin_lines(self, work: _Work) -> None:
        """One line for each request.

        Raises:
            ContextLengthError: a prompt leaves no room for an answer.
        """
        for request, prompt, wanted, length in zip(work.requests, work.prompts, work.wanted, work.lengths, strict=True):
            sampling, notes = request.sampling, list[str]()
            limit = self._limit(length, sampling.max_tokens, notes)
            grammar = None
            if request.schema is not None and has_llguidance():
                grammar = self._grammars.follow(request.schema, request.prefill)
            elif request.schema is not None:
                notes.append("The schema was left out: llguidance is not installed.")
            line = Line(Draw(sampling, self._checkpoint.defaults), limit, grammar, request.logprobs, wanted)
            if prompt.thinks:
                # What the context does not hold is taken from the thinking and not from the answer.
                line.thought = self._template.thought
                line.thinking = max(0, sampling.thinking - (sampling.max_tokens - limit))
            work.lines.append(line)
            work.notes.append(notes)

    def _limit(self, length: int, wanted: int, notes: list[str]) -> int:
        """How many tokens may be written after a prompt of this length; a note says when they are fewer than wanted."""
        context = self._capabilities.context_tokens
        if context is None or length + wanted <= context:
            return wanted
        limit = context - length
        if limit < 1:
            raise ContextLengthError(
                f"The prompt has {length} tokens, and {self.name} has room for {context} with the answer; "
                "shorten it or deliver a smaller picture."
            )
        notes.append(f"The context left room for {limit} answer tokens instead of {wanted}.")
        return limit

    def _generate(self, inputs: dict[str, Any], lines: list[Line] | None, cache: Any = None) -> None:
        """Run the model until all lines are done; without lines, only until the prompt is read."""
        checkpoint = self._checkpoint
        model = checkpoint.model
        if hasattr(model.base_model, "rope_deltas"):
            # Qwen keeps the positions of the last prompt in the model; it must work out those of this one.
            model.base_model.rope_deltas = None
        settings = transformers.GenerationConfig(
            max_new_tokens=1 if lines is None else max(line.limit for line in lines),
            do_sample=False,
            eos_token_id=sorted(checkpoint.ends),
            pad_token_id=checkpoint.pad,
        )
        if cache is not None:
            inputs["cache"] = cache
        if lines is not None:
            inputs["logits_processor"] = [Lines(lines, checkpoint.ends, checkpoint.pad)]
            inputs["stopping_criteria"] = [LinesDone(lines)]
        model.generate(**inputs, generation_config=settings)

    def _answers(self, work: _Work) -> list[Written]:
        tokenizer = self._checkpoint.processor.tokenizer
        answers = []
        for place, (request, line) in enumerate(zip(work.requests, work.lines, strict=True)):
            thought = _thinking(tokenizer, line)
            answer = "" if line.thinks else _text(tokenizer, line.tokens[line.begins :], after=request.prefill)
            notes = list(work.notes[place])
            if line.grammar is not None and line.grammar.failure is not None:
                notes.append(f"The schema could not be followed to the end: {line.grammar.failure}")
            stop = Stop.COMPLETE if line.ended else Stop.LENGTH
            usage = TokenUsage(
                input_tokens=work.lengths[place],
                output_tokens=len(line.tokens),
                cached_tokens=work.cached[place],
                image_tokens=work.pictures[place],
            )
            logprobs = places(line, tokenizer) if request.logprobs else None
            stop = stop if answer.strip() else Stop.EMPTY
            answers.append(Written(thought + answer, stop, usage, logprobs, tuple(notes)))
        return answers

    def _forget(self) -> None:
        """Let go of what is kept for later batches."""
        self._prefixes.clear()
        self._encoder.clear()
        release_memory()


def _at(picked: Sequence[int], items: Sequence[Item]) -> list[Item]:
    return [items[place] for place in picked]


def _thinking(tokenizer: Any, line: Line) -> str:
    """What a line thought before its answer, between its marks; empty where there was no thinking."""
    if line.thought is None:
        return ""
    if line.thinks:
        return THINK + _text(tokenizer, line.tokens, after=None)
    return THINK + _text(tokenizer, line.tokens[: line.begins - 1], after=None) + THOUGHT


def _text(tokenizer: Any, tokens: list[int], after: str | None) -> str:
    """The text of tokens. Behind a text, the blank that begins a word stays: some tokenizers drop it from the first."""
    options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
    if not after:
        return str(tokenizer.decode(tokens, **options))
    word: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    return str(tokenizer.decode([*word, *tokens], **options))[len(tokenizer.decode(word, **options)) :]
