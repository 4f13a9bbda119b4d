# SPDX-License-Identifier: Apache-2.0
"""The operators: each makes mutants of one kind from a source. A mutant is a replacement of one stretch of text."""
import ctext

LONG_SKIP = 3  # a constant with more digits is a size or a mask: one mutant of it is enough
SWAPS = {
    "boundary": {"<": "<=", "<=": "<", ">": ">=", ">=": ">"},
    "negate": {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="},
    "logic": {"&&": "||", "||": "&&"},
    "arithmetic": {"+": "-", "-": "+", "*": "+", "/": "*", "%": "/"},
    "bits": {"&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<"},
    "assign": {"+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "|=": "&=", "&=": "|=", "^=": "|=", "<<=": ">>=", ">>=": "<<="},
    "step": {"++": "--", "--": "++"},
}
BOTH = {"+", "-", "*", "&"}  # also unary
RELATIONS = set(SWAPS["negate"])
NOTHING = {"0", "NULL", "false"}


class Mutant:
    def __init__(self, name, source, operator, start, end, text):
        self.file, self.operator, self.start, self.end, self.text = name, operator, start, end, text
        self.line, self.number = source.line(start), 0
        self.source = source

    @property
    def id(self):
        return f"{self.file}:{self.line}:{self.operator}:{self.number}"

    def mutated(self):
        return self.source.text[:self.start] + self.text + self.source.text[self.end:]

    def diff(self):
        """The old lines and the new, without their indentation, one of each."""
        text = self.source.text
        first, last = text.rfind("\n", 0, self.start) + 1, text.find("\n", self.end)
        old, new = text[first:last], text[first:self.start] + self.text + text[self.end:last]
        return f"- {' '.join(old.split())}", f"+ {' '.join(new.split())}"


class Maker:
    def __init__(self, name, source, enums):
        self.name, self.source, self.found = name, source, []
        self.room = self.rooms()
        self.next_in_enum = {n: after for names in enums for n, after in followers(names)}

    def add(self, operator, first, end, text):
        """Replace tokens first to end - 1."""
        tokens = self.source.tokens
        self.found.append(Mutant(self.name, self.source, operator, tokens[first].start, tokens[end - 1].end, text))

    def text(self, first, end):
        return self.source.text[self.source.tokens[first].start:self.source.tokens[end - 1].end]

    # --- tokens ---

    def is_binary(self, i):
        before = self.source.tokens[i - 1]
        if before.text == ")":
            return i - 1 not in self.source.dead or self.source.word(self.source.partner[i - 1] - 1) in ctext.NOT_MUTATED
        return before.kind in ("number", "char") or before.text == "]" or (before.kind == "name" and before.text not in ("return", "case"))

    def sign(self, i):
        word = self.source.word(i)
        if word == "!":
            self.add("not", i, i + 1, "")
        elif word == "~":
            self.add("bits", i, i + 1, "")
        elif word == "?":
            self.ternary(i)
        elif word in BOTH and not self.is_binary(i):
            if word == "-":
                self.add("minus", i, i + 1, "")
        else:
            for operator, swap in SWAPS.items():
                if word in swap:
                    self.add(operator, i, i + 1, swap[word])

    def number(self, i):
        word = self.source.word(i)
        digits = word.rstrip("uUlL")
        if self.source.word(i - 1) == "{" and self.source.word(i + 1) == "}":
            return  # {0}
        try:
            value = int(digits, 0) if digits == "0" or not digits.startswith("0") or digits[1:2] in "xX" else int(digits, 8)
        except ValueError:
            return
        suffix = word[len(digits):]
        if not self.more_is_the_same(i):
            self.add("constant", i, i + 1, f"{value + 1}{suffix}")
        if value and len(digits) <= LONG_SKIP:
            self.add("constant", i, i + 1, f"{value - 1}{suffix}")

    def more_is_the_same(self, i):
        """Of an order ("? -1 : 1") only the sign counts, and room for more than is needed is never seen."""
        before = [self.source.word(k) for k in range(i - 4, i)]
        if before[2:] == ["?", "-"] and self.source.word(i + 1) == ":":
            return self.source.word(i + 2) == "1"
        if before == ["?", "-", "1", ":"]:
            return True
        return i in self.room

    def rooms(self):
        """The constants in what mem_grow() is asked for, its third argument."""
        source, found = self.source, set()
        for i, t in enumerate(source.tokens):
            if t.text == "mem_grow" and source.word(i + 1) == "(":
                end = source.partner[i + 1]
                second = source.find(",", source.find(",", i + 2, end) + 1, end)
                found.update(range(second + 1, source.find(",", second + 1, end)))
        return found

    def name_token(self, i):
        word = self.source.word(i)
        if word in ("true", "false"):
            self.add("bool", i, i + 1, "false" if word == "true" else "true")
        elif word in self.next_in_enum and self.source.word(i - 1) not in (".", "->"):
            self.add("enum", i, i + 1, self.next_in_enum[word])

    def char(self, i):
        word = self.source.word(i)
        if len(word) == 3:
            self.add("constant", i, i + 1, str(ord(word[1]) + 1))

    def ternary(self, question):
        """Swap the arms."""
        source, depth, colon = self.source, 0, question + 1
        while depth or source.word(colon) != ":":
            word = source.word(colon)
            depth += (word == "?") - (word == ":")
            colon = source.partner[colon] + 1 if word in ctext.OPEN else colon + 1
        end = colon + 1
        while source.word(end) not in (",", ";", ":") and source.word(end) not in ctext.CLOSE:
            end = source.partner[end] + 1 if source.word(end) in ctext.OPEN else end + 1
        self.add("ternary", question + 1, end, f"{self.text(colon + 1, end)} : {self.text(question + 1, colon)}")

    def tokens(self):
        makers = {"sign": self.sign, "number": self.number, "name": self.name_token, "char": self.char}
        for first, end in self.source.expressions:
            for i in range(first, end):
                t = self.source.tokens[i]
                if i not in self.source.dead and t.kind in makers:
                    makers[t.kind](i)

    # --- conditions: each operand of "&&" and "||", and the whole ---

    def is_relation(self, first, end):
        return self.source.find(RELATIONS, first, end) < end

    def operands(self, first, end):
        while first < end:
            cut = self.source.find(("&&", "||", "?", ":", ","), first, end)
            yield first, cut
            first = cut + 1

    def insert_not(self, first, end):
        parts = [p for p in self.operands(first, end) if p[0] < p[1]]
        for a, b in parts:
            inner = self.source.word(a) == "(" and self.source.partner[a] == b - 1
            if inner and a not in self.source.dead:
                self.insert_not(a + 1, b - 1)
            elif not self.is_relation(a, b) and self.source.word(a) != "!" and self.source.find(("=",), a, b) == b:
                self.add("not", a, b, f"!({self.text(a, b)})")
        if len(parts) > 1 and self.source.find(("?", ","), first, end) == end:
            self.add("not", first, end, f"!({self.text(first, end)})")

    def condition(self, s):
        first, end = s.condition
        self.insert_not(first, end)
        self.add("condition", first, end, "0")
        if s.kind == "if":
            self.add("condition", first, end, "1")

    # --- statements ---

    def statement(self, s):
        if s.condition:
            self.condition(s)
        elif s.kind == "expression":
            self.add("delete", s.first, s.last, "")
        elif s.kind == "return":
            self.leave(s)
        else:
            self.add("jump", s.first, s.last, "")
            self.add("jump", s.first, s.last, "continue" if s.kind == "break" else "break")

    def leave(self, s):
        value = self.text(s.first + 1, s.last) if s.first + 1 < s.last else ""
        if value and value not in NOTHING:
            self.add("return", s.first + 1, s.last, "0")
        if not s.ends_function:
            self.add("delete", s.first, s.last, "")


def followers(names):
    """Each enumerator and the next one, the last one's is the first; one that only counts or limits the others takes no part."""
    if len(names) > 2 and names[-1].endswith(("S", "_MAX", "_COUNT")):
        names = names[:-1]
    return zip(names, names[1:] + names[:1]) if len(names) > 1 else ()


def make(name, text, enums):
    """All mutants of a file, in the order of the text, each with its number among those of its line and operator."""
    maker = Maker(name, ctext.Source(text), enums)
    maker.tokens()
    for s in maker.source.statements:
        maker.statement(s)
    seen, count, result = set(), {}, []
    for m in sorted(maker.found, key=lambda m: (m.start, m.end, m.operator, m.text)):
        if (m.start, m.end, m.text) in seen:
            continue
        seen.add((m.start, m.end, m.text))
        key = (m.line, m.operator)
        count[key] = m.number = count.get(key, 0) + 1
        result.append(m)
    return result
