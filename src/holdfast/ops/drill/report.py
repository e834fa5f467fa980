"""The report of a drill: one HTML page that needs nothing else, and the same facts as JSON beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from statistics import median

from holdfast.ops.drill.chart import NUMBERED_MAX, chart
from holdfast.ops.drill.run import Campaign, Tried, machine
from holdfast.ops.drill.scene import Scene, Struck
from holdfast.ops.drill.verdict import KINDS

STYLE = """
:root { color-scheme: light dark; --page: #fbfaf8; --card: #fff; --ink: #1d2430; --muted: #677080; --edge: #e3e1dc;
  --good: #17784a; --bad: #b3261e; --orders: #2f6fde; --outage: #f0b42933; --strike: #b07a00; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1a2028; --ink: #e7eaef; --muted: #98a2b3;
  --edge: #2c3440; --good: #4cc38a; --bad: #ff8a80; --orders: #6ea8fe; --outage: #f0b42922; --strike: #f0b429; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 44px 0 12px; }
p { margin: 0 0 12px; } .muted { color: var(--muted); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0; }
.tile, .card { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 16px 18px; }
.tile b { display: block; font-size: 30px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); }
.card { overflow-x: auto; margin-bottom: 16px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--muted); font-weight: 500; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--edge); vertical-align: top; }
tr:last-child td { border-bottom: 0; } .n { text-align: right; white-space: nowrap; }
svg { display: block; width: 100%; min-width: 640px; height: auto; font: 12px system-ui, sans-serif; }
.orders { fill: var(--orders); fill-opacity: .28; stroke: var(--orders); stroke-width: 1.5; }
.failures { fill: none; stroke: var(--bad); stroke-width: 1.2; } .grid { stroke: var(--edge); }
.scale { fill: var(--muted); } .outage { fill: var(--outage); }
.strike { stroke: var(--strike); stroke-dasharray: 3 3; } .badge { fill: var(--strike); }
.number { fill: var(--card); font-size: 11px; font-weight: 600; }
.key { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
  margin: 0 6px 0 14px; vertical-align: -1px; }
.key:first-child { margin-left: 0; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
"""


def write(campaign: Campaign, page: Path) -> None:
    """Write the page, and its facts beside it."""
    page.write_text(rendered(campaign), encoding="utf-8")
    page.with_suffix(".json").write_text(json.dumps(campaign.facts(), indent=1), encoding="utf-8")


def rendered(campaign: Campaign) -> str:
    """The whole page."""
    title = "Every promise held" if campaign.holds else "A promise broke, or could not be shown"
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(campaign.began))
    strikes = sum(len(scene.struck) for scene in campaign.scenes)
    sections = [
        f'<h1 class="{"good" if campaign.holds else "bad"}">{title}</h1>',
        f'<p class="muted">Holdfast drill, {day}, {campaign.seconds:.0f} s, {strikes} faults.</p>',
        tiles(campaign),
        wrongs(campaign),
        *(section(scene) for scene in campaign.scenes),
        faults(campaign),
        controls(campaign.controls),
        left_out(campaign),
        footer(campaign),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Holdfast drill</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{''.join(sections)}</main></body></html>\n"
    )


def tiles(campaign: Campaign) -> str:
    """The verdict in five numbers."""
    verdict = campaign.verdict
    shown = [f'<div class="tile"><b>{verdict.placed:,}</b>acknowledged</div>']
    for kind in KINDS:
        colour = "bad" if verdict.counts[kind] else "good"
        shown.append(f'<div class="tile"><b class="{colour}">{verdict.counts[kind]:,}</b>{kind}</div>')
    return f'<div class="tiles">{"".join(shown)}</div>'


def wrongs(campaign: Campaign) -> str:
    """What is wrong, in sentences."""
    sentences = [*campaign.problems, *(f"{each.kind}: {each.what}" for each in campaign.verdict.examples)]
    if not sentences:
        return ""
    return f'<div class="card bad">{"".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)}</div>'


def section(scene: Scene) -> str:
    """One scene: what it was, and its picture."""
    verdict = scene.verdict
    unknown = verdict.unknown_placed + verdict.unknown_not_placed
    rate = scene.pulse.orders / scene.seconds if scene.seconds else 0.0
    text = (
        f"{scene.pulse.orders:,} orders, {rate:,.0f} a second; {verdict.refused:,} refused because sold out; "
        f"{unknown:,} whose answer was lost for good, {verdict.unknown_placed:,} of them placed."
    )
    keys = (
        '<p class="muted"><span class="key" style="background:var(--orders)"></span>orders a second'
        '<span class="key" style="background:var(--bad)"></span>requests that failed, a second'
        '<span class="key" style="background:var(--strike)"></span>fault, and the time until orders went on</p>'
    )
    picture = chart(scene.pulse, scene.seconds, scene.struck)
    legend = "" if len(scene.struck) > NUMBERED_MAX else strikes(scene.struck)
    return f'<h2>Sale: {escape(scene.setting)}</h2><p>{text}</p>{keys}<div class="card">{picture}</div>{legend}'


def strikes(struck: Sequence[Struck]) -> str:
    """Every strike, numbered as in the picture."""
    rows = [
        [str(number), each.fault, str(each.in_flight), seconds_of(each.noticed_seconds), *times(each)]
        for number, each in enumerate(struck, 1)
    ]
    heads = ["", "Fault", "In flight", "Noticed", "Stopped for", "Sold again", "Whole again", "Errors"]
    return table(heads, rows, numbers_from=2)


def times(each: Struck) -> list[str]:
    stopped = each.pause_seconds if each.recovered_seconds else None
    whole = seconds_of(each.whole_seconds)
    return [seconds_of(stopped), again_of(each.recovered_seconds), whole, errors_of([each])]


def faults(campaign: Campaign) -> str:
    """All strikes of a fault together: the median, and the worst."""
    struck = [each for scene in campaign.scenes for each in scene.struck]
    by_fault = {fault: [each for each in struck if each.fault == fault.name] for fault in campaign.plan.faults}
    rows = [
        [fault.name, fault.about, "yes" if fault.is_outage else "no", str(len(own)), *spread(own)]
        for fault, own in by_fault.items()
        if own
    ]
    heads = ["Fault", "", "Stops the shop", "Times", "Noticed", "Worst", "Sold again", "Worst", "Errors"]
    return "<h2>Faults</h2>" + table(heads, rows, numbers_from=3)


def spread(struck: Sequence[Struck]) -> list[str]:
    noticed = [each.noticed_seconds for each in struck if each.noticed_seconds is not None]
    recovered = [each.recovered_seconds for each in struck]
    return [
        *(seconds_of(pick(noticed) if noticed else None) for pick in (median, max)),
        *(again_of(pick(recovered)) for pick in (median, max)),
        errors_of(struck),
    ]


def errors_of(struck: Sequence[Struck]) -> str:
    requests = sum(each.requests for each in struck)
    return f"{sum(each.failures for each in struck) / requests:.1%}" if requests else "–"


def controls(tried: Sequence[Tried]) -> str:
    """Set-ups broken on purpose, and what the verdict said."""
    if not tried:
        return ""
    rows = []
    for each in tried:
        found = ", ".join(f"{count:,} {kind}" for kind, count in each.found.items()) or "nothing"
        rows.append([each.name, each.about, " or ".join(each.finds), found, "found out" if each.noticed else "MISSED"])
    intro = "<p>The same drill against set-ups broken on purpose: each of them has to be found out.</p>"
    return f"<h2>Controls</h2>{intro}" + table(["Control", "What is broken", "Must find", "Found", ""], rows)


def left_out(campaign: Campaign) -> str:
    if not campaign.left_out:
        return ""
    return "<h2>Not run here</h2>" + table(["Fault", "Needs"], [list(each) for each in campaign.left_out])


def footer(campaign: Campaign) -> str:
    source = f"Seed {campaign.plan.seed}, Holdfast {campaign.version}, {machine()}."
    again = f"<h2>Again</h2><p><code>{escape(campaign.plan.command)}</code></p>"
    return f'{again}<p class="muted">{escape(source)}</p>'


def again_of(seconds: float) -> str:
    return seconds_of(seconds) if seconds else "went on"


def seconds_of(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int | None = None) -> str:
    def style(column: int) -> str:
        return ' class="n"' if numbers_from is not None and column >= numbers_from else ""

    head = "".join(f"<th{style(column)}>{escape(text)}</th>" for column, text in enumerate(heads))
    body = "".join(
        f"<tr>{''.join(f'<td{style(column)}>{escape(text)}</td>' for column, text in enumerate(row))}</tr>"
        for row in rows
    )
    return f'<div class="card"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
