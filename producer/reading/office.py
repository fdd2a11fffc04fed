"""Office, OpenDocument, RTF, EPUB and Outlook files, by kreuzberg (the extra `documents`)."""

from . import asides
from .reading import Reading, Unreadable

OPEN_XML = "application/vnd.openxmlformats-"
NAMES = {
    "wordprocessingml": "Word",
    "msword": "Word",
    "spreadsheetml": "Excel",
    "ms-excel": "Excel",
    "presentationml": "PowerPoint",
    "ms-powerpoint": "PowerPoint",
    "ms-outlook": "Outlook",
    "opendocument": "OpenDocument",
    "epub": "EPUB",
    "rtf": "RTF",
}


def read(data: bytes, media_type: str) -> Reading:
    name = next(name for part, name in NAMES.items() if part in media_type)
    try:
        import kreuzberg
    except ImportError:
        raise Unreadable(
            f"{name} needs the extra: pip install 'celery-completions[documents]'"
        ) from None
    config = kreuzberg.ExtractionConfig(output_format="markdown", use_cache=False)
    try:
        found = kreuzberg.extract_bytes_sync(data, media_type, config)
    except kreuzberg.KreuzbergError as error:
        raise Unreadable(f"damaged: no readable {name} file ({type(error).__name__})") from None
    warnings = [str(warning)[:200] for warning in found.processing_warnings or ()]
    reading = Reading(found.content, warnings)
    if media_type.startswith(OPEN_XML):
        asides.add(data, reading)
    return reading
