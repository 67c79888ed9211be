#!/usr/bin/env python3
"""Freezes realistic tables and arrays with the values that a reader must return.

Values come from Python's csv module, float() and NumPy. Each case has the bytes of its files (base64), the options
of the dataset, and either values or the code of the error with its row and column.
"""
import base64
import csv
import gzip
import io
import json
import math
import os
import struct

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
cases = {}


def b64(data):
    return base64.b64encode(data.encode("utf-8") if isinstance(data, str) else data).decode("ascii")


def add(name, files, data, expect, loss="mse", precision="float64"):
    assert name not in cases, name
    cases[name] = {"files": {k: b64(v) for k, v in files.items()}, "data": data, "loss": loss,
                   "precision": precision, "expect": expect}


def table(text, delimiter=",", skip=1, number=float, drop=()):
    """Rows of a CSV text as Python reads them; the last column is the target."""
    rows = [row for row in csv.reader(io.StringIO(text, newline=None), delimiter=delimiter) if row][skip:]
    rows = [row for i, row in enumerate(rows) if i not in drop]
    return [number(c) for row in rows for c in row[:-1]], [row[-1] for row in rows]


def good(name, text, options=None, loss="mse", precision="float64", notes=(), classes=None, **how):
    inputs, targets = table(text, **how)
    number = how.get("number", float)
    expect = {"inputs": inputs, "notes": list(notes)}
    if classes is None:
        expect["targets"] = [number(t) for t in targets]
    else:
        expect["classes"] = classes
        expect["targets"] = [classes.index(t) for t in targets]
    add(name, {"d.csv": text}, {"type": "csv", "path": "d.csv", **(options or {})}, expect, loss, precision)


def bad(name, text, code, row=None, column=None, options=None, loss="mse", precision="float64", says=None):
    expect = {"error": code}
    if row is not None:
        expect["place"] = f"row {row}" + (f", column {column}" if column is not None else "")
    if says is not None:
        expect["remedy"] = says
    add(name, {"d.csv": text}, {"type": "csv", "path": "d.csv", **(options or {})}, expect, loss, precision)


VALUES = {"task": "values"}
# Numbers.
good("plain", "x,y,t\n1,2,0.5\n-3,4e-3,1.5\n.5,7.,-2\n", notes=["task-decided"])
good("digits-of-doubles", "x,y,t\n0.1,1e-320,0.30000000000000004\n123456789012345678,4.9e-324,1.7976931348623157e308\n", VALUES)
bad("thousands", 'a,t\n"1,234",0.5\n"12,345",1.5\n', "thousands-separator", 2, 1, says="1234")
bad("thousands-point", 'a,t\n"1,234.5",0.5\n', "thousands-separator", 2, 1, says="1234.5")
bad("thousands-many", 'a;t\n1,234,567;0.5\n', "thousands-separator", 2, 1, says="1234567")
thousands = lambda text: float(text.replace(",", ""))
good("thousands-option", 'a,t\n"1,234",0.5\n"12,345.25",1.5\n', {"thousands": ",", **VALUES}, number=thousands)
bad("thousands-space", "a;t\n1 234;0.5\n", "thousands-separator", 2, 1, says='" "')
good("thousands-nbsp-option", "a;t\n1\u00a0234;0.5\n12\u202f345;1\n", {"thousands": " ", **VALUES}, delimiter=";",
     number=lambda s: float(s.replace("\u00a0", "").replace("\u202f", "")))
bad("thousands-apostrophe", "a;t\n1'234'567;0.5\n", "thousands-separator", 2, 1, says="\"'\"")
bad("decimal-comma", "a;t\n0,5;1\n1,5;2\n", "decimal-comma", 2, 1, says="0.5")
bad("decimal-comma-three-digits", "a;t\n1,234;1\n0,5;2\n", "decimal-comma", 2, 1, says="1.234")
bad("comma-either-way", "a;t\n1,234;1\n2,345;2\n", "ambiguous-comma", 2, 1)
bad("european", "a;t\n1.234,5;1\n", "decimal-comma", 2, 1, says="1234.5")
comma = lambda s: float(s.replace(".", "").replace(",", "."))
good("decimal-option", "a;t\n0,5;1\n-1,25e2;2\n", {"decimal": ",", **VALUES}, delimiter=";", number=comma)
good("european-option", "a;t\n1.234,5;1,5\n12.345.678;2\n", {"decimal": ",", "thousands": ".", **VALUES}, delimiter=";", number=comma)
bad("percent", "a,t\n45%,0.5\n", "percent", 2, 1)
bad("currency", "a,t\n$12.50,0.5\n", "currency", 2, 1, says="12.5")
bad("currency-thousands", 'a,t\n"€ 1,234.50",0.5\n', "currency", 2, 1, says="1234.5")
bad("accounting", "a,t\n(12),0.5\n", "accounting", 2, 1)
bad("unicode-minus", "a,t\n\u22125,0.5\n", "not-a-minus", 2, 1)
bad("fortran", "a,t\n1.5D3,0.5\n", "fortran-exponent", 2, 1, says="1500")
bad("hexadecimal", "a,t\n0x1F,0.5\n", "not-decimal", 2, 1)
bad("truth-value", "a,t\nTRUE,0.5\n", "truth-value", 2, 1)
bad("date", "a,t\n2024-02-29,0.5\n", "date", 2, 1)
bad("spreadsheet-error", "a,t\n#DIV/0!,0.5\n", "spreadsheet-error", 2, 1)
bad("infinity", "a,t\n1,0.5\n-inf,0.5\n", "infinite", 3, 1)
bad("beyond-double", "a,t\n1e309,0.5\n", "too-large", 2, 1)
assert np.float32(3.4028235677973366e38) == np.inf and np.isfinite(np.float32(3.4028235677973362e38))
bad("beyond-float32", "x,y,t\n1,2,0.5\n1,1e39,1\n", "beyond-precision", 3, 2, precision="float32")
bad("beyond-float32-by-rounding", "x,t\n3.4028235677973366e38,0.5\n", "beyond-precision", 2, 1, precision="float32")
good("largest-float32", "x,t\n3.4028234663852886e38,0.5\n1.1,2\n", VALUES, precision="float32", number=lambda s: float(np.float32(float(s))))
bad("target-beyond-float32", "x,t\n1,0.5\n1,-1e39\n", "beyond-precision", 3, 2, precision="float32")
# Missing values.
for i, text in enumerate(["NA", "N/A", "?", "null", "nan", "", "-", "NaN", "None", "#N/A", "."]):
    bad(f"missing-input-{i}", f"a,b,t\n1,2,0.5\n3,{text},1.5\n", "missing-value", 3, 2)
rows = "".join(f"{i},{i * i},{i * 1.25}\n" for i in range(30))
bad("missing-target", f"x,y,t\n{rows}3,4,NA\n", "missing-value", 32, 3)
bad("missing-class", "x,t\n1,cat\n2,dog\n3,NA\n", "missing-value", 4, 2, loss="cross_entropy")
good("missing-named-class", "x,t\n1,cat\n2,NA\n", {"classes": ["cat", "NA"]}, "cross_entropy", classes=["cat", "NA"])
good("sodium", "x,t\n1,Cl\n2,Na\n", None, "cross_entropy", classes=["Cl", "Na"], notes=["task-decided"])
good("missing-drop", "x,y,t\n1,2,0.5\nNA,3,1.5\n4,?,2.5\n5,6,\n7,8,3.5\n", {"missing": "drop", **VALUES},
     drop=(1, 2, 3), notes=["rows-dropped"])
column = [0.1, 0.2, 0.7, 1e16, -1e16]
mean = math.fsum(column) / len(column)
add("missing-mean", {"d.csv": "x,y,t\n" + "".join(f"{v!r},1,0.5\n" for v in column) + "NA,2,1.5\n"},
    {"type": "csv", "path": "d.csv", "missing": "mean", **VALUES},
    {"inputs": [v for x in column for v in (x, 1.0)] + [mean, 2.0], "targets": [0.5] * 5 + [1.5], "notes": ["missing-filled"]})
bad("missing-mean-target", "x,t\n1,0.5\n2,NA\n", "missing-value", 3, 2, {"missing": "mean"})
# Layout.
bad("spaces", "  0.00632  18.00   2.310  0  24.00\n  0.02731   0.00   7.070  0  21.60\n", "space-delimited", options={"header": False})
spaced = "  0.00632  18.00\t 2.310  0  24.00\n  0.02731   0.00   7.070  0  21.60\n"
numbers = [[float(c) for c in line.split()] for line in spaced.splitlines()]
add("spaces-option", {"d.csv": spaced}, {"type": "csv", "path": "d.csv", "header": False, "delimiter": " ", **VALUES},
    {"inputs": [v for row in numbers for v in row[:-1]], "targets": [row[-1] for row in numbers], "notes": []})
add("trailing-delimiter", {"d.csv": "A,B,C\n1,4,7,\n2,5,8,\n"}, {"type": "csv", "path": "d.csv", **VALUES},
    {"inputs": [1, 4, 2, 5], "targets": [7, 8], "notes": ["trailing-delimiter"]})
add("trailing-delimiter-everywhere", {"d.csv": "A;B;C;\n1;4;7;\n2;5;8;\n"}, {"type": "csv", "path": "d.csv", **VALUES},
    {"inputs": [1, 4, 2, 5], "targets": [7, 8], "notes": ["trailing-delimiter"]})
bad("r-row-names", 'x,t\n"1",2,0.5\n"2",3,1.5\n', "names-missing")
good("saved-index", ",x,t\n" + "".join(f"{i},{i % 5},{i % 3}.5\n" for i in range(8)), VALUES, notes=["index-column"])
iris = "5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n7.0,3.2,Iris-versicolor\n6.4,3.2,Iris-versicolor\n"
good("names-are-data", iris, None, "cross_entropy", classes=["Iris-setosa", "Iris-versicolor"], notes=["header-is-data", "task-decided"])
good("no-header", iris, {"header": False}, "cross_entropy", classes=["Iris-setosa", "Iris-versicolor"], notes=["task-decided"], skip=0)
bad("header-not-read", "x,y,t\n1,2,0.5\n", "header-not-read", 1, 1, {"header": False})
good("sep-line", "sep=;\nx;y;t\n1;2;0.5\n3;4;1.5\n", VALUES, delimiter=";", skip=2)
good("sep-line-crlf", "SEP=|\r\nx|y|t\r\n1|2|0.5\r\n", VALUES, delimiter="|", skip=2)
bad("comment-line", "# made 2024\nx,t\n1,0.5\n", "comment-line", 1, says='"#"')
add("comment-option", {"d.csv": "# made, 2024\n# by hand\nx,t\n1,0.5\n# half\n2,1.5\n"},
    {"type": "csv", "path": "d.csv", "comment": "#", **VALUES}, {"inputs": [1, 2], "targets": [0.5, 1.5], "notes": []})
bad("comment-inside", "x,t\n1,0.5\n# half\n2,1.5\n", "row-length", 3, says='"#"')
good("number-sign-column", "#,x,t\n7,1,0.5\n9,2,1.5\n", VALUES)
good("quoted-lines", 'x,y,t\n"1","2",0.5\n"3",4,"1.5"\n', VALUES)
good("byte-order-mark", "x,t\n1,0.5\n", VALUES)
cases["byte-order-mark"]["files"]["d.csv"] = b64(b"\xef\xbb\xbfx,t\n1,0.5\n")
bad("stray-quote", 'x,t\n1,0.5\n"2,1.5\n3,2.5\n', "csv-syntax", 3)
# The target.
wine = '"acid";"pH";"quality"\n' + "".join(f"7.{i};3.{i};{i}\n" for i in range(3, 9))
good("quality-as-value", wine, delimiter=";", notes=["task-decided"])
good("two-values", "x,t\n0,20\n1,10\n2,10\n", notes=["task-decided"])
good("whole-numbers-as-classes", "x,t\n0,20\n1,10\n2,10\n", None, "cross_entropy", classes=["10", "20"], notes=["task-decided"])
good("labels-beyond-2-53", "x,label\n1,9007199254740992\n2,9007199254740993\n3,5\n", {"task": "classes"}, "cross_entropy",
     classes=["5", "9007199254740992", "9007199254740993"])
bad("escape-code-in-name", "\x1b[31mred,y,t\n1,2,0.5\nx,4,1.5\n", "not-a-number", 3, 1)
good("escape-code-in-class", "x,t\n1,\x1b[31mred\n2,blue\n", None, "cross_entropy", classes=["\x1b[31mred", "blue"], notes=["task-decided"])
cases["escape-code-in-class"]["expect"]["classes"] = ["[U+001B][31mred", "blue"]
# More of the same kinds.
good("blank-lines-first", "  \n \n\nx;y;t\n1;2;0.5\n", VALUES, delimiter=";", skip=3)
cases["blank-lines-first"]["expect"].update(inputs=[1, 2], targets=[0.5])
good("comments-then-sep-line", "# made by hand\nsep=;\nx;y;t\n1;2;0.5\n", {"comment": "#", **VALUES}, delimiter=";", skip=3)
good("mark-and-sep-line", "sep=\t\r\nx\ty\tt\r\n1\t2\t0.5\r\n", VALUES, delimiter="\t", skip=2)
cases["mark-and-sep-line"]["files"]["d.csv"] = b64(b"\xef\xbb\xbfsep=\t\r\nx\ty\tt\r\n1\t2\t0.5\r\n")
good("carriage-returns-only", "x,t\r1,0.5\r2,1.5\r", VALUES)
good("name-over-two-lines", '"x\n(m)",t\n1,0.5\n2,1.5\n', VALUES)
good("spaces-around-numbers", "x\ty\tt\n 1 \t2  \t 0.5\n", VALUES, delimiter="\t")
good("signs", "x,y,t\n+.5,-0,0.5\n5.,-0.0,+1.5E+0\n", VALUES)
good("no-header-decimal-commas", "1,5;2,5;0,5\n3,5;4,5;1,5\n", {"header": False, "decimal": ",", **VALUES}, delimiter=";", skip=0, number=comma)
bad("no-header-decimal-commas-unsaid", "1,5;2,5;0,5\n3,5;4,5;1,5\n", "decimal-comma", 1, 1, {"header": False}, says="1.5")
french = lambda s: float(s.replace("\u202f", "").replace(",", "."))
good("french", "a;t\n1\u202f234,56;0,5\n", {"decimal": ",", "thousands": " ", **VALUES}, delimiter=";", number=french)
bad("french-unsaid", "a;t\n1\u202f234,56;0,5\n", "thousands-separator", 2, 1, says='"decimal": ","')
bad("swiss", "a;t\n1'234.50;0.5\n", "thousands-separator", 2, 1, says="\"'\"")
bad("lakhs", 'a,t\n"12,34,567.5",0.5\n', "thousands-separator", 2, 1, says="1234567.5")
bad("underscores", "a,t\n1_000_000,0.5\n", "thousands-separator", 2, 1, says='"_"')
for i, (text, value) in enumerate([("12.50 €", "12.5"), ("€12.50", "12.5"), ("US$1,200.50", "1200.5"), ("CHF 12", "12"), ("12 PLN", "12"),
                                   ("-£3", "-3"), ("£-3", "-3"), ("₹ 5", "5"), ("1.234,50 €", "1234.5"), ("₿0.5", "0.5")]):
    bad(f"currency-{i}", f"a;t\n{text};0.5\n", "currency", 2, 1, says=f"Write {value} ")
for i, text in enumerate(["12,5%", "45 %", "-3.5%", "2‰"]):
    bad(f"percent-{i}", f"a;t\n{text};0.5\n", "percent", 2, 1)
for i, (text, value) in enumerate([("12 kg", "12"), ("3.5km", "3.5"), ("-40°C", "-40"), ("5µs", "5"), ("1e3m", None)]):
    bad(f"unit-{i}", f"a;t\n{text};0.5\n", "unit" if value else "not-a-number", 2, 1, says=f"so that {value} is" if value else None)
for i, text in enumerate(["01/02/2020", "2020-01-01T00:00:00Z", "12:30", "1.2.2020", "2020/1/5"]):
    bad(f"date-{i}", f"a;t\n{text};0.5\n", "date", 2, 1)
for i, text in enumerate(["inf", "-Infinity", "1e999", "∞"]):
    bad(f"not-finite-{i}", f"a;t\n{text};0.5\n", "too-large" if "e" in text else "infinite", 2, 1)
for i, text in enumerate(["１２", "1/2", "10-20", "1..5", "--5", "5-", "1e", "e5", "0x", "1 2"]):
    bad(f"no-number-{i}", f"a;t\n{text};0.5\n", "not-a-number", 2, 1)
for i, text in enumerate(["#N/A N/A", "-1.#QNAN", "n.a.", "\\N", '" NA "', '""', "  ", "<NA>", "–"]):
    bad(f"missing-more-{i}", f"a,b,t\n1,2,0.5\n3,{text},1.5\n", "missing-value", 3, 2)
bad("nul-bytes", "x,t\n1,0.5\n2\0,1.5\n", "not-a-number", 3, 1)
bad("last-row-cut", "x,y,t\n1,2,0.5\n3,4\n", "row-length", 3)
for i, content in enumerate([b"", b"\n", b"\xef\xbb\xbf", b"x,t\n", b"  \n\n", b"# only a comment\n"]):
    add(f"nothing-{i}", {"d.csv": content}, {"type": "csv", "path": "d.csv", **({"comment": "#"} if i == 5 else {})}, {"error": "no-rows"})
add("latin-1", {"d.csv": "x,größe\n1,2\n".encode("latin-1")}, {"type": "csv", "path": "d.csv"}, {"error": "data", "place": "byte 5"})
bad("one-column", "x\n1\n2\n", "one-column")
bad("quote-inside", 'x,t\n"a "b" c",0.5\n', "csv-syntax", 2)
good("quote-in-the-middle", 'x,kind\n1,5" pipe\n2,6" pipe\n', None, "cross_entropy", classes=['5" pipe', '6" pipe'], notes=["task-decided"])
good("names-in-both-cases", "x,kind\n1,Cat\n2,cat\n", None, "cross_entropy", classes=["Cat", "cat"], notes=["task-decided"])
good("true-and-false", "x,kind\n1,true\n2,false\n", None, "bce", classes=["false", "true"], notes=["task-decided"])
add("big-labels-with-points", {"d.csv": "x,label\n1,9007199254740993.0\n2,9007199254740992\n3,9007199254740993\n"},
    {"type": "csv", "path": "d.csv", "task": "classes"},
    {"inputs": [1, 2, 3], "targets": [1, 0, 1], "classes": ["9007199254740992", "9007199254740993"], "notes": []}, "cross_entropy")
good("saved-index-pandas", "Unnamed: 0,x,t\n" + "".join(f"{i},{i % 5},{i % 3}.5\n" for i in range(8)), VALUES, notes=["index-column"])
good("index-left-out", ",x,t\n" + "".join(f"{i},{i % 5},{i % 3}.5\n" for i in range(8)), {"inputs": ["x"], **VALUES})
cases["index-left-out"]["expect"]["inputs"] = [i % 5 for i in range(8)]
good("numbers-as-names", "1,2,3\n4,5,0.5\n6,7,1.5\n", VALUES, notes=["header-is-data"])
good("years-as-names", "2001,2002,t\n4,5,0.5\n6,7,1.5\n", VALUES)
good("names-alike", "a,a,t\n1,2,0.5\n", VALUES)
good("float32-rounds", "x,t\n0.1,0.5\n16777217,1\n1e-46,2\n", VALUES, precision="float32", number=lambda s: float(np.float32(float(s))))
# Options that contradict the cells.
for name, text, options, code, says in [
        ("point-despite-decimal-comma", "1.5", {"decimal": ","}, "decimal-point", 'remove "decimal"'),
        ("either-point-despite-decimal-comma", "1.234", {"decimal": ","}, "decimal-point", '"thousands": "."'),
        ("points-between-thousands", "1.234.567", {"decimal": ","}, "thousands-separator", "1234567"),
        ("points-and-decimal-comma", "1.234,5", {"decimal": ","}, "thousands-separator", "1234.5"),
        ("commas-despite-decimal-comma", "1,234.5", {"decimal": ","}, "decimal-point", "1234.5"),
        ("exponent-despite-decimal-comma", "1e999", {"decimal": ","}, "too-large", "1.8e308"),
        ("comma-ahead-of-two-digits", "1,23", {"thousands": ","}, "thousands-separator", "Correct the cell"),
        ("currency-with-decimal-comma", "12,50 €", {"decimal": ","}, "currency", "Write 12,5 "),
        ("currency-either-way", "€1.234", {}, "currency", "Remove the currency sign"),
        ("currency-points", "€1.234.567", {}, "currency", "Write 1234567 "),
        ("space-thousands-with-decimal-comma", "1 234,5", {"decimal": ","}, "thousands-separator", 'Add "thousands": " ".')]:
    bad(name, f"a;t\n{text};1\n", code, 2, 1, options, says=says)
for mark in ",.":
    add(f"same-separators-{ord(mark)}", {"d.csv": "a;t\n1;2\n"}, {"type": "csv", "path": "d.csv", "decimal": mark, "thousands": mark},
        {"error": "same-separators"})
for name, text in [("address", "192.168.1.1"), ("version", "1.2.3"), ("dashes", "123-45-6789")]:
    bad(f"no-date-{name}", f"a;t\n{text};1\n", "not-a-number", 2, 1)
for i, text in enumerate(['"1"', "'1'", "“1”"]):
    bad(f"quotes-in-cell-{i}", f"x;y;t\n2; {text};0.5\n", "quotes-in-cell", 2, 2)
# A target for a loss that predicts values: texts that were meant as numbers are no classes.
for name, cells, code, says in [
        ("decimal-commas", ["0,5", "1,5", "2,5"], "decimal-comma", "0.5"), ("one-decimal-comma", ["0.5", "1,5", "2"], "decimal-comma", "1.5"),
        ("thousands", ["1,200,000", "1,500,000", "9,000,000"], "thousands-separator", "1200000"), ("percent", ["12%", "15%", "90%"], "percent", "percent"),
        ("currency", ["$12", "$15", "$90"], "currency", "Write 12 "), ("dates", ["2020-01-01", "2020-01-02", "2020-01-03"], "date", "days"),
        ("typing-error", ["12", "15", "O9"], "not-a-number", '"task": "classes"'), ("units", ["12 kg", "15 kg", "9 kg"], "unit", "12")]:
    text = "x;t\n" + "".join(f"{i};{cell}\n" for i, cell in enumerate(cells))
    bad(f"target-{name}", text, code, 2 + [cell.replace(".", "").isdigit() for cell in cells].index(False), 2, says=says)
    good(f"target-{name}-as-classes", text, None, "cross_entropy", delimiter=";", classes=sorted(cells), notes=["task-decided"])
good("target-of-words", "x,t\n1,low\n2,high\n3,low\n", classes=["high", "low"], notes=["task-decided"])
good("target-of-words-with-digits", "x,t\n1,3D\n2,flat\n", classes=["3D", "flat"], notes=["task-decided"])
# Layouts that look like others.
good("column-named-orc", "ORC,t\n1,2\n2,3\n", VALUES)
good("column-named-par1", "PAR1,PAR2,t\n1,2,3\n2,3,4\n", VALUES)
bad("spaces-and-row-names", "x t\na 1 2\nb 2 3\n", "space-delimited")
good("saved-index-from-800", ",x,t\n" + "".join(f"{i},{i % 5},{i % 3}.5\n" for i in range(800, 806)), VALUES, notes=["index-column"])
bad("bars-at-both-ends", "| x | t |\n| 1 | 2 |\n| 2 | 3 |\n", "leading-delimiter", 2, 1)
add("bars-at-both-ends-chosen", {"d.csv": "| x | t |\n| 1 | 2 |\n| 2 | 3 |\n"},
    {"type": "csv", "path": "d.csv", "inputs": ["x"], "target": "t", **VALUES},
    {"inputs": [1, 2], "targets": [2, 3], "notes": ["trailing-delimiter"]})
good("mark-inside", "x,t\n1,2\n\ufeff3,4\n", VALUES, number=lambda s: float(s.replace("\ufeff", "")))
good("line-ends-mixed", "x,t\r\n1,2\n3,4\r5,6\r\n", VALUES)
# Other kinds of files.
xlsx = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00" + b"\x00" * 12 + b"\x13\x00\x00\x00[Content_Types].xml"
kinds = {
    "html": b"<!DOCTYPE html>\n<html><head><title>404, not found</title></head></html>\n", "xlsx": xlsx, "pdf": b"%PDF-1.7\n",
    "utf-16-le": "x,y,t\n1,2,0.5\n".encode("utf-16-le"), "utf-16-be": "x,y,t\n1,2,0.5\n".encode("utf-16-be"),
    "utf-16-mark": "x,y,t\n1,2,0.5\n".encode("utf-16"), "gzip": gzip.compress(b"x,t\n1,2\n", mtime=0), "parquet": b"PAR1\x15\x04",
    "arrow": b"ARROW1\x00\x00", "arrow-stream": b"\xff\xff\xff\xff\xa0\x00\x00\x00\x10\x00", "json": b'[{"x": 1, "t": 2}]', "hdf5": b"\x89HDF\r\n\x1a\n\x00", "pickle": b"\x80\x04\x95\x10",
    "git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "npy": b"\x93NUMPY\x01\x00v\x00{'descr'",
    "libsvm": b"+1 1:0.5 3:2\n-1 2:1\n", "markdown": b"| x | t |\n|---|--:|\n| 1 | 2 |\n", "tar": b"d.csv" + bytes(252) + b"ustar\x0000",
    "stata": b"<stata_dta><header>", "orc": b"ORC\x11", "tiff": b"II*\x00\x08\x00", "rtf": b"{\\rtf1\\ansi", "xml": b"<?xml version='1.0'?>\n<rows/>\n",
    "arff": b"@RELATION iris\n\n@ATTRIBUTE x NUMERIC\n@DATA\n1\n", "json-lines": b'{"x": 1, "t": 2}\n{"x": 2, "t": 3}\n', "zip": b"PK\x03\x04d.csv",
}
for name, content in kinds.items():
    add(f"kind-{name}", {"d.csv": content}, {"type": "csv", "path": "d.csv"}, {"error": "wrong-file-kind"})


# NumPy, IDX and safetensors.
def npy(array, **how):
    out = io.BytesIO()
    np.save(out, array, **how)
    return out.getvalue()


def arrays(name, x, y, key="targets", **expect):
    add(f"npy-{name}", {"x.npy": npy(x, allow_pickle=True), "y.npy": npy(y, allow_pickle=True)},
        {"type": "npy", "inputs": "x.npy", key: "y.npy"}, expect, "mse" if key == "targets" else "cross_entropy")


def values(array):
    return [float(v) for v in np.asarray(array).flatten()]


y = np.array([0.5, 1.5, 2.5])
half = np.array([[0.1, 65504], [6e-8, -6.1e-5], [1 / 3, -0.0]], dtype="f2")
arrays("float16", half, y, inputs=values(half), targets=values(y), notes=[])
arrays("float16-big-endian", half.astype(">f2"), y, inputs=values(half), targets=values(y), notes=[])
every = np.arange(65536, dtype="u2").view("f2")
every = every[np.isfinite(every)].reshape(-1, 1)
sums = {"sum": float(every.astype("f8").sum()), "squares": float((every.astype("f8") ** 2).sum())}
add("npy-float16-every", {"x.npy": npy(every), "y.npy": npy(np.zeros(len(every), "u1"))},
    {"type": "npy", "inputs": "x.npy", "targets": "y.npy"}, sums)
add("npy-float16-nan", {"x.npy": npy(np.array([1, np.nan], "f2")), "y.npy": npy(y[:2])},
    {"type": "npy", "inputs": "x.npy", "targets": "y.npy"}, {"error": "missing-value", "place": "[1]"})
missing = np.array([[1, 2], [np.nan, 4], [5, 6], [7, np.nan], [9, 10]])
missing_y = np.array([0.5, 1.5, np.nan, 3.5, 4.5])
pair = {"x.npy": npy(missing), "y.npy": npy(missing_y)}
npy_data = {"type": "npy", "inputs": "x.npy", "targets": "y.npy"}
complete = ~(np.isnan(missing).any(axis=1) | np.isnan(missing_y))
add("npy-missing-error", pair, npy_data, {"error": "missing-value", "place": "[1, 0]", "remedy": '"missing"'})
add("npy-missing-target", {**pair, "x.npy": npy(np.zeros((5, 2)))}, npy_data, {"error": "missing-value", "place": "[2]", "remedy": '"drop"'})
for order in ("C", "F"):
    add(f"npy-missing-drop-{order}", {**pair, "x.npy": npy(np.asarray(missing, order=order))}, {**npy_data, "missing": "drop"},
        {"inputs": values(missing[complete]), "targets": values(missing_y[complete]), "notes": ["rows-dropped"]})
add("npy-missing-drop-limit", pair, {**npy_data, "missing": "drop", "limit": 1},
    {"inputs": values(missing[complete][:1]), "targets": values(missing_y[complete][:1]), "notes": ["rows-dropped"]})
filled = np.where(np.isnan(missing), np.nanmean(missing, axis=0), missing)
add("npy-missing-mean", {**pair, "y.npy": npy(np.arange(5))}, {**npy_data, "missing": "mean"},
    {"inputs": values(filled), "targets": [0, 1, 2, 3, 4], "notes": ["missing-filled"]})
add("npy-missing-mean-target", pair, {**npy_data, "missing": "mean"}, {"error": "missing-value", "place": "[2]", "remedy": '"drop"'})
add("npy-missing-mean-infinite", {"x.npy": npy(np.array([np.nan, np.inf])), "y.npy": npy(np.zeros(2))}, {**npy_data, "missing": "mean"},
    {"error": "infinite", "place": "[1]"})
add("npy-missing-all", {"x.npy": npy(np.full((2, 2), np.nan)), "y.npy": npy(np.zeros(2))}, {**npy_data, "missing": "drop"}, {"error": "no-rows"})
add("npy-divided-beyond", {"x.npy": npy(np.array([1, 200], "u1")), "y.npy": npy(np.zeros(2))}, {**npy_data, "divide_by": 1e-307},
    {"error": "beyond-precision", "place": "[1]"})
both_missing = io.BytesIO()
np.savez_compressed(both_missing, x=missing.astype("f4"), t=missing_y)
add("npz-missing-drop", {"d.npz": both_missing.getvalue()}, {"type": "npz", "path": "d.npz", "inputs": "x", "targets": "t", "missing": "drop"},
    {"inputs": values(missing[complete]), "targets": values(missing_y[complete]), "notes": ["rows-dropped"]})
add("npy-beyond-float32", {"x.npy": npy(np.array([1, 1e39])), "y.npy": npy(y[:2])},
    {"type": "npy", "inputs": "x.npy", "targets": "y.npy"}, {"error": "beyond-precision", "place": "[1]"}, precision="float32")
arrays("text-labels", half, np.array(["cat", "dog", "cat"]), "labels", error="unread-type", remedy="return_inverse")
arrays("byte-labels", half, np.array([b"cat", b"dog", b"cat"]), "labels", error="unread-type", remedy="return_inverse")
arrays("objects", np.array([[1, 2], [3, 4], [5, 6]], dtype=object), y, error="unread-type", remedy="tolist")
arrays("dates", np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "M8[D]"), y, error="unread-type", remedy="timedelta64")
arrays("records", np.array([(1, 2.0)] * 3, dtype=[("a", "i4"), ("b", "f8")]), y, error="unread-type", remedy="dtype.names")
arrays("complex", np.array([1j, 2, 3]), y, error="unread-type", remedy="x.real")
arrays("labels-beyond-2-53", half, np.array([2**60, 2**60 + 1, 5]), "labels", error="not-exact", remedy="return_inverse")
stored = io.BytesIO()
x3 = np.array([[1, 2.5], [-3, 4], [5, 6]])
np.savez(stored, x=x3, t=y)
add("npz-savez", {"d.npz": stored.getvalue()}, {"type": "npz", "path": "d.npz", "inputs": "x", "targets": "t"},
    {"inputs": values(x3), "targets": values(y), "notes": []})
add("npz-is-npy", {"d.npz": npy(x3)}, {"type": "npz", "path": "d.npz", "inputs": "x", "targets": "t"}, {"error": "wrong-file-kind"})
images = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 2, 2) + bytes(range(8))
arrays("bfloat16-as-bytes", np.array([b"\x80\x3f", b"\x00\x40", b"\x40\x40"], "V2"), y, error="unread-type", remedy="ml_dtypes")
beyond = bytearray(stored.getvalue())
beyond[-6:-2] = b"\xff" * 4
add("npz-beyond-4-gb", {"d.npz": bytes(beyond)}, {"type": "npz", "path": "d.npz", "inputs": "x", "targets": "t"}, {"error": "zip64"})
qmnist = bytes([0, 0, 12, 2]) + struct.pack(">2I", 2, 8) + struct.pack(">16i", *range(16))
add("idx-qmnist-labels", {"im": images, "lb": qmnist}, {"type": "idx", "images": "im", "labels": "lb"}, {"error": "labels-shape", "remedy": "y[:, 0]"}, "cross_entropy")


def safetensors(tensors, change=lambda header: header, cut=None):
    header, body = {"__metadata__": {"format": "np"}}, b""
    for name, (dtype, array) in tensors.items():
        data = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(change(header)).encode()
    text += b" " * (-len(text) % 8)
    return (struct.pack("<Q", len(text)) + text + body)[:cut]


def tensors(name, content, expect, key="targets"):
    add(f"safetensors-{name}", {"d.st": content}, {"type": "safetensors", "path": "d.st", "inputs": "x", key: "y"}, expect,
        "mse" if key == "targets" else "cross_entropy")


both = {"x": ("F32", x3.astype("<f4")), "y": ("F64", y.astype("<f8"))}
brain = np.array([0x3F80, 0xC000, 0x4049], dtype="<u2")
with open(os.path.join(HERE, "arrays", "small.safetensors"), "wb") as file:
    file.write(safetensors(both))
tensors("float32", safetensors(both), {"inputs": values(x3), "targets": values(y), "notes": []})
tensors("float16", safetensors({**both, "x": ("F16", half.astype("<f2"))}), {"inputs": values(half), "targets": values(y), "notes": []})
tensors("bfloat16", safetensors({**both, "x": ("BF16", brain)}),
        {"inputs": values((brain.astype("u4") << 16).view("f4")), "targets": values(y), "notes": []})
tensors("labels", safetensors({**both, "y": ("I64", np.array([1, 0, 1], "<i8"))}),
        {"inputs": values(x3), "targets": [1, 0, 1], "classes": ["0", "1"], "notes": []}, "labels")
add("safetensors-missing-drop", {"d.st": safetensors({"x": ("F32", missing.astype("<f4")), "y": ("F64", missing_y)})},
    {"type": "safetensors", "path": "d.st", "inputs": "x", "targets": "y", "missing": "drop"},
    {"inputs": values(missing[complete]), "targets": values(missing_y[complete]), "notes": ["rows-dropped"]})
tensors("cut", safetensors(both, cut=-3), {"error": "damaged-file"})
tensors("lying-offsets", safetensors(both, lambda h: {**h, "x": {**h["x"], "data_offsets": [0, 2**50]}}), {"error": "damaged-file"})
tensors("lying-shape", safetensors(both, lambda h: {**h, "x": {**h["x"], "shape": [3, 2**30]}}), {"error": "damaged-file"})
tensors("negative", safetensors(both, lambda h: {**h, "x": {**h["x"], "data_offsets": [-8, 16]}}), {"error": "damaged-file"})
tensors("float8", safetensors(both, lambda h: {**h, "x": {**h["x"], "dtype": "F8_E4M3"}}), {"error": "unread-type"})
tensors("long-header", struct.pack("<Q", 2**62) + b"{}", {"error": "wrong-file-kind"})

with open(os.path.join(HERE, "tables", "cases.json"), "w", encoding="ascii") as file:
    lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
    file.write(json.dumps({"numpy": np.__version__})[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
print(f"{len(cases)} cases, NumPy {np.__version__}")
