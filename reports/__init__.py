"Report notebooks and what turns them into one self-contained HTML file."

import sys

# nbformat, which papermill and Plotly load, pulls in a grammar of international web addresses: two seconds of import, in the
# parent and again in the kernel, to check fields that no notebook has. It is optional there, and left out here.
sys.modules.setdefault("rfc3987_syntax", None)
