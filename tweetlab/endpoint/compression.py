"""Request bodies that come compressed."""

import zlib

from tweetlab.endpoint.wire import internal_error, too_large

_FORMATS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""The encodings that DynamoDB knows, as zlib tells them apart."""


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """A body as it was before it was sent with that ``Content-Encoding``; SDKs compress by gzip.
    Raises DynamoDBError for one of more than ``limit`` bytes, or that is not what it says: AWS
    answers 500 to that, and to other encodings (Alternator's tests, which were run on AWS)."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in _FORMATS:
        raise internal_error(
            f"The body is said to be {encoding[:100]!r}: DynamoDB knows gzip and deflate."
        )
    pieces: list[bytes] = []
    room = limit
    while True:  # a gzip file may consist of several, one after the other
        member = zlib.decompressobj(_FORMATS[encoding])
        try:
            pieces.append(member.decompress(body, room + 1))
        except zlib.error as error:
            raise internal_error(f"The body is not {encoding} ({error}).") from None
        room -= len(pieces[-1])
        if room < 0:
            raise too_large(f"A request has at most {limit:,} bytes when it is decompressed.")
        if not member.eof:
            raise internal_error(f"The body is only the beginning of {encoding}.")
        body = member.unused_data
        if not body:
            return b"".join(pieces)
        if encoding == "deflate":
            raise internal_error("The body goes on after its end: deflate is of one piece.")
