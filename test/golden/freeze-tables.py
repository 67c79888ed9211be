#!/usr/bin/env python3
"""Freezes realistic tables and arrays with the values that a reader must return.

Values come from Python's csv module, float() and NumPy. Each case has the bytes of its files (base64), the options
of the dataset, and either values or the code of the error with its row and column.
"""
import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import math
import os
import pickle
import struct
import zipfile

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
bad("accounting", "a,t\n(12),0.5\n", "accounting", 2, 1, says="Write -12 ")
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
for i, text in enumerate(["１２", "1/2", "10-20", "1..5", "--5", "1-5-", "1e", "e5", "0x", "1 2"]):
    bad(f"no-number-{i}", f"a;t\n{text};0.5\n", "not-a-number", 2, 1)
for i, text in enumerate(["#N/A N/A", "-1.#QNAN", "n.a.", "\\N", '" NA "', '""', "  ", "<NA>", "–"]):
    bad(f"missing-more-{i}", f"a,b,t\n1,2,0.5\n3,{text},1.5\n", "missing-value", 3, 2)
bad("nul-bytes", "x,t\n1,0.5\n2\0,1.5\n", "invisible-character", 3, 1, says="then 2.")
bad("last-row-cut", "x,y,t\n1,2,0.5\n3,4\n", "row-length", 3)
for i, content in enumerate([b"", b"\n", b"\xef\xbb\xbf", b"x,t\n", b"  \n\n", b"# only a comment\n"]):
    add(f"nothing-{i}", {"d.csv": content}, {"type": "csv", "path": "d.csv", **({"comment": "#"} if i == 5 else {})}, {"error": "no-rows"})
add("latin-1", {"d.csv": "x,größe\n1,2\n".encode("latin-1")}, {"type": "csv", "path": "d.csv"}, {"error": "data", "place": "byte 5"})
bad("one-column", "x\n1\n2\n", "one-column")
bad("quote-inside", 'x,t\n"a "b" c",0.5\n', "csv-syntax", 2)
good("quote-in-the-middle", 'x,kind\n1,5" pipe\n2,6" pipe\n', None, "cross_entropy", classes=['5" pipe', '6" pipe'], notes=["task-decided"])
good("names-in-both-cases", "x,kind\n1,Cat\n2,cat\n", None, "cross_entropy", classes=["Cat", "cat"], notes=["task-decided", "labels-alike"])
good("true-and-false", "x,kind\n1,true\n2,false\n", None, "bce", classes=["false", "true"], notes=["task-decided"])
add("big-labels-with-points", {"d.csv": "x,label\n1,9007199254740993.0\n2,9007199254740992\n3,9007199254740993\n"},
    {"type": "csv", "path": "d.csv", "task": "classes"},
    {"inputs": [1, 2, 3], "targets": [1, 0, 1], "classes": ["9007199254740992", "9007199254740993"], "notes": []}, "cross_entropy")
good("saved-index-pandas", "Unnamed: 0,x,t\n" + "".join(f"{i},{i % 5},{i % 3}.5\n" for i in range(8)), VALUES, notes=["index-column"])
good("index-left-out", ",x,t\n" + "".join(f"{i},{i % 5},{i % 3}.5\n" for i in range(8)), {"inputs": ["x"], **VALUES})
cases["index-left-out"]["expect"]["inputs"] = [i % 5 for i in range(8)]
good("numbers-as-names", "1,2,3\n4,5,0.5\n6,7,1.5\n", VALUES, notes=["header-is-data"])
good("years-as-names", "2001,2002,t\n4,5,0.5\n6,7,1.5\n", VALUES)
good("names-alike", "a,a,t\n1,2,0.5\n", VALUES, notes=["duplicate-names"])
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
arrays("records", np.array([(1, 2.0)] * 3, dtype=[("a", "i4"), ("b", "f8")]), y, error="unread-type", remedy="recfunctions.structured_to_unstructured(a).")
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

# Exports of sensors, spreadsheets, databases and other programs.
marks = [(7.5, 1013, 3.1), (8.1, 1009, 3.3), (-999, 1011, 3.0), (9.0, -999, 3.9), (8.8, 1002, 3.7), (7.9, 1006, 3.2)]
station = "temp;hPa;kW\n" + "".join(f"{a};{b};{c}\n" for a, b, c in marks)
good("mark-as-number", station, VALUES, delimiter=";")
good("mark-dropped", station, {"missing_values": [-999.0], "missing": "drop", **VALUES}, delimiter=";", drop=(2, 3), notes=["rows-dropped"])
good("mark-dropped-as-text", station, {"missing_values": ["-999.0"], "missing": "drop", **VALUES}, delimiter=";", drop=(2, 3), notes=["rows-dropped"])
bad("mark-is-error", station, "missing-value", 4, 1, {"missing_values": [-999]}, says='"missing"')
bad("mark-in-target", "x,t\n1,0.5\n2,-99\n", "missing-value", 3, 2, {"missing_values": [-99], "missing": "mean"})
bad("mark-in-class", "x,t\n1,3\n2,9\n3,3\n", "missing-value", 3, 2, {"missing_values": [9]}, "cross_entropy")
good("mark-of-words", "x,y,t\n1,2,0.5\nnot measured,3,1.5\n4,below limit,2.5\n5,6,3.5\n", {"missing_values": ["not measured", "below limit"], "missing": "drop", **VALUES},
     drop=(1, 2), notes=["rows-dropped"])
for i, text in enumerate(["#NV", "#N/D", "NaT", "k.A.", "(null)"]):
    bad(f"missing-abroad-{i}", f"a;b;t\n1;2;0,5\n3;{text};1,5\n", "missing-value", 3, 2, {"decimal": ","})
for i, text in enumerate(["#WERT!", "#VALEUR!", "#NOMBRE?", "#########"]):
    bad(f"formula-abroad-{i}", f"a;b;t\n1;2;0,5\n3;{text};1,5\n", "spreadsheet-error", 3, 2, {"decimal": ","})
for i, text in enumerate(["12-Mar-2021", "March 5, 2020", "1:05 PM", "2020Q1", "2020-W05", "2020-01", "Fri, 12 Mar 2021 10:00:00 GMT", "05.Mai 2020", "Q3 2021"]):
    if "Mai" not in text:
        bad(f"date-more-{i}", f"a;t\n{text};1\n", "date", 2, 1)
bad("two-targets-of-a-name", "y,x,y\n1,2,0.5\n2,3,1.5\n", "data", options={"target": "y"}, says="number of the column")
good("mark-and-quoted-name", '"x, m","t"\r\n1,0.5\r\n2,1.5\r\n', {"target": "t", "inputs": ["x, m"], **VALUES})
cases["mark-and-quoted-name"]["files"]["d.csv"] = b64(b'\xef\xbb\xbf"x, m","t"\r\n1,0.5\r\n2,1.5\r\n')
add("windows-1252", {"d.csv": 'x,price €\n1,"2"\n'.encode("cp1252")}, {"type": "csv", "path": "d.csv"}, {"error": "data", "place": "byte 9"})
fixed = "ID  HEIGHT  WEIGHT\n001   1.72    65.1\n002           70.2\n003   1.80    81.0\n"
bad("fixed-width", fixed, "fixed-width", says="read_fwf")
bad("fixed-width-with-spaces", fixed, "row-length", 3, options={"delimiter": " "}, says="read_fwf")
bad("title-above", "Data Source,World Development Indicators\nLast Updated,2023-07-10\n\nyear,gdp,co2,t\n2000,1.5,3.2,1\n2001,1.7,3.1,2\n", "title-rows", 4, says="rows 1 to 2")
bad("title-of-one-cell", "Results of 2023\nx;y;t\n1;2;0.5\n3;4;1.5\n", "title-rows", 2, says="Remove row 1,")
bad("row-of-units", "time,temp,power\ns,°C,kW\n0,20.5,1.1\n1,20.7,1.2\n", "second-header", 2, 1, says="Remove row 2")
bad("rows-in-quotes", '"x,y,t"\n"1,2,0.5"\n"3,4,1.5"\n', "rows-quoted", says="Remove the quotes")
bad("backslash-quotes", 'x,kind\n1,"5\\" pipe"\n2,"6\\" pipe"\n', "csv-syntax", 2, loss="cross_entropy", says='not \\"')
bad("space-ahead-of-quote", 'x, name, t\n1, "Smith, J", 0.5\n2, "Roe, K", 1.5\n', "row-length", 2, says="spaces ahead of quotes")
bad("decimal-commas-unquoted", "x,y,t\n1,5,2,5,0,5\n3,5,4,5,1,5\n", "row-length", 2, says="decimal commas")
bad("other-delimiter-in-names", "x;y;t\n1,2,0.5\n3,4,1.5\n", "row-length", 2, says="delimiter")
bad("movielens", "1::1193::5::978300760\n1::661::3::978302109\n2::914::3::978301968\n", "other-delimiter", options={"header": False}, says="header=None")
bad("hive", "x\x01y\x01t\n1\x012\x010.5\n2\x013\x011.5\n", "other-delimiter", says='sep="\\x01"')
bad("carets", "x^y^t\n1^2^0.5\n2^3^1.5\n", "other-delimiter", says='sep="^"')
good("saved-index-twice", "Unnamed: 0.1,Unnamed: 0,x,t\n" + "".join(f"{i},{i},{i * 7 % 5},{i % 3}.5\n" for i in range(8)), VALUES, notes=["index-column"])
bad("r-write-table", '"x" "t"\n"1" 2 0.5\n"2" 3 1.5\n', "names-missing", 1, options={"delimiter": " "}, says="as R writes them")
bad("categories", "color,t\nred,1\nblue,2\nred,3\n", "not-a-number", 2, 1, says="get_dummies")
bad("one-typing-error", "x,t\n1,1\nabc,2\n3,3\n4,2\n", "not-a-number", 3, 1, says="Write a number")
for i, (text, says) in enumerate([("1.5k", "Write 1500 if k"), ("2.3M", "Write 2300000 if M"), ("300 K", "300 is left"), ("12.50 CR", "instead of CR")]):
    bad(f"letters-{i}", f"a,t\n{text},1\n", "credit" if "CR" in text else "unit", 2, 1, says=says)
bad("two-units", "weight,t\n12 kg,1\n800 g,2\n", "unit", 2, 1, says="to one unit")
bad("some-percent", "share,t\n45%,1\n0.5,2\n", "percent", 2, 1, says="write 0.45 ")
bad("accounting-value", 'a,t\n"(1,234.50)",0.5\n', "accounting", 2, 1, says="Write -1234.5 ")
bad("accounting-currency", 'a,t\n"($1,234.50)",0.5\n', "accounting", 2, 1, says="Write -1234.5 ")
bad("accounting-comma", 'a,t\n"(1,5)",0.5\n', "accounting", 2, 1, says="Write a minus sign")
bad("minus-behind", "a;t\n1.234,50-;1\n", "minus-behind", 2, 1, {"decimal": ","}, says="Write -1234,5 ")
bad("accounting-currency-ahead", "a,t\n$(12.50),0.5\n", "accounting", 2, 1, says="Write -12.5 ")
bad("semicolon-comments", "; made by X\n; units: m\nx;y;t\n1;2;3\n2;3;4\n", "comment-line", 1, says='";"')
bad("bound", "lead,t\n<0.05,1\n0.07,2\n", "bound", 2, 1, says='"missing_values"')
good("bound-dropped", "lead,t\n<0.05,1\n0.07,2\n", {"missing_values": ["<0.05"], "missing": "drop", **VALUES}, drop=(0,), notes=["rows-dropped"])
for i, text in enumerate(["[0.1, 0.2]", "(3, 4)", '{""a"": 1}', "[1 2\n 3]"]):
    bad(f"list-{i}", f'x,t\n"{text}",1\n"{text}",2\n', "list", 2, 1, says='"type": "npy"')
bad("names-repeated", "x,y,t\n1,2,0.5\n3,4,1.5\nx,y,t\n5,6,2.5\n", "names-repeated", 4, 1, says="Remove row 4")
bad("total-below", "x,y,t\n1,2,0.5\n3,4,1.5\nTotal,6,2\n", "not-a-number", 4, 1)
bad("empty-rows", "x,y,t\n1,2,0.5\n3,4,1.5\n,,\n,,\n", "missing-value", 4, 1, says='"drop"')
good("empty-rows-dropped", "x,y,t\n1,2,0.5\n3,4,1.5\n,,\n,,\n", {"missing": "drop", **VALUES}, drop=(2, 3), notes=["rows-dropped"])
good("returns-twice", "x,t\r\r\n1,0.5\r\r\n2,1.5\r\r\n", VALUES)
bad("zero-width-space", "x,t\n12\u200b,1\n13,2\n", "invisible-character", 2, 1, says="then 12.")
bad("end-of-file-mark", "x,t\n1,0.5\n2,1.5\n\x1a", "row-length", 4, says="[U+001A]")
bad("nuls-at-the-end", "x,t\n1,0.5\n2,1.5\n" + "\0" * 40, "row-length", 4, says="[U+0000]")
good("ids-beyond-2-53-as-input", "id,t\n9007199254740993,0.5\n9007199254740995,1.5\n9007199254740997,2.5\n", VALUES, notes=["rounding-loss"])
seconds = [1700000001, 1700000003, 1700000050]
single = lambda text: float(np.float32(float(text)))
good("time-stamps-in-float32", "at,t\n" + "".join(f"{s},{i}.5\n" for i, s in enumerate(seconds)), VALUES, precision="float32", number=single, notes=["rounding-loss"])
good("years-of-time-stamps", "at,t\n1500000000,0.5\n1600000000,1.5\n", VALUES, precision="float32", number=single)
good("codes-as-classes", "x,zip\n1,00501\n2,10001\n3,00501\n", {"task": "classes"}, "cross_entropy", classes=["00501", "10001"])
add("labels-padded-in-part", {"d.csv": "x,n\n1,01\n2,1\n3,12\n"}, {"type": "csv", "path": "d.csv", "task": "classes"},
    {"inputs": [1, 2, 3], "targets": [0, 0, 1], "classes": ["1", "12"], "notes": []}, "cross_entropy")
good("codes-as-input", "zip,t\n00501,1\n10001,2\n02134,3\n", VALUES, notes=["leading-zeros"])
for i, text in enumerate(["6.02×10^23", "6.02x10^23", "6.02 * 10**23", "6,02·10²³"]):
    bad(f"times-ten-{i}", f"x;t\n{text};1\n2;2\n", "times-ten", 2, 1, says="6.02e+23")
bad("comment-behind", "x,t\n1,0.5 # first\n2,1.5\n", "comment-behind", 2, 2, says="comments")
good("labels-alike", "x,kind\n1,Setosa\n2,setosa\n3,virginica\n4,Setosa\n", None, "cross_entropy", classes=["Setosa", "setosa", "virginica"], notes=["task-decided", "labels-alike"])
bad("two-currencies", "price,t\n$12.50,1\n€9.90,2\n", "currency", 2, 1, says="one currency")
add("german-export", {"d.csv": "\ufeffSpalte;Wert (€);Ziel\r\n1;1.234,56;0,5\n2;12,5;1,25\r\n"}, {"type": "csv", "path": "d.csv", "decimal": ",", "thousands": ".", **VALUES},
    {"inputs": [1, 1234.56, 2, 12.5], "targets": [0.5, 1.25], "notes": []})
good("tabs-named-csv", "x\tnote, long\tt\n1\t2\t0.5\n3\t4\t1.5\n", VALUES, delimiter="\t")
add("date-left-out", {"d.csv": "x,day,t\n1,31.12.2023,0.5\n2,01.01.2024,1.5\n"}, {"type": "csv", "path": "d.csv", "inputs": ["x"], **VALUES},
    {"inputs": [1, 2], "targets": [0.5, 1.5], "notes": []})

add("thin-spaces-and-commas", {"d.csv": "a;t\n1\u2009234,5;1\n2\u2009000,0;2\n"}, {"type": "csv", "path": "d.csv", "decimal": ",", "thousands": " ", **VALUES},
    {"inputs": [1234.5, 2000], "targets": [1, 2], "notes": []})
good("tabs-and-spaces", "x\ty\tt\n1 \t 2\t3\n4\t5 \t6\n", VALUES, delimiter="\t")
good("quoted-decimal-commas", 'x,y,t\n"1,5","2,25",3\n"0,5","1",4\n', {"decimal": ",", **VALUES}, number=comma)
bad("quoted-nothing", 'x,y,t\n"",2,1\n3,4,2\n', "missing-value", 2, 1)
bad("star", "x,y,t\n1,*,1\n3,4,2\n", "not-a-number", 2, 2)
good("blank-line-inside", "x,t\n1,2\n\n3,4\n\n", VALUES)
good("saved-index-from-1", ",x,t\n1,5,0.5\n2,6,1.5\n3,9,2.5\n4,2,3.5\n", VALUES, notes=["index-column"])
add("target-in-front", {"d.csv": "t,x\n1,5\n2,6\n"}, {"type": "csv", "path": "d.csv", "target": 1, **VALUES}, {"inputs": [5, 6], "targets": [1, 2], "notes": []})
good("names-from-0", "0,1,2\n5.1,3.5,0.2\n4.9,3.0,0.4\n", VALUES, notes=["header-is-data"])
bad("footer", "x,y,t\n1,2,3\n4,5,6\n\n(2 rows affected)\n", "row-length", 5)
bad("digits-without-end", "x,t\n" + "1" * 400 + ",1\n2,2\n", "too-large", 2, 1)
bad("euro-behind", "x;t\n12,50\u00a0€;1\n3,00\u00a0€;2\n", "currency", 2, 1, {"decimal": ","}, says="Write 12,5 ")
add("shift-jis", {"d.csv": "名前,t\n1,2\n".encode("shift_jis")}, {"type": "csv", "path": "d.csv"}, {"error": "data", "place": "byte 1."})

def zipped(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for entry, content in entries:
            archive.writestr(zipfile.ZipInfo(entry, (2024, 2, 29, 0, 0, 0)), content)
    return out.getvalue()


for name, content, says in [
        ("arff-with-comments", "".join(f"% {i}. Title: a long comment, as UCI writes it ahead of its files, of many lines\n" for i in range(12)) +
         "@RELATION iris\n@ATTRIBUTE x REAL\n@ATTRIBUTE class {a,b}\n@DATA\n1.5,a\n", "@"),
        ("libsvm-long-rows", "".join(f"{y} " + " ".join(f"{j}:{j * .25}" for j in range(1, 120)) + "\n" for y in (24.5, 21.6)), "load_svmlight_file"),
        ("libsvm-ranking", "2 qid:1 1:0.5 2:0.1\n0 qid:1 1:0.2 2:0.3\n", "load_svmlight_file"),
        ("markdown-without-bars", "x | y | t\n--- | --- | ---:\n1 | 2 | 0.5\n", "second row"),
        ("mysql", "+---+-----+\n| x | t   |\n+---+-----+\n| 1 | 0.5 |\n+---+-----+\n", "--batch"), ("psql", " x |  t  \n---+-----\n 1 | 0.5\n(1 row)\n", "--csv"),
        ("sylk", 'ID;PWXL;N;E\nC;Y1;X1;K"x"\nE\n', "CSV"), ("ods", zipped([("mimetype", "application/vnd.oasis.opendocument.spreadsheet")]), "CSV"),
        ("zipped", zipped([("d.csv", "x,t\n1,2\n")], zipfile.ZIP_DEFLATED), "unzip"), ("bzip2", bz2.compress(b"x,t\n1,2\n"), "bunzip2"),
        ("xz", lzma.compress(b"x,t\n1,2\n"), "unxz"), ("zstandard", b"\x28\xb5\x2f\xfd\x24\x08\x41\x00\x00x,t\n1,2\n", "unzstd"),
        ("compress", b"\x1f\x9d\x90x\x58\xd0\x51", "uncompress"), ("lz4", b"\x04\x22\x4d\x18\x64\x40\xa7", "unlz4"),
        ("pytorch", zipped([("archive/data.pkl", b"\x80\x02}q\x00."), ("archive/version", "3\n")]), "torch.load"),
        ("pickle-protocol-0", pickle.dumps(np.array([1.0]), protocol=0), "numpy.savez"),
        ("matlab-7-3", b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n", "h5py"), ("r-data", b"RDX3\nX\n\0\0\0\x03", "write.csv"),
        ("sas", bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf" + bytes(20), "read_sas"),
        ("netcdf", b"CDF\x01\0\0\0\0", "xarray"), ("fits", b"SIMPLE  =                    T".ljust(80), "astropy"),
        ("json-lines-of-pandas", '{"x": 1, "t": 2}\n{"x": 2, "t": 3}\n', "lines=True"), ("html-table", "<table>\n<tr><td>x</td><td>t</td></tr>\n</table>\n", "raw"),
        ("not-found", "404: Not Found", "address"), ("sql", "-- MySQL dump 10.13\nCREATE TABLE `t` (`x` int);\nINSERT INTO `t` VALUES (1,2);\n", "CSV")]:
    add(f"kind-{name}", {"d.csv": content}, {"type": "csv", "path": "d.csv"}, {"error": "wrong-file-kind", "remedy": says})


def archive(**arrays_by_name):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays_by_name)
    return out.getvalue()


npz_data = {"type": "npz", "path": "d.npz", "inputs": "x", "targets": "y"}
sparse = {"data": np.array([1.0, 2.0]), "indices": np.array([0, 1]), "indptr": np.array([0, 1, 2]), "format": np.array(b"csr"), "shape": np.array([2, 2])}
add("npz-sparse", {"d.npz": archive(**sparse)}, npz_data, {"error": "sparse-matrix", "remedy": "toarray()"})
add("npz-unnamed", {"d.npz": archive(arr_0=np.eye(3))}, npz_data, {"error": "data", "remedy": '"arr_0"'})
ordered = np.asfortranarray(np.arange(12, dtype=">f8").reshape(4, 3) / 7)
add("npz-three-arrays", {"d.npz": archive(x=ordered, y=np.arange(4, dtype=">i2"), names=np.array(["a", "b", "c"]))}, npz_data,
    {"inputs": values(ordered), "targets": [0, 1, 2, 3], "notes": []})
add("npy-time-stamps", {"x.npy": npy(np.array(seconds)), "y.npy": npy(y)}, npy_data,
    {"inputs": values(np.array(seconds, "f4")), "targets": values(y), "notes": ["rounding-loss"]}, precision="float32")
add("npy-two-arrays", {"x.npy": npy(np.eye(2)) + npy(np.eye(2)), "y.npy": npy(y[:2])}, npy_data, {"error": "several-arrays", "remedy": "savez"})
add("npy-transposed", {"x.npy": npy(np.arange(15.0).reshape(3, 5)), "y.npy": npy(np.arange(5.0))}, npy_data, {"error": "length-mismatch", "remedy": "x.T"})
wide = np.zeros(2, dtype=[(f"c{i}", "f4") for i in range(30)] + [("name", "U4")])
add("npy-records-of-many-fields", {"x.npy": npy(wide), "y.npy": npy(y[:2])}, npy_data, {"error": "unread-type", "remedy": 'dtype.kind in "biuf"'})
mixed = np.array([(1.0, 2.0, "a"), (3.0, 4.0, "b")], dtype=[("p", "f8"), ("q", "f8"), ("name", "U4")])
add("npy-records-with-text", {"x.npy": npy(mixed), "y.npy": npy(y[:2])}, npy_data, {"error": "unread-type", "remedy": 'a[["p", "q"]]'})
vectors = np.array([((1.0, 2.0), 3.0), ((4.0, 5.0), 6.0)], dtype=[("v", "f4", (2,)), ("w", "f4")])
add("npy-records-with-vectors", {"x.npy": npy(vectors), "y.npy": npy(y[:2])}, npy_data, {"error": "unread-type", "remedy": "structured_to_unstructured(a)."})
add("npy-records-of-text", {"x.npy": npy(mixed[["name"]]), "y.npy": npy(y[:2])}, npy_data, {"error": "unread-type", "remedy": "return_inverse"})
eight = np.arange(2, dtype="<f4").tobytes()
place = lambda header: struct.pack("<Q", len(json.dumps(header))) + json.dumps(header).encode()
part = lambda dtype, shape, begin, end: {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
tensors("overlap", place({"x": part("F32", [2], 0, 8), "y": part("F32", [2], 4, 12)}) + eight + eight[:4], {"error": "damaged-file", "place": '"y"'})
tensors("complex", place({"x": part("C64", [2], 0, 16), "y": part("F32", [2], 16, 24)}) + 3 * eight, {"error": "unread-type", "remedy": "view_as_real"})
tensors("booleans", place({"__metadata__": {"format": "pt"}, "x": part("BOOL", [2, 3], 0, 6), "y": part("U16", [2, 1], 6, 10)}) + b"\1\0\1\0\1\1\7\0\xff\xff",
        {"inputs": [1, 0, 1, 0, 1, 1], "targets": [7, 65535], "notes": []})
idx_images = lambda claimed, count: bytes([0, 0, 8, 3]) + struct.pack(">3I", claimed, 2, 2) + bytes(range(4 * count))
idx_labels = lambda claimed, count: bytes([0, 0, 8, 1]) + struct.pack(">I", claimed) + bytes(i % 2 for i in range(count))
idx_data = {"type": "idx", "images": "im", "labels": "lb"}
for name, im, lb, expected in [
        ("more-claimed", idx_images(60000, 3), idx_labels(3, 3), {"error": "damaged-file", "place": "byte 28"}),
        ("fewer-claimed", idx_images(2, 3), idx_labels(2, 2), {"error": "damaged-file", "place": "4 bytes follow"}),
        ("other-counts", idx_images(3, 3), idx_labels(2, 2), {"error": "length-mismatch", "place": "2 rows"}),
        ("255-axes", bytes([0, 0, 8, 255]) + b"\xff" * 1020, idx_labels(2, 2), {"error": "damaged-file", "place": "255 axes"})]:
    add(f"idx-{name}", {"im": im, "lb": lb}, idx_data, expected, "cross_entropy")
add("idx-int16", {"im": bytes([0, 0, 0x0B, 2]) + struct.pack(">2I", 2, 2) + struct.pack(">4h", -300, 5, 32767, -32768), "lb": idx_labels(2, 2)}, {**idx_data, "divide_by": 1},
    {"inputs": [-300, 5, 32767, -32768], "targets": [0, 1], "classes": ["0", "1"], "notes": []}, "cross_entropy")

with open(os.path.join(HERE, "tables", "cases.json"), "w", encoding="ascii") as file:
    lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
    file.write(json.dumps({"numpy": np.__version__})[:-1] + ', "cases": {\n' + ",\n".join(lines) + "\n}}\n")
print(f"{len(cases)} cases, NumPy {np.__version__}")
