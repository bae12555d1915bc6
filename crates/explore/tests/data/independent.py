#!/usr/bin/env python3
"""Random small programs with their numbers of Mazurkiewicz traces, counted by hand.

    ./independent.py SEED COUNT > independent-programs.tsv

Runs every interleaving, brings each into its Foata normal form, and counts the different ones. It shares no line with the
explorer whose numbers are held against it, not even the language: only the table of what depends on what.
"""
import random
import sys

# A program with more interleavings is left out.
MOST_INTERLEAVINGS = 6000
# An operation is a tuple of its letter and what it works on; ('?', value, sign, then, else) is a condition.


def operation(draw, depth, held):
    """One operation, or a few that belong together."""
    k = draw.random()
    if k < 0.22:
        return [("W", draw.choice("xy"), draw.choice(["0", "1", "2", "$", "$+1"]))]
    if k < 0.40:
        return [("R", draw.choice("xy"))]
    if k < 0.50:
        return [("F", draw.choice("xy"), draw.choice([1, 2]))]
    if k < 0.57:
        return [("C", draw.choice("xy"), draw.choice([0, 1]), draw.choice([1, 2]))]
    if k < 0.66:
        return [("S", draw.choice("cd"))]
    if k < 0.72:
        return [("X", draw.choice("cd"))]
    if k < 0.80:
        return [("Q", draw.choice("cd"))]
    if k < 0.86 and len(held) < 2:
        held.append(draw.choice("mn"))
        return [("L", held[-1])]
    if k < 0.90 and held:
        return [("U", held.pop(draw.randrange(len(held))))]
    if k < 0.94 and depth == 0:
        lock = draw.choice("mn")
        section = [("U", lock)] if draw.random() < 0.7 else [("F", "x", 1), ("U", lock)]
        return [("T", lock), ("?", 1, "=", section, [])]
    if k < 0.985 and depth < 2:
        then = program(draw, depth + 1, draw.randint(1, 2))
        other = program(draw, depth + 1, draw.randint(1, 2)) if draw.random() < 0.3 else []
        return [("?", draw.choice([0, 1, 2]), draw.choice("=!"), then, other)]
    return [("#",)] if k > 0.995 else [("R", draw.choice("xy"))]


def program(draw, depth, length):
    """One task. What it locks in a block it unlocks there; at the outside it sometimes forgets to."""
    operations, held = [], []
    for _ in range(length):
        operations += operation(draw, depth, held)
    while held and (depth > 0 or draw.random() < 0.85):
        operations.append(("U", held.pop()))
    return operations


def text(operations):
    def one(o):
        match o[0]:
            case "W":
                return "W%s=%s" % o[1:]
            case "F":
                return "F%s+%d" % o[1:]
            case "C":
                return "C%s:%d>%d" % o[1:]
            case "?":
                return "?%s%d{%s}" % (o[2], o[1], text(o[3])) + (":{%s}" % text(o[4]) if o[4] else "")
            case _:
                return "".join(o)

    return ";".join(map(one, operations))


def dependent(a, b):
    """Whether the order of two events matters: (task, place, object, what was done)."""
    if a[0] == b[0]:
        return True
    if a[2] != b[2]:
        return False
    a, b = a[3], b[3]
    if "read" in (a, b) or "write" in (a, b):
        return "write" in (a, b)
    if a[0] == "empty" or b[0] == "empty":
        return a[0] != b[0]
    # Two sends, two receives, or a message's send and its receive.
    return a[0] == b[0] or a[1] == b[1]


def settled(rest, last):
    """The operations that are left once the conditions in front are decided."""
    while rest and rest[0][0] == "?":
        _, value, sign, then, other = rest[0]
        rest = tuple(then if (last == value) == (sign == "=") else other) + rest[1:]
    return rest


class Everything(Exception):
    """There are too many interleavings."""


class Counter:
    def __init__(self, tasks):
        self.classes, self.blocked, self.interleavings = set(), 0, 0
        self.go({}, {}, {}, [(settled(tuple(t), 0), 0, 0) for t in tasks], [])

    def go(self, values, locks, channels, tasks, events):
        def can_run(rest):
            if not rest or rest[0][0] == "#":
                return False
            if rest[0][0] == "L":
                return rest[0][1] not in locks
            return rest[0][0] != "X" or bool(channels.get(rest[0][1], (0, []))[1])

        ready = [i for i, (rest, _, _) in enumerate(tasks) if can_run(rest)]
        if not ready:
            return self.end(tasks, events)
        for i in ready:
            rest, last, place = tasks[i]
            v, l, c = dict(values), dict(locks), dict(channels)
            last, thing, done = step(rest[0], i, last, v, l, c)
            after = list(tasks)
            after[i] = (settled(rest[1:], last), last, place + 1)
            self.go(v, l, c, after, events + [(i, place, thing, done)])

    def end(self, tasks, events):
        self.interleavings += 1
        if self.interleavings > MOST_INTERLEAVINGS:
            raise Everything
        levels = []
        for j, event in enumerate(events):
            below = (levels[k] + 1 for k in range(j) if dependent(events[k], event))
            levels.append(max(below, default=0))
        form = frozenset(zip(levels, events))
        if form not in self.classes:
            self.classes.add(form)
            self.blocked += any(rest for rest, _, _ in tasks)


def step(o, task, last, values, locks, channels):
    """Does one operation: the task's last value, the object, and what was done to it."""
    thing = o[0] if len(o) < 2 else {"L": "lock ", "U": "lock ", "T": "lock ", "S": "channel ", "X": "channel ", "Q": "channel "}.get(o[0], "") + o[1]
    match o[0]:
        case "W":
            values[o[1]] = {"$": last, "$+1": last + 1}[o[2]] if "$" in o[2] else int(o[2])
            return last, thing, "write"
        case "R":
            return values.get(o[1], 0), thing, "read"
        case "F":
            before = values.get(o[1], 0)
            values[o[1]] = before + o[2]
            return before, thing, "write"
        case "C":
            before = values.get(o[1], 0)
            if before == o[2]:
                values[o[1]] = o[3]
            return before, thing, "write" if before == o[2] else "read"
        case "L":
            locks[o[1]] = task
            return last, thing, "write"
        case "U":
            del locks[o[1]]
            return last, thing, "write"
        case "T":
            free = o[1] not in locks
            if free:
                locks[o[1]] = task
            return int(free), thing, "write" if free else "read"
        case "S":
            sent, waiting = channels.get(o[1], (0, []))
            channels[o[1]] = (sent + 1, waiting + [sent])
            return last, thing, ("send", sent)
        case _:
            sent, waiting = channels.get(o[1], (0, []))
            if not waiting:
                return 0, thing, ("empty", None)
            channels[o[1]] = (sent, waiting[1:])
            return 1 if o[0] == "Q" else last, thing, ("receive", waiting[0])


def main(seed, wanted):
    draw = random.Random(seed)
    print("name\tprogram\ttraces\tblocked\tinterleavings\trf_classes\tsource")
    found = 0
    while found < wanted:
        tasks = [program(draw, 0, draw.randint(1, 4)) for _ in range(draw.choice([2, 2, 3, 3, 4]))]
        if not all(tasks):
            continue
        try:
            c = Counter(tasks)
        except Everything:
            continue
        row = (f"random {seed}.{found}", " || ".join(map(text, tasks)), len(c.classes), c.blocked, c.interleavings, "", "independent.py")
        print(*row, sep="\t")
        found += 1


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
