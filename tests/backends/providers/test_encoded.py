import base64
import hashlib

from backends.providers.encoded import EncodedPictures
from backends.request import Picture


def _picture(fill: int, size: int = 300) -> Picture:
    data = bytes([fill]) * size
    return Picture(data, "image/jpeg", hashlib.sha256(data).hexdigest(), 10, 10)


def test_a_picture_is_encoded_once():
    store, picture = EncodedPictures(), _picture(1)
    first = store.base64(picture)
    assert base64.b64decode(first) == picture.data
    assert store.base64(_picture(1)) is first
    assert store.data_uri(picture) == "data:image/jpeg;base64," + first


def test_the_one_used_longest_ago_goes_first():
    store = EncodedPictures(max_chars=800)  # room for two of 400 characters
    one, two = store.base64(_picture(1)), store.base64(_picture(2))
    assert store.base64(_picture(1)) is one
    store.base64(_picture(3))
    assert store.base64(_picture(1)) is one
    assert store.base64(_picture(2)) is not two


def test_a_picture_larger_than_the_store_is_still_encoded():
    store = EncodedPictures(max_chars=10)
    assert base64.b64decode(store.base64(_picture(9))) == _picture(9).data
