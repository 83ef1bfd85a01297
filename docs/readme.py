"README.md from nbs/index.ipynb: `python -m docs.readme`."

import re
from pathlib import Path

from fastcore.nbio import nb_frontmatter, read_nb

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "nbs" / "index.ipynb"
HEAD = "<!-- Made from nbs/index.ipynb by `make sync`: edit the notebook. -->"


def from_root(text: str) -> str:
    "Links of the index are relative to nbs/, those of README.md to the repository."
    return re.sub(r"\]\((?!\w+:|#)([\w./-]+)", lambda m: f"]({(INDEX.parent / m[1]).resolve().relative_to(ROOT).as_posix()}", text)


def block(cell) -> str:
    "One cell: prose as it is, code with the text of its result."
    if cell.cell_type == "markdown":
        return from_root(cell.source)
    if "hide" in cell.directives:
        return ""
    code = "\n".join(line for line in cell.source.splitlines() if not line.startswith("#|"))
    results = [o.get("data", {}).get("text/plain") or o.get("text", "") for o in cell.outputs]
    return "\n\n".join([f"```python\n{code}\n```", *(f"```\n{text.rstrip()}\n```" for text in results if text.strip())])


def readme() -> str:
    nb = read_nb(INDEX)
    front = nb_frontmatter(nb)
    return "\n\n".join([HEAD, f"# {front['title']}", f"> {front['description']}", *filter(None, map(block, nb.cells[1:]))]) + "\n"


if __name__ == "__main__":
    (ROOT / "README.md").write_text(readme(), encoding="utf-8")
