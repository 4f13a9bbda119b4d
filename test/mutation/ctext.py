# SPDX-License-Identifier: Apache-2.0
"""C text as tokens, and as much of its structure as the operators need: which tokens are expressions that run, where statements begin and end.

It is no compiler. What it takes for an expression by mistake gives a mutant that does not compile, and such a mutant does not count.
"""
import re

TOKEN = re.compile(r"""
    (?P<skip>\s+|//[^\n]*|/\*.*?\*/|\\\n)
  | (?P<directive>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<string>(?:u8|[uUL])?"(?:[^"\\]|\\.)*")
  | (?P<char>'(?:[^'\\]|\\.)+')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|[<>=!+\-*/%&|^]=|&&|\|\||.)
""", re.X | re.S | re.M)

OPEN, CLOSE = "([{", ")]}"
TYPE_WORDS = {"const", "struct", "enum", "union", "unsigned", "signed", "int", "char", "bool", "long", "short", "void", "float", "double",
              "static", "volatile", "register", "extern", "typeof", "__typeof__", "SCOPED"}
TYPE_NAME = re.compile(r"\w+_t|__(u|s|be|le)(8|16|32|64)")
STATEMENT_WORDS = {"return", "break", "continue", "goto", "if", "else", "for", "while", "do", "switch", "case", "default", "sizeof"}
NOT_MUTATED = {"sizeof", "_Static_assert", "assert", "offsetof", "__builtin_offsetof", "alignof", "_Alignof", "__attribute__"}


class Token:
    __slots__ = ("kind", "text", "start", "end")

    def __init__(self, kind, text, start):
        self.kind, self.text, self.start, self.end = kind, text, start, start + len(text)


class Statement:
    """kind: expression, return, break, continue, if, while, do, for. first and last are token numbers, last is the semicolon's; what if,
    while, do and for test is condition, a pair of token numbers (the second is one behind)."""

    def __init__(self, kind, first, last=None, condition=None, ends_function=False):
        self.kind, self.first, self.last, self.condition, self.ends_function = kind, first, last, condition, ends_function


def tokenize(text):
    found, at = [], 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if m.lastgroup not in ("skip", "directive"):
            found.append(Token(m.lastgroup, m[0], at))
        at = m.end()
    return found


class Source:
    """tokens; partner (of each bracket, both ways); statements; expressions: pairs of token numbers, not overlapping; dead: numbers of tokens
    inside an expression that are a type or the operand of sizeof and the like."""

    def __init__(self, text):
        self.text, self.tokens = text, tokenize(text)
        self.partner, self.statements, self.expressions, self.dead = self._pair(), [], [], set()
        self._file()

    def word(self, i):
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def is_type(self, i):
        t = self.tokens[i]
        return t.kind == "name" and (t.text in TYPE_WORDS or TYPE_NAME.fullmatch(t.text) is not None)

    def _pair(self):
        partner, stack = {}, []
        for i, t in enumerate(self.tokens):
            if t.kind == "sign" and t.text in OPEN:
                stack.append(i)
            elif t.kind == "sign" and t.text in CLOSE:
                partner[i] = stack.pop()
                partner[partner[i]] = i
        return partner

    def find(self, wanted, i, end):
        """The first of these signs outside of brackets in [i, end), or end."""
        while i < end:
            t = self.tokens[i]
            if t.kind == "sign" and t.text in wanted:
                return i
            i = self.partner[i] + 1 if t.kind == "sign" and t.text in OPEN else i + 1
        return end

    def _file(self):
        i = 0
        while i < len(self.tokens):
            if self.word(i) == "{" and self.word(i - 1) == ")":
                self._block(i, True)
            elif self.word(i) == "=":
                end = self.find(";", i, len(self.tokens))
                self._expression(i + 1, end)
                i = end
            i = self.partner[i] + 1 if self.word(i) in OPEN and self.tokens[i].kind == "sign" else i + 1

    def _block(self, brace, is_function=False):
        i, end = brace + 1, self.partner[brace]
        while i < end:
            i = self._statement(i)
        if is_function and self.statements and self.statements[-1].last == end - 1:
            self.statements[-1].ends_function = True
        return end + 1

    def _statement(self, i):
        """Note the statement at token i and what is in it; returns the token behind it."""
        word = self.word(i)
        if word == "{":
            return self._block(i)
        if word in ("if", "while", "switch", "for"):
            return self._headed(i)
        if word == "else":
            return self._statement(i + 1)
        if word == "do":
            i = self._statement(i + 1)
            close = self.partner[i + 1]
            self._expression(i + 2, close)
            return close + 2
        if word in ("case", "default"):
            return self.find(":", i, len(self.tokens)) + 1
        end = self.find(";", i, len(self.tokens))
        if word in ("break", "continue", "return"):
            self.statements.append(Statement(word, i, end))
            self._expression(i + 1, end)
        elif self._declares(i):
            self._declaration(i, end)
        else:
            return self._plain(i, end)
        return end + 1

    def _plain(self, i, end):
        """An expression and its semicolon; or a macro that is a loop's head."""
        if self.tokens[i].kind == "name" and self.word(i + 1) == "(":
            behind = self.partner[i + 1] + 1
            if self.word(behind) == "{" or (behind < end and self.tokens[behind].kind == "name"):
                self._expression(i + 2, behind - 1)
                return self._statement(behind)
        if i < end and self.word(i) not in NOT_MUTATED:
            self.statements.append(Statement("expression", i, end))
            self._expression(i, end)
        return end + 1

    def _headed(self, i):
        word, first, close = self.word(i), i + 2, self.partner[i + 1]
        condition = (first, close)
        if word == "for":
            one = self.find(";", first, close)
            two = self.find(";", one + 1, close)
            condition = (one + 1, two)
            (self._declaration if self._declares(first) else self._expression)(first, one)
            self._expression(two + 1, close)
        self._expression(*condition)
        if word != "switch" and condition[0] < condition[1]:
            self.statements.append(Statement(word, i, None, condition))
        return self._statement(close + 1)

    def _declares(self, i):
        if self.word(i) in STATEMENT_WORDS:
            return False
        return self.is_type(i) or (self.tokens[i].kind == "name" and self.tokens[i + 1].kind == "name")

    def _declaration(self, i, end):
        """Only what is behind "=" runs."""
        while i < end:
            start = self.find("=", i, end)
            i = self.find(",", start, end)
            self._expression(start + 1, i)

    def _expression(self, first, end):
        if first >= end:
            return
        self.expressions.append((first, end))
        for i in range(first, end):
            word = self.word(i)
            if word in NOT_MUTATED and self.word(i + 1) == "(":
                self.dead.update(range(i, self.partner[i + 1] + 1))
            elif word == "(" and self.is_type(i + 1):
                self.dead.update(range(i, self.partner[i] + 1))


def enums(text):
    """The enumerators of each enum of a preprocessed text, in order."""
    source, found = Source(text), []
    for i, t in enumerate(source.tokens):
        brace = i + 1 if source.word(i + 1) == "{" else i + 2
        if t.text != "enum" or source.word(brace) != "{":
            continue
        names, at, end = [], brace + 1, source.partner[brace]
        while at < end:
            names.append(source.word(at))
            at = source.find(",", at, end) + 1
        found.append(names)
    return found
