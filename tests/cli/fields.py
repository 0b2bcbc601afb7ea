#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks rows of JSON, an object a line, against a list of fields.

  fields.py LIST ROWS     a line of LIST is NAME, TYPE and the values that it may have, with tabs
                          between; a type with a ! has to be there in every row

Types: text, word (a text without blanks), time (RFC 3339), address, number, and those in brackets,
a list of them; "any" for everything below the name.  No key may stand twice in an object.
"""
import ipaddress
import json
import re
import sys

CHECKS = {
    "text": lambda v: isinstance(v, str),
    "word": lambda v: isinstance(v, str) and re.fullmatch(r"\S+", v),
    "time": lambda v: isinstance(v, str) and
    re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", v),
    "address": lambda v: isinstance(v, str) and ipaddress.ip_address(v),
    "number": lambda v: isinstance(v, int) and not isinstance(v, bool),
}


def once(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(f"twice: {keys}")
    if not keys:
        raise ValueError("an object without fields")
    return dict(pairs)


def leaves(value, name=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value


def is_field(value, kind, allowed):
    if kind.startswith("["):
        return isinstance(value, list) and value and \
            all(is_field(v, kind[1:-1], allowed) for v in value)
    return CHECKS[kind](value) and (not allowed or str(value) in allowed)


fields, faults, seen = {}, set(), set()
for line in open(sys.argv[1], encoding="utf-8"):
    if line.strip() and not line.startswith("#"):
        parts = line.rstrip("\n").split("\t")
        fields[parts[0]] = (parts[1], parts[2].split("|") if len(parts) > 2 else [])
rows = [json.loads(line, object_pairs_hook=once)
        for line in open(sys.argv[2], encoding="utf-8", newline="\n")]
for row in rows:
    here = dict(leaves(row))
    for name, value in here.items():
        above = next((n for n, (kind, _) in fields.items()
                      if kind == "any" and name.startswith(n + ".")), name)
        seen.add(above)
        if above not in fields:
            faults.add(f"{name} is no field")
        elif above == name and not is_field(value, fields[name][0].rstrip("!"), fields[name][1]):
            faults.add(f"{name} cannot be {value!r}")
    faults.update(f"{name} is not in every row" for name, (kind, _) in fields.items()
                  if kind.endswith("!") and name not in here)
faults.update(f"{name} is in no row" for name in fields if name not in seen)
print("\n".join(sorted(faults)))
sys.exit(bool(faults) or not rows)
