"""A QR code of a short text, drawn here: a secret that it may hold goes to no service (ISO/IEC 18004, byte mode, level M).

Up to 180 bytes: what an app of codes reads (Key Uri Format) is 150 at most. The pattern of the mask is always the first;
readers take any.
"""

from __future__ import annotations

from itertools import chain, pairwise, product, zip_longest

from normalizer.errors import InvalidInput

_BLOCKS = {
    1: (10, (16,)),
    2: (16, (28,)),
    3: (26, (44,)),
    4: (18, (32, 32)),
    5: (24, (43, 43)),
    6: (16, (27,) * 4),
    7: (18, (31,) * 4),
    8: (22, (38, 38, 39, 39)),
    9: (22, (36, 36, 36, 37, 37)),
}
"""By version: how many words correct a block, and how many words each block carries (table 9, level M)."""
_ALIGNED = {7: (6, 22, 38), 8: (6, 24, 42), 9: (6, 26, 46)}
_HEADER = 12
"""Bits before the text: byte mode, and how many bytes."""
_FORMAT = 0b101010000010010
"""Level M and the first mask, with their correction (annex C)."""
_VERSIONED = 7
"""From this version on a code says which it is."""

Cells = dict[tuple[int, int], bool]


def path(text: str) -> tuple[int, str]:
    """Return the side of a text's code in cells and its dark cells as the path of an SVG; raises InvalidInput."""
    rows = matrix(text)
    dark = ((x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell)
    return len(rows), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)


def matrix(text: str) -> list[list[bool]]:
    """Return a text's code by rows, True for dark; raises InvalidInput for a text that is too long."""
    given = text.encode()
    version = next(
        (v for v, (_, blocks) in _BLOCKS.items() if len(given) * 8 + _HEADER <= sum(blocks) * 8), 0
    )
    if not version:
        raise InvalidInput("the text is too long for a QR code")
    side = 17 + 4 * version
    cells = _fixed(version, side)
    bits = (byte >> n & 1 for byte in _words(given, version) for n in range(7, -1, -1))
    for x, y in _way(side):
        if (x, y) not in cells:
            cells[x, y] = bool(next(bits, 0)) ^ ((x + y) % 2 == 0)
    return [[cells[x, y] for x in range(side)] for y in range(side)]


def _words(given: bytes, version: int) -> list[int]:
    """Return a text's words in blocks, each with its correction, one of each block in turn."""
    correcting, sizes = _BLOCKS[version]
    bits = f"0100{len(given):08b}" + "".join(f"{byte:08b}" for byte in given) + "0000"
    filled = [int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8)]
    room = sum(sizes)
    filled = (filled + [0xEC, 0x11] * room)[:room] if len(filled) < room else filled[:room]
    ends = [0, *(sum(sizes[: n + 1]) for n in range(len(sizes)))]
    blocks = [filled[start:end] for start, end in pairwise(ends)]
    corrections = [_correction(block, correcting) for block in blocks]
    turns = chain(zip_longest(*blocks), zip_longest(*corrections))
    return [word for turn in turns for word in turn if word is not None]


def _correction(block: list[int], count: int) -> list[int]:
    """Return the remainder of a block by the generator (Reed-Solomon over GF(256), 0x11d)."""
    generator = [1]
    root = 1
    for _ in range(count):
        shifted = [*generator, 0]
        for n, factor in enumerate(generator):
            shifted[n + 1] ^= _times(factor, root)
        generator, root = shifted, _times(root, 2)
    rest = [*block, *[0] * count]
    for at in range(len(block)):
        lead = rest[at]
        for n, factor in enumerate(generator):
            rest[at + n] ^= _times(factor, lead)
    return rest[len(block) :]


def _times(one: int, other: int) -> int:
    product_ = 0
    while other:
        product_ ^= one * (other & 1)
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return product_


def _fixed(version: int, side: int) -> Cells:
    """Return the cells that carry no words: finders, timing, alignment, format and version."""
    cells: Cells = {}
    for left, top in ((0, 0), (side - 7, 0), (0, side - 7)):
        _find(cells, left, top, side)
    centres = _ALIGNED.get(version, (6, side - 7) if version > 1 else ())
    for left, top in product(centres, centres):
        if (left, top) not in cells:
            for x, y in product(range(left - 2, left + 3), range(top - 2, top + 3)):
                cells[x, y] = max(abs(x - left), abs(y - top)) != 1
    for n in range(8, side - 8):
        cells[n, 6] = cells[6, n] = n % 2 == 0
    _say_format(cells, side)
    if version >= _VERSIONED:
        _say_version(cells, version, side)
    return cells


def _find(cells: Cells, left: int, top: int, side: int) -> None:
    """Draw a finder with the light cells around it."""
    for x, y in product(range(left - 1, left + 8), range(top - 1, top + 8)):
        if 0 <= x < side and 0 <= y < side:
            cells[x, y] = max(abs(x - left - 3), abs(y - top - 3)) not in (2, 4)


def _say_format(cells: Cells, side: int) -> None:
    around = [n for n in range(9) if n != 6]
    first = [(8, n) for n in around] + [(n, 8) for n in reversed(around[:-1])]
    second = [(side - 1 - n, 8) for n in range(8)] + [(8, side - 7 + n) for n in range(7)]
    for n, (one, other) in enumerate(zip(first, second, strict=True)):
        cells[one] = cells[other] = bool(_FORMAT >> n & 1)
    cells[8, side - 8] = True


def _say_version(cells: Cells, version: int, side: int) -> None:
    rest = version << 12
    for n in range(5, -1, -1):
        if rest >> (12 + n) & 1:
            rest ^= 0x1F25 << n
    said = version << 12 | rest
    for n in range(18):
        across, along = side - 11 + n % 3, n // 3
        cells[across, along] = cells[along, across] = bool(said >> n & 1)


def _way(side: int) -> list[tuple[int, int]]:
    """Return the cells in the order of the words: two columns at a time, up and down, from the right."""
    way: list[tuple[int, int]] = []
    up = True
    for right in [*range(side - 1, 6, -2), 5, 3, 1]:
        rows = range(side - 1, -1, -1) if up else range(side)
        way += [(right - n, y) for y in rows for n in (0, 1)]
        up = not up
    return way
