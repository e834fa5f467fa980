"""Pictures of the demo shop's goods, drawn from their names.

A name reads `{shape}-{colour}-{anything}`; the rest of the name varies the backdrop. The same name always gives the
same bytes, so the pictures can be cached for ever and nothing has to be stored. Names nobody planned get a parcel.
"""

from __future__ import annotations

import zlib
from typing import Final

SIZE_PIXELS: Final = 800

COLOURS: Final[dict[str, str]] = {
    "navy": "#22405f",
    "moss": "#5c6f3a",
    "sand": "#cdb38b",
    "rust": "#b1532f",
    "charcoal": "#3f4347",
    "cream": "#efe6d2",
    "sky": "#7fa9c9",
    "berry": "#8a2d4d",
    "mustard": "#d29f2e",
    "pine": "#2f5d50",
}

BACKDROPS: Final = ("#f3efe7", "#e8eef0", "#eef0e6", "#f2e9e4", "#e9e7ef")

SHAPES: Final[dict[str, str]] = {
    "jacket": (
        "<path d='M290 220 L360 180 H440 L510 220 L620 420 L560 460 L520 390 V640 H280 V390 L240 460 L180 420 Z'/>"
        "<path class='d' d='M394 185 H406 V640 H394 Z'/>"
        "<path class='l' d='M310 500 H370 V520 H310 Z M430 500 H490 V520 H430 Z'/>"
    ),
    "sweater": (
        "<path d='M290 230 L350 200 Q400 250 450 200 L510 230 L640 470 L570 510 L515 410 V620 H285 V410 L230"
        " 510 L160 470 Z'/>"
        "<path class='l' d='M285 330 H515 V350 H285 Z M285 380 H515 V390 H285 Z'/>"
        "<path class='d' d='M285 595 H515 V620 H285 Z'/>"
    ),
    "shirt": (
        "<path d='M300 220 L360 190 L400 240 L440 190 L500 220 L600 350 L545 395 L510 355 V630 H290 V355"
        " L255 395 L200 350 Z'/>"
        "<circle class='l' cx='400' cy='330' r='8'/><circle class='l' cx='400' cy='410' r='8'/>"
        "<circle class='l' cx='400' cy='490' r='8'/>"
    ),
    "trousers": (
        "<path d='M300 180 H500 L530 640 H435 L400 340 L365 640 H270 Z'/>"
        "<path class='d' d='M298 180 H502 L504 210 H296 Z'/>"
        "<path class='l' d='M310 230 L345 270 L340 278 L305 240 Z'/>"
    ),
    "hat": (
        "<path d='M250 480 Q260 250 400 240 Q540 250 550 480 Z'/><circle class='l' cx='400' cy='230' r='42'/>"
        "<path class='d' d='M235 470 H565 V540 H235 Z'/>"
    ),
    "boot": (
        "<path d='M300 200 H450 V430 Q600 440 620 540 V570 H300 Z'/><path class='d' d='M290 570 H630 V610 H290 Z'/>"
        "<path class='l' d='M380 260 H450 V272 H380 Z M380 310 H450 V322 H380 Z M380 360 H450 V372 H380 Z'/>"
    ),
    "backpack": (
        "<path d='M280 280 Q290 180 400 180 Q510 180 520 280 V600 Q520 640 480 640 H320 Q280 640 280 600 Z'/>"
        "<path class='d' d='M310 420 H490 V590 H310 Z'/>"
        "<path class='l' d='M280 330 H520 V346 H280 Z M390 346 H410 V430 H390 Z'/>"
    ),
    "tent": (
        "<path d='M400 220 L660 600 H140 Z'/><path class='d' d='M400 300 L470 600 H330 Z'/>"
        "<path class='l' d='M396 200 H404 V600 H396 Z'/>"
    ),
    "sleepingbag": (
        "<path d='M300 260 Q300 170 400 170 Q500 170 500 260 L530 600 Q530 660 400 660 Q270 660 270 600 Z'/>"
        "<ellipse class='d' cx='400' cy='260' rx='70' ry='60'/>"
        "<path class='l' d='M285 400 H515 V410 H285 Z M278 500 H522 V510 H278 Z'/>"
    ),
    "stove": (
        "<path d='M300 440 H500 L530 600 H270 Z'/><path class='d' d='M250 400 H550 V440 H250 Z'/>"
        "<path class='l' d='M400 250 Q460 330 400 400 Q340 330 400 250 Z'/>"
    ),
    "mug": (
        "<path d='M270 280 H500 V560 Q500 600 460 600 H310 Q270 600 270 560 Z'/>"
        "<path d='M500 330 H560 Q600 330 600 370 V460 Q600 500 560 500 H500 V460 H550 V370 H500 Z'/>"
        "<path class='l' d='M262 270 H508 V292 H262 Z'/>"
    ),
    "flask": (
        "<path d='M320 300 Q320 260 360 250 V200 H440 V250 Q480 260 480 300 V620 Q480 650 450 650 H350 Q320"
        " 650 320 620 Z'/>"
        "<path class='d' d='M350 160 H450 V215 H350 Z'/><path class='l' d='M320 420 H480 V440 H320 Z'/>"
    ),
    "lantern": (
        "<path d='M310 320 H490 V600 H310 Z'/><path class='l' d='M340 350 H460 V570 H340 Z'/>"
        "<path class='d' d='M280 600 H520 V640 H280 Z M330 260 H470 L490 320 H310 Z M390 190 H410 V260 H390 Z'/>"
    ),
    "blanket": (
        "<path d='M220 280 H580 V620 H220 Z'/>"
        "<path class='l' d='M220 340 H580 V356 H220 Z M220 420 H580 V436 H220 Z'/>"
        "<path class='d' d='M220 540 H580 V580 H220 Z M240 620 H256 V660 H240 Z M544 620 H560 V660 H544 Z"
        " M392 620 H408 V660 H392 Z'/>"
    ),
    "tin": (
        "<path d='M280 280 H520 V620 Q400 660 280 620 Z'/><ellipse class='d' cx='400' cy='280' rx='120' ry='34'/>"
        "<path class='l' d='M300 380 H500 V540 H300 Z'/>"
    ),
    "bar": (
        "<path d='M300 180 H500 V640 H300 Z'/><path class='l' d='M300 260 H500 V420 H300 Z'/>"
        "<path class='d' d='M300 180 H500 V205 H300 Z M300 615 H500 V640 H300 Z'/>"
    ),
    "book": (
        "<path d='M270 190 H530 V630 H270 Z'/><path class='d' d='M270 190 H310 V630 H270 Z'/>"
        "<path class='l' d='M350 270 H490 V290 H350 Z M350 310 H460 V324 H350 Z'/>"
    ),
}

PARCEL: Final = (
    "<path d='M240 320 L400 250 L560 320 V560 L400 640 L240 560 Z'/>"
    "<path class='d' d='M240 320 L400 390 V640 L240 560 Z'/>"
    "<path class='l' d='M392 386 H408 V636 H392 Z'/>"
)


def svg(name: str) -> bytes:
    """Draw the picture called `name`; any name gives one, of bounded size."""
    shape, _, rest = name.partition("-")
    colour = COLOURS.get(rest.partition("-")[0], COLOURS["charcoal"])
    seed = zlib.crc32(name.encode("utf-8", "replace"))
    backdrop = BACKDROPS[seed % len(BACKDROPS)]
    horizon = 590 + seed // len(BACKDROPS) % 60
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {SIZE_PIXELS} {SIZE_PIXELS}' "
        f"width='{SIZE_PIXELS}' height='{SIZE_PIXELS}'>"
        "<style>.d{fill:#000;fill-opacity:.22}.l{fill:#fff;fill-opacity:.55}</style>"
        f"<rect width='800' height='800' fill='{backdrop}'/>"
        f"<path d='M0 {horizon} Q400 {horizon - 40} 800 {horizon} V800 H0 Z' fill='#fff' fill-opacity='.6'/>"
        f"<g fill='{colour}'>{SHAPES.get(shape, PARCEL)}</g></svg>"
    ).encode()
