"""Reading rows of comma-separated values, as RFC 4180 has them."""


class RowError(ValueError):
    """A row that is not valid; says which."""


def read_rows(text):
    """The rows of a text as lists of fields. Fields do not span lines; empty lines are left out."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line:
            continue
        try:
            rows.append(split_row(line))
        except RowError as error:
            raise RowError(f"line {number}: {error}") from None
    return rows


def split_row(line):
    """The fields of one row, without their quotes."""
    fields = []
    field = []
    quoted = False
    for character in line:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            fields.append("".join(field))
            field = []
        else:
            field.append(character)
    if quoted:
        raise RowError("a quote is not closed")
    fields.append("".join(field))
    return fields
