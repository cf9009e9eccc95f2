"""Names that somebody else has chosen, as they can be shown without doing anything."""


def inert(text: str) -> str:
    r"""A name in which nothing moves a cursor, ends a line or turns the direction of reading: such characters are shown by their number.

    >>> inert("é [red] \x1b[2J\u202egpj.exe")
    'é [red] \\u{1b}[2J\\u{202e}gpj.exe'
    """
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)
