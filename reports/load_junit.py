"""A load run as JUnit XML: a test case for each objective, and one for the generator's own health."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from .text import visible


def render(result: dict[str, Any]) -> str:
    """A missed objective is a failure; what could not be judged, and a generator that did not keep time, is an error."""
    suite = ET.Element("testsuite", name=f"chatproof load {result['dialect']}", time=str(result["duration_s"]))
    properties = ET.SubElement(suite, "properties")
    for name in ("target", "seed", "verdict", "requests"):
        ET.SubElement(properties, "property", name=name, value=visible(str(result[name])))
    if result["capacity"]:
        ET.SubElement(properties, "property", name="capacity", value=visible(result["capacity"]["words"]))
    failures = errors = 0
    for row in result["objectives"]:
        case = ET.SubElement(suite, "testcase", classname="objectives", name=row["objective"])
        if row["kept"] is False:
            failures += 1
            ET.SubElement(case, "failure", message=f"wanted {row['wanted']}, got {row['got']}")
        elif row["kept"] is None:
            errors += 1
            ET.SubElement(case, "error", message="there was nothing to judge it by")
    health = ET.SubElement(suite, "testcase", classname="validity", name="the generator kept time")
    if not result["validity"]["valid"]:
        errors += 1
        bad = "; ".join(f"{s['name']} {s['got']}, {s['limit']}" for s in result["validity"]["signs"] if not s["good"])
        ET.SubElement(health, "error", message=bad)
    if result["verdict"] == "incomplete" and not errors:
        errors += 1
        case = ET.SubElement(suite, "testcase", classname="validity", name="the run is complete")
        ET.SubElement(case, "error", message=visible(result["reason"] or "incomplete"))
    cases = len(suite.findall("testcase"))
    suite.attrib.update(tests=str(cases), failures=str(failures), errors=str(errors), skipped="0")
    ET.indent(suite, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"
