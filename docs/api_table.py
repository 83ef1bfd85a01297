"How a name is documented on its page: signature, docstring, and a table of Type, Default and Details from the comments in the code."

import ast
import inspect
from html import escape
from importlib import import_module
from textwrap import dedent
from typing import Generic

from fastcore.docments import ShowDocRenderer, docments

from risk_analytics_lib._modidx import d as index

WIDTH = 96  # of a signature on one line


def exported(sym):
    "A class as the library has it: one that a notebook has just defined has no source, and so no comments."
    if not inspect.isclass(sym):
        return sym
    home = next((module for module, names in index["syms"].items() if f"{module}.{sym.__name__}" in names), None)
    return getattr(import_module(home), sym.__name__) if home else sym


def as_code(text: str) -> str:
    "Code inside a table row, where a bar would end the cell."
    return f"<code>{escape(text).replace('|', '&#124;')}</code>" if text else ""


def type_name(annotation) -> str:
    if annotation is inspect.Parameter.empty or annotation is None:
        return ""
    plain = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    return annotation.__name__ if plain else str(annotation).replace("typing.", "").replace("pandas.", "pd.").replace("numpy.", "np.")


def signature(name: str, sig: inspect.Signature) -> str:
    "Arguments and defaults; the types are in the table."
    bare = [p.replace(annotation=p.empty) for p in sig.parameters.values() if p.name != "self"]
    line = f"{name}{inspect.Signature(bare)}"
    if len(line) <= WIDTH:
        return line
    inner = str(inspect.Signature(bare))[1:-1].split(", ")
    return f"{name}(\n    " + ",\n    ".join(inner) + ",\n)"


def one_line(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("|", r"\|")


def table(heads: str, rows: list[tuple]) -> str:
    columns = heads.split("|")
    lines = ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]]
    return '<div class="api" markdown>\n\n' + "\n".join(lines) + "\n\n</div>"


class ApiTable(ShowDocRenderer):
    "What nbdev shows for each exported name, see `renderer` in pyproject.toml."

    def __init__(self, sym, name: str | None = None, title_level: int = 3):
        super().__init__(exported(sym), name, title_level)

    def heading(self) -> str:
        return f"{'#' * self.title_level} {self.nm} {{ #{self.nm.lower()} }}"

    def takes_anything(self) -> bool:
        "A class without an `__init__` of its own, like a named error or a protocol: `*args, **kwargs` say nothing."
        return inspect.isclass(self.sym) and (not self.sig or {p.kind.name for p in self.sig.parameters.values()} <= {"VAR_POSITIONAL", "VAR_KEYWORD"})

    def declaration(self) -> str:
        if self.takes_anything():
            bases = ", ".join(b.__name__ for b in self.sym.__bases__ if b not in (object, Generic))
            return f"class {self.nm}" + f"({bases})" * bool(bases)
        prefix = "class " if inspect.isclass(self.sym) else ""
        return prefix + (signature(self.nm, self.sig) if self.sig else self.nm)

    def arguments(self) -> list[tuple]:
        if not self.sig or self.takes_anything():
            return []
        rows = []
        for name, doc in docments(self.sym, full=True, args_kwargs=True).items():
            if name == "self" or (name == "return" and not (doc.docment or type_name(doc.anno))):
                continue
            default = "" if doc.get("default", inspect.Parameter.empty) is inspect.Parameter.empty else repr(doc.default)
            label = "**Returns**" if name == "return" else as_code(name)
            rows.append((label, as_code(type_name(doc.anno)), as_code(default), one_line(doc.docment)))
        return rows

    def methods(self) -> list[tuple]:
        "Public methods and properties in the body of the class, a line each; those added by `@patch` have a heading of their own."
        if not inspect.isclass(self.sym) or self.sym.__module__ == "__main__":
            return []
        (body,) = ast.parse(dedent(inspect.getsource(self.sym))).body
        own = [f for f in body.body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_") and ast.get_docstring(f)]
        anchor = f'<a id="{self.nm.lower()}.{{}}"></a>'
        return [(anchor.format(f.name.lower()) + as_code(f.name), one_line(ast.get_docstring(f).splitlines()[0])) for f in own]

    def _repr_markdown_(self) -> str:
        parts = [self.heading(), f"```python\n{self.declaration()}\n```", self.docs]
        if rows := self.arguments():
            parts.append(table("|Type|Default|Details", rows))
        if rows := self.methods():
            parts.append(table("Method|", rows))
        return "\n\n".join(filter(None, parts))
