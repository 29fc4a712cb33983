"""Reading what a server of the OpenAI chat protocol answers: only the fields that are used, each checked."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, WrapValidator

from backends.completion import Completion, Stop, TokenUsage
from backends.providers.token_places import Places, or_none, token_places


def _count(value: Any) -> int | None:
    """A count of tokens; anything else than a natural number is unknown, and no reason to lose the answer."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


Count = Annotated[int | None, BeforeValidator(_count)]


class _Logprobs(BaseModel):
    content: Places = None


def _text(content: Any) -> Any:
    """The text of an answer that comes in parts; what was thought before it is left out."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(text for text in texts if isinstance(text, str))


class _Message(BaseModel):
    content: Annotated[str | None, BeforeValidator(_text)] = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: Annotated[_Logprobs | None, WrapValidator(or_none)] = None


class _PromptDetails(BaseModel):
    cached_tokens: Count = None
    cache_write_tokens: Count = None
    image_tokens: Count = None


class _Usage(BaseModel):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _PromptDetails | None = None


class ChatReply(BaseModel):
    """A chat completion. Fields that are not read are let pass: servers add their own."""

    model: str | None = None
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None
    """Some gateways put an error into an answer that says 200."""

    def completion(self, spec: str, model: str) -> Completion:
        """The answer as sixlens words it. Raises `IndexError` when there is no choice."""
        choice = self.choices[0]
        text = choice.message.content or ""
        return Completion(
            text=choice.message.refusal or text,
            stop=_stop(choice, text),
            model=self.model or model,
            backend=spec,
            usage=_usage(self.usage),
            logprobs=token_places(choice.logprobs.content if choice.logprobs else None),
        )

    @property
    def broken_off(self) -> str | None:
        """Why the server itself broke the answer off, if it did."""
        reason = self.choices[0].finish_reason if self.choices else None
        return reason if reason in ("abort", "error", "insufficient_system_resource") else None


def _stop(choice: _Choice, text: str) -> Stop:
    if choice.finish_reason == "content_filter":
        return Stop.FILTER
    if choice.message.refusal:
        return Stop.REFUSAL
    if choice.finish_reason in ("length", "max_tokens", "model_length"):
        return Stop.LENGTH
    return Stop.COMPLETE if text.strip() else Stop.EMPTY


def _usage(usage: _Usage | None) -> TokenUsage:
    if usage is None:
        return TokenUsage()
    details = usage.prompt_tokens_details or _PromptDetails()
    return TokenUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_tokens=details.cached_tokens,
        cache_written_tokens=details.cache_write_tokens,
        image_tokens=details.image_tokens,
    )
