"""An exam's results as JUnit XML, which CI systems show beside the tests."""

import re
from xml.etree import ElementTree

from .runs import Run

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have (section 2.2)."""


def junit(run: Run) -> bytes:
    """One test case for each input."""
    suite = ElementTree.Element(
        "testsuite",
        name=_xml(run.suite),
        tests=str(len(run.results)),
        failures=str(len(run.failed)),
        errors="0",
        time=f"{sum(each.seconds for each in run.results):.3f}",
    )
    for each in run.results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_xml(run.suite),
            name=_xml(each.name),
            time=f"{each.seconds:.3f}",
        )
        if each.wrong:
            failure = ElementTree.SubElement(case, "failure", message=_xml(each.wrong[0]))
            failure.text = _xml("\n".join([*each.wrong, "", "The answer:", each.answer]))
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    ElementTree.indent(whole)
    return bytes(ElementTree.tostring(whole, encoding="utf-8", xml_declaration=True))


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
