"""What every answer tells a browser and a cache (``docs/security.md``).

To guess nothing, to run nothing, to frame nothing, and to keep nothing that is private.

An answer that says something itself is not contradicted. Does not belong here: what a page may load (``describing.py``
says it for its own).
"""

from collections.abc import Sequence

Header = tuple[bytes, bytes]

#: An answer is data: nothing in it may be run, loaded or framed, whatever it looks like.
CONTENT_SECURITY_POLICY = b"content-security-policy"
_OF_EVERY_ANSWER: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (CONTENT_SECURITY_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_OF_HTTPS: tuple[Header, ...] = ((b"strict-transport-security", b"max-age=31536000"),)


def protecting(headers: Sequence[Header], *, private: bool, https: bool) -> list[Header]:
    """The headers that these lack. ``private``: an answer to a caller who showed a token."""
    said = {name for name, _ in headers}
    added = [header for header in _OF_EVERY_ANSWER if header[0] not in said]
    if https:
        added += _OF_HTTPS
    if private and b"cache-control" not in said:
        # With an entity tag it may be kept by the caller's own cache, which must ask each time.
        added.append((b"cache-control", b"private, no-cache" if b"etag" in said else b"no-store"))
    return added
