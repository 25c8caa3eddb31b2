"""Ids as vendors form them, drawn per row: codes of an alphabet and UUIDs.

Belongs here: turning drawn numbers into such texts, many at once. Does not belong here: whose ids they are.
"""

import numpy as np

from dataops_core.generation.seeding import I64, STRIDE, U64, draw, mix, pick

#: Letters of base 64 in addresses, and of base 32.
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def codes(column: np.uint64, rows: I64, alphabet: str, length: int) -> list[str]:
    """A code of so many letters for each row. The alphabet is ASCII."""
    places = np.arange(length, dtype=np.uint64) * STRIDE
    letters = np.frombuffer(alphabet.encode(), dtype=np.uint8)
    said = letters[pick(mix(draw(column, rows)[:, None] + places), len(alphabet))].tobytes().decode()
    return [said[start : start + length] for start in range(0, len(said), length)]


def uuids(column: np.uint64, rows: I64) -> list[str]:
    """A random UUID (version 4) for each row."""
    drawn = draw(column, rows)
    return uuids_of(drawn, mix(~drawn))


def uuids_of(first: U64, second: U64) -> list[str]:
    """The UUIDs of version 4 that 128 bits make."""
    raw = np.stack([first, second], axis=1).astype("<u8").view(np.uint8).reshape(-1, 16).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    said = raw.tobytes().hex()
    digits = (said[start : start + 32] for start in range(0, len(said), 32))
    return [f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in digits]
