def wrap(text, width):
    """Breaks text into lines of at most `width` characters, at blanks."""
    lines = []
    current = ""
    for word in text.split():
        if current and len(current) + 1 + len(word) > width:
            lines.append(current)
            current = word
        elif current:
            current = current + " " + word
        else:
            current = word
    if not current:
        lines.append(current)
    return lines
