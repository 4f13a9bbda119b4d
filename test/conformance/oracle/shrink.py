# SPDX-License-Identifier: Apache-2.0
"""Makes a scenario that shows something as small as it can be: drops policies, rules, peers, ports, endpoints, labels, one after the other, as long as it still shows it."""
import copy


def places(value, path=()):
    """The path of everything in a document that can be left out, big things first."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, _ in reversed(items):
        yield (*path, key)
    for key, inner in items:
        yield from places(inner, (*path, key))


def without(document, path):
    smaller = copy.deepcopy(document)
    at = smaller
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    return smaller


def shrink(scenario, shows, tries=1500):
    """SHOWS(scenario) says whether it still does; a scenario that cannot be asked does not."""
    changed = True
    while changed:
        changed, at = False, 0
        paths = sorted(places(scenario), key=len)
        while at < len(paths) and tries > 0:
            path, at = paths[at], at + 1
            if path[0] == "probes" or "addresses" in path:  # what has none gets some from kilim
                continue
            tries -= 1
            try:
                smaller = without(scenario, path)
                if not shows(smaller):
                    continue
            except (KeyError, IndexError, TypeError, StopIteration, ValueError, AttributeError):
                continue
            # what stood before this place stays where it was
            scenario, changed, at = smaller, True, at - 1
            paths = sorted(places(scenario), key=len)
    return scenario
