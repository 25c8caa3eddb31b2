"""A preview as one page for a browser: nothing in it is fetched from anywhere, and nothing of a record is markup."""

import json
from datetime import UTC, datetime
from html import escape

from dataops_core.figures.drawing import pictures
from dataops_core.previewing import Preview, SampleRecord

#: The browser is told too that the page needs nothing from anywhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --dim: #666; }
@media (prefers-color-scheme: dark) { :root { --dim: #999; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; line-height: 1.35; margin: 0; overflow-wrap: anywhere; }
.dim { color: var(--dim); font-size: .875rem; margin: .25rem 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; min-width: 11rem; }
.fine { color: #2e8b57; } .note { color: #b8860b; } .wrong { color: #d03a3a; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.5rem 2rem; }
figure { margin: 0; } figcaption { font-size: .875rem; font-weight: 600; margin-bottom: .5rem; }
svg { max-width: 100%; height: auto; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem; margin: 0 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .875rem/1.5 ui-monospace, monospace; max-height: 24rem;
  overflow: auto; background: var(--soft); border-radius: .375rem; padding: .75rem 1rem; margin: .75rem 0 0; }
summary { cursor: pointer; font-size: .875rem; margin-top: .75rem; }
"""


def render(preview: Preview) -> str:
    """The page, whole."""
    template = preview.template
    findings = "".join(
        f'<tr><td class="{finding.level}">{finding.level}</td><th scope="row">{_breaking(finding.what)}</th>'
        f"<td>{escape(finding.text)}</td></tr>"
        for finding in preview.findings
    )
    plots = "".join(
        f"<figure><figcaption>{escape(picture.title)}</figcaption>{picture.svg}</figure>"
        for picture in pictures(preview.figures).values()
    )
    records = "".join(_article(sample) for sample in preview.records)
    kind = f"{template.dataset_type}, {template.industry}, {template.use_case}, version {template.version}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(template.name)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(template.name)}</h1><p>{escape(template.description)}</p>"
        f'<p class="dim">{escape(kind)}<br>{template.template_id}</p>'
        f"<h2>What {preview.count} records of {escape(preview.company)} are like</h2><table>{findings}</table>"
        f'<h2>In pictures</h2><div class="plots">{plots}</div>'
        f"<h2>{len(preview.records)} of the records</h2>{records}</main></body></html>\n"
    )


def _breaking(path: str) -> str:
    """A dotted path that may go on in the next line."""
    return escape(path).replace(".", ".<wbr>")


def _article(sample: SampleRecord) -> str:
    document = sample.document
    created = f"{datetime.fromtimestamp(document.created_at, UTC):%Y-%m-%d}"
    told = ", ".join(filter(None, (document.author_name, created, sample.archetype, sample.topic)))
    record = json.dumps(sample.record, indent=2, ensure_ascii=False)
    return (
        f'<article><h3>{escape(document.title)}</h3><p class="dim">{escape(told)}<br>{escape(document.view_url)}</p>'
        f'<pre tabindex="0">{escape(sample.text)}</pre>'
        f'<details><summary>As the API returns it</summary><pre tabindex="0">{escape(record)}</pre></details></article>'
    )
