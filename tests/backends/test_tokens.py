from backends.image_tokens import ImageTokens
from backends.request import Message, Request, Text
from backends.tokens import at_least, at_most, of_call


def _text(text: str) -> Request:
    return Request(messages=(Message("user", (Text(text),)),))


def test_the_two_estimates_enclose_ordinary_text():
    english = "The shadow of the lamp falls towards the window, which no lamp in the room could explain. " * 50
    real = 19 * 50  # words and stops: about a token each
    assert at_least(_text(english)) < real < at_most(_text(english))
    chinese = "这张照片里的影子方向不对" * 50
    assert at_least(_text(chinese)) < 10 * 50 < at_most(_text(chinese)) + 100


def test_pictures_and_a_begun_answer_count(request_of):
    bare, full = request_of(pictures=()), request_of(prefill="word " * 60)
    assert at_least(full) >= at_least(bare) + 64 + 50
    assert at_most(full) >= at_most(bare) + 1024 + 100


def test_a_call_takes_its_prompt_as_the_model_counts_pictures_and_its_whole_answer(request_of):
    rule = ImageTokens(square=1)
    request = request_of(max_tokens=77)
    call = of_call(request, rule)
    assert call == (at_most(request, rule), 77)
    assert call.total == at_most(request, rule) + 77
    assert call.prompt != of_call(request).prompt
